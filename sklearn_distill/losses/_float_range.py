"""Numbers that float32 cannot hold: a search without a penalty may try weights of any size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sklearn_distill._typing import FloatArray

# From 1/HUGE to HUGE, products with features of any usual size are within float32's range.
HUGE = 1e20


def within_range(V: FloatArray, dtype: npt.DTypeLike) -> tuple[FloatArray, float]:
    """Return V/s and s, such that the dtype holds products with V/s; s is 1 for all usual V.

    Parameters
    ----------
    V : ndarray
        What is to be multiplied.
    dtype : dtype
        Precision of the products, float32 or float64; the latter holds all.

    Returns
    -------
    scaled : ndarray of the shape of V
        V itself, or V divided by its largest size.
    scale : float
        What products with it are to be :func:`scaled_back` by.

    Examples
    --------
    >>> within_range(np.array([3e45, 6e45]), np.float32)
    (array([0.5, 1. ]), 6e+45)
    """
    if dtype == np.float64:
        return V, 1.0
    peak = float(np.abs(V).max(initial=0.0))
    usual = 1 / HUGE < peak < HUGE or peak == 0 or not np.isfinite(peak)
    return (V, 1.0) if usual else (V / peak, peak)


def scaled_back(products: FloatArray, scale: float) -> FloatArray:
    """Return products times the scale that was taken out of a factor, in float64 if it is not 1.

    Parameters
    ----------
    products : ndarray
        Products with what :func:`within_range` gave.
    scale : float
        What it gave beside.

    Returns
    -------
    ndarray of the shape of products
        The products.
    """
    return products if scale == 1 else scale * products.astype(np.float64, copy=False)
