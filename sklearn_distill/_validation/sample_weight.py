"""Check sample weights."""

import numpy as np

from sklearn_distill._typing import ArrayLike, FloatArray
from sklearn_distill._validation.numbers import as_floats, check_nonnegative


def check_sample_weight(sample_weight: ArrayLike | None, n_rows: int) -> FloatArray:
    """Return one nonnegative weight for each row.

    Parameters
    ----------
    sample_weight : array-like of shape (n_rows,), number or None
        Nonnegative weights on any scale; a number is the weight of every row, None is 1.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    ndarray of shape (n_rows,)
        The weights as float64, not normalised.

    Raises
    ------
    ValueError
        If the shape is wrong, or a weight is negative or not finite, or all are zero.
    """
    weight = read_sample_weight(sample_weight, n_rows)
    if not weight.any():  # scikit-learn's own words for the same error
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def read_sample_weight(sample_weight: ArrayLike | None, n_rows: int) -> FloatArray:
    """Return the weights as :func:`check_sample_weight`, but all may be zero.

    That is for a chunk of the rows: only the weights of all chunks must not be zero together.
    """
    if sample_weight is None:
        return np.ones(n_rows)
    if np.isscalar(sample_weight):
        sample_weight = np.full(n_rows, sample_weight)
    weight = as_floats(sample_weight, "sample_weight")
    if weight.ndim > 1:
        raise ValueError(
            f"sample_weight has shape {weight.shape}, one weight a row has ({n_rows},): the third "
            "argument of fit is sample_weight, and the teacher's predictions are keyword-only: "
            "pass teacher_proba=, teacher_logits= or teacher_prediction="
        )
    if weight.shape != (n_rows,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; pass one weight for each of the {n_rows} "
            "rows."
        )
    check_nonnegative(weight, "sample_weight")
    return weight
