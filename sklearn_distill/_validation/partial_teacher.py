"""Check a teacher's probabilities that leave classes unknown: NaN, or not stored if sparse."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sklearn_distill._typing import BoolArray, FloatArray, TeacherLike
from sklearn_distill._validation.numbers import list_values, refuse_rows
from sklearn_distill.targets import KnownProba, PartialTeachers, Teachers, known_of_dense
from sklearn_distill.targets.partial_teachers import MIN_REST, by_row

Partial: TypeAlias = Literal["rest", "spread"]

SUPPORTED = (
    "DistilledLogisticRegression, DistilledLogisticRegressionCV, DistilledNeuralClassifier and "
    "DistilledBoostingClassifier"
)


def is_sparse(teacher: TeacherLike) -> bool:
    """Return whether a teacher's predictions are a sparse matrix or array."""
    return bool(sparse.issparse(teacher))  # scipy's type guard would narrow the type


def check_sparse_teacher(
    proba: Any,
    n_rows: int,
    classes: NDArray[Any],
    absent: BoolArray | None,
    *,
    partial: Partial,
    tolerance: float,
) -> Teachers | PartialTeachers:
    """Check sparse probabilities: what is stored is known, a stored 0 is an impossible class.

    Parameters
    ----------
    proba : sparse matrix or array of shape (n_rows, n_classes)
        The probabilities; a row without a stored entry is a missing prediction.
    n_rows : int
        Number of rows of X.
    classes : ndarray of shape (n_classes,)
        The student's classes in ascending order.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0, which are not checked and become missing; None for none.
    partial : {"rest", "spread"}
        What becomes of the unknown classes.
    tolerance : float
        How far a sum may be above 1 or, if all classes are known, from 1.

    Returns
    -------
    PartialTeachers or Teachers
        The predictions, never dense; of two classes they are Teachers.

    Raises
    ------
    ValueError
        If the shape is not that of rows and classes, or the stored entries of a row are no
        probabilities; it names the first such row.
    """
    if proba.ndim != 2 or proba.shape[0] != n_rows:
        raise ValueError(
            f"teacher_proba is a sparse {type(proba).__name__} of shape {proba.shape}, X has "
            f"{n_rows} rows: give one row for each row of X (without a stored entry where the "
            "teacher's prediction is missing)"
        )
    if proba.shape[1] != len(classes):
        raise ValueError(
            f"teacher_proba has {proba.shape[1]} columns, but the classes are "
            f"{list_values(classes)}: give one column for each class in this order; for a student "
            "with more classes than y contains, pass classes=[...] to its constructor"
        )
    known = sparse.csr_array(proba, dtype=np.float64, copy=True)
    known.sum_duplicates()
    if absent is not None and absent.any():
        known = _without_rows(known, absent)
    _check_entries(known, tolerance)
    if len(classes) == 2:
        return _two_classes(known)
    return PartialTeachers((KnownProba.of(known),), partial, is_sparse=True)


def make_partial_teachers(values: FloatArray, partial: Partial) -> Teachers | PartialTeachers:
    """Return teachers of which some classes are NaN in some rows.

    Parameters
    ----------
    values : ndarray of shape (n_teachers, n_classes, n_rows)
        Checked probabilities.
    partial : {"rest", "spread"}
        What becomes of the unknown classes.

    Returns
    -------
    PartialTeachers or Teachers
        Teachers if the unknown classes are spread, or one class of two is known.
    """
    if partial == "rest" and values.shape[1] > 2:
        return PartialTeachers(known_of_dense(list(values.transpose(0, 2, 1))), partial)
    unknown = np.isnan(values)
    n_unknown = unknown.sum(axis=1)
    rest = 1 - np.nansum(values, axis=1)
    rest[rest < MIN_REST] = 0.0
    each = (rest / np.maximum(n_unknown, 1))[:, None, :]
    is_partial = ((n_unknown > 0) & (n_unknown < values.shape[1]))[:, None, :]
    filled = np.where(unknown & is_partial, each, values)
    with np.errstate(divide="ignore"):
        return Teachers(np.log(filled))


def _without_rows(known: Any, absent: BoolArray) -> Any:
    """Return a csr_array without the stored entries of some rows."""
    kept = np.repeat(~absent, np.diff(known.indptr))
    n_stored = np.where(absent, 0, np.diff(known.indptr))
    indptr = np.concatenate([[0], np.cumsum(n_stored)]).astype(known.indptr.dtype)
    return sparse.csr_array((known.data[kept], known.indices[kept], indptr), shape=known.shape)


def _check_entries(known: Any, tolerance: float) -> None:
    """Raise for the first row whose stored entries are no probabilities."""
    invalid = ~(np.isfinite(known.data) & (known.data >= 0))
    if invalid.any():
        first = int(np.argmax(invalid))
        row = int(np.searchsorted(known.indptr, first, side="right")) - 1
        raise ValueError(
            f"teacher_proba: row {row} has the entry {known.data[first]:.6g}; store probabilities "
            "of 0 or more, and nothing for an unknown class."
        )
    total = by_row(np.add, known, known.data)
    is_full = np.diff(known.indptr) == known.shape[1]
    refuse_rows(
        (total > 1 + tolerance) | (is_full & (total < 1 - tolerance)),
        "teacher_proba",
        total,
        "sums to",
        "store probabilities whose sum is at most 1, or 1 if all classes are stored",
    )


def _two_classes(known: Any) -> Teachers:
    """Return the predictions of two classes, of which one determines the other."""
    dense = np.full(known.shape, np.nan)
    dense[np.repeat(np.arange(len(dense)), np.diff(known.indptr)), known.indices] = known.data
    teachers = make_partial_teachers(np.ascontiguousarray(dense.T)[None], "spread")
    assert isinstance(teachers, Teachers)
    return teachers
