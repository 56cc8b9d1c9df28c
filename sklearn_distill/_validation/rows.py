"""Checks of the rows: their weights, and that something speaks for each."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation.numbers import check_numbers
from sklearn_distill.targets import Labels, Teachers


def check_sample_weight(sample_weight: Any, n_rows: int) -> NDArray[np.float64]:
    """Return one nonnegative weight a row.

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,), number or None
        None and a number give every row the same weight.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    ndarray of shape (n_rows,)
        The weights.

    Raises
    ------
    ValueError
        If the shape is wrong, or a weight is negative or not finite, or all are zero.
    """
    weight = read_sample_weight(sample_weight, n_rows)
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def read_sample_weight(sample_weight: Any, n_rows: int) -> NDArray[np.float64]:
    """Return one nonnegative weight a row, as :func:`check_sample_weight`; all may be zero."""
    if sample_weight is None:
        return np.ones(n_rows)
    if np.isscalar(sample_weight):
        sample_weight = np.full(n_rows, sample_weight)
    weight = check_numbers("sample_weight", sample_weight)
    if weight.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if len(weight) != n_rows:
        raise ValueError(
            f"sample_weight has {len(weight)} entries, X has {n_rows} rows: give one weight a row"
        )
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise ValueError(f"sample_weight must not be negative: row {row} has {weight[row]}")
    return weight


def check_every_row_speaks(labels: Labels, teachers: Teachers | None) -> None:
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
    mute = ~labels.present
    if teachers is not None:
        mute &= ~teachers.speaks
    if mute.any():
        raise ValueError(
            f"row {int(np.argmax(mute))} has neither a label in y nor a teacher's answer "
            f"({int(mute.sum())} such rows): drop these rows or give one of the two"
        )
