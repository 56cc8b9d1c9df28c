"""Checks of y and of ``classes``: which classes there are, and which rows lack a label."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.teacher import TeacherOutput
from sklearn_distill.targets import Labels
from sklearn_distill.targets.labels import MISSING


def check_classes(classes: Any) -> NDArray[Any] | None:
    """Return the constructor's ``classes`` as a sorted array.

    Parameters
    ----------
    classes : array-like or None
        Class labels in ascending order.

    Returns
    -------
    ndarray or None
        The labels; None if none were given.

    Raises
    ------
    ValueError
        If there are fewer than two, or they repeat or are not sorted.
    """
    if classes is None:
        return None
    classes = column_or_1d(np.asarray(classes))
    if len(classes) < 2:
        raise ValueError(f"classes must name at least 2 classes, got {classes.tolist()}")
    if not np.array_equal(np.unique(classes), classes):
        # scikit-learn's scorers read columns of predict_proba in sorted order
        raise ValueError(
            f"classes must be sorted and without repetition, got {classes.tolist()}: pass "
            f"{np.unique(classes).tolist()}, and unnamed teacher columns in that order"
        )
    return np.asarray(classes)


def check_labels(
    y: Any, n_rows: int, classes: NDArray[Any] | None, teacher: TeacherOutput | None
) -> tuple[NDArray[Any], Labels]:
    """Turn y into class numbers; NaN, None and pd.NA are missing labels.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or None
        Labels; None means that all are missing.
    n_rows : int
        Number of rows of X.
    classes : ndarray or None
        All classes, sorted; None takes those of y, or the teacher's column names if y has none.
    teacher : TeacherOutput or None
        The teacher's outputs.

    Returns
    -------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    labels : Labels
        Class numbers, with missing ones marked.

    Raises
    ------
    ValueError
        If y has another length or other labels than those of ``classes``, or nothing says what
        the classes are, or there is only one.
    """
    values, present = _read_labels(y, n_rows, taught=teacher is not None)
    found, numbers = _numbered(values)
    if classes is None:
        columns = None if teacher is None else teacher.columns
        classes = found if len(found) else classes_from_columns(columns)
        check_two_classes(classes)
    codes = _positions(found, classes)[numbers]
    if len(codes) < n_rows:
        codes_there, codes = codes, np.full(n_rows, MISSING, dtype=np.intp)
        codes[present] = codes_there
    return classes, Labels(codes, len(classes))


def _numbered(values: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """Return each value once, sorted, and for all values their positions there."""
    if len(values) and np.can_cast(values.dtype, np.intp):
        low, high = int(values.min()), int(values.max())
        if high - low < len(values):  # whole numbers near each other need no sorting
            above = np.subtract(values, low, dtype=np.intp)
            occurs = np.bincount(above) > 0
            found = (np.flatnonzero(occurs) + low).astype(values.dtype)
            return found, (np.cumsum(occurs) - 1)[above]
    found = np.unique(values)
    return found, np.searchsorted(found, values)


def unique_labels(y: Any, n_rows: int) -> NDArray[Any]:
    """Return the labels of y, each once, without the missing ones."""
    values, _ = _read_labels(y, n_rows, taught=True)
    return np.asarray(np.unique(values))


def classes_from_columns(columns: list[Any] | None) -> NDArray[Any]:
    """Return the classes that a teacher's columns are named after."""
    if columns is None:
        raise ValueError(
            "y has no labels and the teacher's columns no names: say classes=[...] in the "
            "constructor, or give the teacher's output as a DataFrame with labels as columns"
        )
    return np.asarray(np.unique(columns))


def check_two_classes(classes: NDArray[Any]) -> None:
    """Require two classes."""
    if len(classes) < 2:
        raise ValueError(
            "y must have samples of at least 2 classes, but the data contains only one class: "
            f"{classes.tolist()[0]!r}. If the student is to know more, say classes=[...] in the "
            "constructor"
        )


def _read_labels(y: Any, n_rows: int, taught: bool) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the labels that are there, and where they are."""
    if y is None:
        return np.empty(0), np.zeros(n_rows, dtype=bool)
    y = column_or_1d(y, warn=True)
    if len(y) != n_rows:
        raise ValueError(f"y has {len(y)} entries, X has {n_rows} rows: give one label a row")
    present = ~np.asarray(pd.isna(y), dtype=bool)
    values = y if present.all() else y[present]
    if y.dtype == object:
        _check_one_type(values)
        # with a teacher also a fold in which no label is missing: it must read like the others
        if taught or not present.all():  # ints, strings or booleans that these made objects
            values = np.array(values.tolist())
    if values.dtype.kind == "f" and np.isinf(values).any():
        row = int(np.flatnonzero(present)[np.isinf(values)][0])
        raise ValueError(f"y contains infinity in row {row}: labels are classes, or NaN if missing")
    if len(values) and values.dtype.kind not in "biuU":  # these are always classes
        check_classification_targets(values)
    return values, present


def _check_one_type(values: NDArray[Any]) -> None:
    if len({isinstance(value, str) for value in values}) > 1:
        raise TypeError("y mixes strings and numbers: use one type of label")


def _positions(found: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    position = {label: k for k, label in enumerate(classes.tolist())}
    unknown = [label for label in found.tolist() if label not in position]
    if unknown:
        raise ValueError(
            f"y contains labels that classes={classes.tolist()} does not name: {unknown}"
        )
    return np.array([position[label] for label in found.tolist()], dtype=np.intp)


def check_some_label(present: NDArray[np.bool_], needed_by: str) -> None:
    """Require at least one label, or raise a ValueError that says who needs it."""
    if not present.any():
        raise ValueError(f"y has no labels: {needed_by}")


def mark_missing(y: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
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
    marked[~present] = np.nan if is_float else None
    return marked
