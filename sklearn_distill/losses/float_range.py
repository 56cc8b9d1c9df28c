"""Numbers that float32 cannot hold: a search without a penalty may try weights of any size."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray

# From 1/HUGE to HUGE, products with features of any usual size are within float32's range.
HUGE = 1e20


def within_range(V: FloatArray) -> tuple[FloatArray, float]:
    """Return V/s and s, such that float32 holds products with V/s; s is 1 for all usual V.

    Parameters
    ----------
    V : ndarray
        What is to be multiplied.

    Returns
    -------
    scaled : ndarray of the shape of V
        V itself, or V divided by its largest size.
    scale : float
        What products with it are to be multiplied by, in float64.

    Examples
    --------
    >>> within_range(np.array([3e45, 6e45]))
    (array([0.5, 1. ]), 6e+45)
    """
    peak = float(np.abs(V).max(initial=0.0))
    usual = 1 / HUGE < peak < HUGE or peak == 0 or not np.isfinite(peak)
    return (V, 1.0) if usual else (V / peak, peak)
