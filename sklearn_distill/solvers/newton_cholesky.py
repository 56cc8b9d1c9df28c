"""Newton's method with a factor of the Hessian in each step: the fast method for small data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.losses.small_objective import Point, SmallObjective
from sklearn_distill.solvers._line_search import DECREASE, VALUE_RTOL, line_search
from sklearn_distill.solvers.solution import Progress, Solution, max_abs
from sklearn_distill.solvers.subsampling import coarse_to_fine

# Measured: from so many operations in a Hessian on, or entries of X, L-BFGS with few Hessians takes
# less time.
MAX_FLOPS = 2.5e6
MAX_ENTRIES = 2**16
# Relative to the diagonal, so that constant or repeated columns do not break the factorisation.
# Where columns are nearly dependent and the penalty is weak, it is larger than the curvature: steps
# are short then. Where the squared decrement shrinks by less than this factor, it is lowered.
_JITTER, _LEAST_JITTER, _LOWER_JITTER = 1e-10, 1e-16, 1e-2
_SLOW = 0.5
# The decrement by the Hessian of the previous point differs from that of the present one by less
# where both are near the minimiser.
_SAFETY = 4.0


def newton_cholesky(
    objective: SoftTargetObjective,
    start: FloatArray,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    progress: Progress | None = None,
) -> Solution:
    """Minimise by Newton steps, each with the Cholesky factor of its Hessian.

    Where a step does not descend, :func:`coarse_to_fine` continues from the last iterate.

    Parameters
    ----------
    objective : SoftTargetObjective
        Convex objective without regularisers, over rows of NumPy arrays or SciPy matrices.
    start : ndarray of shape (n_weights,)
        Initial weights.
    tol, distance_tol : float
        Stop when max|∇F| and the Newton decrement, the distance to the minimiser, are within these
        tolerances; see :func:`lbfgs`.
    max_iter : int
        Maximum number of iterations.
    precision : float
        Relative rounding error of F, for the fallback; products are in float64.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "newton-cholesky", or that of the fallback.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.5)
    >>> newton_cholesky(objective, np.zeros(1), tol=1e-8, max_iter=20).w.round(4)
    array([0.6748])
    """
    small = objective.in_cache()
    point, n_iter, jitter, squared_distance = small.at(start), 0, _JITTER, np.inf
    while True:
        cholesky, info = _factor(point, jitter)
        if info:
            break
        step = dpotrs(cholesky, point.gradient, lower=1)[0]
        previous, squared_distance = squared_distance, float(point.gradient @ step)
        jitter = _next_jitter(jitter, previous, squared_distance)
        converged = squared_distance <= distance_tol**2 and max_abs(point.gradient) <= tol
        if converged or n_iter == max_iter:
            return _solution(point, n_iter, converged=converged)
        following = _next_point(small, point, -step)
        if following is None:
            break
        point, n_iter = following, n_iter + 1
        gradient_norm = max_abs(point.gradient)
        if progress is not None:
            progress(n_iter, point.value, gradient_norm)
        if gradient_norm <= tol:
            step = dpotrs(cholesky, point.gradient, lower=1)[0]
            if float(point.gradient @ step) <= distance_tol**2 / _SAFETY:
                return _solution(point, n_iter, converged=True)
    rest = coarse_to_fine(
        objective,
        point.w,
        tol=tol,
        distance_tol=distance_tol,
        max_iter=max_iter - n_iter,
        precision=precision,
        progress=progress,
    )
    return replace(rest, n_iter=n_iter + rest.n_iter)


def newton_pays(n_rows: int, n_scores: int, n_columns: int) -> bool:
    """Return whether a Hessian costs less than the calls that a step without it takes.

    Parameters
    ----------
    n_rows, n_scores, n_columns : int
        Number of rows, of scores, and of weights of one score.

    Returns
    -------
    bool
        Whether it takes at most ``MAX_FLOPS`` operations.

    Examples
    --------
    >>> newton_pays(1000, 1, 30), newton_pays(1000, 3, 30)
    (True, False)
    """
    pairs = max(1, n_scores * (n_scores - 1) // 2)
    products, factor = 2 * pairs * n_rows * n_columns**2, (n_scores * n_columns) ** 3 / 3
    return products + factor <= MAX_FLOPS and n_rows * n_columns <= MAX_ENTRIES


def _factor(point: Point, jitter: float) -> tuple[FloatArray, int]:
    """Return the Cholesky factor of the Hessian and LAPACK's verdict, 0 if there is one."""
    H = point.hessian()
    diagonal = H.ravel()[:: len(H) + 1]
    diagonal *= 1 + jitter
    if not diagonal.min(initial=1.0) > 0:
        # a column of zeros without penalty has no curvature, and any scale is valid
        diagonal[diagonal <= 0] = 1.0
    cholesky, info = dpotrf(H.T, lower=1, overwrite_a=1, clean=0)
    if info and jitter < _JITTER:
        return _factor(point, _JITTER)
    return cholesky, int(info)


def _next_jitter(jitter: float, previous: float, squared_distance: float) -> float:
    """Return a smaller jitter if the squared decrement hardly shrank."""
    if squared_distance <= _SLOW * previous:
        return jitter
    return max(_LOWER_JITTER * jitter, _LEAST_JITTER)


def _next_point(objective: SmallObjective, point: Point, direction: FloatArray) -> Point | None:
    """Return the end of a full step if F decreases enough, else one found by a line search."""
    following = objective.at(point.w + direction)
    slope = float(point.gradient @ direction)
    if following.value <= point.value + DECREASE * slope:
        return following
    # where rounding hides the decrease the slope decides, and then the gradient
    for rtol in (VALUE_RTOL, 0.0):
        found = line_search(objective, point.w, direction, point.value, point.gradient, rtol=rtol)
        if found is None:
            return None
        w, value, gradient = found
        if value < point.value or max_abs(gradient) < max_abs(point.gradient):
            return objective.at(w)
    return None


def _solution(point: Point, n_iter: int, *, converged: bool) -> Solution:
    return Solution(
        point.w,
        point.value,
        max_abs(point.gradient),
        n_iter,
        converged,
        "newton-cholesky",
        gradient=point.gradient,
    )
