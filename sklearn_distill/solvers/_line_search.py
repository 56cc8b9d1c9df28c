"""How far to go along a direction."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.solution import Smooth

_FALL, _SLOPE = 1e-4, 0.9  # the two constants of the Wolfe conditions
_MAX_TRIALS = 30
# values this near to each other may differ by rounding: there the slopes decide
_NEAR = 1e-6


def search_line(
    objective: Smooth, w: FloatArray, direction: FloatArray, value: float, gradient: FloatArray
) -> tuple[FloatArray, float, FloatArray] | None:
    r"""Return a point w + t·d that meets the weak Wolfe conditions, first trying t = 1.

    A point falls enough if :math:`F(w + td) \le F(w) + δt\,g·d`, or, where rounding hides
    differences of F, if the new slope is at most :math:`(2δ-1)\,g·d`; it is far enough if the new
    slope is at least :math:`0.9\,g·d`. Bisection between what is too far and what is too near.

    Parameters
    ----------
    objective : Smooth
        Value and gradient.
    w, direction : ndarray of shape (n_weights,)
        Where from and where to.
    value : float
        F(w).
    gradient : ndarray of shape (n_weights,)
        ∇F(w).

    Returns
    -------
    (w, value, gradient) or None
        The new point; None if the direction does not descend or no point is found.

    References
    ----------
    Lewis and Overton 2013, algorithm 2.6; Hager and Zhang 2005, eq. (4.1), for the slopes.

    Examples
    --------
    >>> import numpy as np
    >>> class Parabola:
    ...     def value_and_gradient(self, w):
    ...         return float(w @ w), 2 * w
    >>> w = np.array([1.0])
    >>> search_line(Parabola(), w, np.array([-4.0]), 1.0, 2 * w)[0]
    array([0.])
    """
    slope = float(gradient @ direction)
    if not slope < 0:
        return None
    t, too_near, too_far = 1.0, 0.0, np.inf
    for _ in range(_MAX_TRIALS):
        new_value, new_gradient = objective.value_and_gradient(w + t * direction)
        new_slope = float(new_gradient @ direction)
        rounding = new_value <= value + _NEAR * abs(value) and new_slope <= (2 * _FALL - 1) * slope
        if not (new_value <= value + _FALL * t * slope or rounding):
            too_far = t
        elif new_slope < _SLOPE * slope:
            too_near = t
        else:
            return w + t * direction, new_value, new_gradient
        t = (too_near + too_far) / 2 if np.isfinite(too_far) else 2 * too_near
    return None
