"""Preconditioned L-BFGS of several functions at once, whose values come from the same passes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.solvers._line_search import DECREASE, VALUE_RTOL
from sklearn_distill.solvers.factor import Preconditioner

MAX_TRIALS = 20
# a step that is too long is shortened to a share of it within these bounds
SHORTEST, LONGEST = 0.1, 0.5


# s, y and 1 / s·y of each function; the last is 0 for one that made no valid step
Kept = tuple[FloatArray, FloatArray, FloatArray]


class ManySmooth(Protocol):
    """Several differentiable functions of as many weights."""

    def value_and_gradient(self, W: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return values (n_some,) and gradients (n_some, n_weights) of some functions."""


class Pairs:
    """Steps s and gradient differences y of each function, from which curvature is estimated.

    They serve further functions that differ by a multiple of a quadratic penalty.

    Parameters
    ----------
    n_functions : int
        Number of functions.
    memory : int
        Number of steps that are kept.
    """

    def __init__(self, n_functions: int, memory: int) -> None:
        self.n_functions = n_functions
        self._kept: deque[Kept] = deque(maxlen=memory)

    def add(self, S: FloatArray, Y: FloatArray, which: IntArray) -> None:
        """Keep a step of some functions; the others have none."""
        sy, yy = _dots(S, Y), _dots(Y, Y)
        valid = sy > np.finfo(np.float64).eps * yy
        inverse = np.zeros(self.n_functions)
        inverse[which] = np.divide(1.0, sy, out=np.zeros_like(sy), where=valid)
        if len(which) < self.n_functions:
            all_S, all_Y = np.zeros((2, self.n_functions, S.shape[1]))
            all_S[which], all_Y[which] = S, Y
            S, Y = all_S, all_Y
        self._kept.append((S, Y, inverse))

    def add_penalty(self, change: FloatArray) -> None:
        """Change the functions by ½ w·(change∘w); the shape is (n_functions, n_weights)."""
        changed = []
        for S, Y, inverse in self._kept:
            Y = Y + change * S
            sy = _dots(S, Y)
            valid = (inverse > 0) & (sy > np.finfo(np.float64).eps * _dots(Y, Y))
            changed.append((S, Y, np.divide(1.0, sy, out=np.zeros_like(sy), where=valid)))
        self._kept.extend(changed)

    def product(self, G: FloatArray, which: IntArray, factor: Preconditioner) -> FloatArray:
        """Return approximations of H⁻¹∇F of some functions by the two-loop recursion."""
        everything = len(which) == self.n_functions
        kept = [
            pair if everything else (pair[0][which], pair[1][which], pair[2][which])
            for pair in self._kept
        ]
        Q, alphas, scratch = G.copy(), [], np.empty_like(G)
        for S, Y, inverse in reversed(kept):
            alphas.append(inverse * _dots(S, Q))
            Q -= np.multiply(Y, alphas[-1][:, None], out=scratch)
        R = _scaled_solution(factor, Q, kept)
        for (S, Y, inverse), alpha in zip(kept, reversed(alphas), strict=True):
            beta = alpha - inverse * _dots(Y, R)
            R += np.multiply(S, beta[:, None], out=scratch)
        return R


def _scaled_solution(factor: Preconditioner, Q: FloatArray, kept: list[Kept]) -> FloatArray:
    """Return γM⁻¹Q with γ = s·y / y·M⁻¹y of the last valid step of each function, 1 without one."""
    Y, inverse = np.zeros_like(Q), np.zeros(len(Q))
    for _, last, valid in reversed(kept):
        missing = (inverse == 0) & (valid > 0)
        Y[missing], inverse[missing] = last[missing], valid[missing]
        if inverse.all():
            break
    # a solve of twice as many vectors takes less time than two
    MQ, MY = _solve(factor, np.concatenate([Q, Y])).reshape(2, *Q.shape)
    curvature = _dots(Y, MY) * inverse
    scale = np.divide(1.0, curvature, out=np.ones(len(Q)), where=curvature > 0)
    return np.asarray(scale[:, None] * MQ)


@dataclass
class Progress:
    """Where the minimisation of each function stands.

    Parameters
    ----------
    W, G : ndarray of shape (n_functions, n_weights)
        Weights and gradients.
    values : ndarray of shape (n_functions,)
        Values of the functions.
    done : ndarray of bool of shape (n_functions,)
        Whether a function is minimised well enough.
    n_iter : int
        Number of iterations.
    n_iters : ndarray of int of shape (n_functions,)
        Number of steps of each function.
    """

    W: FloatArray
    G: FloatArray
    values: FloatArray
    done: BoolArray
    n_iters: IntArray
    n_iter: int = 0


IsDone = Callable[[IntArray, FloatArray, FloatArray, FloatArray, FloatArray], BoolArray]


