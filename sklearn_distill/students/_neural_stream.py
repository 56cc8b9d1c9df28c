"""Data larger than memory: a torch Dataset of features, labels and teacher's predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.masks import nan_where_masked, refuse_mask
from sklearn_distill._validation.network_input import check_network_input
from sklearn_distill.students._neural_inputs import holds_features_alone, is_dataset

if TYPE_CHECKING:
    from torch.utils.data import Dataset

    from sklearn_distill.nets._batch import Batch
    from sklearn_distill.nets._inputs import Collate as FeatureCollate
    from sklearn_distill.nets._loader import Observer, Stream

# from labels, teacher's predictions and weights of a mini-batch to rows of the loss's table
MakeTable = Callable[[NDArray[Any], FloatArray, FloatArray], FloatArray]


def check_no_other_data(**arguments: object) -> None:
    """Require that no argument of ``fit`` repeats what the items of a Dataset contain."""
    repeated = [name for name, value in arguments.items() if value is not None]
    if "teacher_weight" in repeated:
        raise ValueError(
            "X is a Dataset, whose items have no trust in the teacher: leave out teacher_weight, "
            "or pass arrays"
        )
    if repeated:
        raise ValueError(
            "X is a Dataset, whose items (x, y, teacher) or (x, y, teacher, weight) contain all "
            f"data: leave out {', '.join(repeated)}, or pass the features alone as "
            "skorch.helper.SliceDataset(X)"
        )


def refuse_whole_items(X: Any, **targets: object) -> None:
    """Require that a Dataset holds features alone, with labels or predictions as arrays."""
    if is_dataset(X) and not holds_features_alone(X, **targets):
        raise TypeError(
            "X is a Dataset whose items are more than features, which only fit accepts: pass the "
            "features alone, as skorch.helper.SliceDataset(X), with y and the teacher as arrays"
        )


def make_stream(
    dataset: Dataset[Any],
    make_table: MakeTable,
    observer: Observer,
    features: FeatureCollate,
    *,
    n_outputs: int,
    loader_params: dict[str, Any],
    without_teacher: bool = False,
) -> Stream:
    """Return the stream of mini-batches of a Dataset.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Its items are (x, y, teacher) or (x, y, teacher, weight).
    make_table : callable
        Function from labels, teacher's predictions and weights to rows of the loss's table, whose
        last columns are for the observer.
    observer : Observer
        Reads and removes these columns before the loss.
    features : Collate
        Makes the network's input from the features of several items.
    n_outputs : int
        Number of classes or outputs, the length of a teacher's prediction.
    loader_params : dict
        Arguments of torch's DataLoader.
    without_teacher : bool, default=False
        Whether the items have no predictions, since a live teacher makes them.

    Returns
    -------
    Stream
        The stream, with the features of the first item as a sample.

    """
    from sklearn_distill.nets._loader import Stream

    options = dict(loader_params)
    collate = Collate(
        make_table,
        n_outputs,
        features,
        options.pop("collate_fn", None),
        without_teacher=without_teacher,
    )
    sample = collate([first_item(dataset, without_teacher=without_teacher)]).features
    return Stream(dataset, collate, sample, options, observer)


def first_item(dataset: Dataset[Any], *, without_teacher: bool = False) -> Sequence[Any]:
    """Return a Dataset's first item.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        A Dataset by index or an IterableDataset.
    without_teacher : bool, default=False
        Whether the items have no predictions.

    Returns
    -------
    tuple
        The item, (x, y, teacher) or (x, y, teacher, weight).

    Raises
    ------
    ValueError
        If there are no items, or the first one is not such a tuple.
    """
    first = dataset.peek(1) if hasattr(dataset, "peek") else list(islice(iter(dataset), 1))
    if not first:
        raise ValueError("X is a Dataset without any items: fit needs at least one")
    item: Sequence[Any] = _check_items(first, without_teacher)[0]
    return item


def without_losses(dataset: Dataset[Any], loader_params: dict[str, Any]) -> Dataset[Any]:
    """Return a Dataset of which reading the first item loses nothing.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        A Dataset by index or an IterableDataset.
    loader_params : dict
        Arguments of torch's DataLoader; its workers read iterable data in copies of their own.

    Returns
    -------
    Dataset
        The Dataset, iterable data with a buffer for items that are read ahead.
    """
    from torch.utils.data import IterableDataset

    from sklearn_distill.nets._dataset_sample import Peeked

    if isinstance(dataset, IterableDataset) and not loader_params.get("num_workers"):
        return Peeked(dataset)
    return dataset


class Collate:
    """Function from a list of items of a Dataset to a mini-batch; DataLoader workers pickle it.

    Parameters
    ----------
    make_table : callable
        Function from labels, teacher's predictions and weights to rows of the loss's table.
    n_outputs : int
        Number of classes or outputs, the length of a teacher's prediction.
    features : Collate
        Makes the network's input from the features of several items.
    collate_fn : callable or None, default=None
        The user's function from items to (x, y, teacher) or (x, y, teacher, weight) of a
        mini-batch.
    without_teacher : bool, default=False
        Whether the items have no predictions.
    """

    def __init__(
        self,
        make_table: MakeTable,
        n_outputs: int,
        features: FeatureCollate,
        collate_fn: Any = None,
        *,
        without_teacher: bool = False,
    ) -> None:
        self.make_table = make_table
        self.collate_fn = collate_fn
        self.n_outputs = n_outputs
        self.features = features
        self.without_teacher = without_teacher

    def with_floats(self) -> Collate:
        """Return a function that makes floats of integers if they are one tensor."""
        other = copy(self)
        other.features = self.features.with_floats()
        return other

    def __call__(self, items: Sequence[Any]) -> Batch:
        """Return features, rows of the table, and labels."""
        from sklearn_distill.nets._batch import Batch
        from sklearn_distill.nets._loader import as_tensor

        checked = _check_items(items, self.without_teacher)
        if self.collate_fn is None:
            features = self._features([item[0] for item in checked])
        else:
            x, *targets = _check_batch(self.collate_fn(list(items)), self.without_teacher)
            features = self.features.to_input(x)
            checked = _rows_of(features, targets, len(items))
        labels = _labels(checked)
        table = self.make_table(labels, self._teacher_rows(checked), _weights(checked))
        return Batch(features, as_tensor(table, self.features.to_input.dtype), labels)

    def _features(self, samples: list[Any]) -> Any:
        if self.features.collate_fn is None:
            check_network_input("the first element of a Dataset's item", samples[0])
            for sample in samples:
                refuse_mask("the Dataset's x", sample)
        return self.features(samples)

    def _teacher_rows(self, items: Sequence[Any]) -> FloatArray:
        """Return the teacher's predictions, NaN where they are missing."""
        given = [nan_where_masked(item[2]) for item in items]
        predictions = [None if row is None else np.atleast_1d(row) for row in given]
        shape = next((row.shape for row in predictions if row is not None), (self.n_outputs,))
        missing = np.full(shape, np.nan)
        rows = [missing if row is None else row for row in predictions]
        return _stack("teacher's predictions", rows).astype(np.float64)


