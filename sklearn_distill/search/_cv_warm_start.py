"""Repeated fits to the same samples, each started from the solution of a similar one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.solvers import (
    Minimiser,
    Preconditioner,
    Solution,
    continue_from,
    factor_of_many_fits,
    hessian_factor,
    minimiser_of_coordinates,
    scaled_newton,
)
from sklearn_distill.students._logistic import select_minimiser
from sklearn_distill.students._problem import Problem

# A penalty of strength α bounds the distance to the minimiser by ‖∇F‖/α: a fit stops at a gradient
# of at most this share of α, however weak the penalty, so that its validation loss is converged.
PENALTY_SHARE = 0.003
# Where it is only asked whether a setting is clearly worse, by more than the standard error of a
# difference, a fit stops at this share.
ROUGH_PENALTY_SHARE = 0.1
# a fit also stops at this share of the smallest class's share in the targets
CLASS_SHARE = 0.003
# a class of a smaller share is rare
RARE_SHARE = 0.01
# by precision of X, what rounding errors leave of a gradient
SMALLEST_TOL = {"float32": 1e-6, "float64": 1e-10}
# rounding leaves a smaller share of the gradient of a rare class, whose residuals are small
RARE_TOL_FACTOR = 1e-3
# the latest fits of a fold that are kept, and the largest number of entries of their weights
MAX_KEPT, MAX_KEPT_ENTRIES = 32, 2**17


@dataclass(frozen=True)
class WarmStart:
    """Where the next fit starts, and its preconditioner.

    Parameters
    ----------
    active : ndarray of bool of shape (n_classes,)
        The classes that were fitted; a problem with other classes has a cold start.
    w : ndarray of shape (n_weights,)
        The minimiser of the last fit.
    factor : Preconditioner or None
        A factor of a Hessian near the minimiser; None where Newton's method uses none.
    staleness : float
        Steps that a fresh factor would have saved the fits with this one, over the cost of a new
        one.
    adjoint : ndarray of shape (n_weights,) or None
        The adjoint at w, from which the next adjoint solve starts.
    """

    active: BoolArray
    w: FloatArray
    factor: Preconditioner | None
    staleness: float = 0.0
    adjoint: FloatArray | None = None

    def after(self, solution: Solution, objective: SoftTargetObjective) -> WarmStart:
        """Return the warm start that a fit from this one leaves."""
        next_start = replace(self, w=solution.w)
        if self.factor is None:
            return next_start
        if solution.factor is not None and solution.factor is not self.factor:
            return replace(next_start, factor=solution.factor, staleness=0.0)
        fresh = factor_of_many_fits(objective, len(solution.w))
        lost = max(0.0, solution.n_iter - fresh.n_steps) / fresh.n_passes
        return replace(next_start, staleness=self.staleness + lost)


class PastFits:
    """The latest fits of a fold, by their settings: where a fit to similar targets starts.

    Examples
    --------
    >>> past = PastFits()
    >>> one_class = np.array([True])
    >>> for setting in (0.0, 1.0):
    ...     past.keep(np.array([setting]), WarmStart(one_class, np.array([setting]), None))
    >>> past.nearest(np.array([0.8]), one_class).w
    array([1.])
    """

    def __init__(self) -> None:
        self._fits: deque[tuple[FloatArray, WarmStart]] = deque(maxlen=MAX_KEPT)

    def keep(self, setting: FloatArray, fit: WarmStart) -> None:
        """Keep weights and adjoint of a fit; forget the earliest ones if they are many."""
        self._fits = deque(
            (one for one in self._fits if not np.array_equal(one[0], setting)), MAX_KEPT
        )
        self._fits.append((setting, replace(fit, factor=None)))
        while len(self._fits) > 1 and self._n_entries > MAX_KEPT_ENTRIES:
            self._fits.popleft()

    def nearest(self, setting: FloatArray, active: BoolArray) -> WarmStart | None:
        """Return the fit with these classes whose setting is the nearest one; None without any."""
        fits = [one for one in self._fits if np.array_equal(one[1].active, active)]
        distances = [float(np.linalg.norm(setting - past)) for past, _ in fits]
        return fits[int(np.argmin(distances))][1] if fits else None

    @property
    def _n_entries(self) -> int:
        vectors = [vector for _, fit in self._fits for vector in (fit.w, fit.adjoint)]
        return sum(vector.size for vector in vectors if vector is not None)


class _RenewalOfAllScores:
    """Factors of the Hessian within a fit: the later ones of all scores jointly."""

    def __init__(self, objective: SoftTargetObjective) -> None:
        self._objective = objective
        self._is_first = True

    def __call__(self, w: FloatArray) -> Preconditioner:
        factor = hessian_factor(self._objective, w, jointly=not self._is_first)
        self._is_first = False
        if factor is None:
            raise np.linalg.LinAlgError("no factor of the Hessian")
        return factor


def compatible_warm_start(warm_start: WarmStart | None, problem: Problem) -> WarmStart | None:
    """Return the warm start if it has the classes of the problem, otherwise None."""
    if warm_start is None or not np.array_equal(warm_start.active, problem.active):
        return None
    return warm_start


@dataclass(frozen=True)
class WarmStartSolver:
    """Solver of a sequence of similar problems.

    Parameters
    ----------
    solver : {"auto", "lbfgs", "newton-cg"}
        The estimator's ``solver``.
    dense : bool
        Whether X is a dense array.
    precision : {"float32", "float64"}
        Precision of X.
    tol : float
        A fit stops when max|∇| / Σ s_i ≤ tol, or below that where the penalty is weak.
    max_iter : int
        Largest number of steps of a fit.
    in_row_space : bool
        Whether X is replaced by coordinates of its row space.
    """

    solver: str
    dense: bool
    precision: str
    tol: float
    max_iter: int
    in_row_space: bool = False

    @property
    def adjoint_tol(self) -> float:
        """Relative residual at which an adjoint is as accurate as the fit that it belongs to."""
        return float(np.clip(1000 * self.tol, 1e-9, 1e-2))

    def fit(
        self,
        problem: Problem,
        warm_start: WarmStart | None,
        penalty_share: float = PENALTY_SHARE,
    ) -> tuple[Solution, WarmStart]:
        """Return the solution and the warm start of the next fit."""
        warm_start = compatible_warm_start(warm_start, problem)
        solution = self._solve(problem, warm_start, penalty_share)
        if warm_start is not None:
            return solution, warm_start.after(solution, problem.objective)
        factor = solution.factor
        if factor is not None:
            # the solver's factor was made away from the minimiser, near which all later fits are
            factor = hessian_factor(problem.objective, solution.w) or factor
        return solution, WarmStart(problem.active, solution.w, factor)

    def _solve(
        self, problem: Problem, warm_start: WarmStart | None, penalty_share: float
    ) -> Solution:
        if problem.is_trivial:
            return Solution(np.zeros(0), 0.0, 0.0, 0, True)
        minimise, start = self.solver_and_start(problem, warm_start)
        solution = minimise(
            problem.objective,
            start,
            tol=self.tol_for(problem, penalty_share),
            max_iter=self.max_iter,
            precision=problem.objective.precision,
        )
        return replace(solution, converged=solution.gradient_norm <= self.tol)

    def tol_for(self, problem: Problem, penalty_share: float = PENALTY_SHARE) -> float:
        """Return the largest max|∇F| at which the minimiser is known well enough.

        An intercept has no penalty. Its curvature is about the share of its class in the targets,
        which a teacher may make tiny, and the loss of the class's labels depends on it.
        """
        objective = problem.objective
        alpha, smallest = objective.alpha, SMALLEST_TOL[self.precision]
        # without a penalty there is no bound; rounding errors leave a gradient
        finer = max(penalty_share * alpha, smallest) if alpha else self.tol
        share = objective.smallest_class_share if objective.sums.fit_intercept else 1.0
        return min(self.tol, finer, max(CLASS_SHARE * share, RARE_TOL_FACTOR * smallest))

    def rare_tols(self, problem: Problem) -> FloatArray:
        """Return the largest derivatives in the intercepts of scores at which a loss is known.

        They are infinite but for classes whose share in the targets is below ``RARE_SHARE``: see
        :meth:`tol_for`.
        """
        if problem.is_trivial:
            return np.zeros(0)
        share = problem.objective.class_shares
        if len(share) == 2:  # one score
            share = share.min(keepdims=True)
        tols = np.maximum(CLASS_SHARE * share, RARE_TOL_FACTOR * SMALLEST_TOL[self.precision])
        return np.where(share < RARE_SHARE, tols, np.inf)

    def solver_and_start(
        self, problem: Problem, warm_start: WarmStart | None
    ) -> tuple[Minimiser, FloatArray]:
        """Return the minimiser and its start: the last solution, or zeros without one."""
        objective = problem.objective
        minimise: Minimiser
        if self.in_row_space:
            minimise = minimiser_of_coordinates(objective, self.solver)
        else:
            minimise = select_minimiser(self.solver, objective, dense=self.dense)
        if warm_start is None:
            return minimise, objective.zeros()
        if warm_start.factor is None or minimise is scaled_newton:
            return minimise, warm_start.w
        # no solve on a subsample first: the start and the factor are already near
        fresh = factor_of_many_fits(objective, len(warm_start.w))
        continued = partial(
            continue_from,
            factor=warm_start.factor,
            renew=_RenewalOfAllScores(objective),
            renew_after=fresh.steps_before_renewal(fresh.n_passes),
            # products in float32 may not resolve a finer tolerance
            stall_tol=self.tol if self.precision == "float32" else 0.0,
        )
        return continued, warm_start.w

    def continues(self, problem: Problem, warm_start: WarmStart | None) -> bool:
        """Return whether a fit goes on from its start by L-BFGS with the factor."""
        warm_start = compatible_warm_start(warm_start, problem)
        if warm_start is None or problem.is_trivial:
            return False
        minimise, _ = self.solver_and_start(problem, warm_start)
        return isinstance(minimise, partial) and minimise.func is continue_from
