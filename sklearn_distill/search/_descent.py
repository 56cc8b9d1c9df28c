"""Minimise the cross-validated loss: exploration and quasi-Newton descents, or a full grid."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray
from sklearn_distill.search._cv_loss import CrossValidatedLoss, Evaluation
from sklearn_distill.search._quasi_newton import QuadraticModel, minimise_in_box
from sklearn_distill.search._space import BOUNDS, Space

Fractions = Mapping[str, float]  # of the box's edges, by metaparameter

# the coarse grid, in fractions of the box's edges; C's edge is long, and its ends are slow to fit
COARSE = {"imitation": (0.35, 0.65), "temperature": (0.35, 0.65), "C": (3 / 8, 5 / 8)}
# Where the loss may have other minima: labels alone; the labels of a sharpened teacher beside them;
# a strongly softened teacher; the teacher alone; and without much of a penalty, a teacher that the
# student can copy, at its own temperature only in the last corner.
EDGES = (
    {"imitation": 0.0, "temperature": 1 / 2, "C": 5 / 8},
    {"imitation": 0.85, "temperature": 1.0, "C": 5 / 8},
    {"imitation": 0.3, "temperature": 0.0, "C": 5 / 8},
    {"imitation": 1.0, "temperature": 1 / 4, "C": 7 / 8},
    {"imitation": 1.0, "temperature": 1 / 2, "C": 1 / 2},
    {"imitation": 1.0, "temperature": 1 / 2, "C": 1.0},
    {"imitation": 0.5, "temperature": 0.85, "C": 7 / 8},
    {"imitation": 1.0, "temperature": 0.85, "C": 7 / 8},
)
# With few samples, so that the first folds are all folds, there are further minima: of labels alone
# that the features hardly predict; near the labels alone and in corners, without much of a penalty;
# and of a strongly softened teacher alone.
EDGES_OF_FEW = (
    {"imitation": 0.0, "temperature": 1 / 2, "C": 1 / 8},
    {"imitation": 0.1, "temperature": 1 / 2, "C": 7 / 8},
    {"imitation": 0.15, "temperature": 0.0, "C": 1.0},
    {"imitation": 0.85, "temperature": 1 / 3, "C": 1.0},
    {"imitation": 0.85, "temperature": 1.0, "C": 1.0},
    {"imitation": 1.0, "temperature": 0.0, "C": 1.0},
    {"imitation": 1.0, "temperature": 0.85, "C": 1 / 2},
)
# points that are not farther apart along any edge, as a share of it, are neighbours
NEIGHBOURHOOD = 0.33
# largest number of descents in the exploration, and of evaluations in each before only the best one
# goes on
MAX_DESCENTS, FIRST_EVALUATIONS = 2, 4
MAX_DESCENTS_OF_FEW, FIRST_EVALUATIONS_OF_FEW = 4, 6
# longest first step of a descent, in coordinates
FIRST_STEP = 0.5
# step of the gradient differences that measure the curvature, in coordinates
PROBE_STEP = 0.1
# Differences in standard errors of the mean over rows. Up to SLIGHT, a gain on the first folds may
# be none on all folds, so the descent on them stops. Beyond CLEAR, a setting is discarded; up to
# it, another local minimum may be the best one, so it is descended too.
SLIGHT, CLEAR = 1.0, 1.5


def descend(cv_loss: CrossValidatedLoss, *, tol: float, max_evaluations: int) -> Evaluation:
    """Return the best setting found: by descents on the first folds, then on all folds.

    The first folds are explored by coarse points, on half of them where a point is clearly worse
    than the best one, and by a few steps down from the promising ones; from where the loss is least
    then, the descent goes on. In the end every coarse point is evaluated on one more fold at a
    time, until it is clearly worse than the best setting.

    Parameters
    ----------
    cv_loss : CrossValidatedLoss
        The loss; it records the evaluations.
    tol : float
        A descent stops where its quadratic model predicts no larger gain.
    max_evaluations : int
        Largest number of evaluations of one descent.

    Returns
    -------
    Evaluation
        The best evaluation on all folds.
    """
    coarse = _explore(cv_loss)
    explored = [evaluation for evaluation in coarse if cv_loss.is_explored(evaluation)]
    # the best start last: the next fits are warm-started where its descent ends
    starts = reversed(promising_starts(explored, cv_loss.space))
    descents = [Descent(cv_loss, start, tol) for start in starts]
    n_first = FIRST_EVALUATIONS_OF_FEW if cv_loss.explores_all_folds else FIRST_EVALUATIONS
    for descent in descents:
        descent.go_on(min(n_first, max_evaluations))
    best = min(descents, key=lambda descent: descent.end.loss)
    best.go_on(max_evaluations)
    _descend_on_all_folds(cv_loss, best.end, best.model.B, tol, max_evaluations)
    for evaluation in coarse:
        if not evaluation.all_folds and not _is_clearly_worse(evaluation, cv_loss.best):
            cv_loss.race(evaluation, lambda raced: _is_clearly_worse(raced, cv_loss.best))
    return cv_loss.best


def _explore(cv_loss: CrossValidatedLoss) -> list[Evaluation]:
    """Evaluate the start, and the other coarse points as long as they are promising."""
    start, *others = coarse_points(cv_loss.space, few_samples=cv_loss.explores_all_folds)
    best = cv_loss.evaluate(start, "coarse", all_folds=False)
    coarse = [best]
    for u in others:
        evaluation = cv_loss.screen(u, "coarse", partial(_is_clearly_worse, best=best))
        coarse.append(evaluation)
        if cv_loss.is_explored(evaluation) and evaluation.loss < best.loss:
            best = evaluation
    return coarse


def _is_clearly_worse(evaluation: Evaluation, best: Evaluation) -> bool:
    return n_standard_errors(evaluation, best) > CLEAR


def coarse_points(space: Space, *, few_samples: bool) -> list[FloatArray]:
    """Return the coordinates of the start, of a few points within the box and of some at edges.

    With few samples, whose loss in several metaparameters has more minima, these are at all edges,
    whatever the values of the fixed ones.
    """
    inner = boustrophedon([COARSE[name] for name in space.names])
    edges = (
        [*EDGES, *EDGES_OF_FEW]
        if few_samples and len(space.names) > 1
        else [edge for edge in EDGES if _is_near_fixed_values(edge, space)]
    )
    outer = [tuple(edge[name] for name in space.names) for edge in edges]
    fractions = dict.fromkeys([*inner, *outer])  # without repetitions
    return [
        space.start_coordinates,
        *(space.at_fraction(np.array(fraction)) for fraction in fractions),
    ]


def _is_near_fixed_values(edge: Fractions, space: Space) -> bool:
    """Return whether the values of an edge are neighbours of those of the fixed metaparameters."""
    whole = Space.of(tuple(BOUNDS), space.start, None)
    low, high = whole.box
    fractions = dict(zip(whole.names, (whole.start_coordinates - low) / (high - low), strict=True))
    fixed = set(whole.names) - set(space.names)
    return all(abs(edge[name] - fractions[name]) <= NEIGHBOURHOOD for name in fixed)


def promising_starts(coarse: list[Evaluation], space: Space) -> list[Evaluation]:
    """Return the best evaluation, and others that may be as good and are no neighbours of these."""
    best, *others = sorted(coarse, key=lambda evaluation: evaluation.loss)
    low, high = space.box
    starts = [best]
    for evaluation in others:
        distances = [np.abs(evaluation.u - start.u) / (high - low) for start in starts]
        is_neighbour = any((distance <= NEIGHBOURHOOD).all() for distance in distances)
        if not is_neighbour and not _is_clearly_worse(evaluation, best):
            starts.append(evaluation)
    return starts[: MAX_DESCENTS_OF_FEW if best.all_folds else MAX_DESCENTS]


class Descent:
    """A descent on the first folds, which can go on where it ended.

    Parameters
    ----------
    cv_loss : CrossValidatedLoss
        The loss; it records the evaluations.
    start : Evaluation
        Where the descent starts.
    tol : float
        It stops where its quadratic model predicts no larger gain.
    """

    def __init__(self, cv_loss: CrossValidatedLoss, start: Evaluation, tol: float) -> None:
        self.model = QuadraticModel(FIRST_STEP)
        self._cv_loss = cv_loss
        self._tol = tol
        self._path: list[Evaluation] = []
        self.end = self._evaluate(start.u)

    def go_on(self, max_evaluations: int) -> None:
        """Descend from the end, up to this number of evaluations in all."""
        self.end = minimise_in_box(
            self._evaluate,
            self.end,
            self._cv_loss.space.box,
            self.model,
            done=self._is_done,
            max_evaluations=1 + max_evaluations - len(self._path),  # the end counts as one
        )

    def _evaluate(self, u: FloatArray) -> Evaluation:
        self._path.append(self._cv_loss.evaluate(u, "descent", gradient=True, all_folds=False))
        return self._path[-1]

    def _is_done(self, best: Evaluation, predicted_gain: float) -> bool:
        # where the first folds are all folds, a slight gain is one
        slight = not best.all_folds and len(self._path) > 1 and _gained_slightly(self._path)
        return predicted_gain <= self._tol or slight


def _gained_slightly(path: list[Evaluation]) -> bool:
    """Return whether the last step gained, but no more than the first folds can distinguish."""
    best_before = min(path[:-1], key=lambda evaluation: evaluation.loss)
    return 0 < n_standard_errors(best_before, path[-1]) <= SLIGHT


def _descend_on_all_folds(
    cv_loss: CrossValidatedLoss,
    start: Evaluation,
    curvature: FloatArray | None,
    tol: float,
    max_evaluations: int,
) -> Evaluation:
    """Descend, starting with the curvature of the first folds, which is cheap to measure.

    Where the first folds are all folds, the descent that ended at the start has found one.
    """

    def evaluate(u: FloatArray) -> Evaluation:
        return cv_loss.evaluate(u, "descent", gradient=True)

    if not start.all_folds or curvature is None:
        curvature = _measure_curvature(cv_loss, start)
    model = QuadraticModel(FIRST_STEP, curvature)
    return minimise_in_box(
        evaluate,
        # with few samples, the first folds are all folds
        start if start.all_folds else evaluate(start.u),
        cv_loss.space.box,
        model,
        done=lambda _, predicted_gain: predicted_gain <= tol,
        max_evaluations=max_evaluations,
    )


def _measure_curvature(cv_loss: CrossValidatedLoss, evaluation: Evaluation) -> FloatArray:
    """Return the Hessian of the first folds' loss, by differences of its gradient."""
    low, high = cv_loss.space.box
    H = np.eye(len(low))
    for j in range(len(low)):
        u = evaluation.u.copy()
        up, down = high[j] - u[j], u[j] - low[j]
        u[j] += PROBE_STEP if up >= PROBE_STEP else -min(PROBE_STEP, down) if down > up else up
        if u[j] == evaluation.u[j]:  # bounds that leave no room: any curvature will do
            continue
        probe = cv_loss.evaluate(u, "probe", gradient=True, all_folds=False)
        H[j] = (probe.gradient - evaluation.gradient) / (u[j] - evaluation.u[j])
    return (H + H.T) / 2


