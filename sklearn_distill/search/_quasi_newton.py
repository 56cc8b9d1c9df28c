"""Minimise in a box by a quadratic model in a trust region, with a damped BFGS update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from scipy.optimize import lsq_linear

from sklearn_distill._typing import FloatArray

# shares of the predicted gain: below POOR the trust region shrinks, above GOOD it may grow
POOR, GOOD = 0.25, 0.75
# smallest curvature of a model as a share of its largest: it bounds the steps along directions in
# which the function is flat or bends down
MIN_CURVATURE = 0.05
# the same for a model that was updated
MIN_UPDATED_CURVATURE = 1e-8
# Powell's damping: share of its curvature along a step that the model keeps at least
DAMPING = 0.2
TINY = 1e-12


class FunctionValue(Protocol):
    """A function's value and gradient at a point."""

    @property
    def u(self) -> FloatArray:
        """The point."""

    @property
    def loss(self) -> float:
        """The value."""

    @property
    def gradient(self) -> FloatArray:
        """The gradient."""


@dataclass
class QuadraticModel:
    r"""The quadratic :math:`V(u + d) ≈ V(u) + g·d + ½ dᵀBd`, trusted for :math:`|d|_∞ ≤ Δ`.

    Parameters
    ----------
    radius : float
        Radius Δ of the trust region.
    B : ndarray of shape (n, n) or None
        Approximate Hessian, which is made positive definite; None before anything is known of it.

    Examples
    --------
    >>> model = QuadraticModel(radius=10.0, B=np.diag([1.0, 2.0]))
    >>> model.step(np.array([-1.0, -1.0]), np.zeros(2), np.array([0.5, 9.0]))
    array([0.5, 0.5])
    """

    radius: float
    B: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.B is not None:
            self.B = _positive_definite(self.B, MIN_CURVATURE)

    def step(self, g: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return the model's minimiser d subject to low ≤ d ≤ high and |d| ≤ Δ.

        Parameters
        ----------
        g : ndarray of shape (n,)
            Gradient at the present point.
        low, high : ndarray of shape (n,)
            Bounds of the box, relative to the present point.

        Returns
        -------
        ndarray of shape (n,)
            The step d; without B, steepest descent to the border of the trust region.
        """
        low, high = low.clip(-self.radius), high.clip(max=self.radius)
        if self.B is None:
            return _longest_step(-g, low, high)
        free = low < high  # lsq_linear needs an interior
        d = np.zeros_like(g)
        if free.any():
            L = np.linalg.cholesky(self.B[np.ix_(free, free)])
            # ½‖Lᵀd + L⁻¹g‖² is the model up to a constant
            found = lsq_linear(
                L.T, -np.linalg.solve(L, g[free]), (low[free], high[free]), method="bvls"
            )
            d[free] = found.x.clip(low[free], high[free])
        return d

    def predicted_gain(self, g: FloatArray, d: FloatArray) -> float:
        """Return the decrease that the model predicts for a step; ∞ without B."""
        return np.inf if self.B is None else -float(g @ d + d @ self.B @ d / 2)

    def update(self, d: FloatArray, difference: FloatArray) -> None:
        """Update B by damped BFGS with the difference y of the gradients over a step d.

        References
        ----------
        Nocedal and Wright 2006, procedure 18.2.
        """
        if self.B is None:
            curvature = float(d @ difference) / float(d @ d)
            size = float(np.linalg.norm(difference)) / float(np.linalg.norm(d))
            self.B = (curvature if curvature > 0 else max(size, TINY)) * np.eye(len(d))
        Bd = self.B @ d
        dy, dBd = float(d @ difference), float(d @ Bd)
        if dy < DAMPING * dBd:
            # y is mixed with Bd until dᵀy = DAMPING·dᵀBd, which keeps B positive definite
            share = (1 - DAMPING) * dBd / (dBd - dy)
            difference = share * difference + (1 - share) * Bd
            dy = float(d @ difference)
        B = self.B - np.outer(Bd, Bd) / dBd + np.outer(difference, difference) / dy
        # rounding may lose what the damping keeps, where curvatures differ by many orders
        self.B = _positive_definite(B, MIN_UPDATED_CURVATURE)

    def update_radius(self, d: FloatArray, gain: float, predicted: float, shrink: float) -> None:
        """Move Δ by the gain of a step d, as a share of the predicted one.

        After a poor step, Δ is the share ``shrink`` of the step's length.
        """
        length = float(np.abs(d).max())
        if gain < POOR * predicted:
            self.radius = shrink * length
        # a good step that ended inside the region does not show that a longer one is good
        elif gain > GOOD * predicted and length > 0.9 * self.radius:
            self.radius *= 2


V = TypeVar("V", bound=FunctionValue)


def minimise_in_box(
    evaluate: Callable[[FloatArray], V],
    start: V,
    box: tuple[FloatArray, FloatArray],
    model: QuadraticModel,
    *,
    done: Callable[[V, float], bool],
    max_evaluations: int,
) -> V:
    """Minimise a function in a box by steps of a quadratic model.

    Parameters
    ----------
    evaluate : callable
        Returns value and gradient at u.
    start : FunctionValue
        Value and gradient at the start, within the box.
    box : (ndarray, ndarray)
        Lowest and highest u.
    model : QuadraticModel
        Initial curvature and trust region; it is updated in place.
    done : callable
        Whether to stop, given the best value so far and the gain that the model predicts there.
    max_evaluations : int
        Largest number of evaluations.

    Returns
    -------
    FunctionValue
        The best value found.
    """
    best = start
    for _ in range(max_evaluations - 1):
        if not np.isfinite(best.gradient).all():
            break
        d = model.step(best.gradient, box[0] - best.u, box[1] - best.u)
        slope = float(best.gradient @ d)
        # without B the predicted gain is ∞: that of the linear model bounds it
        predicted = min(model.predicted_gain(best.gradient, d), -slope)
        if done(best, predicted) or not d.any():
            break
        trial = evaluate((best.u + d).clip(*box))
        gain = best.loss - trial.loss
        # A step that fails improves the model too, unless by more than it might have gained:
        # beyond a kink or a wall the gradient tells nothing of the curvature here.
        if gain >= slope and np.isfinite(trial.gradient).all():
            model.update(d, trial.gradient - best.gradient)
        model.update_radius(d, gain, predicted, _parabola_minimum(gain, slope))
        best = min(best, trial, key=lambda value: value.loss)
    return best


def _positive_definite(B: FloatArray, share: float) -> FloatArray:
    """Return B with eigenvalues made positive, and at least this share of the largest."""
    eigenvalues, axes = np.linalg.eigh(B)
    # absolute values: along negative curvature too, a step should descend
    sizes = np.abs(eigenvalues)
    return np.asarray((axes * sizes.clip(min=max(share * sizes.max(), TINY))) @ axes.T)


def _longest_step(d: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the longest step along d in its free coordinates, clipped to the bounds."""
    free = np.where(d < 0, low < 0, high > 0)
    d = np.where(free, d, 0.0)
    longest = float(np.abs(d).max())
    reach = float(np.abs(np.concatenate([low, high])).max())
    return (d * (reach / longest if longest else 0.0)).clip(low, high)


def _parabola_minimum(gain: float, slope: float) -> float:
    """Return the share of a step, in [0.1, 0.5], at which a parabola through it is minimal.

    The parabola has the value and the slope along the step at its start, and the value at its end.
    """
    curvature = -gain - slope
    return float(np.clip(-slope / (2 * curvature), 0.1, 0.5)) if curvature > 0 else 0.5
