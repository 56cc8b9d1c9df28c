"""Check the representations of several models, and find the pairs of models that have triplets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.utils import check_array, column_or_1d

from sklearn_distill._typing import ArrayLike, BoolArray, FloatArray, IntArray
from sklearn_distill._validation.labels import check_labels
from sklearn_distill._validation.masks import nan_where_masked
from sklearn_distill._validation.numbers import check_rows_complete

STUDENT = object()  # the student's name, which no teacher can have

RepresentationsLike: TypeAlias = Sequence[ArrayLike] | Mapping[Any, ArrayLike]


@dataclass(frozen=True)
class Representations:
    """Hidden representations of the same rows by several models.

    Parameters
    ----------
    names : list
        Name of each model: its key, or its position in a list.
    arrays : list of ndarray, each of shape (n_rows, width)
        Representations; a row of NaN where a model has none.
    """

    names: list[Any]
    arrays: list[FloatArray]

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.arrays[0])

    @property
    def available(self) -> BoolArray:
        """Which rows each model has a representation of, (n_models, n_rows)."""
        return np.stack([~np.isnan(array[:, 0]) for array in self.arrays])


def check_representations(
    representations: RepresentationsLike, *, student: ArrayLike | None = None
) -> Representations:
    """Check the representations of teachers and, as the first model, of a student.

    Parameters
    ----------
    representations : list or dict of array-like, each of shape (n_rows, width)
        The teachers' representations; a row of NaN where a teacher has none.
    student : array-like of shape (n_rows, width) or None
        The student's representation of the same rows.

    Returns
    -------
    Representations
        All of them, as float64.

    Raises
    ------
    ValueError
        If a shape is wrong, the lengths differ, or a row is NaN in part.
    TypeError
        If it is neither a list nor a dict.
    """
    # an array of three dimensions is not allowed: its first axis could be rows or teachers
    if not isinstance(representations, list | tuple | Mapping):
        raise TypeError(
            f"representations is a {type(representations).__name__}: give a list or a dict of "
            "arrays (n_samples, width), one for each teacher"
        )
    if not len(representations):
        raise ValueError("representations is empty: give an array for each teacher")
    named: dict[Any, ArrayLike] = {} if student is None else {STUDENT: student}
    is_named = isinstance(representations, Mapping)
    named |= dict(representations) if is_named else dict(enumerate(representations))
    arrays = [_check_representation(name, array) for name, array in named.items()]
    checked = Representations(list(named), arrays)
    _check_lengths(checked)
    return checked


def _check_representation(name: Any, array: ArrayLike) -> FloatArray:
    argument = _argument_name(name)
    values = check_array(
        nan_where_masked(array),
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        input_name=argument,
    )
    check_rows_complete(argument, values, "a representation or missing")
    return np.asarray(values)


def _check_lengths(checked: Representations) -> None:
    lengths = [len(array) for array in checked.arrays]
    if len(set(lengths)) > 1:
        each = zip(map(_argument_name, checked.names), lengths, strict=True)
        listed = ", ".join(f"{name}: {n}" for name, n in each)
        raise ValueError(
            f"the representations differ in length ({listed}): give each a row for each sample, "
            "NaN where a teacher has none"
        )


def check_some_rows(representations: Representations) -> None:
    """Require at least two rows of each model.

    Parameters
    ----------
    representations : Representations
        The checked representations.

    Raises
    ------
    ValueError
        If a model has fewer.
    """
    counts = representations.available.sum(axis=1)
    for name, count in zip(representations.names, counts, strict=True):
        if count < 2:
            raise ValueError(
                f"{_argument_name(name)} has {count} rows that are not NaN: a latent space is "
                "learnt from at least two"
            )


def check_triplet_labels(y: ArrayLike, n_rows: int) -> tuple[NDArray[Any], IntArray]:
    """Return the classes, and the number of each row's class.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels; NaN, None and pd.NA are missing.
    n_rows : int
        Number of rows of the representations.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Class labels in ascending order.
    codes : ndarray of int of shape (n_rows,)
        Position of each label in `classes`, -1 for a missing label.

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
    # before check_labels, whose message on a single class advises a parameter of students
    if (count := len(pd.unique(labels[~pd.isna(labels)]))) < 2:
        raise ValueError(
            f"y has {count} classes: a triplet needs a sample of another class, so give labels of "
            "two at least"
        )
    classes, found = check_labels(labels, n_rows, None, None)
    return classes, found.codes


def linked_pairs(
    representations: Representations, codes: IntArray, anchors: list[int]
) -> list[tuple[int, int]]:
    """Return the pairs of anchor and other model that have triplets; they must link all models.

    Parameters
    ----------
    representations : Representations
        The checked representations of all models.
    codes : ndarray of int of shape (n_rows,)
        Class numbers, -1 where missing.
    anchors : list of int
        Positions of the models that may be anchors.

    Returns
    -------
    list of (int, int)
        Positions of the anchor and of the other model.

    Raises
    ------
    ValueError
        If the pairs do not link all models to each other, directly or through other models.
    """
    usable = representations.available & (codes >= 0)
    others = [(a, m) for a in anchors for m in range(len(usable)) if a != m]
    pairs = [(a, m) for a, m in others if _has_triplet(usable, codes, a, m)]
    # without a chain of triplets between them, two models' codes are never compared, and each
    # would be aligned up to a rotation of its own
    graph = np.zeros((len(usable), len(usable)))
    for a, m in pairs:
        graph[a, m] = 1
    _, component = connected_components(graph, directed=False)
    if (component != component[0]).any():
        unlinked = representations.names[int(np.argmax(component != component[0]))]
        anchor_names = [representations.names[a] for a in anchors]
        raise ValueError(_unlinked_message(unlinked, anchor_names))
    return pairs


def _has_triplet(usable: BoolArray, codes: IntArray, a: int, m: int) -> bool:
    """Return whether a and m have a common row, and m one of another class."""
    common = codes[usable[a] & usable[m]]
    return len(common) > 0 and len(np.unique(codes[usable[m]])) > 1


def _unlinked_message(unlinked: Any, anchors: list[Any]) -> str:
    if len(anchors) > 1:
        anchor, which = "the other teachers", "whose chain reaches the first"
    else:
        anchor, which = f"the anchor, {_argument_name(anchors[0])}", "that the anchor has too"
    return (
        f"{_argument_name(unlinked)} is not linked to {anchor}: it needs labelled rows {which}, "
        "and rows of two classes. Pass such rows, or set anchor='student' and pass a "
        "representation of all rows by the student"
    )


def _argument_name(name: Any) -> str:
    return "student" if name is STUDENT else f"representations[{name!r}]"
