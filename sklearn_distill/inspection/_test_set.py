"""The truth that models are compared with: labels, soft labels or numbers, and their weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import as_floats, check_same_length
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.inspection._model_proba import ModelProba, all_classes, read_proba
from sklearn_distill.inspection.intervals import effective_size, sums_by_unit, unit_numbers


@dataclass(frozen=True, eq=False)
class TestSet:
    """The true values of the test rows; a soft label is one entry for each class that it contains.

    Parameters
    ----------
    rows : ndarray of shape (n_entries,)
        The row of X of each entry.
    y : ndarray of shape (n_entries,) or (n_entries, n_outputs)
        The position of the class in `classes`, or the numbers of a regression.
    s : ndarray of shape (n_entries,)
        Weights, positive: of a soft label, the sample weight times the probability of the class.
    unit : ndarray of shape (n_entries,)
        The number of the independent unit: the row, or its group.
    n_rows : int
        Number of rows of X, those without a true value included.
    classes : list or None
        Every class that occurs in y or that a model knows; None for a regression.
    n_labels : int, default=0
        Number of labels of a row if each has an entry of its own, whose "row" is the row's number
        times n_labels plus that of the label; 0 if rows have one label.
    """

    __test__ = False  # not a test class for pytest

    rows: IntArray
    y: NDArray[Any]
    s: FloatArray
    unit: IntArray
    n_rows: int
    classes: list[Any] | None = None
    n_labels: int = 0

    @property
    def n_units(self) -> int:
        """Number of independent units."""
        return int(self.unit.max()) + 1

    @property
    def w(self) -> FloatArray:
        """Weights whose sum is 1."""
        return np.asarray(self.s / self.s.sum())

    def by_unit(self, values: FloatArray) -> FloatArray:
        """Return the sum over the entries of each independent unit."""
        return sums_by_unit(self.unit, values, self.n_units)

    @property
    def size(self) -> float:
        """Effective number of independent units."""
        return effective_size(self.by_unit(self.s))

    def restrict(self, kept: BoolArray) -> TestSet:
        """Return the entries of some rows only.

        Parameters
        ----------
        kept : ndarray of bool of shape (n_rows,)
            Mask of the rows.
        """
        if kept.all():
            return self
        chosen = kept[self.rows]
        if not chosen.any():
            raise ValueError("no test sample has both a true value and the teacher's prediction.")
        unit = np.unique(self.unit[chosen], return_inverse=True)[1]
        arrays = {name: getattr(self, name)[chosen] for name in ("rows", "y", "s")}
        return replace(self, unit=unit, **arrays)


def class_test_set(
    y: ArrayLike | ModelProba,
    models: list[ModelProba],
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
    name: str = "y",
) -> TestSet:
    """Read the labels of a classification.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_classes), or ModelProba
        Labels, some of which may be missing, or soft labels.
    models : list of ModelProba
        The predictions of each model.
    sample_weight, groups : array-like of shape (n_samples,) or None
        Weights, and groups of dependent samples.
    name : str, default="y"
        The argument's name, for error messages.

    Returns
    -------
    TestSet
        The rows with a label and a positive weight.

    Raises
    ------
    ValueError
        If y has another length than a prediction, no labels, or labels of another type.
    """
    n_rows = len(models[0].proba)
    s = check_sample_weight(sample_weight, n_rows)
    if not isinstance(y, ModelProba) and np.ndim(y) > 1 and np.shape(y)[1] > 1:
        y = read_soft_labels(y, None, models[-1].classes, name)
    if isinstance(y, ModelProba):
        check_same_length(name, len(y.proba), "X", n_rows)
        classes = all_classes(None, [*models, y])
        mass = y.align(classes) * (s * y.present)[:, None]
        some, k = np.nonzero(mass)
        _check_some(some, name)
        return _test_set(some, k, mass[some, k], s, groups, classes)
    labels = np.asarray(none_where_masked(y))
    if labels.ndim == 2:
        labels = labels[:, 0]
    check_same_length(name, len(labels), "X", n_rows)
    rows: IntArray = np.flatnonzero((s > 0) & ~np.asarray(pd.isna(labels), dtype=bool))
    _check_some(rows, name)
    classes = all_classes(labels[rows], models, name)
    index = class_index(labels[rows], classes, len(classes), name)
    return _test_set(rows, index, s[rows], s, groups, classes)


def number_test_set(
    y: ArrayLike,
    n_rows: int,
    sample_weight: ArrayLike | None,
    groups: ArrayLike | None,
    name: str = "y",
) -> TestSet:
    """Read the numbers of a regression, NaN where one is missing; as :func:`class_test_set`."""
    s = check_sample_weight(sample_weight, n_rows)
    numbers = as_floats(y, name).reshape(len(np.asarray(y)), -1)
    check_same_length(name, len(numbers), "X", n_rows)
    rows = np.flatnonzero((s > 0) & np.isfinite(numbers).all(axis=1))
    _check_some(rows, name)
    return _test_set(rows, numbers[rows], s[rows], s, groups, None)


def entries_test_set(
    entries: IntArray, k: IntArray, weight: FloatArray, unit: IntArray, n_labels: int
) -> TestSet:
    """Return the truth of several labels.

    Parameters
    ----------
    entries : ndarray of shape (n_known,)
        Numbers of the entries that are known.
    k : ndarray of shape (n_known,)
        Their classes, 0 or 1.
    weight : ndarray of shape (n_known,)
        Their weights.
    unit : ndarray of shape (n_entries,)
        Number of the independent unit of every entry.
    n_labels : int
        Number of labels.

    Returns
    -------
    TestSet
        The truth.
    """
    _check_some(entries, "y")
    own = np.unique(unit[entries], return_inverse=True)[1]
    return TestSet(entries, k, weight, own, len(unit), [0, 1], n_labels)


def _test_set(
    rows: IntArray,
    y: NDArray[Any],
    entry_weight: FloatArray,
    s: FloatArray,
    groups: ArrayLike | None,
    classes: list[Any] | None,
) -> TestSet:
    everywhere = np.ones(len(s))
    names = unit_numbers(groups, everywhere)[rows]
    unit = np.unique(names, return_inverse=True)[1]
    return TestSet(rows, y, entry_weight, unit, len(s), classes)


def _check_some(rows: IntArray, name: str) -> None:
    if not len(rows):
        without = "" if name == "y_train" else " to compare the students with the teacher"
        raise ValueError(f"{name} has no values; pass {name}=None{without}.")


def read_soft_labels(
    y: ArrayLike, classes: ArrayLike | None, known: list[Any], name: str
) -> ModelProba:
    """Read probabilities of which some rows may be missing, NaN in every column.

    Parameters
    ----------
    y : array-like of shape (n_samples, n_classes) or (n_samples,), or DataFrame
        Probabilities; the columns of a DataFrame are class labels.
    classes : array-like of shape (n_classes,) or None
        The class of each column; None takes the columns of a DataFrame, else `known`.
    known : list
        The classes that are known from elsewhere.
    name : str
        The argument's name, for error messages.

    Returns
    -------
    ModelProba
        With ``present``; a missing row is uniform.
    """
    p = as_floats(y, name)
    missing = np.asarray(np.isnan(p.reshape(len(p), -1)).all(axis=1))
    filled: Any = np.where(missing.reshape(-1, *[1] * (p.ndim - 1)), 1 / max(2, _width(p)), p)
    if hasattr(y, "columns"):
        filled = pd.DataFrame(filled, columns=list(y.columns))
    return replace(read_proba(filled, classes, known, name), missing=missing)


def _width(p: FloatArray) -> int:
    return p.shape[1] if p.ndim > 1 else 2
