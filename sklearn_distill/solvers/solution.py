"""What a solver needs and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sklearn_distill._typing import FloatArray, RowIndexer
from sklearn_distill.solvers.factor import Preconditioner

# called once an iteration with (n_iter, value, max|gradient|)
Progress = Callable[[int, float, float], None]


class Smooth(Protocol):
    """A differentiable function of a flat vector of weights."""

    def value_and_gradient(self, w: FloatArray) -> tuple[float, FloatArray]:
        """Return F(w) and ∇F(w)."""


class Objective(Smooth, Protocol):
    """A twice differentiable function of a flat vector of weights."""

    def hessian_operator(self, w: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return v ↦ ∇²F(w) v."""


class RowwiseObjective(Objective, Protocol):
    """An objective over rows of data that can be restricted to some of them."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    @property
    def n_columns(self) -> int:
        """Number of weights of one score."""

    def take(self, rows: RowIndexer) -> RowwiseObjective:
        """Return the objective of some rows, on the scale of the whole."""

    def hessian_at_zero(self) -> FloatArray:
        """Return A, where the Hessian at equally probable classes is A for each score."""

    def nonsingular_hessian(self, w: FloatArray) -> FloatArray:
        """Return ∇²F(w) of all scores together, made nonsingular off the gradients' space."""

    def hessian_blocks(self, w: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²F(w), one a score."""


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
    solver : str
        The method that ended there.
    factor : Preconditioner or None
        A factor near that of the Hessian, for another solve to reuse.
    gradient : ndarray of shape (n_weights,) or None
        ∇F(w), where the method says it.
    """

    w: FloatArray
    value: float
    gradient_norm: float
    n_iter: int
    converged: bool
    solver: str = ""
    factor: Preconditioner | None = None
    gradient: FloatArray | None = None


def largest(gradient: FloatArray) -> float:
    """Return max|∇F|, the measure of convergence.

    Parameters
    ----------
    gradient : ndarray of shape (n_weights,)
        ∇F.

    Returns
    -------
    float
        Its largest entry in absolute value.
    """
    return float(np.abs(gradient).max(initial=0.0))
