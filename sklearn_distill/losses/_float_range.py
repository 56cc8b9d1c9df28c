"""Scaling of vectors beyond the range of float32.

Without a penalty, a solver may evaluate weights of any size, and the adjoints of a separable fold
have any size, too. Products are linear, so the scale can be factored out and applied afterwards.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sklearn_distill._typing import FloatArray

# float32 holds 1e-38 to 3e38: vectors between 1/HUGE and HUGE leave 18 orders of magnitude for
# the features and the sums over them.
HUGE = 1e20


def within_range(V: FloatArray, dtype: npt.DTypeLike) -> tuple[FloatArray, float]:
    """Return V/s and s such that products with V/s are within the range of a dtype.

    Parameters
    ----------
    V : ndarray
        Factor of a product, such as weights.
    dtype : dtype
        Precision of the product, float32 or float64; float64 needs no scaling.

    Returns
    -------
    scaled : ndarray of the shape of V
        V itself, or V divided by its largest absolute value.
    scale : float
        The scale s, to be passed to :func:`scaled_back`; 1 unless entries are extreme.

    Examples
    --------
    >>> within_range(np.array([3e45, 6e45]), np.float32)
    (array([0.5, 1. ]), 6e+45)
    """
    if dtype == np.float64:
        return V, 1.0
    peak = float(np.abs(V).max(initial=0.0))
    # No scale helps against infinite or NaN entries: they are passed on.
    in_range = 1 / HUGE < peak < HUGE or peak == 0 or not np.isfinite(peak)
    return (V, 1.0) if in_range else (V / peak, peak)


def scaled_back(products: FloatArray, scale: float) -> FloatArray:
    """Return products times the scale factored out of V, in float64 if the scale is not 1.

    Parameters
    ----------
    products : ndarray
        Products with the scaled V of :func:`within_range`.
    scale : float
        The scale s of :func:`within_range`.

    Returns
    -------
    ndarray of the shape of products
        Products with V itself.
    """
    return products if scale == 1 else scale * products.astype(np.float64, copy=False)
