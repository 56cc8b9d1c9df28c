"""Check y and ``classes``: class labels or the numbers of a regressor, some of them missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sklearn_distill._typing import ArrayLike, BoolArray, IntArray, TargetLike
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import check_numbers, list_values
from sklearn_distill._validation.plain_arrays import are_plain_labels
from sklearn_distill._validation.teacher import TeacherOutput
from sklearn_distill.targets import Labels
from sklearn_distill.targets.labels import MISSING

_SOFT_LABELS = (
    "Soft labels are passed as teacher_proba=, with y=None and the constructor's classes=[...]"
)


def check_classes(classes: ArrayLike | None) -> NDArray[Any] | None:
    """Return the constructor's ``classes`` as a sorted array.

    Parameters
    ----------
    classes : array-like or None
        Class labels in ascending order.

    Returns
    -------
    ndarray or None
        The labels; None if `classes` is None.

    Raises
    ------
    ValueError
        If there are fewer than two, or they repeat or are not sorted.
    """
    if classes is None:
        return None
    labels: NDArray[Any] = column_or_1d(np.asarray(classes))
    if len(labels) < 2:
        raise ValueError(f"classes must name at least 2 classes, got {list_values(labels)}")
    if not np.array_equal(np.unique(labels), labels):
        # scikit-learn's scorers read columns of predict_proba in sorted order
        raise ValueError(
            f"classes must be sorted and without repetition, got {list_values(labels)}: pass "
            f"{list_values(np.unique(labels))}, and unnamed teacher columns in that order"
        )
    return labels


def check_labels(
    y: TargetLike,
    n_rows: int,
    classes: NDArray[Any] | None,
    teacher: TeacherOutput | None,
    *,
    min_classes: int = 2,
) -> tuple[NDArray[Any], Labels]:
    """Check the labels of a classifier; NaN, None and pd.NA are missing labels.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or None
        Labels; None means that all are missing.
    n_rows : int
        Number of rows of X.
    classes : ndarray or None
        All classes, sorted; None takes those of y, or the teacher's column names if y has fewer
        than two.
    teacher : TeacherOutput or None
        The teacher's outputs, whose column names may be the classes.
    min_classes : {1, 2}, default=2
        Smallest number of classes that the estimator can be fitted on.

    Returns
    -------
    classes_ : ndarray of shape (n_classes,)
        Class labels in ascending order.
    labels : Labels
        Class numbers, with missing ones marked.

    Raises
    ------
    ValueError
        If y has another length or other labels than those of ``classes``, or the classes are not
        known, or there are too few.
    """
    values, present = _read_labels(y, n_rows, has_teacher=teacher is not None)
    found, inverse = _unique_inverse(values)
    if classes is None:
        classes = infer_classes(found, None if teacher is None else teacher.columns)
        if min_classes > 1:
            check_two_classes(classes)
    codes = inverse if classes is found else _class_positions(found, classes)[inverse]
    if len(codes) < n_rows:
        present_codes, codes = codes, np.full(n_rows, MISSING, dtype=np.intp)
        codes[present] = present_codes
    return classes, Labels(codes, len(classes))


def infer_classes(found: NDArray[Any], columns: list[Any] | None) -> NDArray[Any]:
    """Return the classes: the labels of y or, if these are fewer than two, a teacher's columns.

    Parameters
    ----------
    found : ndarray of shape (n_found,)
        The sorted unique labels of y.
    columns : list or None
        Names of the teacher's columns.

    Returns
    -------
    ndarray of shape (n_classes,)
        Class labels in ascending order.

    Raises
    ------
    ValueError
        If neither has any.

    Examples
    --------
    >>> infer_classes(np.array([1]), [2, 1]), infer_classes(np.array([1, 2]), [3, 2, 1])
    (array([1, 2]), array([1, 2]))
    """
    if not len(found) or (len(found) == 1 and columns is not None and found[0] in columns):
        return classes_from_columns(columns)
    return found


def _unique_inverse(values: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """Return the sorted unique values, and the position of each value among them."""
    if len(values) and np.can_cast(values.dtype, np.intp):
        low, high = int(values.min()), int(values.max())
        if high - low < len(values):  # a dense range of integers is counted, without a sort
            above = np.subtract(values, low, dtype=np.intp)
            occurs = np.bincount(above) > 0
            found = (np.flatnonzero(occurs) + low).astype(values.dtype)
            return found, above if occurs.all() else (np.cumsum(occurs) - 1)[above]
    found = np.unique(values)
    return found, np.searchsorted(found, values)


def unique_labels(y: TargetLike, n_rows: int) -> NDArray[Any]:
    """Return the sorted unique labels of y, without the missing ones."""
    values, _ = _read_labels(y, n_rows, has_teacher=True)
    return np.asarray(np.unique(values))


def classes_from_columns(columns: list[Any] | None) -> NDArray[Any]:
    """Return the classes that a teacher's columns are named after, sorted."""
    if columns is None:
        raise ValueError(
            "y has no labels and the teacher's columns have no names: pass classes=[...] to the "
            "constructor, or give the teacher's output as a DataFrame with labels as columns"
        )
    return np.asarray(np.unique(columns))


def check_two_classes(classes: NDArray[Any]) -> None:
    """Require at least two classes."""
    if len(classes) < 2:
        # check_estimator of scikit-learn requires a message with the word "class"
        raise ValueError(
            "y must have samples of at least 2 classes, but the data contains only one class: "
            f"{classes.tolist()[0]!r}. If the student must predict more classes, pass "
            "classes=[...] to the constructor"
        )