def n_standard_errors(evaluation: Evaluation, best: Evaluation) -> float:
    r"""Return by how many standard errors an evaluation is worse, on the folds that both share.

    With differences d of the rows' losses, their means :math:`m_k` and the weights
    :math:`W_k = \sum s_i` of the rows of fold k, it is :math:`\sum_k m_k /
    \sqrt{\sum_k \sum_i s_i (d_i - m_k)^2 / W_k^2}`: a row of weight 2 counts as two.
    """
    total = variance = 0.0
    # not strict: one of the two may have been evaluated on the first folds only
    for fold, best_fold in zip(evaluation.folds, best.folds, strict=False):
        assert fold.row_losses is not None
        assert best_fold.row_losses is not None
        s, difference = fold.sample_weight, fold.row_losses - best_fold.row_losses
        mean = float(s @ difference) / s.sum()
        total += mean
        variance += float(s @ (difference - mean) ** 2) / s.sum() ** 2
    return total / float(np.sqrt(variance)) if variance > 0 else 0.0


def evaluate_grid(cv_loss: CrossValidatedLoss, grid: int | dict[str, ArrayLike]) -> None:
    """Evaluate all points of a grid on all folds.

    Parameters
    ----------
    cv_loss : CrossValidatedLoss
        The loss; it records the evaluations.
    grid : int or dict of str to array-like
        Number of values of each metaparameter within its bounds, or the values.
    """
    space = cv_loss.space
    axes = grid_axes(space, grid)
    path = boustrophedon(axes)
    if cv_loss.goes_in_lockstep and "C" in space.names:
        path = _from_strong_to_weak(path, space.names.index("C"))
    for values in path:
        cv_loss.evaluate_in_lockstep(space.coordinates(np.array(values)), "grid")
    cv_loss.refine_best()


