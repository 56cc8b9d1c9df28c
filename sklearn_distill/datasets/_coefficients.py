"""Take the coefficients that a caller gives to a generator."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array


def check_coefficients(coef: ArrayLike) -> NDArray[np.float64]:
    """Return `coef` as a finite vector, or raise a ValueError that names it.

    Examples
    --------
    >>> check_coefficients([1, 2])
    array([1., 2.])
    """
    w: NDArray[np.float64] = check_array(coef, dtype=np.float64, ensure_2d=False, input_name="coef")
    if w.ndim != 1:
        raise ValueError(f"coef must have shape (n_features,); got shape {w.shape}.")
    return w
