"""Protocols of objectives, and the result of a solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray, RowIndexer
from sklearn_distill.solvers.factor import Preconditioner

# Called after each iteration with (n_iter, value, max|gradient|).
Progress = Callable[[int, float, float], None]

Evaluation = tuple[float, FloatArray]  # F(w), ∇F(w)


class Moments(Protocol):
    """Moments of the diagonal blocks of a Hessian, for :class:`ClassMeansFactor`."""

    @property
    def curvature(self) -> FloatArray:
        """Curvature of each score."""

    @property
    def means(self) -> FloatArray:
        """Mean of the features of each score, weighted by its curvature."""

    @property
    def spread(self) -> FloatArray:
        """Covariance of the features about these means, of all scores."""

    @property
    def alpha(self) -> float:
        """Strength of the penalty."""

    @property
    def fit_intercept(self) -> bool:
        """Whether the last weight of each score is an intercept."""


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
        """Return the objective of some rows, as a mean over them like that of all rows."""

    def hessian_at_zero(self) -> FloatArray:
        """Return A of the Hessian P ⊗ A at equally probable classes."""

    def hessian_at_zero_of(self, columns: IntArray) -> FloatArray | None:
        """Return A of some columns, or None if that costs as much as of all."""

    def hessian_diagonal_at_zero(self) -> FloatArray:
        """Return a nonnegative diagonal with the scale of each weight of a score."""

    def nonsingular_hessian(self, w: FloatArray) -> FloatArray:
        """Return ∇²F(w) of all weights, made nonsingular along directions without gradient."""

    def hessian_blocks(self, w: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²F(w), one per score, in the precision of the products."""

    def class_moments(self, w: FloatArray) -> Moments:
        """Return the curvature, mean and common spread of these blocks."""


@dataclass(frozen=True)
class Solution:
    """Result of a solver.

    Parameters
    ----------
    w : ndarray of shape (n_weights,)
        Weights of the last iterate.
    value : float
        Value F(w) of the objective.
    gradient_norm : float
        Largest absolute entry of ∇F(w).
    n_iter : int
        Number of iterations of all methods used.
    converged : bool
        Whether ``gradient_norm`` and the estimated distance are at most their tolerances; the
        distance may stay above its own where rounding prevents further progress.
    solver : str
        Name of the method that returned the last iterate.
    factor : Preconditioner or None
        Factor of a matrix close to the Hessian, to be reused for similar problems.
    gradient : ndarray of shape (n_weights,) or None
        ∇F(w); None if the solver does not return it.
    stalled : bool
        Whether the solver stopped because rounding hides every further improvement.
    """

    w: FloatArray
    value: float
    gradient_norm: float
    n_iter: int
    converged: bool
    solver: str = ""
    factor: Preconditioner | None = None
    gradient: FloatArray | None = None
    stalled: bool = False

    @property
    def evaluation(self) -> Evaluation | None:
        """F(w) and ∇F(w), with which another solver can start without a pass of its own."""
        return None if self.gradient is None else (self.value, self.gradient)


def max_abs(gradient: FloatArray) -> float:
    """Return the largest absolute entry of a gradient, the measure of convergence.

    Parameters
    ----------
    gradient : ndarray of shape (n_weights,)
        Gradient ∇F of the objective.

    Returns
    -------
    float
        max|∇F|, 0 without weights.
    """
    return float(np.abs(gradient).max(initial=0.0))
