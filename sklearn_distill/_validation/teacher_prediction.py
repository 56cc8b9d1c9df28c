"""Checks of labels and of a teacher's predictions for regression: who speaks for which row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation.numbers import check_numbers, check_rows_complete

Targets = NDArray[np.float64]


def check_outputs(name: str, target: Any, n_rows: int) -> tuple[Targets | None, bool]:
    """Return labels or predictions as columns; a row of NaN is missing or silent.

    Parameters
    ----------
    name : {"y", "teacher_prediction"}
        The argument's name, for messages.
    target : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        The numbers.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    columns : ndarray of shape (n_rows, n_outputs) or None
        The numbers; None if nothing came.
    flat : bool
        Whether one-dimensional numbers came.

    Raises
    ------
    ValueError
        If they are not numbers, have another length than X, or a row is NaN in some outputs but
        not in all; the message names the first such row.

    Examples
    --------
    >>> columns, flat = check_outputs("y", [1.0, float("nan")], n_rows=2)
    >>> columns.shape, flat
    ((2, 1), True)
    """
    if target is None:
        return None, True
    values = check_numbers(name, target, allow_nan=True, ensure_min_samples=0)
    if values.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {values.shape}: give one number, or one row, a sample")
    if len(values) != n_rows:
        raise ValueError(
            f"{name} has {len(values)} rows, X has {n_rows}: give one row for each row of X "
            f"(NaN where {'the label is missing' if name == 'y' else 'the teacher is silent'})"
        )
    columns = values.reshape(n_rows, -1)
    check_rows_complete(name, columns, "a number for each output or missing")
    return columns, values.ndim == 1


def check_regression_targets(
    y: Any, teacher: Any, n_rows: int
) -> tuple[Targets | None, Targets | None, bool]:
    """Return labels and predictions as columns, and whether the first given is one-dimensional."""
    labels, flat = check_outputs("y", y, n_rows)
    predictions, teacher_flat = check_outputs("teacher_prediction", teacher, n_rows)
    check_output_available(labels, predictions)
    return labels, predictions, teacher_flat if labels is None else flat


def check_output_available(y: Targets | None, teacher: Targets | None) -> None:
    """Require as many outputs of both, and a label or a prediction for each row.

    Parameters
    ----------
    y, teacher : ndarray of shape (n_rows, n_outputs) or None
        Labels and predictions; at least one of the two.

    Raises
    ------
    ValueError
        If the numbers of outputs differ, or a row has neither; it names the first.
    """
    given = [target for target in (y, teacher) if target is not None]
    if len({target.shape[1] for target in given}) > 1:
        raise ValueError(
            f"teacher_prediction has {given[1].shape[1]} outputs, y has {given[0].shape[1]}: the "
            "teacher must predict what y measures, one column for each output"
        )
    without_target = np.logical_and.reduce([np.isnan(target[:, 0]) for target in given])
    if without_target.any():
        row = int(np.argmax(without_target))
        raise ValueError(
            f"row {row} has neither a label in y nor a teacher's prediction "
            f"({int(without_target.sum())} such rows): drop these rows or give one of the two"
        )