def _from_strong_to_weak(path: list[tuple[float, ...]], c: int) -> list[tuple[float, ...]]:
    """Order the points with the same λ and T by C; ``c`` is the place of C."""
    others = dict.fromkeys((*point[:c], *point[c + 1 :]) for point in path)
    Cs = sorted({point[c] for point in path})
    return [(*other[:c], C, *other[c:]) for other in others for C in Cs]


def grid_axes(space: Space, grid: int | dict[str, ArrayLike]) -> list[tuple[float, ...]]:
    """Return the grid's values of each metaparameter."""
    return [axis_values(space, j, grid) for j in range(len(space.names))]


def axis_values(space: Space, j: int, grid: int | dict[str, ArrayLike]) -> tuple[float, ...]:
    """Return the grid's values of one metaparameter."""
    if not isinstance(grid, dict):
        fractions = np.repeat(np.linspace(0, 1, grid)[:, None], len(space.names), axis=1)
        return tuple(space.values(space.at_fraction(fraction))[j] for fraction in fractions)
    name = space.names[j]
    if set(grid) != set(space.names):
        raise ValueError(
            f"grid has values of {sorted(grid)}, but the metaparameters are "
            f"{list(space.names)}: pass values of each of them"
        )
    values = np.ravel(np.asarray(grid[name], dtype=np.float64))
    if not (len(values) and ((values >= space.low[j]) & (values <= space.high[j])).all()):
        raise ValueError(
            f"grid has {values.tolist()} for {name}, outside of its bounds "
            f"({space.low[j]:g}, {space.high[j]:g}): change grid or bounds"
        )
    return tuple(values.tolist())


def boustrophedon(axes: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Return the product of axes, ordered so that successive points differ on one axis only.

    Each fit is then warm-started from a similar problem.
    """
    path: list[tuple[float, ...]] = [()]
    for axis in axes:
        directions = itertools.cycle([axis, axis[::-1]])
        path = [(*point, x) for point in path for x in next(directions)]
    return path
