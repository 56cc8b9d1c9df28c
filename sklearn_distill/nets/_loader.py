"""Mini-batches: slices of whole tensors, or samples that are read one by one from a Dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset


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


class RowTensors(Dataset[tuple[Tensor, Tensor]]):
    """A data set in memory: features and the table of the loss.

    Parameters
    ----------
    features : Tensor of shape (n_rows, ...)
        Features of the samples.
    table : Tensor of shape (n_rows, n_columns) or None, default=None
        Targets and weights of the samples; None for prediction.

    Examples
    --------
    >>> rows = RowTensors(torch.zeros(3, 2), torch.ones(3, 1))
    >>> len(rows), rows[1]
    (3, (tensor([0., 0.]), tensor([1.])))
    """

    def __init__(self, features: Tensor, table: Tensor | None = None) -> None:
        self.features = features
        self.table = features.new_zeros(len(features), 0) if table is None else table

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return self.features[row], self.table[row]

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return some rows, in a quarter of the time of indexing with a tensor.

        Parameters
        ----------
        rows : Tensor of int of shape (n_taken,)
            Row numbers.

        Returns
        -------
        features, table : Tensor of shape (n_taken, ...)
            The selected rows of both.
        """
        return self.features.index_select(0, rows), self.table.index_select(0, rows)

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
        return RowTensors(self.features.to(device), self.table.to(device))


class Observer(Protocol):
    """Reads the tables of the mini-batches of a training, in its process."""

    def __call__(self, table: Tensor) -> Tensor:
        """Return the columns that the loss reads."""

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
        Makes a mini-batch, features and table of the loss, from a list of items.
    features : Tensor of shape (n_rows, ...)
        Features of the first samples, whose shape the network is built for.
    options : dict
        Further arguments of torch.utils.data.DataLoader.
    observer : Observer
        Reads the last columns of each table, and removes them before the loss.
    """

    dataset: Dataset[Any]
    collate: Callable[[list[Any]], tuple[Tensor, Tensor]]
    features: Tensor
    options: dict[str, Any]
    observer: Observer

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
        options = {
            "shuffle": not isinstance(self.dataset, IterableDataset),
            "generator": generator,
            "collate_fn": self.collate,
            **self.options,
        }
        named = {f"iterator_train__{name}": value for name, value in options.items()}
        return {"iterator_train": DataLoader, **named}

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
        it, since one row has no variance.

    Examples
    --------
    >>> rows = RowTensors(torch.arange(3.0)[:, None], torch.arange(3.0)[:, None])
    >>> [features.ravel().tolist() for features, _ in TensorLoader(rows, batch_size=2)]
    [[0.0, 1.0], [2.0]]
    """

    def __init__(
        self,
        dataset: RowTensors,
        batch_size: int,
        *,
        generator: torch.Generator | None = None,
        join_single: bool = False,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator
        self.join_single = join_single

    def __len__(self) -> int:
        return len(self._sizes())

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self.generator is None:
            yield from self._in_order()
            return
        # drawn on the CPU, so that a seed gives the same order on every device
        order = torch.randperm(len(self.dataset), generator=self.generator)
        order = order.to(self.dataset.features.device)
        for rows in order.split(self._sizes()):
            yield self.dataset.take(rows)

    def _in_order(self) -> Iterator[tuple[Tensor, Tensor]]:
        features, table = self.dataset.features, self.dataset.table
        yield from zip(features.split(self._sizes()), table.split(self._sizes()), strict=True)

    def _sizes(self) -> list[int]:
        """Return the number of rows of each mini-batch."""
        n_full, n_left = divmod(len(self.dataset), self.batch_size)
        sizes = [self.batch_size] * n_full
        if n_left == 1 and sizes and self.join_single:
            return [*sizes[:-1], sizes[-1] + 1]
        return [*sizes, n_left] if n_left else sizes
