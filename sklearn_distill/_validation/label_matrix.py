"""Multi-label targets: a column of 0 and 1 for each label, entries of which may be missing."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill._validation.masks import nan_where_masked
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill._validation.teacher_weight import check_teacher_weight
from sklearn_distill._validation.user_warning import warn_user

_MIN_ROWS_OF_ONE_HOT = 20


def is_label_matrix(y: Any) -> bool:
    """Return whether y has two dimensions and a column for each of two labels or more.

    Examples
    --------
    >>> is_label_matrix([[0, 1], [1, 1]]), is_label_matrix([0, 1]), is_label_matrix([[0], [1]])
    (True, False, False)
    """
    if y is None or isinstance(y, str):
        return False
    shape = y.shape if hasattr(y, "shape") else np.asarray(y, dtype=object).shape
    return len(shape) == 2 and shape[1] > 1


def check_label_matrix(y: Any, n_rows: int, name: str = "y") -> FloatArray:
    """Check labels of 0 and 1.

    Parameters
    ----------
    y : array-like, sparse matrix or DataFrame of shape (n_rows, n_labels)
        The labels; NaN, None and masked entries are missing.
    n_rows : int
        Number of rows of X.
    name : str, default="y"
        The argument's name, for messages.

    Returns
    -------
    ndarray of shape (n_rows, n_labels)
        The labels, NaN where they are missing.

    Raises
    ------
    ValueError
        If it has another shape, or other values.

    Warns
    -----
    UserWarning
        If every row has exactly one label, as the classes of one-hot encoded classes.

    Examples
    --------
    >>> check_label_matrix([[0, 1], [1, None]], 2)
    array([[ 0.,  1.],
           [ 1., nan]])
    """
    is_sparse = bool(sparse.issparse(y))  # scipy's type guard would narrow the type
    y = y.toarray() if is_sparse else nan_where_masked(y)
    labels: FloatArray = check_array(
        _as_floats(y), dtype=np.float64, ensure_all_finite="allow-nan", input_name=name
    )
    if len(labels) != n_rows:
        raise ValueError(
            f"{name} has {len(labels)} rows, X has {n_rows}: give the labels of each row of X"
        )
    known = labels[~np.isnan(labels)]
    other = known[(known != 0) & (known != 1)]
    if len(other):
        raise ValueError(
            f"{name} has shape {labels.shape} and the values {list_values(np.unique(other)[:10])}, "
            "but labels have one dimension, or are columns of 0, 1 and NaN if a row may have "
            "several. Soft labels are passed as teacher_proba=, with y=None and the constructor's "
            "classes=[...]"
        )
    if len(labels) >= _MIN_ROWS_OF_ONE_HOT and np.all(labels.sum(axis=1) == 1):
        warn_user(
            f"{name} has exactly one label in every row: if these are one-hot encoded classes, "
            f"pass {name}.argmax(axis=1); the columns of a matrix are independent labels"
        )
    return labels


def _as_floats(y: Any) -> Any:
    """Return labels of objects with None and pd.NA as floats."""
    if hasattr(y, "columns") and hasattr(y, "to_numpy"):
        return y.to_numpy(dtype=np.float64, na_value=np.nan) if hasattr(y, "iloc") else y.to_numpy()
    values = np.asarray(y)
    return values.astype(np.float64) if values.dtype == object else values


def check_teacher_matrix(
    teacher_proba: Any, teacher_logits: Any, y: Any, labels: FloatArray
) -> FloatArray | None:
    """Check a teacher's probabilities or log-odds of each label.

    Parameters
    ----------
    teacher_proba, teacher_logits : array-like, DataFrame or list, or None
        At most one of them: (n_rows, n_labels) or, of several teachers, (n_rows, n_teachers,
        n_labels); or a list of n_labels arrays (n_rows, 2), as the ``predict_proba`` of
        scikit-learn's forests. NaN is a missing prediction.
    y : array-like or DataFrame
        The labels, whose column names order those of a frame.
    labels : ndarray of shape (n_rows, n_labels)
        The labels.

    Returns
    -------
    ndarray of shape (n_rows, n_labels) or (n_rows, n_teachers, n_labels), or None
        The predictions, NaN where they are missing.

    Raises
    ------
    ValueError
        If both are given, or the shape does not match y.
    """
    if teacher_proba is not None and teacher_logits is not None:
        raise ValueError("pass either teacher_proba or teacher_logits, not both")
    if teacher_proba is None and teacher_logits is None:
        return None
    name = "teacher_logits" if teacher_proba is None else "teacher_proba"
    given = teacher_logits if teacher_proba is None else teacher_proba
    values = nan_where_masked(_in_order_of(name, _of_second_classes(given), y))
    matrix: FloatArray = check_array(
        values,
        dtype=np.float64,
        ensure_all_finite=False,
        allow_nd=True,
        ensure_2d=False,
        input_name=name,
    )
    n_rows, n_labels = labels.shape
    if matrix.ndim not in (2, 3) or (len(matrix), matrix.shape[-1]) != (n_rows, n_labels):
        raise ValueError(
            f"{name} has shape {matrix.shape}, and y {labels.shape}: give the probability (or "
            "log-odds) of each label, of shape (n_samples, n_labels) or, of several teachers, "
            "(n_samples, n_teachers, n_labels)"
        )
    return matrix


def mean_of_teachers(matrix: FloatArray) -> FloatArray:
    """Return the mean of several teachers' probabilities that are available.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, [n_teachers,] n_labels)
        Probabilities, NaN where they are missing.

    Returns
    -------
    ndarray of shape (n_rows, n_labels)
        Probabilities, NaN where all are missing.
    """
    if matrix.ndim == 2:
        return matrix
    n_known = (~np.isnan(matrix)).sum(axis=1)
    total = np.where(n_known > 0, np.nansum(matrix, axis=1), np.nan)
    return np.asarray(total / np.maximum(n_known, 1))


def _of_second_classes(given: Any) -> Any:
    """Return a list of the probabilities of both classes of each label as one matrix."""
    if isinstance(given, (list, tuple)) and given and np.ndim(given[0]) == 2:
        return np.column_stack([np.asarray(one)[:, 1] for one in given])
    return given


def _in_order_of(name: str, given: Any, y: Any) -> Any:
    """Return a frame's columns in the order of y's, if both have names."""
    if not (hasattr(given, "columns") and hasattr(y, "columns")):
        return given
    names = list(y.columns)
    if set(names) != set(given.columns):
        raise ValueError(
            f"{name} has the columns {list_values(list(given.columns))}, and y "
            f"{list_values(names)}: name the same labels"
        )
    return given[names]


def present_entries(labels: FloatArray, teacher: FloatArray | None) -> BoolArray:
    """Return which entries have a label or a prediction.

    Parameters
    ----------
    labels : ndarray of shape (n_rows, n_labels)
        Labels, NaN where they are missing.
    teacher : ndarray of shape (n_rows, [n_teachers,] n_labels) or None
        Predictions, NaN where they are missing.

    Returns
    -------
    ndarray of bool of shape (n_rows, n_labels)
        True for entries that can be learned from.
    """
    present: BoolArray = ~np.isnan(labels)
    if teacher is not None:
        taught = ~np.isnan(teacher)
        present = present | (taught.any(axis=1) if teacher.ndim == 3 else taught)
    return present


def check_some_entry(present: BoolArray, rows: IntArray | None = None) -> None:
    """Require a label or a prediction in each row.

    Parameters
    ----------
    present : ndarray of bool of shape (n_rows, n_labels)
        Which entries have one.
    rows : ndarray of int or None, default=None
        The rows that count; None is all.

    Raises
    ------
    ValueError
        If a row has none; the message names the first.
    """
    rows = np.arange(len(present)) if rows is None else rows
    empty = ~present[rows].any(axis=1)
    if empty.any():
        raise ValueError(
            f"row {rows[int(empty.argmax())]} has neither a label in y nor a teacher's prediction: "
            "leave out such rows"
        )


@contextmanager
def naming_label(label: int) -> Iterator[None]:
    """Prefix messages of errors and warnings with the number of a label."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except ValueError as error:
            raise ValueError(f"label {label}: {error}") from error
    for warning in caught:
        warn_user(f"label {label}: {warning.message}", warning.category)