def _read_labels(y: TargetLike, n_rows: int, has_teacher: bool) -> tuple[NDArray[Any], BoolArray]:
    """Return the labels that are not missing, and a mask of their rows."""
    if y is None:
        return np.empty(0), np.zeros(n_rows, dtype=bool)
    if are_plain_labels(y, n_rows):
        return y, np.ones(n_rows, dtype=bool)
    refuse_soft_labels(y)
    labels: NDArray[Any] = column_or_1d(none_where_masked(y), warn=True)
    if len(labels) != n_rows:
        raise ValueError(f"y has {len(labels)} entries, X has {n_rows} rows: give one label a row")
    present = ~np.asarray(pd.isna(labels), dtype=bool)
    values = labels if present.all() else labels[present]
    if labels.dtype == object:
        _check_one_type(values)
        # A missing label turns ints, strings or booleans into objects. With a teacher, y may be a
        # fold without a missing label, whose labels must have the same type as in the other folds.
        if has_teacher or not present.all():
            values = np.array(values.tolist())
    if values.dtype.kind == "f" and np.isinf(values).any():
        row = int(np.flatnonzero(present)[np.isinf(values)][0])
        # check_classification_targets names no row
        raise ValueError(f"y contains infinity in row {row}: labels are classes, or NaN if missing")
    if len(values) and values.dtype.kind not in "biuU":  # these are always classes
        _check_are_classes(values)
    return values, present


def refuse_soft_labels(y: Any) -> None:
    """Raise a ValueError if y has a column for each class."""
    shape = y.shape if hasattr(y, "shape") else np.asarray(y, dtype=object).shape
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"y has shape {tuple(shape)}, but labels have one dimension. {_SOFT_LABELS}. Rows with "
            "several labels need MultiLabelStudent or DistilledNeuralClassifier"
        )


def _check_are_classes(values: NDArray[Any]) -> None:
    try:
        check_classification_targets(values)
    except ValueError as error:
        if values.dtype.kind != "f":
            raise
        raise ValueError(f"y: {error} {_SOFT_LABELS}") from error


def _check_one_type(values: NDArray[Any]) -> None:
    if len({isinstance(value, str) for value in values}) > 1:
        raise TypeError("y mixes strings and numbers: use one type of label")


def _class_positions(found: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    position = {label: k for k, label in enumerate(classes.tolist())}
    unknown = [label for label in found.tolist() if label not in position]
    if unknown:
        raise ValueError(
            f"y contains labels that classes={list_values(classes)} does not name: "
            f"{list_values(unknown)}{_encoded_labels_hint(found, len(classes))}"
        )
    return np.array([position[label] for label in found.tolist()], dtype=np.intp)


def _encoded_labels_hint(found: NDArray[Any], n_classes: int) -> str:
    """Return what to do if an ensemble has encoded y, as BaggingClassifier does."""
    if not set(found.tolist()) <= set(range(n_classes)):
        return ""
    return (
        ". If an ensemble fits the student, such as BaggingClassifier or VotingClassifier, it "
        f"encodes y as 0, …, K−1: pass classes=range({n_classes}), and a teacher's predictions "
        "without column names in the order of the sorted labels"
    )


def check_some_label(present: BoolArray, needed_by: str) -> None:
    """Require at least one label; the ValueError ends with what needs it."""
    if not present.any():
        raise ValueError(f"y has no labels: {needed_by}")


def check_any_label(y: TargetLike, needed_by: str) -> None:
    """Require a label that is not missing, before the classes are read from y.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels, not yet checked.
    needed_by : str
        End of the message.

    Raises
    ------
    ValueError
        If every label is missing.

    Examples
    --------
    >>> check_any_label([None, float("nan")], "the teacher must be fitted on some")
    Traceback (most recent call last):
    ValueError: y has no labels: the teacher must be fitted on some
    """
    check_some_label(~np.asarray(pd.isna(none_where_masked(y)), dtype=bool), needed_by)


def check_regression_labels(y: TargetLike, n_rows: int) -> tuple[NDArray[np.float64], BoolArray]:
    """Check the labels of a regressor; NaN is a missing label.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Numbers; a row with a NaN in any output counts as missing.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        The same numbers as float64.
    present : ndarray of bool of shape (n_rows,)
        Rows that have all their outputs.

    Raises
    ------
    ValueError
        If the length is wrong or an entry is no number.
    """
    numbers = check_numbers("y", y, allow_nan=True)
    if len(numbers) != n_rows:
        raise ValueError(f"y has {len(numbers)} entries, X has {n_rows} rows: give one label a row")
    return numbers, np.asarray(~np.isnan(numbers.reshape(n_rows, -1)).any(axis=1))


def mark_missing(y: NDArray[Any], present: BoolArray) -> NDArray[Any]:
    """Return y with None, or NaN in a float y, where a label is missing.

    Parameters
    ----------
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels; anything where ``present`` is False.
    present : ndarray of bool of shape (n_rows,)
        Rows that have a label.

    Returns
    -------
    ndarray
        y itself if none is missing, else a copy, of objects unless y is float.

    Examples
    --------
    >>> mark_missing(np.array(["no", "yes"]), np.array([True, False]))
    array(['no', None], dtype=object)
    """
    if present.all():
        return y
    is_float = y.dtype.kind == "f"
    marked = y.copy() if is_float else y.astype(object)
    # None for strings, integers and booleans, whose arrays cannot hold NaN
    marked[~present] = np.nan if is_float else None
    return marked
