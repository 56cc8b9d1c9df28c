"""Fit to the same rows again and again, each fit from the last one's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

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
from sklearn_distill.students._lesson import Problem
from sklearn_distill.students._logistic import minimiser

# a factor serves until a fit takes more steps with it; one a score costs more to make
MANY_STEPS, MANY_STEPS_BY_BLOCKS = 10, 20


@dataclass(frozen=True)
class Trail:
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
    def is_worn(self) -> bool:
        """Whether the fit took so many steps that a new factor would pay."""
        by_blocks = isinstance(self.factor, BlockFactor)
        many = MANY_STEPS_BY_BLOCKS if by_blocks else MANY_STEPS
        return self.factor is not None and self.n_iter > many


@dataclass(frozen=True)
class Refits:
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

    def fit(self, problem: Problem, trail: Trail | None) -> tuple[Solution, Trail]:
        """Return the solution, and what the next fit begins with."""
        if trail is not None and not np.array_equal(trail.active, problem.active):
            trail = None
        solution = self._solve(problem, trail)
        if trail is not None:
            return solution, replace(trail, w=solution.w, n_iter=solution.n_iter)
        factor = solution.factor
        if factor is not None:
            factor = hessian_factor(problem.objective, solution.w) or factor
        return solution, Trail(problem.active, solution.w, factor)

    def _solve(self, problem: Problem, trail: Trail | None) -> Solution:
        objective = problem.objective
        limits: dict[str, Any] = {"tol": self.tol, "max_iter": self.max_iter}
        if problem.is_trivial:
            return Solution(np.zeros(0), 0.0, 0.0, 0, True)
        start = objective.zeros() if trail is None else trail.w
        minimise = minimiser(self.solver, objective, dense=self.dense)
        if trail is None or trail.factor is None or minimise is newton_cg:
            return minimise(objective, start, **limits)
        return continue_from(objective, start, trail.factor, **limits)
