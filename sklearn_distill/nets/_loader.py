"""Mini-batches: slices of whole tensors, or samples that are read one by one from a Dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from sklearn_distill.nets._batch import Batch
from sklearn_distill.nets._inputs import Inputs, ModelInput, join_inputs, map_tensors
from sklearn_distill.nets._share import Share, SharedBatchSampler, SharedCollate


def as_tensor(values: NDArray[Any], dtype: torch.dtype = torch.float32) -> Tensor:
    """Return an array as a tensor, which may share its memory.

    Parameters
    ----------
    values : ndarray
        Array of numbers, of any shape and memory layout.
    dtype : torch.dtype, default=torch.float32
        Type of the tensor.

    Returns
    -------
    Tensor of the shape of values
        The values in the given type.
    """
    # torch warns about read-only arrays and rejects negative strides
    return torch.as_tensor(np.require(values, requirements=["C", "W"])).to(dtype)


WHOLE = Share()
_GATHERED = 2**20  # numbers that are gathered at once, so that small mini-batches cost no lookups


class RowTensors(Dataset[tuple[Tensor, Tensor]]):
    """A data set in memory: features and the table of the loss.

    Parameters
    ----------
    features : Tensor of shape (n_rows, ...) or Inputs
        Features of the samples.
    table : Tensor of shape (n_rows, n_columns) or None, default=None
        Targets and weights of the samples; None for prediction.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None, default=None
        Labels as the user passed them, for callbacks.

    Examples
    --------
    >>> rows = RowTensors(torch.zeros(3, 2), torch.ones(3, 1))
    >>> len(rows), rows[1]
    (3, (tensor([0., 0.]), tensor([1.])))
    """

    def __init__(
        self,
        features: Tensor | Inputs,
        table: Tensor | None = None,
        labels: NDArray[Any] | None = None,
    ) -> None:
        self.features = features
        self.labels = labels
        self._table = table

    @property
    def table(self) -> Tensor:
        """The table; without columns for prediction, where it is seldom read."""
        if self._table is None:
            like = self.features if isinstance(self.features, Tensor) else torch.empty(0)
            self._table = like.new_zeros(len(self.features), 0)
        return self._table

    @table.setter
    def table(self, table: Tensor) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, row: int) -> tuple[Any, Tensor]:
        return self.features[row], self.table[row]

    def with_floats(self, dtype: torch.dtype) -> RowTensors:
        """Return the rows with integers of one tensor as floats.

        Parameters
        ----------
        dtype : torch.dtype
            Type of the floats.

        Returns
        -------
        RowTensors
            The rows.
        """
        X = self.features
        features = X.with_floats() if isinstance(X, Inputs) else X.to(dtype)
        return RowTensors(features, self.table, self.labels)

    def rows(self, rows: Tensor) -> RowTensors:
        """Return some rows as a data set without labels.

        Parameters
        ----------
        rows : Tensor of int of shape (n_taken,)
            Row numbers.

        Returns
        -------
        RowTensors
            The selected rows.
        """
        own = rows.numpy(force=True) if isinstance(self.features, Inputs) else rows
        return RowTensors(self.features[own], self.table[rows])

    def input(self, rows: slice) -> ModelInput:
        """Return the network's input for consecutive rows, on the device of the table.

        Parameters
        ----------
        rows : slice
            The rows.

        Returns
        -------
        Tensor or dict of Tensor
            The input.
        """
        if not isinstance(self.features, Inputs):
            return self.features[rows]
        x = self.features.take(torch.arange(len(self))[rows])
        return cast("ModelInput", map_tensors(lambda part: part.to(self.table.device), x))

    def take(self, rows: Tensor, *, with_labels: bool = False) -> Batch:
        """Return some rows, in a quarter of the time of indexing with a tensor.

        Parameters
        ----------
        rows : Tensor of int of shape (n_taken,)
            Row numbers.
        with_labels : bool, default=False
            Whether to return their labels too.

        Returns
        -------
        Batch
            The selected rows.
        """
        table = self.table.index_select(0, rows)
        features = (
            self.features.take(rows.cpu())
            if isinstance(self.features, Inputs)
            else self.features.index_select(0, rows)
        )
        if not with_labels or self.labels is None:
            return Batch(features, table, rows=rows)
        return Batch(features, table, self.labels[rows.cpu().numpy()], rows=rows)

    def seen(self) -> tuple[Any, Any]:
        """Return X and y as callbacks get them: features and labels."""
        return self.features, self.labels

    @property
    def dataset(self) -> RowTensors:
        """The data set that a loader iterates over: itself."""
        return self

    @property
    def observer(self) -> None:
        """None: the targets of whole arrays were judged before the training."""

    def reader(self, generator: torch.Generator) -> dict[str, Any]:
        """Return the arguments with which a skorch net iterates over the rows.

        Parameters
        ----------
        generator : torch.Generator
            Generator for shuffling.

        Returns
        -------
        dict
            Arguments ``iterator_train`` and ``iterator_train__*`` of the net.
        """
        return {"iterator_train": TensorLoader, "iterator_train__generator": generator}

    def to(self, device: torch.device) -> RowTensors:
        """Return the rows on a device.

        Parameters
        ----------
        device : torch.device
            Device to copy to.

        Returns
        -------
        RowTensors
            The rows, without a copy if they are on the device already.
        """
        return RowTensors(self.features.to(device), self.table.to(device), self.labels)


class Observer(Protocol):
    """Reads the tables of the mini-batches of a training, in its process."""

    def __call__(self, table: Tensor) -> Tensor:
        """Return the columns that the loss reads."""

    def see(self, predictions: Tensor) -> None:
        """Notice the predictions of a live teacher for the mini-batch."""

    def end_epoch(self) -> None:
        """Notice that a pass over the mini-batches has ended."""


@dataclass(frozen=True)
class Stream:
    """A data set of any size, whose samples a torch Dataset reads one by one.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Data set of features, labels and predictions of the teacher.
    collate : callable
        Makes a mini-batch, features and table of the loss, from a list of items; its method
        ``with_floats`` returns one that makes floats of integers.
    features : Tensor of shape (n_rows, ...) or dict of Tensor
        Features of the first samples, whose shape the network is built for.
    options : dict
        Further arguments of torch.utils.data.DataLoader.
    observer : Observer
        Reads the last columns of each table, and removes them before the loss.
    """

    dataset: Dataset[Any]
    collate: Any
    features: ModelInput
    options: dict[str, Any]
    observer: Observer

    def with_floats(self, dtype: torch.dtype) -> Stream:
        """Return the data set with integers of one tensor as floats.

        Parameters
        ----------
        dtype : torch.dtype
            Type of the floats.

        Returns
        -------
        Stream
            The data set.
        """
        assert isinstance(self.features, Tensor)
        collate, features = self.collate.with_floats(), self.features.to(dtype)
        return replace(self, collate=collate, features=features)

    def reader(self, generator: torch.Generator) -> dict[str, Any]:
        """Return the arguments with which a skorch net iterates over the rows.

        Parameters
        ----------
        generator : torch.Generator
            Generator for shuffling, unless the dataset can only be read in its own order.

        Returns
        -------
        dict
            Arguments ``iterator_train`` and ``iterator_train__*`` of a skorch net.
        """
        options = {"generator": generator, "collate_fn": self.collate, **self.options}
        named = {f"iterator_train__{name}": value for name, value in options.items()}
        return {"iterator_train": StreamLoader, **named}

    def seen(self) -> tuple[Any, Any]:
        """Return X and y as callbacks get them: the Dataset, whose items contain the labels."""
        return self.dataset, None

    def to(self, device: torch.device) -> Stream:
        """Return itself: mini-batches go to the device one by one.

        Parameters
        ----------
        device : torch.device
            Device of the network; not used.

        Returns
        -------
        Stream
            The stream itself.
        """
        return self


class TensorLoader:
    """Iterate over the mini-batches of :class:`RowTensors`.

    Parameters
    ----------
    dataset : RowTensors
        Data set in memory.
    batch_size : int
        Number of rows of a mini-batch; the last may be smaller.
    generator : torch.Generator or None, default=None
        Generator that shuffles the rows for each pass; None keeps their order.
    join_single : bool, default=False
        Whether a last mini-batch of one row is joined to the one before. Batch normalisation needs
        it, since one row has no variance; each of several processes then needs two rows.
    share : Share, default=Share()
        The share of each mini-batch that is returned.

    Attributes
    ----------
    with_labels : bool
        Whether the mini-batches have their labels; set by the net if a callback reads them.

    Examples
    --------
    >>> rows = RowTensors(torch.arange(3.0)[:, None], torch.arange(3.0)[:, None])
    >>> [batch.features.ravel().tolist() for batch in TensorLoader(rows, batch_size=2)]
    [[0.0, 1.0], [2.0]]
    """

    def __init__(
        self,
        dataset: RowTensors,
        batch_size: int,
        *,
        generator: torch.Generator | None = None,
        join_single: bool = False,
        share: Share = WHOLE,
    ) -> None:
        self.share = share
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator
        self.join_single = join_single
        self.with_labels = False

    def __len__(self) -> int:
        return len(self._sizes())

    def __iter__(self) -> Iterator[Batch]:
        if isinstance(self.dataset.features, Inputs):
            yield from self._from_inputs(self.dataset.features)
            return
        if self.generator is None:
            yield from self._in_order()
            return
        # drawn on the CPU, so that a seed gives the same order on every device
        order = torch.randperm(len(self.dataset), generator=self.generator)
        order = order.to(self.dataset.features.device)
        if self.share.world == 1:
            yield from self._shuffled(order)
            return
        for rows in order.split(self._sizes()):
            own = self.share.positions(rows)
            batch = self.dataset.take(own, with_labels=self.with_labels)
            yield self.share.counted(batch, len(rows))

    def _from_inputs(self, features: Inputs) -> Iterator[Batch]:
        """Yield mini-batches that are made one by one, in the order of those of a tensor."""
        data, n_rows = self.dataset, len(self.dataset)
        order = torch.arange(n_rows)
        if self.generator is not None:
            order = torch.randperm(n_rows, generator=self.generator)
        wholes = order.split(self._sizes()) if n_rows else ()
        parts = list(map(self.share.positions, wholes))
        for whole, rows, x in zip(wholes, parts, features.batches(parts), strict=True):
            on_device = rows.to(data.table.device)
            labels = None if data.labels is None else data.labels[rows.numpy()]
            batch = Batch(x, data.table.index_select(0, on_device), labels, rows=on_device)
            yield batch if self.share.world == 1 else self.share.counted(batch, len(whole))

    def _shuffled(self, order: Tensor) -> Iterator[Batch]:
        """Yield mini-batches in an order; many small ones are gathered at once, then split."""
        sizes, data = self._sizes(), self.dataset
        row = cast("Tensor", data.features[:1])
        n_numbers = max(1, sizes[0] * row.numel()) if sizes else 1
        n_together = max(1, _GATHERED // n_numbers)
        for i in range(0, len(sizes), n_together):
            together = sizes[i : i + n_together]
            rows, order = order[: sum(together)], order[sum(together) :]
            gathered = data.take(rows, with_labels=self.with_labels)
            yield from _split(gathered, together)

    def _in_order(self) -> Iterator[Batch]:
        data, start = self.dataset, 0
        for size in self._sizes():
            rows = slice(start, start + size)
            labels = None if data.labels is None else data.labels[rows]
            yield Batch(data.features[rows], data.table[rows], labels)
            start += size

    def _sizes(self) -> list[int]:
        """Return the number of rows of each mini-batch."""
        n_full, n_left = divmod(len(self.dataset), self.batch_size)
        sizes = [self.batch_size] * n_full
        too_few = 2 * self.share.world if self.join_single else 0
        if sizes and 0 < n_left < too_few:
            return [*sizes[:-1], sizes[-1] + n_left]
        return [*sizes, n_left] if n_left else sizes


def _split(batch: Batch, sizes: list[int]) -> Iterator[Batch]:
    """Yield parts of a mini-batch, as views."""
    assert batch.rows is not None
    tensors = (batch.features, batch.table, batch.rows)
    parts = zip(*(values.split(sizes) for values in tensors), strict=True)
    start = 0
    for size, (features, table, rows) in zip(sizes, parts, strict=True):
        labels = None if batch.labels is None else batch.labels[start : start + size]
        yield Batch(features, table, labels, rows=rows)
        start += size


class StreamLoader:
    """Iterate over the mini-batches of a Dataset, as torch's DataLoader reads them.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        The data set.
    batch_size : int
        Number of items of a mini-batch; not used with a ``batch_sampler``.
    generator : torch.Generator
        Generator that shuffles the items, unless a sampler or the data set gives their order.
    collate_fn : callable
        Makes a mini-batch from items.
    join_single : bool, default=False
        Whether a last mini-batch of one row is joined to the one before, as in
        :class:`TensorLoader`.
    share : Share, default=Share()
        The share of each mini-batch that is returned.
    **options : dict
        Further arguments of torch's DataLoader.
    """

    with_labels = True

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int,
        *,
        generator: torch.Generator,
        collate_fn: Callable[[list[Any]], Batch],
        join_single: bool = False,
        share: Share = WHOLE,
        **options: Any,
    ) -> None:
        self.join_single = join_single
        self.share = share
        has_order = options.keys() & {"sampler", "batch_sampler"}
        options = {"generator": generator, "collate_fn": collate_fn, **options}
        if "batch_sampler" not in options:
            options["batch_size"] = batch_size
        if not has_order and not isinstance(dataset, IterableDataset):
            options.setdefault("shuffle", True)
        self._sampler: SharedBatchSampler | None = None
        self._loader: DataLoader[Any] = DataLoader(dataset, **options)
        if share.world > 1:
            self._share(dataset, options)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Batch]:
        batches: Iterator[Batch] = iter(self._loader)
        if self._sampler is not None:
            sizes = self._sampler.sizes
            batches = (self.share.counted(batch, sizes.popleft()) for batch in batches)
        return _joined(batches, 2 * self.share.world) if self.join_single else batches

    def _share(self, dataset: Dataset[Any], options: dict[str, Any]) -> None:
        """Read the share of each mini-batch only, or, of iterable data, keep only the share."""
        if isinstance(dataset, IterableDataset):
            collate = SharedCollate(options["collate_fn"], self.share)
            self._loader = DataLoader(dataset, **options | {"collate_fn": collate})
            return
        assert self._loader.batch_sampler is not None
        self._sampler = SharedBatchSampler(self._loader.batch_sampler, self.share)
        order = {"sampler", "batch_sampler", "batch_size", "shuffle", "drop_last"}
        rest = {name: value for name, value in options.items() if name not in order}
        self._loader = DataLoader(dataset, batch_sampler=self._sampler, **rest)


def _joined(batches: Iterator[Batch], too_few: int) -> Iterator[Batch]:
    """Yield mini-batches, the last one joined to the one before it if it has too few rows."""
    before = next(batches, None)
    for batch in batches:
        assert before is not None
        if batch.total_size < too_few:  # only the last is smaller than the others
            before = _join(before, batch)
        else:
            yield before
            before = batch
    if before is not None:
        yield before


def _join(one: Batch, other: Batch) -> Batch:
    rows = [batch for batch in (one, other) if batch.size]
    if len(rows) < 2:
        joined = rows[0] if rows else one
        return joined._replace(n_own=joined.size, n_total=one.total_size + other.total_size)
    labels = None
    if one.labels is not None and other.labels is not None:
        labels = np.concatenate([one.labels, other.labels])
    return Batch(
        join_inputs([one.features, other.features]),
        torch.cat([one.table, other.table]),
        labels,
        one.size + other.size,
        one.total_size + other.total_size,
    )
