"""Find the minimum of a surface: a coarse grid, then quasi-Newton steps in the box."""

from __future__ import annotations

import itertools
from contextlib import suppress

import numpy as np
from scipy.optimize import minimize

from sklearn_distill._typing import FloatArray
from sklearn_distill.search._metaparameters import Space
from sklearn_distill.search._surface import Point, Surface

# the coarse grid, in shares of the box's edges; C's edge is long, and its ends are slow to fit
COARSE = {"imitation": (1 / 3, 2 / 3), "temperature": (1 / 3, 2 / 3), "C": (3 / 8, 5 / 8)}
# length of a descent's first step, in the coordinates: the gradient says which way, but not how
# far; on all folds the descent begins where that on the first fold ended
FIRST_STEP, NEAR_STEP = 0.5, 0.1
# settings nearer to each other than this are one
SAME_SETTING = 1e-3
# a descent ends with a step that gains less
SAME_LOSS = 1e-5
# standard errors of the mean difference over rows: up to so many another valley is worth a descent,
# beyond so many there is no doubt; a gain of so few on the first fold need not be one on all
PROMISING, CLEARLY, SLIGHT = 1.0, 1.5, 0.3


def descend(surface: Surface, *, tol: float, max_evaluations: int) -> Point:
    """Return the best point found: on the first fold, then from there on all folds.

    The first fold is searched by a coarse grid and descents from its promising points. In the end
    every point of the coarse grid is evaluated on all folds unless the first fold's rows hold it
    clearly worse than what was found.

    Parameters
    ----------
    surface : Surface
        The loss; its points are those of the search.
    tol : float
        A descent stops at max|projected gradient| ≤ tol.
    max_evaluations : int
        Largest number of evaluations of one descent.

    Returns
    -------
    Point
        The best point on all folds.
    """
    coarse = [surface.evaluate(u, "coarse", on_all=False) for u in coarse_grid(surface.space)]
    for start in promising(coarse):
        _descend_from(surface, start.u, tol, max_evaluations, on_all=False)
    near = min(surface.points, key=lambda point: point.loss)
    _descend_from(surface, near.u, tol, max_evaluations, on_all=True)
    for point in coarse:
        if excess(point, surface.best) <= CLEARLY:
            surface.evaluate(point.u, "check")
    return surface.best


def excess(point: Point, best: Point) -> float:
    r"""Return by how many standard errors a point is worse, by the rows of the first fold.

    With differences d of the rows' losses it is
    :math:`\sum s_i d_i / \sqrt{\sum s_i (d_i - \bar d)^2}`: a row of weight 2 counts as two.
    """
    one, other = point.folds[0], best.folds[0]
    s, difference = one.weight, one.rows - other.rows
    total = float(s @ difference)
    error = float(np.sqrt(s @ (difference - total / s.sum()) ** 2))
    return total / error if error > 0 else 0.0


def coarse_grid(space: Space) -> list[FloatArray]:
    """Return the start, then a few points within the box, near ones in turn."""
    shares = snake([COARSE[name] for name in space.names])
    return [space.started, *(space.inside(np.array(share)) for share in shares)]


def snake(axes: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Return the product of axes in an order in which neighbours differ on one axis only."""
    path: list[tuple[float, ...]] = [()]
    for axis in axes:
        ways = itertools.cycle([axis, axis[::-1]])
        path = [(*point, x) for point in path for x in next(ways)]
    return path


def promising(coarse: list[Point]) -> list[Point]:
    """Return the best point, and others that no neighbour beats and that may be as good."""
    ordered = sorted(coarse, key=lambda point: point.loss)
    return [
        point
        for point in ordered
        if excess(point, ordered[0]) <= PROMISING
        and not any(_beats(other, point, coarse[0]) for other in coarse)
    ]


def _beats(other: Point, point: Point, centre: Point) -> bool:
    """Whether a neighbour is better: on the grid, or the start, which is near to all."""
    near = other is centre or point is centre or int(np.sum(other.u != point.u)) == 1
    return near and other.loss < point.loss


class _SettledError(Exception):
    """The descent need not go on."""


def _descend_from(
    surface: Surface, start: FloatArray, tol: float, max_evaluations: int, *, on_all: bool
) -> None:
    low, high = surface.space.box
    path: list[Point] = []

    def point_at(u: FloatArray) -> Point:
        if path and np.abs(u - path[-1].u).max() < SAME_SETTING:
            raise _SettledError  # the line search is lost in rounding
        point = surface.evaluate(u, "descent", gradient=True, on_all=on_all)
        best = min(path, key=lambda known: known.loss, default=None)
        path.append(point)
        done = point.projected_gradient(surface.space) <= tol
        if done or (best is not None and not on_all and 0 < excess(best, point) <= SLIGHT):
            raise _SettledError
        return point

    with suppress(_SettledError):
        known = [point_at(start)]
        step = (start - known[0].slope).clip(low, high) - start
        scale = (NEAR_STEP if on_all else FIRST_STEP) / float(np.linalg.norm(step))

        def loss(u: FloatArray) -> tuple[float, FloatArray]:
            point = known.pop() if known else point_at(u)
            return scale * point.loss, scale * point.slope

        minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={
                "gtol": 0.0,  # of the scaled and then clipped gradient: stopped by ours above
                "ftol": SAME_LOSS * scale / max(1.0, scale * abs(path[0].loss)),
                "maxfun": max_evaluations,
            },
        )
