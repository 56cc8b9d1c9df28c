"""Line search for a step that meets the weak Wolfe conditions."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.solution import Smooth

DECREASE, _SLOPE = 1e-4, 0.9  # the two constants of the Wolfe conditions
_MAX_TRIALS = 30
# Where F has to decrease, a step of more halvings changes it by less than its rounding error.
_MAX_TRIALS_OF_DECREASE = 8
# Values this close, relatively, may differ by rounding only: the slopes decide.
VALUE_RTOL = 1e-6


def line_search(
    objective: Smooth,
    w: FloatArray,
    direction: FloatArray,
    value: float,
    gradient: FloatArray,
    *,
    rtol: float = VALUE_RTOL,
) -> tuple[FloatArray, float, FloatArray] | None:
    r"""Return a point w + t·d that meets the weak Wolfe conditions, with t = 1 tried first.

    The decrease is sufficient if :math:`F(w + td) \le F(w) + δt\,g·d` or, where rounding hides
    differences of F, if the new slope is at most :math:`(2δ-1)\,g·d`. The step is long enough if
    the new slope is at least :math:`0.9\,g·d`. Steps are found by bisection between the longest
    one that is too short and the shortest one that is too long.

    Parameters
    ----------
    objective : Smooth
        Value and gradient of F.
    w, direction : ndarray of shape (n_weights,)
        Current weights and search direction d.
    value : float
        Value F(w) at the current weights.
    gradient : ndarray of shape (n_weights,)
        Gradient ∇F(w) at the current weights.
    rtol : float
        Share of F(w) up to which rounding may hide a difference; 0 requires the decrease of F.

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
    >>> line_search(Parabola(), w, np.array([-4.0]), 1.0, 2 * w)[0]
    array([0.])
    """
    slope = float(gradient @ direction)
    if not slope < 0:  # also if it is NaN
        return None
    t, too_short, too_long = 1.0, 0.0, np.inf
    for _ in range(_MAX_TRIALS if rtol else _MAX_TRIALS_OF_DECREASE):
        new_value, new_gradient = objective.value_and_gradient(w + t * direction)
        new_slope = float(new_gradient @ direction)
        # On a quadratic this bound of the slope is equivalent to the sufficient decrease of F.
        decreases_by_slope = (
            new_value <= value + rtol * abs(value) and new_slope <= (2 * DECREASE - 1) * slope
        )
        if not (new_value <= value + DECREASE * t * slope or decreases_by_slope):
            too_long = t
        elif new_slope < _SLOPE * slope:
            too_short = t
        else:
            return w + t * direction, new_value, new_gradient
        t = (too_short + too_long) / 2 if np.isfinite(too_long) else 2 * too_short
    return None
