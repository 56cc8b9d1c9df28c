"""The cross-validated loss as a function of the metaparameters, with its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from sklearn_distill._typing import FloatArray
from sklearn_distill.search._cv_fold import CVFold, FoldResult
from sklearn_distill.search._cv_warm_start import WarmStart
from sklearn_distill.search._space import Space

# validation rows that tell a good setting from a bad one well enough to look around by
ENOUGH_ROWS = 300


@dataclass(frozen=True)
class Evaluation:
    """One evaluation.

    Parameters
    ----------
    u : ndarray of shape (n_names,)
        Where, in the coordinates of the space.
    folds : list of FoldResult
        What each fold said.
    rates : ndarray of shape (n_names,)
        Derivative of each metaparameter in its coordinate.
    stage : str
        Of which part of the search.
    on_all : bool
        Whether on all folds; else on the first.
    """

    u: FloatArray
    folds: list[FoldResult]
    rates: FloatArray
    stage: str
    on_all: bool

    @property
    def loss(self) -> float:
        """Mean of the folds' losses."""
        return float(np.mean([fold.loss for fold in self.folds]))

    @property
    def slope(self) -> FloatArray:
        """Derivatives of the mean loss in the coordinates; NaN where they were not asked for."""
        nothing = np.full(len(self.u), np.nan)
        slopes = [nothing if fold.gradient is None else fold.gradient for fold in self.folds]
        return np.asarray(np.mean(slopes, axis=0) * self.rates)

    def projected_gradient(self, space: Space) -> float:
        """Return max|P(u − g) − u|: 0 where no direction within the box descends."""
        low, high = space.box
        return float(np.abs((self.u - self.slope).clip(low, high) - self.u).max())


class CrossValidatedLoss:
    """The mean validation loss over folds.

    The first fold leads: where it ends the others begin, and they use its factor. Alone, or with as
    many others as it takes to validate on ``ENOUGH_ROWS``, it is a cheap surface, much like that of
    all folds.

    Parameters
    ----------
    folds : list of CVFold
        At least one.
    space : Space
        The metaparameters.
    n_jobs : int or None
        Folds at a time, in threads.
    progress : callable
        Called with each new point.
    """

    def __init__(
        self,
        folds: list[CVFold],
        space: Space,
        n_jobs: int | None,
        progress: Callable[[Evaluation], None],
    ) -> None:
        self.space = space
        self.points: list[Evaluation] = []
        self.n_fits = 0
        validated = np.cumsum([fold.n_validation_rows for fold in folds])
        self._n_first = min(int(np.searchsorted(validated, ENOUGH_ROWS)) + 1, len(folds))
        self._wear = 0.0
        self._folds = folds
        self._parallel = Parallel(n_jobs=n_jobs, require="sharedmem")
        self._progress = progress

    @property
    def judged(self) -> list[Evaluation]:
        """The settings judged on all folds; of one that was judged twice the last judgement."""
        return list({point.u.tobytes(): point for point in self.points if point.on_all}.values())

    @property
    def best(self) -> Evaluation:
        """The point with the smallest loss on all folds so far."""
        return min(self.judged, key=lambda point: point.loss)

    @property
    def trail(self) -> WarmStart | None:
        """Where the first fold's last fit ended."""
        return self._folds[0].trail

    def evaluate(
        self, u: FloatArray, stage: str, *, gradient: bool = False, on_all: bool = True
    ) -> Evaluation:
        """Fit at u, on all folds or on the first, and keep the result."""
        names = self.space.names if gradient else None
        setting = self.space.setting(u)
        lead, *others = self._folds if on_all else self._folds[: self._n_first]
        judged = [lead.judge(setting, names)]
        if others:
            self._gather(others, u)
            judged += self._parallel(delayed(fold.judge)(setting, names) for fold in others)
        point = self._keep(Evaluation(u, judged, self.space.rates(u), stage, self._are_all(judged)))
        self.n_fits += len(judged)
        self._wear += sum(fold.staleness for fold in self._folds[: len(judged)])
        if self._wear > 1:
            self._renew(u)
        return point

    def race(self, rival: Evaluation, lost: Callable[[Evaluation], bool]) -> Evaluation:
        """Judge a point of the first folds on the others in turn, until it has lost."""
        setting = self.space.setting(rival.u)
        point = replace(rival, folds=[fold.paid() for fold in rival.folds], stage="check")
        for fold in self._folds[len(rival.folds) :]:
            point = replace(point, folds=[*point.folds, fold.judge(setting, None)])
            self.n_fits += 1
            if lost(point):
                break
        return self._keep(replace(point, on_all=self._are_all(point.folds)))

    def _are_all(self, judged: list[FoldResult]) -> bool:
        return len(judged) == len(self._folds)

    def _keep(self, point: Evaluation) -> Evaluation:
        self.points.append(point)
        self._progress(point)
        return point

    def _gather(self, others: list[CVFold], u: FloatArray) -> None:
        """Let the others begin where the first is, with a factor made there."""
        late = [fold for fold in others if fold.trail is None]
        if late and self.points:
            self._renew(u)
        for fold in late:
            fold.follow(self._folds[0])

    def _renew(self, u: FloatArray) -> None:
        """Give all folds a new factor, made where the first one ended."""
        self._wear = 0.0
        factor = self._folds[0].new_factor(self.space.setting(u))
        if factor is not None:
            for fold in self._folds:
                fold.use(factor)


@contextmanager
def evaluation_progress(verbose: int, name: str) -> Iterator[Callable[[Evaluation], None]]:
    """Yield a callback that moves a bar over evaluations, or does nothing where silent.

    Parameters
    ----------
    verbose : int
        0 is silent.
    name : str
        Who searches.

    Yields
    ------
    callable
        To be called with each point.
    """
    if not verbose:
        yield lambda point: None
        return
    with tqdm(desc=name, unit="setting") as bar:
        best = np.inf

        def advance(point: Evaluation) -> None:
            nonlocal best
            best = min(best, point.loss)
            bar.set_postfix(loss=f"{point.loss:.6g}", best=f"{best:.6g}", refresh=False)
            bar.update()

        yield advance
