"""Fit to the same rows again and again, each fit from the last one's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.solvers import (
    BlockFactor,
    Preconditioner,
    Solution,
    continue_from,
    hessian_factor,
    newton_cg,
)
from sklearn_distill.students._logistic import Minimiser, minimiser
from sklearn_distill.students._problem import Problem

# with a fresh factor a fit takes so many steps; what more it takes adds up until it has cost as
# much as a new factor does, in steps: of all scores together, or one a score
FRESH, PRICE, PRICE_BY_BLOCKS = 6, 40, 60


@dataclass(frozen=True)
class WarmStart:
    """What one fit leaves for the next.

    Parameters
    ----------
    active : ndarray of bool of shape (n_classes,)
        The classes that were fitted; another set of classes starts anew.
    w : ndarray of shape (n_weights,)
        The weights.
    factor : Preconditioner or None
        A factor near that of the Hessian; None where Newton's method goes without.
    n_iter : int
        Steps of the fit with this factor.
    adjoint : ndarray of shape (n_weights,) or None
        The adjoint at w.
    """

    active: BoolArray
    w: FloatArray
    factor: Preconditioner | None
    n_iter: int = 0
    adjoint: FloatArray | None = None

    @property
    def staleness(self) -> float:
        """Share of a new factor's cost that the last fit spent for want of it."""
        if self.factor is None:
            return 0.0
        price = PRICE_BY_BLOCKS if isinstance(self.factor, BlockFactor) else PRICE
        return max(0, self.n_iter - FRESH) / price


def compatible_warm_start(trail: WarmStart | None, problem: Problem) -> WarmStart | None:
    """Return the trail if it is one of the problem's classes."""
    same = trail is not None and np.array_equal(trail.active, problem.active)
    return trail if same else None


@dataclass(frozen=True)
class WarmStartSolver:
    """The way from one fit to the next.

    Parameters
    ----------
    solver : {"auto", "lbfgs", "newton-cg"}
        The constructor's.
    dense : bool
        Whether X is.
    tol : float
        Where a fit stops.
    max_iter : int
        Largest number of steps.
    """

    solver: str
    dense: bool
    tol: float
    max_iter: int

    @property
    def adjoint_tol(self) -> float:
        """Relative residual at which an adjoint is as good as the fit that it belongs to."""
        return float(np.clip(1000 * self.tol, 1e-9, 1e-2))

    def fit(self, problem: Problem, trail: WarmStart | None) -> tuple[Solution, WarmStart]:
        """Return the solution, and what the next fit begins with."""
        trail = compatible_warm_start(trail, problem)
        solution = self._solve(problem, trail)
        if trail is not None:
            return solution, replace(trail, w=solution.w, n_iter=solution.n_iter)
        factor = solution.factor
        if factor is not None:
            factor = hessian_factor(problem.objective, solution.w) or factor
        return solution, WarmStart(problem.active, solution.w, factor)

    def _solve(self, problem: Problem, trail: WarmStart | None) -> Solution:
        if problem.is_trivial:
            return Solution(np.zeros(0), 0.0, 0.0, 0, True)
        minimise, start = self.solver_and_start(problem, trail)
        return minimise(problem.objective, start, tol=self.tol, max_iter=self.max_iter)

    def solver_and_start(
        self, problem: Problem, trail: WarmStart | None
    ) -> tuple[Minimiser, FloatArray]:
        """Return the method and where it starts: where the trail ends, if there is one."""
        objective = problem.objective
        minimise = minimiser(self.solver, objective, dense=self.dense)
        if trail is None:
            return minimise, objective.zeros()
        if trail.factor is None or minimise is newton_cg:
            return minimise, trail.w
        return partial(continue_from, factor=trail.factor), trail.w