def _check_batch(batch: Any, without_teacher: bool) -> Sequence[Any]:
    """Require what the user's function must make of items."""
    if without_teacher:
        batch = _with_missing_prediction(batch)
    if not isinstance(batch, (tuple, list)) or len(batch) not in (3, 4):
        raise ValueError(
            f"iterator_train__collate_fn returned a {type(batch).__name__}: it must return the "
            "(x, y, teacher) or (x, y, teacher, weight) of a mini-batch, with None for what is "
            "missing in all of its rows"
        )
    return batch


def _rows_of(features: Any, targets: Sequence[Any], n_items: int) -> list[tuple[Any, ...]]:
    """Return items without features from the columns of a mini-batch, None for what is missing."""
    from sklearn_distill.nets._inputs import tensors_of

    columns = [[None] * n_items if values is None else list(values) for values in targets]
    lengths = [len(rows) for rows in [*tensors_of(features), *columns]]
    if set(lengths) != {n_items}:
        raise ValueError(
            f"iterator_train__collate_fn returned {lengths} rows for {n_items} items: it must "
            "return a row of each for each item"
        )
    return list(zip([None] * n_items, *columns, strict=True))


def _check_items(items: Sequence[Any], without_teacher: bool) -> Sequence[Any]:
    """Return the items, with None for the prediction of a live teacher."""
    if without_teacher:
        items = [_with_missing_prediction(item) for item in items]
    for item in items:
        is_sequence = isinstance(item, (tuple, list))
        if not is_sequence or len(item) not in (3, 4):
            what = f"of {len(item)} elements" if is_sequence else f"of type {type(item).__name__}"
            raise ValueError(
                f"the Dataset yields items {what}: an item must be (x, y, teacher) or "
                "(x, y, teacher, weight), with None for a missing label or prediction"
            )
    return items


def _with_missing_prediction(item: Any) -> Any:
    """Return an item (x, y) as (x, y, None); a longer one must have None there."""
    if not isinstance(item, (tuple, list)) or len(item) < 2:
        return item
    if len(item) > 2 and item[2] is not None:
        raise ValueError(
            "the Dataset yields a teacher's prediction, and the student has the parameter teacher, "
            "which predicts instead: yield (x, y) or None for the prediction"
        )
    return (*item, None) if len(item) == 2 else item


def _stack(what: str, rows: list[NDArray[Any]]) -> NDArray[Any]:
    """Return rows of numbers as one array."""
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1:
        raise ValueError(
            f"the Dataset yields {what} of the shapes {shapes[:10]}: all must have the same shape; "
            "pad them"
        )
    stacked = np.stack(rows)
    if stacked.dtype.kind not in "biuf":
        raise ValueError(f"the Dataset yields {what} of {stacked.dtype}: they must be numbers")
    return stacked


def _weights(items: Sequence[Any]) -> FloatArray:
    given = [item[3] if len(item) == 4 else 1.0 for item in items]
    weight = np.array([1.0 if value is None else value for value in given], dtype=np.float64)
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(
            f"the Dataset yields the weights {weight.tolist()}: they must be finite and at least 0"
        )
    return weight


def _labels(items: Sequence[Any]) -> NDArray[Any]:
    """Return the labels as an array, with dtype object if some are missing."""
    # labels may be tensors or NumPy scalars: as Python scalars they form one array
    labels = [item[1].tolist() if hasattr(item[1], "tolist") else item[1] for item in items]
    if any(label is None for label in labels):
        return np.array(labels, dtype=object)
    return np.array(labels)
