"""Read the representations of several models, and see which models have triplets together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.utils import check_array, column_or_1d

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill._validation.labels import check_labels
from sklearn_distill._validation.numbers import check_rows_complete

STUDENT = object()  # the student's name, which no teacher can have


@dataclass(frozen=True)
class Representations:
    """What several models make of the same rows.

    Parameters
    ----------
    names : list
        What to call each model.
    rows : list of ndarray, each of shape (n_rows, width)
        Representations; a row of NaN where a model has none.
    """

    names: list[Any]
    rows: list[FloatArray]

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.rows[0])

    @property
    def seen(self) -> BoolArray:
        """Which rows each model has, (n_models, n_rows)."""
        return np.stack([~np.isnan(one[:, 0]) for one in self.rows])


def read_representations(representations: Any, *, student: Any = None) -> Representations:
    """Check the representations of teachers, and of a student, who comes first.

    Parameters
    ----------
    representations : list or dict of array-like, each of shape (n_rows, width)
        A row of NaN where a teacher has none.
    student : array-like of shape (n_rows, width) or None
        The student's.

    Returns
    -------
    Representations
        All, as float64.

    Raises
    ------
    ValueError
        If a shape is wrong, the lengths differ, or a row is NaN in part.
    TypeError
        If it is neither a list nor a dict.
    """
    if not isinstance(representations, list | tuple | Mapping):
        raise TypeError(
            f"representations is a {type(representations).__name__}: give a list or a dict of "
            "arrays (n_samples, width), one for each teacher"
        )
    if not len(representations):
        raise ValueError("representations is empty: give an array for each teacher")
    named = {} if student is None else {STUDENT: student}
    named |= _named(representations)
    read = Representations(list(named), [_read(name, one) for name, one in named.items()])
    _check_lengths(read)
    return read


def _named(representations: Any) -> dict[Any, Any]:
    if isinstance(representations, Mapping):
        return dict(representations)
    return dict(enumerate(representations))


def _read(name: Any, rows: Any) -> FloatArray:
    values = check_array(
        rows, dtype=np.float64, ensure_all_finite="allow-nan", input_name=_called(name)
    )
    check_rows_complete(_called(name), values, "a representation or missing")
    return np.asarray(values)


def _check_lengths(read: Representations) -> None:
    lengths = [len(one) for one in read.rows]
    if len(set(lengths)) > 1:
        each = zip(map(_called, read.names), lengths, strict=True)
        told = ", ".join(f"{name}: {n}" for name, n in each)
        raise ValueError(
            f"the representations differ in length ({told}): give each a row for each sample, NaN "
            "where a teacher has none"
        )


def check_some_rows(read: Representations) -> None:
    """Require at least two rows of each model.

    Parameters
    ----------
    read : Representations
        What was read.

    Raises
    ------
    ValueError
        If a model has fewer.
    """
    for name, count in zip(read.names, read.seen.sum(axis=1), strict=True):
        if count < 2:
            raise ValueError(
                f"{_called(name)} has {count} rows that are not NaN: a space is learnt from at "
                "least two"
            )


def read_classes(y: Any, n_rows: int) -> tuple[NDArray[Any], IntArray]:
    """Return the classes, and the number of each row's class.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels; NaN, None and pd.NA are missing.
    n_rows : int
        Rows of the representations.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Class labels.
    codes : ndarray of int of shape (n_rows,)
        Their positions, -1 for a missing label.

    Raises
    ------
    ValueError
        If the length is wrong or there are fewer than two classes.
    """
    labels = column_or_1d(y)
    if len(labels) != n_rows:
        raise ValueError(
            f"y has {len(labels)} entries, the representations have {n_rows} rows: give one label "
            "a row"
        )
    if (count := len(pd.unique(labels[~pd.isna(labels)]))) < 2:
        raise ValueError(
            f"y has {count} classes: a triplet needs a sample of another class, so give labels of "
            "two at least"
        )
    classes, found = check_labels(labels, n_rows, None, None)
    return classes, found.codes


def linked_pairs(
    read: Representations, codes: IntArray, anchors: list[int]
) -> list[tuple[int, int]]:
    """Return the pairs of anchor and other model that have triplets.

    Parameters
    ----------
    read : Representations
        What each model makes of the rows.
    codes : ndarray of int of shape (n_rows,)
        Class numbers, -1 where missing.
    anchors : list of int
        Positions of the models that may be anchors.

    Returns
    -------
    list of (int, int)
        Anchor and other model.

    Raises
    ------
    ValueError
        If they do not hold all models together.
    """
    seen = read.seen & (codes >= 0)
    others = range(len(seen))
    pairs = [(a, m) for a in anchors for m in others if a != m and _has_triplet(seen, codes, a, m)]
    graph = np.zeros((len(seen), len(seen)))
    for a, m in pairs:
        graph[a, m] = 1
    _, group = connected_components(graph, directed=False)
    if (group != group[0]).any():
        apart = read.names[int(np.argmax(group != group[0]))]
        raise ValueError(_unlinked(read, apart, anchors))
    return pairs


def _has_triplet(seen: BoolArray, codes: IntArray, a: int, m: int) -> bool:
    common = codes[seen[a] & seen[m]]
    return len(common) > 0 and len(np.unique(codes[seen[m]])) > 1


def _unlinked(read: Representations, apart: Any, anchors: list[int]) -> str:
    if len(anchors) > 1:
        anchor, others = "the other teachers", "whose chain reaches the first"
    else:
        anchor, others = f"the anchor, {_called(read.names[anchors[0]])}", "that the anchor has too"
    return (
        f"{_called(apart)} is not linked to {anchor}: it needs labelled rows {others}, and rows of "
        "two classes. Give such rows, or let the student be the anchor, who can have all rows "
        "(anchor='student')"
    )


def _called(name: Any) -> str:
    return "student" if name is STUDENT else f"representations[{name!r}]"
