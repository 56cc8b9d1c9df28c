"""Find the minimum of a surface: a coarse grid, then quasi-Newton steps in the box."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.search._cv_loss import CrossValidatedLoss, Evaluation
from sklearn_distill.search._quasi_newton import Model, minimise_in_box
from sklearn_distill.search._space import Space

# the coarse grid, in shares of the box's edges; C's edge is long, and its ends are slow to fit
COARSE = {"imitation": (1 / 3, 2 / 3), "temperature": (1 / 3, 2 / 3), "C": (3 / 8, 5 / 8)}
# how far a descent's first step may go, in the coordinates; and over what its curvature is measured
FIRST_STEP, PROBE = 0.5, 0.1
# standard errors of the mean difference over rows: up to so many another valley is worth a descent,
# and so few gained on the first folds need not be gained on all; beyond so many there is no doubt
SLIGHT, CLEARLY = 1.0, 1.5


def descend(surface: CrossValidatedLoss, *, tol: float, max_evaluations: int) -> Evaluation:
    """Return the best point found: on the first folds, then from there on all.

    The first folds are searched by a coarse grid and descents from its promising points. In the end
    every point of the coarse grid is evaluated on fold after fold until their rows hold it clearly
    worse than what was found.

    Parameters
    ----------
    surface : CrossValidatedLoss
        The loss; its points are those of the search.
    tol : float
        A descent stops where its quadratic model promises no larger gain.
    max_evaluations : int
        Largest number of evaluations of one descent.

    Returns
    -------
    Point
        The best point on all folds.
    """

    def has_lost(point: Evaluation) -> bool:
        return n_standard_errors(point, surface.best) > CLEARLY

    coarse = [surface.evaluate(u, "coarse", on_all=False) for u in coarse_grid(surface.space)]
    ends = [
        _descend_on_first(surface, start, tol, max_evaluations)
        # the best one last: the fits on all folds begin where it ends
        for start in reversed(promising(coarse))
    ]
    near = min(ends, key=lambda end: end.loss)
    _descend_on_all(surface, near, tol, max_evaluations)
    for point in coarse:
        if not point.on_all and not has_lost(point):
            surface.race(point, has_lost)
    return surface.best


def n_standard_errors(point: Evaluation, best: Evaluation) -> float:
    r"""Return by how many standard errors a point is worse, by the rows of the folds of both.

    With differences d of the rows' losses, their means :math:`m_k` and the weights
    :math:`W_k = \sum s_i` of the rows of fold k, it is :math:`\sum_k m_k /
    \sqrt{\sum_k \sum_i s_i (d_i - m_k)^2 / W_k^2}`: a row of weight 2 counts as two.
    """
    total = variance = 0.0
    for one, other in zip(point.folds, best.folds, strict=False):
        s, difference = one.weight, one.rows - other.rows
        mean = float(s @ difference) / s.sum()
        total += mean
        variance += float(s @ (difference - mean) ** 2) / s.sum() ** 2
    return total / float(np.sqrt(variance)) if variance > 0 else 0.0


def coarse_grid(space: Space) -> list[FloatArray]:
    """Return the start, then a few points within the box, near ones in turn."""
    shares = boustrophedon([COARSE[name] for name in space.names])
    return [space.started, *(space.inside(np.array(share)) for share in shares)]


def boustrophedon(axes: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Return the product of axes in an order in which neighbours differ on one axis only."""
    path: list[tuple[float, ...]] = [()]
    for axis in axes:
        ways = itertools.cycle([axis, axis[::-1]])
        path = [(*point, x) for point in path for x in next(ways)]
    return path


def promising(coarse: list[Evaluation]) -> list[Evaluation]:
    """Return the best point, and others that no neighbour beats and that may be as good."""
    ordered = sorted(coarse, key=lambda point: point.loss)
    return [
        point
        for point in ordered
        if n_standard_errors(point, ordered[0]) <= SLIGHT
        and not any(_beats(other, point, coarse[0]) for other in coarse)
    ]


