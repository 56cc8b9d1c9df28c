"""What a solver needs and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sklearn_distill._typing import FloatArray

# called once an iteration with (n_iter, value, max|gradient|)
Progress = Callable[[int, float, float], None]


class Objective(Protocol):
    """A twice differentiable function of a flat vector of weights."""

    def value_and_gradient(self, w: FloatArray) -> tuple[float, FloatArray]:
        """Return F(w) and ∇F(w)."""

    def hessian_operator(self, w: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return v ↦ ∇²F(w) v."""


@dataclass(frozen=True)
class Solution:
    """Where a solver stopped.

    Parameters
    ----------
    w : ndarray of shape (n_weights,)
        The weights.
    value : float
        F(w).
    gradient_norm : float
        max|∇F(w)|.
    n_iter : int
        Number of iterations.
    converged : bool
        Whether the gradient is within the tolerance.
    factor : object or None
        A factor of (an approximation of) the Hessian at ``w`` that another solve may reuse.
    """

    w: FloatArray
    value: float
    gradient_norm: float
    n_iter: int
    converged: bool
    factor: Any = None
