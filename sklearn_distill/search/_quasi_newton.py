"""Minimise in a box by a quadratic model that learns its curvature from gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from scipy.optimize import lsq_linear

from sklearn_distill._typing import FloatArray

# what a model's gain must be worth of a real one, for the step to be trusted as long or longer
POOR, GOOD = 0.25, 0.75
# smallest curvature of a model as a share of its largest: across a saddle or a plain it steps too,
# but not for ever
FLAT = 0.05
# Powell's damping: how much of its curvature along a step the model keeps at least
KEPT = 0.2
TINY = 1e-12


class Value(Protocol):
    """What is known where the function was evaluated."""

    @property
    def u(self) -> FloatArray:
        """Where."""

    @property
    def loss(self) -> float:
        """The value."""

    @property
    def slope(self) -> FloatArray:
        """The gradient."""


@dataclass
class Model:
    r"""The quadratic :math:`V(u + d) ≈ V(u) + g·d + ½ dᵀBd`, trusted for :math:`|d|_∞ ≤ Δ`.

    Parameters
    ----------
    radius : float
        Δ.
    B : ndarray of shape (n, n) or None
        The curvature, made positive definite; None as long as none is known.

    Examples
    --------
    >>> model = Model(radius=10.0, B=np.diag([1.0, 2.0]))
    >>> model.step(np.array([-1.0, -1.0]), np.zeros(2), np.array([0.5, 9.0]))
    array([0.5, 0.5])
    """

    radius: float
    B: FloatArray | None = field(default=None)

    def __post_init__(self) -> None:
        if self.B is not None:
            bends, axes = np.linalg.eigh(self.B)
            sizes = np.abs(bends)
            self.B = (axes * sizes.clip(min=max(FLAT * sizes.max(), TINY))) @ axes.T

    def step(self, g: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return the model's minimiser d among low ≤ d ≤ high and |d| ≤ Δ.

        Parameters
        ----------
        g : ndarray of shape (n,)
            Gradient.
        low, high : ndarray of shape (n,)
            What the box leaves on either side.

        Returns
        -------
        ndarray of shape (n,)
            d; steepest descent as far as is trusted where no curvature is known.
        """
        low, high = low.clip(-self.radius), high.clip(max=self.radius)
        if self.B is None:
            return _towards(-g, low, high)
        free = low < high
        d = np.zeros_like(g)
        if free.any():
            L = np.linalg.cholesky(self.B[np.ix_(free, free)])
            # ½‖Lᵀd + L⁻¹g‖² is the model but for a constant
            found = lsq_linear(
                L.T, -np.linalg.solve(L, g[free]), (low[free], high[free]), method="bvls"
            )
            d[free] = found.x.clip(low[free], high[free])
        return d

    def gain(self, g: FloatArray, d: FloatArray) -> float:
        """Return by how much a step should lower the value; ∞ where no curvature is known."""
        return np.inf if self.B is None else -float(g @ d + d @ self.B @ d / 2)

    def learn(self, d: FloatArray, difference: FloatArray) -> None:
        """Take in the gradient's difference y over a step d, by a damped BFGS update.

        References
        ----------
        Nocedal and Wright 2006, procedure 18.2.
        """
        if self.B is None:
            bend = float(d @ difference) / float(d @ d)
            size = float(np.linalg.norm(difference)) / float(np.linalg.norm(d))
            self.B = (bend if bend > 0 else max(size, TINY)) * np.eye(len(d))
        Bd = self.B @ d
        along, bent = float(d @ difference), float(d @ Bd)
        if along < KEPT * bent:
            share = (1 - KEPT) * bent / (bent - along)
            difference = share * difference + (1 - share) * Bd
            along = float(d @ difference)
        self.B = self.B - np.outer(Bd, Bd) / bent + np.outer(difference, difference) / along

    def trust(self, d: FloatArray, gained: float, promised: float, shorter: float) -> None:
        """Move Δ by what a step gained of what it promised; ``shorter`` is a better share of d."""
        length = float(np.abs(d).max())
        if gained < POOR * promised:
            self.radius = shorter * length
        elif gained > GOOD * promised and length > 0.9 * self.radius:
            self.radius *= 2


V = TypeVar("V", bound=Value)


def minimise_in_box(
    evaluate: Callable[[FloatArray], V],
    start: V,
    box: tuple[FloatArray, FloatArray],
    model: Model,
    *,
    done: Callable[[V, float], bool],
    max_evaluations: int,
) -> V:
    """Follow the model, which learns, until ``done`` or the last evaluation.

    Parameters
    ----------
    evaluate : callable
        Gives value and gradient at u.
    start : Value
        Where to begin, within the box; it is evaluated already.
    box : (ndarray, ndarray)
        Lowest and highest u.
    model : Model
        What is known of the curvature, and how long steps may be; it goes on learning.
    done : callable
        Whether to stop at the best value so far, where the model promises a gain.
    max_evaluations : int
        Largest number of evaluations.

    Returns
    -------
    Value
        The best found.
    """
    best = start
    for _ in range(max_evaluations - 1):
        d = model.step(best.slope, box[0] - best.u, box[1] - best.u)
        promised = model.gain(best.slope, d)
        if done(best, promised) or not d.any():
            break
        trial = evaluate((best.u + d).clip(*box))
        gained, first = best.loss - trial.loss, float(best.slope @ d)
        model.learn(d, trial.slope - best.slope)
        model.trust(d, gained, min(promised, -first), _better_share(gained, first))
        best = min(best, trial, key=lambda point: point.loss)
    return best


def _towards(d: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the longest step along d, where that is free, and on along the bounds it meets."""
    free = np.where(d < 0, low < 0, high > 0)
    d = np.where(free, d, 0.0)
    longest = float(np.abs(d).max())
    reach = float(np.abs(np.concatenate([low, high])).max())
    return (d * (reach / longest if longest else 0.0)).clip(low, high)


def _better_share(gained: float, first: float) -> float:
    """Return where on the step a parabola through value, slope and new value is least."""
    bend = -gained - first
    return float(np.clip(-first / (2 * bend), 0.1, 0.5)) if bend > 0 else 0.5
