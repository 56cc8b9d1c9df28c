"""The cross-validated loss as a function of the metaparameters, with its gradient."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from sklearn_distill._typing import FloatArray
from sklearn_distill.search._cv_fold import CVFold, FoldResult
from sklearn_distill.search._cv_warm_start import (
    PENALTY_SHARE,
    ROUGH_PENALTY_SHARE,
    WarmStart,
    compatible_warm_start,
)
from sklearn_distill.search._lockstep import LockstepFits, contest_margin, fit_together
from sklearn_distill.search._space import Space
from sklearn_distill.solvers import Preconditioner, Solution
from sklearn_distill.students._problem import LossParams, Problem

# validation rows that distinguish good settings from bad ones well enough for exploration
EXPLORATION_ROWS = 300


@dataclass(frozen=True)
class Evaluation:
    """The loss at one setting of the metaparameters.

    Parameters
    ----------
    u : ndarray of shape (n_names,)
        The metaparameters, in the coordinates of the space.
    folds : list of FoldResult
        Results of the folds that were evaluated, in their order.
    jacobian : ndarray of shape (n_names,)
        Derivative of each metaparameter in its coordinate.
    stage : str
        Stage of the search, as in ``path_``.
    all_folds : bool
        Whether all folds were evaluated, or the first ones only.
    """

    u: FloatArray
    folds: list[FoldResult]
    jacobian: FloatArray
    stage: str
    all_folds: bool

    @property
    def loss(self) -> float:
        """Mean of the folds' losses."""
        return float(np.mean([fold.loss for fold in self.folds]))

    @property
    def gradient(self) -> FloatArray:
        """Derivatives of the mean loss in the coordinates; NaN where a fold has none."""
        missing = np.full(len(self.u), np.nan)
        gradients = [missing if fold.gradient is None else fold.gradient for fold in self.folds]
        return np.asarray(np.mean(gradients, axis=0) * self.jacobian)

    def projected_gradient(self, space: Space) -> float:
        """Return max|P(u − g) − u|: 0 where no direction within the box descends."""
        low, high = space.box
        return float(np.abs((self.u - self.gradient).clip(low, high) - self.u).max())


