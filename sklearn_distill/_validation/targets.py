"""Read what a classifier learns from: labels, and one or several teachers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation.labels import check_classes, check_labels
from sklearn_distill._validation.numbers import check_numbers
from sklearn_distill._validation.teacher import check_teacher, read_teacher
from sklearn_distill.targets import Labels, Teachers


def check_class_targets(
    y: Any, n_rows: int, classes: Any, teacher_proba: Any, teacher_logits: Any
) -> tuple[NDArray[Any], Labels, Teachers | None]:
    """Check labels and teachers against each other.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or None
        Labels, some or all of them missing.
    n_rows : int
        Number of rows of X.
    classes : array-like or None
        The constructor's classes.
    teacher_proba, teacher_logits : array-like, DataFrame or None
        At most one of them.

    Returns
    -------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    labels : Labels
        Class numbers.
    teachers : Teachers or None
        Logits by teacher, class and row.

    Raises
    ------
    ValueError
        If one of them is wrong, or a row has neither a label nor a teacher's answer.
    """
    output = read_teacher(teacher_proba, teacher_logits, n_rows)
    classes_, labels = check_labels(y, n_rows, check_classes(classes), output)
    teachers = None if output is None else check_teacher(output, classes_)
    check_target_available(labels, teachers)
    return classes_, labels, teachers


def check_numeric_targets(y: Any, n_rows: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Check the targets of a regression, some of which may be missing.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Numbers; NaN is missing.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    y : ndarray of float64
        The numbers.
    present : ndarray of bool of shape (n_rows,)
        Rows that have all their outputs.

    Raises
    ------
    ValueError
        If the length is wrong or an entry is no number.
    """
    y = check_numbers("y", y, allow_nan=True)
    if len(y) != n_rows:
        raise ValueError(f"y has {len(y)} entries, X has {n_rows} rows: give one label a row")
    return y, ~np.isnan(y.reshape(n_rows, -1)).any(axis=1)


def check_target_available(labels: Labels, teachers: Teachers | None) -> None:
    """Require a label or a teacher for each row.

    Parameters
    ----------
    labels : Labels
        The rows' labels.
    teachers : Teachers or None
        The teachers' outputs.

    Raises
    ------
    ValueError
        If a row has neither; it names the first.
    """
    without_target = ~labels.present
    if teachers is not None:
        without_target &= ~teachers.teacher_mask
    if without_target.any():
        raise ValueError(
            f"row {int(np.argmax(without_target))} has neither a label in y nor a teacher's answer "
            f"({int(without_target.sum())} such rows): drop these rows or give one of the two"
        )
