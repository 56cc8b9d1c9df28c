"""L-BFGS that makes a factor of the Hessian once that costs less than the steps it saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.solvers._costs import factor_cost, pass_cost, solve_cost
from sklearn_distill.solvers.continuation import continue_from
from sklearn_distill.solvers.factor import DiagonalFactor, Preconditioner, TriangleFactor
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.scaled_newton import scaled_newton
from sklearn_distill.solvers.solution import Progress, Solution

# The rate of convergence is known after as many steps.
MIN_STEPS = 8
# Without a factor L-BFGS ends after as many steps.
MAX_STEPS = 150
# With a factor made near the minimum L-BFGS takes about as many steps to the tolerance: with the
# Hessian of one logit, and with the mean block of more scores.
STEPS_WITH_HESSIAN = 12
STEPS_WITH_MEAN_BLOCK = 50
MAX_FACTOR_BYTES = 2**30


def lbfgs_with_late_factor(
    objective: SoftTargetObjective,
    start: FloatArray,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    progress: Progress | None = None,
) -> Solution:
    r"""Minimise by L-BFGS in the scales of the columns, and with a factor where that is slow.

    The first steps show how fast the estimated distance to the minimiser decreases, which depends
    on the correlations of the columns. Once the steps that are left would cost more than a
    Gram matrix with its factor and the few steps with it, the Gram matrix is made at the last
    iterate, in float32: near the minimum, where it is the Hessian of one logit, and of more scores
    their mean block.

    Parameters
    ----------
    objective : SoftTargetObjective
        Convex objective over the rows of a dense X.
    start : ndarray of shape (n_weights,)
        Initial weights.
    tol, distance_tol : float
        Stop when max|∇F| and the estimated distance to the minimiser are within these tolerances;
        see :func:`lbfgs`.
    max_iter : int
        Maximum number of iterations.
    precision : float
        Relative rounding error of F.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "lbfgs", or "newton-cg" if the preconditioner is not reliable.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
    >>> from sklearn_distill.targets import SoftTargets, LogPartitionTerm
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> objective = SoftTargetObjective(RowSums(design, targets, np.ones(2)), alpha=0.5)
    >>> lbfgs_with_late_factor(objective, np.zeros(1), tol=1e-8, max_iter=20).w.round(4)
    array([0.6748])
    """
    rate = _Rate(objective, distance_tol if np.isfinite(distance_tol) else tol)
    first = lbfgs(
        objective,
        start,
        DiagonalFactor(objective.hessian_diagonal_at_zero()).solve,
        tol=tol,
        distance_tol=distance_tol,
        max_iter=min(max_iter, MAX_STEPS),
        give_up=rate.is_slow,
        progress=progress,
    )
    if first.converged or first.n_iter == max_iter:
        return first
    factor = _factor(objective, first.w)
    if factor is None:
        newton = scaled_newton(
            objective,
            first.w,
            tol=tol,
            distance_tol=distance_tol,
            precision=precision,
            max_iter=max_iter - first.n_iter,
            progress=progress,
        )
        return replace(newton, n_iter=first.n_iter + newton.n_iter)
    return continue_from(
        objective,
        first.w,
        factor,
        tol=tol,
        distance_tol=distance_tol,
        precision=precision,
        max_iter=max_iter,
        renew=partial(_exact_factor, objective),
        renew_after=max(2 * rate.n_steps, int(rate.factor_cost / rate.step_cost)),
        n_iter_before=first.n_iter,
        evaluation=first.evaluation,
        progress=progress,
    )


class _Rate:
    """Whether L-BFGS converges so slowly that a factor costs less than the steps that are left.

    Parameters
    ----------
    objective : SoftTargetObjective
        The objective, whose shape determines the costs.
    goal : float
        Distance at which the iteration ends.
    """

    def __init__(self, objective: SoftTargetObjective, goal: float) -> None:
        n_scores, d = objective.shape
        itemsize = objective.sums.dtype.itemsize
        self.step_cost = pass_cost(objective.n_rows, d, n_scores, itemsize)
        self.factor_cost = factor_cost(objective.n_rows, d, itemsize=4)
        self.n_steps = STEPS_WITH_HESSIAN if n_scores == 1 else STEPS_WITH_MEAN_BLOCK
        self.with_factor = self.factor_cost + self.n_steps * (
            self.step_cost + solve_cost(d, n_scores, itemsize=4)
        )
        self.has_factor = 4 * d**2 <= MAX_FACTOR_BYTES
        self.goal = goal
        self.logs: list[float] = []

    def is_slow(self, n_iter: int, distance: float) -> bool:
        """Record the distance after a step; return whether a factor is expected to cost less."""
        smallest = min(distance, self.logs[-1] if self.logs else np.inf)
        self.logs.append(smallest)
        if n_iter < MIN_STEPS or not smallest or not self.has_factor:
            return False
        half = n_iter // 2
        gained = float(np.log(self.logs[half - 1] / smallest))
        wanted = float(np.log(smallest / self.goal))
        steps_left = wanted * (n_iter - half) / gained if gained > 0 else np.inf
        return steps_left * self.step_cost > self.with_factor


def _factor(objective: SoftTargetObjective, w: FloatArray) -> Preconditioner | None:
    """Return a factor in float32, or in float64 if that has too few digits; None without one."""
    if 4 * objective.n_columns**2 > MAX_FACTOR_BYTES:
        return None
    make: tuple[Callable[..., Preconditioner], ...] = (_single_factor, _exact_factor)
    for factor in make:
        try:
            return factor(objective, w)
        except np.linalg.LinAlgError:
            pass
    return None


def _single_factor(objective: SoftTargetObjective, w: FloatArray) -> Preconditioner:
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the range of float32: no factor
        return TriangleFactor(objective.mean_block(w, np.float32))


def _exact_factor(objective: SoftTargetObjective, w: FloatArray) -> Preconditioner:
    return TriangleFactor(objective.mean_block(w, np.float64))
