"""Products of float32 vectors in float64, without a copy in float64."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray

# Within so many numbers float32 is accurate enough: rounding errors of the parts average out.
_PART = 256


def dot(c: FloatArray, values: FloatArray) -> float:
    """Return c·values.

    Parameters
    ----------
    c, values : ndarray of shape (n,)
        Vectors in any precision.

    Returns
    -------
    float
        The product, of which parts are added up in float64.

    Examples
    --------
    >>> dot(np.ones(1000, np.float32), np.full(1000, 0.5, np.float32))
    500.0
    """
    if c.dtype != np.float32 or values.dtype != np.float32:
        return float(np.dot(c, values))
    n = len(c) // _PART * _PART
    parts = np.einsum("ij,ij->i", c[:n].reshape(-1, _PART), values[:n].reshape(-1, _PART))
    return float(parts.sum(dtype=np.float64)) + float(np.dot(c[n:], values[n:]))