def _beats(other: Evaluation, point: Evaluation, centre: Evaluation) -> bool:
    """Whether a neighbour is better: on the grid, or the start, which is near to all."""
    near = other is centre or point is centre or int(np.sum(other.u != point.u)) == 1
    return near and other.loss < point.loss


def _descend_on_first(
    surface: CrossValidatedLoss, start: Evaluation, tol: float, max_evaluations: int
) -> Evaluation:
    path: list[Evaluation] = []

    def evaluate(u: FloatArray) -> Evaluation:
        path.append(surface.evaluate(u, "descent", gradient=True, on_all=False))
        return path[-1]

    def done(_: Evaluation, promised: float) -> bool:
        return promised <= tol or (len(path) > 1 and _gained_little(path))

    model = Model(FIRST_STEP)
    box = surface.space.box
    return minimise_in_box(
        evaluate, evaluate(start.u), box, model, done=done, max_evaluations=max_evaluations
    )


def _gained_little(path: list[Evaluation]) -> bool:
    """Whether the last step gained, but less than the rows of the first folds can tell."""
    before = min(path[:-1], key=lambda point: point.loss)
    return 0 < n_standard_errors(before, path[-1]) <= SLIGHT


def _descend_on_all(
    surface: CrossValidatedLoss, start: Evaluation, tol: float, max_evaluations: int
) -> Evaluation:
    """Descend with the curvature of the first folds, which is cheap to measure, to begin with."""

    def evaluate(u: FloatArray) -> Evaluation:
        return surface.evaluate(u, "descent", gradient=True)

    model = Model(FIRST_STEP, _curvature(surface, start))
    return minimise_in_box(
        evaluate,
        start if start.on_all else evaluate(start.u),
        surface.space.box,
        model,
        done=lambda _, promised: promised <= tol,
        max_evaluations=max_evaluations,
    )


def _curvature(surface: CrossValidatedLoss, point: Evaluation) -> FloatArray:
    """Return the Hessian of the first folds' loss, by differences of its gradient."""
    low, high = surface.space.box
    H = np.empty((len(low), len(low)))
    for j in range(len(low)):
        u = point.u.copy()
        u[j] += PROBE if u[j] + PROBE <= high[j] else -PROBE
        u = u.clip(low, high)
        beside = surface.evaluate(u, "probe", gradient=True, on_all=False)
        H[j] = (beside.slope - point.slope) / (u[j] - point.u[j])
    return (H + H.T) / 2


def sweep(surface: CrossValidatedLoss, grid: Any) -> None:
    """Evaluate a grid.

    Parameters
    ----------
    surface : CrossValidatedLoss
        The loss; its points are those of the grid.
    grid : int or dict of str to array-like
        Number of values over each edge of the box, or the values.
    """
    for values in boustrophedon(
        [axis(surface.space, j, grid) for j in range(len(surface.space.names))]
    ):
        surface.evaluate(surface.space.coordinates(np.array(values)), "grid")


def axis(space: Space, j: int, grid: Any) -> tuple[float, ...]:
    """Return the natural values of one metaparameter."""
    if not isinstance(grid, dict):
        shares = np.repeat(np.linspace(0, 1, grid)[:, None], len(space.names), axis=1)
        return tuple(space.natural(space.inside(row))[j] for row in shares)
    name = space.names[j]
    if set(grid) != set(space.names):
        raise ValueError(
            f"grid has values for {sorted(grid)}, but the metaparameters are "
            f"{list(space.names)}: give values for each of them"
        )
    values = np.ravel(np.asarray(grid[name], dtype=np.float64))
    if not (len(values) and ((values >= space.low[j]) & (values <= space.high[j])).all()):
        raise ValueError(
            f"grid has {values.tolist()} for {name}, outside of its bounds "
            f"({space.low[j]:g}, {space.high[j]:g}): change one of the two"
        )
    return tuple(values.tolist())