class CrossValidatedLoss:
    """The mean validation loss over folds, and a record of its evaluations.

    The first fold is fitted first: the other folds take over its warm start and its factor. The
    first folds that together validate on ``EXPLORATION_ROWS`` rows are a cheap approximation of
    the loss on all folds.

    Parameters
    ----------
    folds : list of CVFold
        At least one fold.
    space : Space
        The box of the metaparameters that are searched.
    n_jobs : int or None
        Number of folds that are fitted at a time, in threads.
    progress : callable
        Called with each new evaluation.
    lockstep : LockstepFits or None
        Fits all folds together where no gradient is wanted; None fits one after the other.
    """

    def __init__(
        self,
        folds: list[CVFold],
        space: Space,
        n_jobs: int | None,
        progress: Callable[[Evaluation], None],
        lockstep: LockstepFits | None = None,
    ) -> None:
        self.space = space
        self._lockstep = lockstep
        self.evaluations: list[Evaluation] = []
        self.n_fits = 0
        n_validation_rows = np.cumsum([fold.n_validation_rows for fold in folds])
        n_exploring = int(np.searchsorted(n_validation_rows, EXPLORATION_ROWS)) + 1
        self._n_first = min(n_exploring, len(folds))
        self._n_validation_rows = int(n_validation_rows[-1])
        self._folds = folds
        # threads, since the folds share X and keep their warm starts
        self._parallel = Parallel(n_jobs=n_jobs, require="sharedmem")
        self._progress = progress

    @property
    def explores_all_folds(self) -> bool:
        """Whether the first folds are all folds, as with few samples."""
        return self._n_first == len(self._folds)

    @property
    def goes_in_lockstep(self) -> bool:
        """Whether the folds are fitted together, from strong to weak penalties."""
        return self._lockstep is not None

    @property
    def full_evaluations(self) -> list[Evaluation]:
        """Evaluations on all folds, the last one for each setting that was evaluated twice."""
        full = [evaluation for evaluation in self.evaluations if evaluation.all_folds]
        return list({evaluation.u.tobytes(): evaluation for evaluation in full}.values())

    @property
    def best(self) -> Evaluation:
        """The evaluation with the smallest loss on all folds so far."""
        return min(self.full_evaluations, key=lambda evaluation: evaluation.loss)

    def start_of_refit(self, problem: Problem) -> WarmStart | None:
        """Return where a fit to all rows starts: the folds' mean, or the first fold's last fit.

        It is None where the folds had other classes than all rows have.
        """
        active = problem.active
        solutions = [
            fold.solution.w
            for fold in self.best.folds
            if fold.solution is not None and np.array_equal(fold.active, active)
        ]
        if solutions:
            return WarmStart(active, np.mean(solutions, axis=0), None)
        return compatible_warm_start(self._folds[0].warm_start, problem)

    def evaluate(
        self, u: FloatArray, stage: str, *, gradient: bool = False, all_folds: bool = True
    ) -> Evaluation:
        """Fit at u, on all folds or on the first ones, and record the evaluation."""
        folds = self._folds if all_folds else self._folds[: self._n_first]
        results = self._fit(folds, u, self.space.names if gradient else None)
        return self._finish(u, results, stage)

    def evaluate_in_lockstep(
        self, u: FloatArray, stage: str, again: Evaluation | None = None
    ) -> Evaluation:
        """Fit all folds at u together if they can be, and record the evaluation.

        ``again`` is one at u that is made more exact.
        """
        results = None
        if self._lockstep is not None:
            best = self.best.folds if self.evaluations else None
            of_again = None if again is None else again.folds
            results = self._lockstep.evaluate(self.space.loss_params(u), best, of_again)
        if results is None:
            return self.evaluate(u, stage)
        self.n_fits += len(results)
        return self._record(u, results, stage)

    def refine_best(self) -> None:
        """Fit the settings again that may be the best one."""
        if self._lockstep is None or not self._lockstep.by_loss:
            return
        margin = contest_margin(self._lockstep.tol, self._n_validation_rows)
        refined: set[bytes] = set()
        while True:
            most = self.best.loss + margin
            rivals = [
                one
                for one in self.full_evaluations
                if one.loss <= most and one.u.tobytes() not in refined
            ]
            if not rivals:
                return
            # after the exact loss of the best one, others may be the best, or none
            best = min(rivals, key=lambda one: one.loss)
            self.evaluate_in_lockstep(best.u, "check", best)
            refined.add(best.u.tobytes())

    def screen(
        self, u: FloatArray, stage: str, is_clearly_worse: Callable[[Evaluation], bool]
    ) -> Evaluation:
        """Fit at u on half of the first folds, and on the others unless it is clearly worse.

        The fits are rough, unless the first folds are all folds.
        """
        n_half = max(1, self._n_first // 2)
        share = PENALTY_SHARE if self.explores_all_folds else ROUGH_PENALTY_SHARE
        results = self._fit(self._folds[:n_half], u, None, share)
        if not is_clearly_worse(self._evaluation(u, results, stage)):
            results += self._fit(self._folds[n_half : self._n_first], u, None, share)
        return self._finish(u, results, stage)

    def is_explored(self, evaluation: Evaluation) -> bool:
        """Return whether all first folds were evaluated."""
        return len(evaluation.folds) >= self._n_first

    def _fit(
        self,
        folds: list[CVFold],
        u: FloatArray,
        names: tuple[str, ...] | None,
        penalty_share: float = PENALTY_SHARE,
    ) -> list[FoldResult]:
        """Return the results of the folds; of the first fold before the others, if it is one."""
        results: list[FoldResult] = []
        loss_params, setting, fitted = self.space.loss_params(u), self._setting(u), folds
        for fold in folds:
            fold.start_near(setting)
        first = self._folds[0]
        if folds[:1] == [first]:
            # the others may take over its warm start, and its factor if that was renewed
            shared = first.factor
            results.append(first.evaluate(loss_params, names, penalty_share=penalty_share))
            folds = folds[1:]
            if first.factor is not shared:
                self._share_factor(shared, loss_params)
        if folds:
            self._start_from_first(folds, u)
            results += self._evaluate_others(folds, loss_params, names, penalty_share)
        for fold in fitted:
            fold.keep_fit(setting)
        self.n_fits += len(results)
        return results

    def _setting(self, u: FloatArray) -> FloatArray:
        """Return u as fractions of the edges of the box, for distances between settings."""
        low, high = self.space.box
        return (u - low) / np.where(high > low, high - low, 1.0)

    def _finish(self, u: FloatArray, results: list[FoldResult], stage: str) -> Evaluation:
        """Record the evaluation; renew the factor if it is stale."""
        evaluation = self._record(u, results, stage)
        self._renew_stale_factors(self._folds[: len(results)], self.space.loss_params(u))
        return evaluation

    def _renew_stale_factors(self, fitted: list[CVFold], loss_params: LossParams) -> None:
        """Renew factors with which the steps lost in fits add up to the cost of a new one."""
        first = self._folds[0]
        shared = first.factor
        if sum(fold.staleness for fold in fitted if fold.factor is shared) > 1:
            first.renew_factor(loss_params)
            self._share_factor(shared, loss_params)
        for fold in fitted:
            if fold.staleness > 1:  # it has a factor of its own
                fold.renew_factor(loss_params)

    def _evaluate_others(
        self,
        folds: list[CVFold],
        loss_params: LossParams,
        names: tuple[str, ...] | None,
        penalty_share: float,
    ) -> list[FoldResult]:
        """Evaluate folds, which are fitted together where they share a design."""
        first, start = folds[0], time.perf_counter()
        if not first.shares_design(folds[-1]):
            unfitted = [None] * len(folds)
            return self._evaluate_in_threads(folds, loss_params, names, unfitted, penalty_share)
        n_before = first.multiplications
        fitted = fit_together(folds, loss_params, penalty_share)
        results = self._evaluate_in_threads(folds, loss_params, names, fitted, penalty_share)
        # what they took together is shared among them
        seconds = (time.perf_counter() - start) / len(folds)
        n_multiplications = first.multiplications - n_before
        passes = first.passes(n_multiplications, results[0].active) / len(folds)
        return [replace(result, passes=passes, seconds=seconds) for result in results]

    def _evaluate_in_threads(
        self,
        folds: list[CVFold],
        loss_params: LossParams,
        names: tuple[str, ...] | None,
        fitted: Sequence[Solution | None],
        penalty_share: float,
    ) -> list[FoldResult]:
        evaluations = [
            delayed(fold.evaluate)(loss_params, names, solution, penalty_share)
            for fold, solution in zip(folds, fitted, strict=True)
        ]
        try:
            fits = self._parallel(evaluations)
        except BaseException:  # joblib does not end its threads on Ctrl-C: they would go on fitting
            for fold in folds:
                fold.cancel()
            raise
        return list(fits)

    def race(
        self, candidate: Evaluation, is_clearly_worse: Callable[[Evaluation], bool]
    ) -> Evaluation:
        """Evaluate a candidate on one more fold at a time, until it is clearly worse.

        These fits are rough; one that is still a candidate in the last fold is evaluated exactly.
        """
        # their cost is recorded with the candidate already
        results = [fold.without_cost() for fold in candidate.folds]
        worse = False
        for fold in self._folds[len(candidate.folds) : -1]:
            results += self._fit([fold], candidate.u, None, ROUGH_PENALTY_SHARE)
            worse = is_clearly_worse(replace(candidate, folds=results))
            if worse:
                break
        if len(results) > len(candidate.folds):
            candidate = self._record(candidate.u, results, "check")
        return candidate if worse else self.evaluate(candidate.u, "check")

    def _record(self, u: FloatArray, results: list[FoldResult], stage: str) -> Evaluation:
        evaluation = self._evaluation(u, results, stage)
        self.evaluations.append(evaluation)
        self._progress(evaluation)
        return evaluation

    def _evaluation(self, u: FloatArray, results: list[FoldResult], stage: str) -> Evaluation:
        all_folds = len(results) == len(self._folds)
        return Evaluation(u, results, self.space.jacobian(u), stage, all_folds)

    def _start_from_first(self, remaining: list[CVFold], u: FloatArray) -> None:
        """Give folds that were never fitted the first fold's warm start, with a factor at u."""
        unfitted = [fold for fold in remaining if fold.warm_start is None]
        loss_params = self.space.loss_params(u)
        first = self._folds[0]
        # it has just been made in the very first evaluation, and where no fit lost steps with it
        if unfitted and first.staleness > 0:
            shared = first.factor
            first.renew_factor(loss_params)
            self._share_factor(shared, loss_params)
        for fold in unfitted:
            fold.start_from(first)
            if not fold.take_factor(first, loss_params):
                fold.renew_factor(loss_params)

    def _share_factor(self, old: Preconditioner | None, loss_params: LossParams) -> None:
        """Give the first fold's factor to the folds that had its old one.

        Where it says too little, they get one of their own: with other classes, or columns that are
        rarer in the first fold.
        """
        first, *others = self._folds
        for fold in others:
            if old is None or fold.factor is not old:
                continue
            if not fold.take_factor(first, loss_params):
                fold.renew_factor(loss_params)


@contextmanager
def evaluation_progress(verbose: int, name: str) -> Iterator[Callable[[Evaluation], None]]:
    """Yield a callback that moves a progress bar, or does nothing if ``verbose`` is 0.

    Parameters
    ----------
    verbose : int
        Above 0, show a progress bar over evaluations.
    name : str
        Label of the bar: the name of the estimator.

    Yields
    ------
    callable
        To be called with each evaluation.
    """
    if not verbose:
        yield lambda evaluation: None
        return
    with tqdm(desc=name, unit="setting") as bar:
        best = np.inf

        def advance(evaluation: Evaluation) -> None:
            nonlocal best
            best = min(best, evaluation.loss)
            bar.set_postfix(loss=f"{evaluation.loss:.6g}", best=f"{best:.6g}", refresh=False)
            bar.update()

        yield advance
