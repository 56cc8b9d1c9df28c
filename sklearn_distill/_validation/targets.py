"""Check y and the teacher's outputs together: for a classifier and for a regressor.

Either may be missing in some rows, but each row needs a label or a teacher's prediction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import ArrayLike, BoolArray, FloatArray, TargetLike, TeacherLike
from sklearn_distill._validation.absent_rows import blank_absent
from sklearn_distill._validation.labels import check_classes, check_labels
from sklearn_distill._validation.masks import nan_where_masked
from sklearn_distill._validation.numbers import (
    as_floats,
    check_numbers,
    check_rows_complete,
    refuse_rows,
)
from sklearn_distill._validation.partial_teacher import (
    Partial,
    check_sparse_teacher,
    is_sparse,
)
from sklearn_distill._validation.teacher import (
    SUM_TOLERANCE,
    TeacherOutput,
    check_teacher_in_part,
    read_teacher,
)
from sklearn_distill._validation.teacher_weight import check_teacher_weight
from sklearn_distill.targets import Labels, PartialTeachers, Teachers

OutputColumns: TypeAlias = NDArray[np.float64]  # (n_rows, n_outputs); a row of NaN is missing


def check_class_targets(
    y: TargetLike,
    n_rows: int,
    classes: ArrayLike | None,
    teacher_proba: TeacherLike,
    teacher_logits: TeacherLike,
    absent: BoolArray | None = None,
    *,
    teacher_weight: ArrayLike | None = None,
    partial: Partial | None = None,
    min_classes: int = 2,
) -> tuple[NDArray[Any], Labels, Teachers | PartialTeachers | None]:
    """Check the labels and the teachers of a classifier.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or None
        Labels, some or all of them missing.
    n_rows : int
        Number of rows of X.
    classes : array-like or None
        The constructor's ``classes``: all class labels, ascending; None takes those of y, or of
        the teacher's named columns if y has fewer than two.
    teacher_proba, teacher_logits : array-like, DataFrame or None
        The teachers' probabilities or logits; at most one of the two.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0, whose predictions are not checked and become missing; None for none.
    teacher_weight : array-like of shape (n_rows,) or (n_rows, n_teachers), or None, default=None
        Weights of the teachers.
    partial : {"rest", "spread"} or None, default=None
        What becomes of classes that ``teacher_proba`` leaves unknown; None refuses them.
    min_classes : {1, 2}, default=2
        Smallest number of classes that the estimator can be fitted on.

    Returns
    -------
    classes_ : ndarray of shape (n_classes,)
        Class labels in ascending order.
    labels : Labels
        Class numbers, with missing ones marked.
    teachers : Teachers, PartialTeachers or None
        Logits by teacher, class and row.

    Raises
    ------
    ValueError
        If one of them is wrong, or a row has neither a label nor a teacher's prediction.
    """
    # the teacher is read first: its columns may name the classes; its check needs the classes
    known = partial is not None and teacher_logits is None and is_sparse(teacher_proba)
    output = None if known else read_teacher(teacher_proba, teacher_logits, n_rows)
    if output is not None:
        output = replace(output, values=blank_absent(output.values, absent))
    unnamed = TeacherOutput("teacher_proba", np.empty((0, 0)), None) if known else None
    classes_, labels = check_labels(
        y, n_rows, check_classes(classes), output or unnamed, min_classes=min_classes
    )
    teachers: Teachers | PartialTeachers | None = None
    if output is not None:
        teachers = check_teacher_in_part(output, classes_, partial)
    elif known and partial is not None:
        teachers = check_sparse_teacher(
            teacher_proba, n_rows, classes_, absent, partial=partial, tolerance=SUM_TOLERANCE
        )
    weight = check_teacher_weight(
        teacher_weight,
        n_rows,
        None if teachers is None else teachers.n_teachers,
        absent,
        needs="teacher_proba or teacher_logits",
    )
    without_target = ~labels.present
    if teachers is not None:
        if weight is not None:
            teachers = replace(teachers, weight=np.ascontiguousarray(weight.T))
        # a row whose teachers have weight 0 has weight 0 itself, and is left out
        without_target &= ~(teachers.teacher_mask | teachers.distrusted)
    _check_some_target(without_target, absent)
    return classes_, labels, teachers


def check_regression_targets(
    y: TargetLike,
    teacher_prediction: TeacherLike,
    n_rows: int,
    absent: BoolArray | None = None,
    *,
    several_teachers: bool = False,
    teacher_weight: ArrayLike | None = None,
) -> tuple[OutputColumns | None, OutputColumns | None, bool, FloatArray | None]:
    r"""Check the labels and the teacher's predictions of a regressor.

    Parameters
    ----------
    y, teacher_prediction : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        Labels and predictions; at least one of the two.
    n_rows : int
        Number of rows of X.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0, which are not checked; None for none.
    several_teachers : bool, default=False
        Whether predictions of shape (n_rows, n_teachers, n_outputs) are averaged.
    teacher_weight : array-like of shape (n_rows,) or (n_rows, n_teachers), or None, default=None
        Weights of the teachers, with which they are averaged.

    Returns
    -------
    labels, predictions : ndarray of shape (n_rows, n_outputs) or None
        The numbers as columns; None if the argument is None. Predictions are missing where all of
        their teachers have weight 0.
    flat : bool
        Whether y, or the prediction if y is None, is one-dimensional.
    trust : ndarray of shape (n_rows,) or None
        Mean :math:`\bar w_i` of the weights of the available predictions, 0 without any; None
        without ``teacher_weight``.

    Raises
    ------
    ValueError
        If one of them is wrong, the numbers of outputs differ, or a row has neither a label nor a
        teacher's prediction.
    """
    labels, flat = check_regression_outputs("y", blank_absent(y, absent), n_rows)
    teacher_prediction = blank_absent(teacher_prediction, absent)
    weight = check_teacher_weight(
        teacher_weight, n_rows, _n_teachers(teacher_prediction, several_teachers), absent
    )
    trust = None
    if several_teachers and np.ndim(teacher_prediction) == 3:
        teacher_prediction, trust = _mean_of_teachers(teacher_prediction, weight)
    predictions, teacher_flat = check_regression_outputs(
        "teacher_prediction", teacher_prediction, n_rows
    )
    if weight is not None and predictions is not None and trust is None:
        trust = np.where(np.isnan(predictions[:, 0]), 0.0, weight[:, 0])
    check_regression_target_available(labels, predictions, absent)
    if trust is not None and predictions is not None:
        # after the check: a row without a label then has weight 0, and is left out
        predictions = np.where(trust[:, None] > 0, predictions, np.nan)
    return labels, predictions, teacher_flat if labels is None else flat, trust


def relative_precision(variance: FloatArray) -> FloatArray:
    """Return the precision σ̄²/σ_i² of each prediction, relative to the median variance σ̄².

    Parameters
    ----------
    variance : ndarray of shape (n_rows,)
        Variances σ_i², NaN where there is no prediction.

    Returns
    -------
    ndarray of shape (n_rows,)
        The precisions; 1 where there is no prediction.

    Examples
    --------
    >>> relative_precision(np.array([1.0, 4.0, 16.0, np.nan]))
    array([4.  , 1.  , 0.25, 1.  ])
    """
    precision, taught = np.ones(len(variance)), ~np.isnan(variance)
    if taught.any():
        precision[taught] = np.median(variance[taught]) / variance[taught]
    return precision


def check_teacher_variance(
    teacher_std: ArrayLike | None,
    predictions: OutputColumns | None,
    n_rows: int,
    absent: BoolArray | None = None,
) -> FloatArray | None:
    """Return the variance σ_i² of each prediction, NaN where there is none.

    Parameters
    ----------
    teacher_std : array-like of shape (n_rows,) or None
        Standard deviations σ_i of the predictions.
    predictions : ndarray of shape (n_rows, n_outputs) or None
        The predictions; a row of NaN is missing, and its σ_i is not checked.
    n_rows : int
        Number of rows of X.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0, whose σ_i are not checked; None for none.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        The variances; None without ``teacher_std``.

    Raises
    ------
    ValueError
        If there is no prediction, the length differs from that of X, or a σ_i beside a prediction
        is not a positive number.

    Examples
    --------
    >>> check_teacher_variance([1.0, 2.0], np.array([[5.0], [np.nan]]), n_rows=2)
    array([ 1., nan])
    """
    if teacher_std is None:
        return None
    if predictions is None:
        raise ValueError("teacher_std is given without teacher_prediction: pass both, or neither")
    std = as_floats(blank_absent(teacher_std, absent), "teacher_std")
    if std.shape != (n_rows,):
        raise ValueError(
            f"teacher_std has shape {std.shape}, X has {n_rows} rows: give one standard deviation "
            "for each row"
        )
    taught = ~np.isnan(predictions[:, 0])
    with np.errstate(over="ignore"):  # a variance that overflows is refused
        variance = np.where(taught & (std > 0), std, np.nan) ** 2
    refuse_rows(
        taught & ~((variance > 0) & np.isfinite(variance)),
        "teacher_std",
        std,
        "is",
        "give a positive standard deviation for each prediction, or set the prediction to NaN",
    )
    return variance


def _n_teachers(teacher_prediction: TeacherLike, several: bool) -> int | None:
    if teacher_prediction is None:
        return None
    shape = np.shape(np.asarray(nan_where_masked(teacher_prediction)))
    return shape[1] if several and len(shape) == 3 else 1


def _mean_of_teachers(
    teacher_prediction: TeacherLike, weight: FloatArray | None
) -> tuple[OutputColumns, FloatArray | None]:
    """Return the mean of the available predictions of each row, and their mean weight.

    The mean of predictions that all have weight 0 is that without weights.
    """
    name = "teacher_prediction"
    array = np.asarray(nan_where_masked(teacher_prediction))
    n_rows, n_teachers, n_outputs = array.shape
    if not n_teachers * n_outputs:
        raise ValueError(f"{name} has shape {array.shape}, of no prediction: pass None instead")
    columns = array.reshape(n_rows, n_teachers * n_outputs)
    numbers = check_numbers(name, columns, allow_nan=True, ensure_min_samples=0)
    values = numbers.reshape(array.shape)
    for teacher in range(n_teachers):
        part = f"{name}[:, {teacher}]"
        check_rows_complete(part, values[:, teacher], "a number for each output or missing")
    available = ~np.isnan(values[:, :, 0])
    share, trust = available.astype(np.float64), None
    if weight is not None and len(weight) == n_rows:  # another length has an error of its own
        share = np.where(available, weight, 0.0)
        trust = share.sum(axis=1) / np.maximum(available.sum(axis=1), 1)
        share = np.where(trust[:, None] > 0, share, available)
    total = share[:, :, None] * np.nan_to_num(values)
    mean, sum_of_shares = np.full((n_rows, n_outputs), np.nan), share.sum(axis=1)[:, None]
    return np.divide(total.sum(axis=1), sum_of_shares, out=mean, where=sum_of_shares > 0), trust


def check_regression_outputs(
    name: str, values: TargetLike | TeacherLike, n_rows: int
) -> tuple[OutputColumns | None, bool]:
    """Return the labels or the predictions of a regressor as columns.

    Parameters
    ----------
    name : {"y", "y_val", "teacher_prediction"}
        The argument's name, for messages.
    values : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        Labels or predictions; a row of NaN is missing.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    columns : ndarray of shape (n_rows, n_outputs) or None
        The same numbers as float64; None if `values` is None.
    flat : bool
        Whether `values` is one-dimensional or None.

    Raises
    ------
    ValueError
        If they are not numbers, have another length than X, or a row is NaN in some outputs but
        not in all; the message names the first such row.

    Examples
    --------
    >>> columns, flat = check_regression_outputs("y", [1.0, float("nan")], n_rows=2)
    >>> columns.shape, flat
    ((2, 1), True)
    """
    if values is None:
        return None, True
    numbers = check_numbers(name, values, allow_nan=True, ensure_min_samples=0)
    if numbers.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {numbers.shape}: give one number, or one row, a sample")
    if len(numbers) != n_rows:
        missing = "the teacher's prediction" if name == "teacher_prediction" else "the label"
        raise ValueError(
            f"{name} has {len(numbers)} rows, X has {n_rows}: give one row for each row of X "
            f"(NaN where {missing} is missing)"
        )
    columns = numbers.reshape(n_rows, -1)
    # below, a NaN in the first output means that the whole row is missing
    check_rows_complete(name, columns, "a number for each output or missing")
    return columns, numbers.ndim == 1


def check_regression_target_available(
    labels: OutputColumns | None,
    predictions: OutputColumns | None,
    absent: BoolArray | None = None,
) -> None:
    """Require as many outputs of both, and a label or a prediction for each row.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_rows, n_outputs) or None
        Labels and predictions, as :func:`check_regression_outputs` returns them; at least one of
        the two.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0, which need neither; None for none.

    Raises
    ------
    ValueError
        If the numbers of outputs differ, or a row has neither; it names the first.
    """
    given = [columns for columns in (labels, predictions) if columns is not None]
    if len({columns.shape[1] for columns in given}) > 1:
        raise ValueError(
            f"teacher_prediction has {given[1].shape[1]} outputs, y has {given[0].shape[1]}: the "
            "teacher must predict what y measures, one column for each output"
        )
    missing = [np.isnan(columns[:, 0]) for columns in given]
    _check_some_target(np.logical_and.reduce(missing), absent)


def _check_some_target(without_target: BoolArray, absent: BoolArray | None) -> None:
    if absent is not None:
        without_target = without_target & ~absent
    if without_target.any():
        raise ValueError(
            f"row {int(np.argmax(without_target))} has neither a label in y nor a teacher's "
            f"prediction ({int(without_target.sum())} such rows): drop these rows or give one of "
            "the two"
        )
