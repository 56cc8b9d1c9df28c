"""Fits of all folds in lockstep, as exact as the comparison of their validation losses needs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.losses import LockstepObjective, SoftTargetObjective
from sklearn_distill.search._cv_fold import CVFold, FoldResult
from sklearn_distill.search._cv_warm_start import WarmStart
from sklearn_distill.solvers import (
    DiagonalFactor,
    KroneckerFactor,
    Pairs,
    Preconditioner,
    Solution,
    factor_of_many_fits,
    hessian_factor,
    lbfgs_in_lockstep,
)
from sklearn_distill.solvers._factor_choice import BLOCK_COLUMNS
from sklearn_distill.solvers.continuation import MAX_LBFGS_ITER
from sklearn_distill.solvers.lockstep import IsDone, Progress
from sklearn_distill.solvers.scaled_newton import GRAM_COLUMNS
from sklearn_distill.solvers.solution import max_abs
from sklearn_distill.students._problem import LossParams, Problem

# A fit stops where its validation loss is expected to change by no more than as many times tol, or,
# in a setting that is worse than the best one so far, by no more than a share of the difference.
LOSS_ERROR = 10.0
LARGEST_SHARE, SHARE = 0.02, 2000.0  # the share is SHARE times tol, at most LARGEST_SHARE
# The best setting is fitted again, and so are those whose losses differ from its by no more times
# tol, or by the margin below: with few rows and a weak penalty the estimated change of a loss may
# be far too small (measured: by up to 0.13 with 250 rows). They are fitted until the gradient is at
# most tol and this share of the penalty, which bounds the distance.
CONTEST, PENALTY_SHARE = 200.0, 0.03
MARGIN_AT_100_ROWS = 0.4
# from this distance to the minimiser, in the Hessian's norm, the change of a loss is estimated
NEAR = 0.15
# Newton's model of a sum over rows holds at a distance of about 1, of which that of a mean is
# 1/√n: farther away, the change of a clearly worse loss is not estimated.
QUADRATIC = 0.5
# The Hessian is supposed to have at least this share of its diagonal at zero, beside the penalty:
# with that, a distance of no more is required.
LEAST_CURVATURE, FARTHEST = 1e-3, 0.1
# A Hessian at the present weights takes the place of a factor after as many iterations, and after
# as many passes of all folds as it costs.
MIN_STEPS, MAX_RENEWALS = 12, 4
# The steps that L-BFGS remembers: with many weights, they take longer than a pass over sparse X.
MEMORY, SPARSE_MEMORY = 10, 5
LONG_MEMORY = 20  # with a factor of the Hessian there are few steps, all of which are remembered


class LockstepFits:
    """The fits of all folds to the same settings one after the other, each in one lockstep.

    Parameters
    ----------
    folds : list of CVFold
        The folds, whose designs have the same rows: held-out ones have weight 0.
    tol : float
        The estimator's ``tol``.
    max_iter : int
        Largest number of iterations of a fit.
    by_loss : bool
        Whether settings are compared by the validation loss, so that clearly worse ones need not be
        fitted exactly.
    """

    def __init__(self, folds: list[CVFold], tol: float, max_iter: int, *, by_loss: bool) -> None:
        self._folds = folds
        self.tol = tol
        self._max_iter = max_iter
        self.by_loss = by_loss
        self._state: _State | None = None
        self._kept: tuple[LossParams, list[Problem]] | None = None
        self._rare_tols: list[FloatArray] = []

    def evaluate(
        self,
        loss_params: LossParams,
        best: Sequence[FoldResult] | None,
        again: Sequence[FoldResult] | None = None,
    ) -> list[FoldResult] | None:
        """Fit all folds, and return their losses.

        Parameters
        ----------
        loss_params : LossParams
            The setting.
        best : sequence of FoldResult or None
            Results of the best setting so far.
        again : sequence of FoldResult or None
            Results of this setting, whose losses are wanted more exactly.

        Returns
        -------
        list of FoldResult or None
            None if the folds cannot go in lockstep: they have other classes, or no scores.
        """
        start, n_before = time.perf_counter(), self._folds[0].multiplications
        problems = self._problems(loss_params)
        if problems[0].is_trivial or any(
            not np.array_equal(problem.active, problems[0].active) for problem in problems
        ):
            return None
        state = self._prepare(problems, loss_params, again)
        error = LOSS_ERROR * self.tol
        check = _LossCheck(self._folds, problems, state.gram, self._rare_tols, error)
        if self.by_loss and best is not None:
            share = min(LARGEST_SHARE, SHARE * self.tol)
            check.relax(share, np.array([result.loss for result in best]))
        is_done: IsDone = check
        is_exact = again is not None or not self.by_loss
        if is_exact:
            tols = [fold.tol_for(fold.problem(loss_params), PENALTY_SHARE) for fold in self._folds]
            is_done = _by_gradient(np.array(tols))
        progress = self._minimise(problems, loss_params, state, is_done)
        solutions = [self._solution(loss_params, progress, f) for f in range(len(self._folds))]
        state.leave(progress, [solution.w for solution in solutions])
        n_done = self._folds[0].multiplications - n_before
        n_folds, seconds = len(self._folds), time.perf_counter() - start
        return [
            fold.result(
                problem,
                solution,
                known=check.results[f] if progress.done[f] and not is_exact else None,
                n_multiplications=n_done / n_folds,
                seconds=seconds / n_folds,
            )
            for f, (fold, problem, solution) in enumerate(
                zip(self._folds, problems, solutions, strict=True)
            )
        ]

    def _problems(self, loss_params: LossParams) -> list[Problem]:
        """Return the problems of all folds; those of the last setting if only C differs."""
        key = replace(loss_params, C=1.0)
        if self._kept is None or self._kept[0] != key:
            # the targets of all rows and classes are in memory for one fold at a time
            problems, rare_tols = [], []
            for fold in self._folds:
                problem = fold.problem(loss_params)
                rare_tols.append(fold.rare_tols(problem))
                problems.append(problem.without_linear())
            self._kept, self._rare_tols = (key, problems), rare_tols
        return [problem.with_penalty(loss_params.C) for problem in self._kept[1]]

    def _prepare(
        self,
        problems: list[Problem],
        loss_params: LossParams,
        again: Sequence[FoldResult] | None,
    ) -> _State:
        """Return weights to start from, curvature pairs and factor, from the previous setting."""
        objectives = [problem.objective for problem in problems]
        key = replace(loss_params, C=1.0)
        alphas = np.array([objective.alpha for objective in objectives])
        old, active = self._state, problems[0].active
        solutions = [result.solution for result in again or ()]
        if solutions:
            W = np.array([solution.w for solution in solutions if solution is not None])
            self._state = _State.new(active, key, objectives, W)
        elif old is None or not np.array_equal(old.active, active):
            W = np.array([objective.zeros() for objective in objectives])
            self._state = _State.new(active, key, objectives, W)
        elif old.key != key:
            # With other targets the curvature is another one. Weights of a weak penalty are far
            # apart, and where probabilities are nearly 0 or 1 the way is long.
            self._state = _State.new(active, key, objectives, old.strongest)
        else:
            old.move_to(objectives, alphas)
        assert self._state is not None
        return self._state

    def _minimise(
        self, problems: list[Problem], loss_params: LossParams, state: _State, is_done: IsDone
    ) -> Progress:
        objective, progress = LockstepObjective([p.objective for p in problems]), state.progress
        n_weights = state.W.shape[1]
        fresh = factor_of_many_fits(problems[0].objective, n_weights)
        renew_after = max(MIN_STEPS, int(min(fresh.n_passes / len(problems), self._max_iter)))
        for n_renewals in range(MAX_RENEWALS + 1):
            n_left = self._max_iter - (0 if progress is None else progress.n_iter)
            progress = lbfgs_in_lockstep(
                objective,
                state.W,
                state.factor,
                state.pairs,
                is_done=is_done,
                max_iter=min(renew_after, n_left),
                progress=progress,
            )
            slow = np.flatnonzero(~progress.done)
            if not len(slow) or n_renewals == MAX_RENEWALS or progress.n_iter >= self._max_iter:
                break
            f = slow[0]
            objective_of_rows = self._folds[f].problem(loss_params).objective
            state.factor = hessian_factor(objective_of_rows, progress.W[f]) or state.factor
            state.is_at_zero = False
        assert progress is not None
        return progress

    def _solution(self, loss_params: LossParams, progress: Progress, f: int) -> Solution:
        """Return the solution of a fold; a solver of its own goes on where it is not found yet."""
        if not progress.done[f]:
            assert self._state is not None
            fold = self._folds[f]
            problem = fold.problem(loss_params)
            near = WarmStart(problem.active, progress.W[f], self._state.factor)
            return fold.fit(problem, near)
        norm = max_abs(progress.G[f])
        w = progress.W[f].copy()  # the next fit goes on in place
        return Solution(w, float(progress.values[f]), norm, int(progress.n_iters[f]), True, "lbfgs")


def fit_together(
    folds: Sequence[CVFold], loss_params: LossParams, penalty_share: float
) -> list[Solution | None]:
    """Fit several folds from their warm starts, as exactly as each of them on its own.

    Parameters
    ----------
    folds : sequence of CVFold
        Folds on the same design.
    loss_params : LossParams
        The setting.
    penalty_share : float
        As in :meth:`CVFold.tol_for`.

    Returns
    -------
    list of Solution or None
        None for a fold that has no factor to start with, other classes than the first one, or needs
        more steps: it has to be fitted on its own.
    """
    fitted: list[Solution | None] = [None] * len(folds)
    active, objectives, going, tols = None, [], [], []
    for f, fold in enumerate(folds):
        problem = fold.problem(loss_params)
        active = problem.active if active is None else active
        if np.array_equal(problem.active, active) and fold.has_factor_for(problem):
            going.append(f)
            tols.append(fold.tol_for(problem, penalty_share))
            # the targets of all rows and classes are in memory for one fold at a time
            objectives.append(problem.objective.without_linear())
    if len(going) < 2:
        return fitted
    starts = [folds[f].warm_start for f in going]
    W = np.array([start.w for start in starts if start is not None])
    factor = next(start.factor for start in starts if start is not None)
    assert factor is not None

    progress = lbfgs_in_lockstep(
        LockstepObjective(objectives),
        W,
        factor,
        Pairs(len(going), LONG_MEMORY),
        is_done=_by_gradient(np.array(tols)),
        max_iter=min(MAX_LBFGS_ITER, folds[0].max_iter),
    )
    for i in np.flatnonzero(progress.done):
        w, G = progress.W[i], progress.G[i]
        fitted[going[i]] = folds[going[i]].accept(
            Solution(
                w,
                float(progress.values[i]),
                max_abs(G),
                int(progress.n_iters[i]),
                True,
                "lbfgs",
                factor=factor,
                gradient=G,
            ),
            objectives[i],
        )
    return fitted


def contest_margin(tol: float, n_validation_rows: int) -> float:
    """Return the difference from the best loss up to which a setting may be the best one."""
    of_few_rows: float = MARGIN_AT_100_ROWS * (100 / n_validation_rows) ** 1.5
    return max(CONTEST * tol, of_few_rows)


def _by_gradient(tols: FloatArray) -> IsDone:
    """Return whether max|∇F| is within the tolerance of each fold."""

    def is_done(
        which: IntArray, W: FloatArray, G: FloatArray, steps: FloatArray, distances: FloatArray
    ) -> BoolArray:
        return np.asarray(np.abs(G).max(axis=1) <= tols[which])

    return is_done


@dataclass
class _State:
    """What a fit leaves for that of the next setting."""

    active: BoolArray
    key: LossParams
    W: FloatArray
    pairs: Pairs
    gram: FloatArray  # or its diagonal
    alphas: FloatArray
    factor: Preconditioner
    strongest: FloatArray  # weights of the strongest penalty
    is_at_zero: bool = True
    alpha_of_strongest: float = 0.0
    progress: Progress | None = None

    @classmethod
    def new(
        cls,
        active: BoolArray,
        key: LossParams,
        objectives: list[SoftTargetObjective],
        W: FloatArray,
    ) -> _State:
        alphas = np.array([objective.alpha for objective in objectives])
        first = objectives[0]
        most = BLOCK_COLUMNS if first.has_row_space else GRAM_COLUMNS
        has_gram = first.n_columns <= most
        gram = first.hessian_at_zero() if has_gram else first.hessian_diagonal_at_zero()
        _diagonal(gram)[: first.n_features] -= first.alpha
        pairs = Pairs(len(objectives), MEMORY if has_gram else SPARSE_MEMORY)
        return cls(active, key, W, pairs, gram, alphas, _factor(gram, first), W)

    def leave(self, progress: Progress, weights: list[FloatArray]) -> None:
        """Keep the weights, and values and gradients if no fold had a solver of its own."""
        self.W = np.array(weights)
        if self.alphas[0] > self.alpha_of_strongest:
            self.strongest, self.alpha_of_strongest = self.W, float(self.alphas[0])
        all_done = progress.done.all()
        nothing = np.zeros_like(progress.n_iters)
        self.progress = (
            replace(progress, done=~progress.done, n_iters=nothing, n_iter=0) if all_done else None
        )

    def move_to(self, objectives: list[SoftTargetObjective], alphas: FloatArray) -> None:
        """Change the penalty."""
        first = objectives[0]
        if isinstance(self.factor, DiagonalFactor) or self.is_at_zero:
            self.factor = _factor(self.gram, first)
        change = np.zeros((len(alphas), *first.shape))
        change[:, :, : first.n_features] = (alphas - self.alphas)[:, None, None]
        flat = change.reshape(len(alphas), -1)
        self.pairs.add_penalty(flat)
        if self.progress is not None:  # F differs by the penalty only: no pass is needed
            gradient = flat * self.W
            self.progress.G += gradient
            self.progress.values += 0.5 * (gradient * self.W).sum(axis=1)
        self.alphas = alphas


def _diagonal(gram: FloatArray) -> FloatArray:
    """Return a view of the diagonal of a matrix, or a diagonal itself."""
    return gram if gram.ndim == 1 else gram.ravel()[:: len(gram) + 1]


def _factor(gram: FloatArray, objective: SoftTargetObjective) -> Preconditioner:
    penalised = gram.copy()
    _diagonal(penalised)[: objective.n_features] += objective.alpha
    if gram.ndim == 1:
        return DiagonalFactor(penalised)
    return KroneckerFactor(penalised)


def _least_curvature(objective: SoftTargetObjective, gram: FloatArray) -> FloatArray:
    """Return, for each weight, the penalty and a small share of the curvature at zero."""
    least = LEAST_CURVATURE * np.abs(_diagonal(gram))
    least[: objective.n_features] += objective.alpha
    return np.tile(np.maximum(least, np.finfo(np.float64).tiny), objective.shape[0])


class _LossCheck:
    """Whether the validation losses of fits are known well enough.

    To first order, the loss V of the converged fit is V + ∇V·d at the next step d, and the error of
    that is of the size of the squared distance to the minimiser, in the Hessian's norm.

    Parameters
    ----------
    folds : list of CVFold
        The folds.
    problems : list of Problem
        Their problems at the setting.
    gram : ndarray of shape (n_columns, n_columns) or (n_columns,)
        The Hessian at zero of a score, without penalty, or its diagonal.
    rare_tols : list of ndarray of shape (n_scores,)
        Largest derivative in the intercept of each score, of a class that is rare in the targets.
    error : float
        Change of a loss that is accepted.
    """

    def __init__(
        self,
        folds: list[CVFold],
        problems: list[Problem],
        gram: FloatArray,
        rare_tols: list[FloatArray],
        error: float,
    ) -> None:
        self._folds = folds
        self._problems = problems
        self._error = error
        self._rare_tols = rare_tols
        self._least_curvature = [_least_curvature(problem.objective, gram) for problem in problems]
        self._share = 0.0
        self._best: FloatArray | None = None
        # a fold is checked again when it has come nearer
        self._next = np.full(len(folds), NEAR)
        # loss of each fold, and its change in the next step
        self.results = [(np.nan, np.nan)] * len(folds)

    def relax(self, share: float, best: FloatArray) -> None:
        """Accept a share of the difference from the losses of another setting."""
        self._share, self._best = share, best

    def __call__(
        self,
        which: IntArray,
        W: FloatArray,
        G: FloatArray,
        steps: FloatArray,
        distances: FloatArray,
    ) -> BoolArray:
        """Return which of some folds need no further step."""
        done = np.zeros(len(which), dtype=bool)
        for i, f in enumerate(which):
            if distances[i] <= self._next[f] and self._is_near(f, G[i]):
                done[i] = self._is_done(int(f), W[i], steps[i], float(distances[i]))
        return done

    def _is_near(self, f: int, gradient: FloatArray) -> bool:
        """Return whether the minimiser is near even if the curvature is as small as it may be.

        The approximation of the Hessian that the solver has may be far too large where
        probabilities are nearly 0 or 1.
        """
        objective = self._problems[f].objective
        if objective.sums.fit_intercept:
            of_intercepts = np.abs(gradient.reshape(objective.shape)[:, -1])
            if (of_intercepts > self._rare_tols[f]).any():
                return False
        return float(gradient @ (gradient / self._least_curvature[f])) <= FARTHEST**2

    def _is_done(self, f: int, w: FloatArray, step: FloatArray, distance: float) -> bool:
        loss, gradient = self._folds[f].validate(w, self._problems[f].active)
        change = float(gradient @ step)
        accepted = self._error
        if self._best is not None:
            accepted = max(accepted, self._share * (loss - self._best[f]))
        self.results[f] = (loss, change)
        nearest = np.sqrt(max(self._error, min(accepted, QUADRATIC**2 / self._folds[f].n_rows)))
        if abs(change) <= accepted and distance <= nearest:
            return True
        wanted = min(nearest, distance * accepted / max(abs(change), accepted))
        self._next[f] = np.clip(1.5 * wanted, 0.1 * distance, 0.7 * distance)
        return False