def lbfgs_in_lockstep(
    objective: ManySmooth,
    start: FloatArray,
    factor: Preconditioner,
    pairs: Pairs,
    *,
    is_done: IsDone,
    max_iter: int,
    progress: Progress | None = None,
) -> Progress:
    """Minimise several convex functions by L-BFGS, with a step of each in every iteration.

    Parameters
    ----------
    objective : ManySmooth
        The functions.
    start : ndarray of shape (n_functions, n_weights)
        Initial weights of each function.
    factor : Preconditioner
        Factor of a matrix close to the Hessians of all functions.
    pairs : Pairs
        Earlier steps, to which those of this minimisation are added.
    is_done : callable
        Called before each iteration with the numbers of the functions that are not done, their
        weights and gradients, the next steps, and the Newton decrements: the estimated distances to
        their minimisers in the Hessian's norm. It returns a mask of those that are done.
    max_iter : int
        Largest number of iterations.
    progress : Progress or None
        That of an earlier call, from which the minimisation goes on instead of the start.

    Returns
    -------
    Progress
        ``done`` is False for a function after ``max_iter`` iterations, and where a line search
        found no lower point.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.solvers import DiagonalFactor
    >>> class Parabolas:
    ...     def value_and_gradient(self, W, which):
    ...         minimiser = np.array([[1.0], [3.0]])[which]
    ...         return ((W - minimiser) ** 2).sum(axis=1), 2 * (W - minimiser)
    >>> factor = DiagonalFactor(np.full(1, 2.0))
    >>> lbfgs_in_lockstep(Parabolas(), np.zeros((2, 1)), factor, Pairs(2, memory=5), max_iter=5,
    ...                   is_done=lambda which, W, G, steps, distances: distances < 1e-9).W
    array([[1.],
           [3.]])
    """
    everything = np.arange(len(start))
    if progress is None:
        values, G = objective.value_and_gradient(start, everything)
        nothing = np.zeros(len(start), dtype=int)
        progress = Progress(start.copy(), G, values, nothing > 0, nothing)
    p, stalled = progress, np.zeros(len(start), dtype=bool)
    last = p.n_iter + max_iter
    while True:
        which = np.flatnonzero(~(p.done | stalled))
        if not len(which):
            return p
        G = _take(p.G, which)
        D = pairs.product(G, which, factor)
        np.negative(D, out=D)
        slopes = _dots(G, D)
        distances = np.sqrt(np.maximum(-slopes, 0))
        p.done[which] = is_done(which, _take(p.W, which), G, D, distances)
        going = np.flatnonzero(~p.done[which])
        if p.n_iter == last or not len(going):
            return p
        which, D, slopes = which[going], _take(D, going), slopes[going]
        found, W, values, G = _search(objective, p, which, D, slopes)
        stalled[which[~found]] = True
        moved = np.flatnonzero(found)
        which, W, values, G = which[moved], _take(W, moved), values[moved], _take(G, moved)
        if len(which):
            pairs.add(W - _take(p.W, which), G - _take(p.G, which), which)
            p.W[which], p.values[which], p.G[which] = W, values, G
            p.n_iters[which] += 1
        p.n_iter += 1


def _search(
    objective: ManySmooth, p: Progress, which: IntArray, D: FloatArray, slopes: FloatArray
) -> tuple[BoolArray, FloatArray, FloatArray, FloatArray]:
    """Return for which functions a lower point was found along D, the points, values, gradients.

    A step is long enough, since t = 1 is tried first, and on convex functions all pairs are valid.
    """
    start, old = _take(p.W, which), p.values[which]
    W, G = np.empty_like(D), np.empty_like(D)
    values, found = np.empty(len(which)), np.zeros(len(which), dtype=bool)
    t = np.ones(len(which))
    pending = np.flatnonzero(slopes < 0)  # also without those that are NaN
    for _ in range(MAX_TRIALS):
        if not len(pending):
            break
        trial, length = _take(D, pending) * t[pending, None], t[pending]
        trial += _take(start, pending)
        new, gradients = objective.value_and_gradient(trial, which[pending])
        slope, new_slope = slopes[pending], _dots(gradients, _take(D, pending))
        hidden = (new <= old[pending] + VALUE_RTOL * np.abs(old[pending])) & (
            new_slope <= (2 * DECREASE - 1) * slope
        )
        lower = (new <= old[pending] + DECREASE * length * slope) | hidden
        if lower.all() and len(pending) == len(which):  # as in most iterations
            return lower, trial, new, gradients
        accepted = pending[lower]
        W[accepted], values[accepted], G[accepted] = trial[lower], new[lower], gradients[lower]
        found[accepted] = True
        t[pending] = _shorter(length, new - old[pending], slope)
        pending = pending[~lower]
    return found, W, values, G


def _take(A: FloatArray, rows: IntArray) -> FloatArray:
    """Return some rows, without a copy if they are all."""
    return A if len(rows) == len(A) else A[rows]


def _shorter(t: FloatArray, change: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the minimiser of the parabola with this slope at 0 and change at t, within bounds."""
    bend = change - slope * t
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        minimiser = np.where(np.isfinite(bend) & (bend > 0), -slope * t**2 / (2 * bend), 0.0)
    return np.clip(minimiser, SHORTEST * t, LONGEST * t)


def _dots(A: FloatArray, B: FloatArray) -> FloatArray:
    """Return the dot product of each row of A with that of B."""
    return np.asarray((A[:, None, :] @ B[:, :, None])[:, 0, 0])


def _solve(factor: Preconditioner, V: FloatArray) -> FloatArray:
    solved: FloatArray = factor.solve(V.ravel()).reshape(V.shape)
    return solved