def column_of(matrix: FloatArray | None, label: int, *, is_proba: bool) -> FloatArray | None:
    """Return a label's predictions in the format of a student of two classes.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, [n_teachers,] n_labels) or None
        Probabilities or log-odds.
    label : int
        Number of the label.
    is_proba : bool
        Whether they are probabilities.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_teachers, 2), or None
        The predictions.
    """
    if matrix is None:
        return None
    column: FloatArray = matrix[..., label]
    if column.ndim == 1:
        return column
    other = 1 - column if is_proba else np.where(np.isnan(column), np.nan, 0.0)
    return np.stack([other, column], axis=-1)


@dataclass(frozen=True)
class LabelColumn:
    """What the student of one label is fitted on.

    Parameters
    ----------
    rows : ndarray of int of shape (n_present,)
        Numbers of the rows with a label or a prediction.
    n_all : int
        Number of all rows.
    labels : ndarray of shape (n_present,)
        Labels, integers unless one is missing.
    weight : ndarray of shape (n_present,)
        Sample weights.
    proba, logits : ndarray of shape (n_present,) or (n_present, n_teachers, 2), or None
        The teacher's probabilities or log-odds, of which one is None.
    teacher_weight : ndarray of shape (n_present, n_teachers) or None
        How far the teachers are trusted.
    """

    rows: IntArray
    n_all: int
    labels: Any
    weight: FloatArray
    proba: FloatArray | None
    logits: FloatArray | None
    teacher_weight: FloatArray | None


