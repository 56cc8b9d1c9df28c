"""Check ``teacher_weight``: how far the teachers are trusted, row by row."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import ArrayLike, BoolArray, FloatArray
from sklearn_distill._validation.numbers import as_floats, check_nonnegative
from sklearn_distill._validation.tensors import to_numpy


def check_teacher_weight(
    teacher_weight: ArrayLike | None,
    n_rows: int,
    n_teachers: int | None,
    absent: BoolArray | None = None,
    *,
    needs: str = "teacher_prediction",
) -> FloatArray | None:
    """Return the weight of each teacher in each row.

    Parameters
    ----------
    teacher_weight : array-like of shape (n_rows,) or (n_rows, n_teachers), or None
        Weights, finite and 0 or more; one for each row is that of all teachers.
    n_rows : int
        Number of rows of X.
    n_teachers : int or None
        Number of teachers; None without one.
    absent : ndarray of bool of shape (n_rows,) or None, default=None
        Rows of sample weight 0, whose weights are not checked and become 0; None for none.
    needs : str, default="teacher_prediction"
        What the argument belongs to, for the message.

    Returns
    -------
    ndarray of shape (n_rows, n_teachers) or None
        The weights as float64.

    Raises
    ------
    ValueError
        If there is no teacher, the shape is wrong, or a weight is negative or not finite; it names
        the first such row.

    Examples
    --------
    >>> check_teacher_weight([0.0, 0.5], n_rows=2, n_teachers=1)
    array([[0. ],
           [0.5]])
    """
    if teacher_weight is None:
        return None
    if n_teachers is None:
        raise ValueError(f"teacher_weight is given without {needs}: pass both, or neither")
    weight = as_floats(to_numpy(teacher_weight), "teacher_weight")
    if weight.shape not in {(n_rows,), (n_rows, n_teachers)}:
        raise ValueError(
            f"teacher_weight has shape {weight.shape}, but there are {n_rows} rows and "
            f"{n_teachers} teacher(s): give one weight for each row, or one column for each "
            "teacher; the weight of the teacher in all rows is imitation"
        )
    if absent is not None and absent.any():
        weight = np.array(weight)
        weight[absent] = 0.0
    check_nonnegative(weight, "teacher_weight")
    return np.broadcast_to(weight.reshape(n_rows, -1), (n_rows, n_teachers))


def check_some_trust(weight: FloatArray) -> None:
    """Require a row with a weight, after the trust in predictions without a label is in it.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Sample weights, of rows without a label times the trust in their prediction.

    Raises
    ------
    ValueError
        If all are 0.
    """
    if not weight.any():
        raise ValueError(
            "teacher_weight is 0 in every row without a label, and no other row has a weight: "
            "pass labels, or weights with a positive sum"
        )
