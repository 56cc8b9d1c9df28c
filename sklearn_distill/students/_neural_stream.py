"""Data larger than memory: a torch Dataset whose items bring label and teacher along."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray

ReadTable = Callable[[NDArray[Any], FloatArray, FloatArray], FloatArray]


def is_dataset(X: Any) -> bool:
    """Tell whether X is a torch Dataset, without loading torch."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(X, data.Dataset)


def check_nothing_beside(**given: Any) -> None:
    """Require that what a Dataset's items bring does not come twice."""
    twice = [name for name, value in given.items() if value is not None]
    if twice:
        raise ValueError(
            f"X is a Dataset, whose items (x, y, teacher) or (x, y, teacher, weight) say all: "
            f"leave out {', '.join(twice)}"
        )


def stream_of(
    dataset: Any, read_table: ReadTable, n_answers: int, precision: str, options: dict[str, Any]
) -> Any:
    """Return the stream of a Dataset.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Its items are (x, y, teacher) or (x, y, teacher, weight).
    read_table : callable
        From labels, teacher rows and weights to rows of the loss's table.
    n_answers : int
        Numbers in a teacher's row; a None among them is a silent teacher.
    precision : str
        Of the features.
    options : dict
        Arguments of torch's DataLoader.

    Returns
    -------
    Stream
        The stream.
    """
    from sklearn_distill.nets._loader import Stream

    collate = Collate(read_table, n_answers, precision)
    features, _ = collate([first_item(dataset)])
    return Stream(dataset, collate, features, options)


def first_item(dataset: Any) -> Any:
    """Return a Dataset's first item.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        The data.

    Returns
    -------
    tuple
        The item.

    Raises
    ------
    ValueError
        If there is none, or it is no such tuple.
    """
    item = next(iter(dataset), None)
    if item is None:
        raise ValueError("X is a Dataset without any items: fit needs at least one")
    _check_items([item])
    return item


class Collate:
    """Make a mini-batch of a Dataset's items.

    Parameters
    ----------
    read_table : callable
        From labels, teacher rows and weights to rows of the loss's table.
    n_answers : int
        Numbers in a teacher's row.
    precision : str
        Of the features.
    """

    def __init__(self, read_table: ReadTable, n_answers: int, precision: str) -> None:
        self.read_table = read_table
        self.n_answers = n_answers
        self.precision = precision

    def __call__(self, items: Sequence[Any]) -> tuple[Any, Any]:
        """Return features and rows of the table."""
        from sklearn_distill.students._neural_training import in_precision

        _check_items(items)
        features = _stacked("features", [np.asarray(item[0]) for item in items])
        if not np.isfinite(features).all():
            raise ValueError("the Dataset yields features that are NaN or infinite: fill them")
        table = self.read_table(_labels(items), self._says(items), _weights(items))
        return in_precision(features, self.precision), in_precision(table, self.precision)

    def _says(self, items: Sequence[Any]) -> FloatArray:
        """Return the teacher's rows, NaN where it is silent."""
        says = [None if item[2] is None else np.atleast_1d(item[2]) for item in items]
        shape = next((row.shape for row in says if row is not None), (self.n_answers,))
        silent = np.full(shape, np.nan)
        rows = [silent if row is None else row for row in says]
        return _stacked("teacher's answers", rows).astype(np.float64)


def _check_items(items: Sequence[Any]) -> None:
    for item in items:
        if not isinstance(item, (tuple, list)) or len(item) not in (3, 4):
            what = f"{len(item)} things" if isinstance(item, (tuple, list)) else type(item).__name__
            raise ValueError(
                f"the Dataset yields {what}: an item must be (x, y, teacher) or "
                "(x, y, teacher, weight), with None for a missing label or a silent teacher"
            )


def _stacked(what: str, rows: list[NDArray[Any]]) -> NDArray[Any]:
    """Return rows of numbers as one array."""
    shapes = sorted({row.shape for row in rows})
    if len(shapes) > 1:
        raise ValueError(f"the Dataset yields {what} of the shapes {shapes}: give all the same")
    stacked = np.stack(rows)
    if stacked.dtype.kind not in "biuf":
        raise ValueError(f"the Dataset yields {what} of {stacked.dtype}: give arrays of numbers")
    return stacked


def _weights(items: Sequence[Any]) -> FloatArray:
    given = [item[3] if len(item) == 4 else 1.0 for item in items]
    weight = np.array([1.0 if value is None else value for value in given], dtype=np.float64)
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError(f"the Dataset yields the weights {weight.tolist()}: give numbers of 0 on")
    return weight


def _labels(items: Sequence[Any]) -> NDArray[Any]:
    """Return the labels as an array, of objects where some are missing."""
    labels = [item[1].tolist() if hasattr(item[1], "tolist") else item[1] for item in items]
    if any(label is None for label in labels):
        return np.array(labels, dtype=object)
    return np.array(labels)