@dataclass(frozen=True)
class LabelData:
    """Labels, weights and a teacher's predictions of several labels.

    Parameters
    ----------
    labels : ndarray of shape (n_rows, n_labels)
        Labels, NaN where they are missing.
    weight : ndarray of shape (n_rows,)
        Sample weights.
    teacher : ndarray of shape (n_rows, [n_teachers,] n_labels) or None
        Predictions, NaN where they are missing.
    is_proba : bool
        Whether they are probabilities.
    present : ndarray of bool of shape (n_rows, n_labels)
        Which entries have a label or a prediction.
    teacher_weight : ndarray of shape (n_rows, n_teachers) or None
        How far the teachers are trusted in each row, whatever the label.
    """

    labels: FloatArray
    weight: FloatArray
    teacher: FloatArray | None
    is_proba: bool
    present: BoolArray
    teacher_weight: FloatArray | None

    @classmethod
    def read(
        cls,
        y: Any,
        n_rows: int,
        sample_weight: Any,
        teacher_proba: Any,
        teacher_logits: Any,
        teacher_weight: Any = None,
    ) -> LabelData:
        """Check the arguments of ``fit``.

        Raises
        ------
        ValueError
            If one of them is wrong, or a row of positive weight has neither a label nor a
            prediction.
        """
        labels = check_label_matrix(y, n_rows)
        weight = check_sample_weight(sample_weight, n_rows)
        teacher = check_teacher_matrix(teacher_proba, teacher_logits, y, labels)
        present = present_entries(labels, teacher)
        check_some_entry(present, np.flatnonzero(weight))
        n_teachers = None if teacher is None else teacher.shape[1] if teacher.ndim == 3 else 1
        trust = check_teacher_weight(
            teacher_weight, n_rows, n_teachers, weight == 0, needs="teacher_proba or teacher_logits"
        )
        return cls(labels, weight, teacher, teacher_proba is not None, present, trust)

    def column(self, label: int) -> LabelColumn:
        """Return the data of one label."""
        rows = np.flatnonzero(self.present[:, label])
        if not len(rows):
            raise ValueError(
                f"label {label} has neither a label in y nor a teacher's prediction: leave it out"
            )
        teacher = column_of(self.teacher, label, is_proba=self.is_proba)
        teacher = None if teacher is None else teacher[rows]
        labels = self.labels[rows, label]
        return LabelColumn(
            rows,
            len(self.present),
            labels if np.isnan(labels).any() else labels.astype(np.int64),
            self.weight[rows],
            teacher if self.is_proba else None,
            None if self.is_proba else teacher,
            None if self.teacher_weight is None else self.teacher_weight[rows],
        )
