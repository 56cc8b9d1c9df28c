"""Moments as a Gram matrix, computed by one matrix product per tile."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.linalg.blas import dsyrk

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.solvers.least_squares._factors import (
    Factor,
    FeatureRoot,
    factorise,
    root_of_gram,
)
from sklearn_distill.solvers.least_squares._moments import Moments, Tile
from sklearn_distill.solvers.least_squares._tridiagonal import Tridiagonal

# With more columns the matrix has over 2³¹ entries, more than BLAS can index.
_MAX_COLUMNS = 46_000
# Rows of the matrix that are made symmetric at once.
_ROWS = 64


class Gram(Moments):
    """Moments whose ``spread`` is the matrix S: fast, but with the squared condition number.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 3.0], [1.0, 2.0, 5.0]])  # [1 | x | y]
    >>> gram = Gram.of_tiles([rows], shift=np.zeros(2))
    >>> gram.weight, gram.mean
    (3.0, array([1., 3.]))
    >>> coef, factor = gram.solve(n_features=1, alpha=0.0)
    >>> coef
    array([[2.]])
    """

    # The relative error is eps · cond², 2e-9 here, and grows with the number of rows.
    max_condition: ClassVar[float] = 3e3
    # The sum of squared residuals is a difference, of which a share of eps is rounding.
    min_residual_share: ClassVar[float] = 1e-9

    def solve(self, n_features: int, alpha: float) -> tuple[FloatArray, Factor]:
        """Minimise Σ s (t − x·w)² + α‖w‖² by the normal equations."""
        d = n_features
        H, right = self.spread[:d, :d], self.spread[:d, d:]
        factor = factorise(H + alpha * np.eye(d) if alpha else H, self._constant(d))
        return factor.solve(right), factor

    def _solve_shared(self, n_features: int, alphas: FloatArray) -> tuple[BoolArray, FloatArray]:
        d = n_features
        H, right = self.spread[:d, :d], self.spread[:d, d:]
        coef = np.empty((len(alphas), d, right.shape[1]))
        tridiagonal = Tridiagonal.of(H)
        # without the scales of the columns, which the solution for a single α takes out
        shared = tridiagonal.condition(alphas) <= self.max_condition
        coef[shared] = tridiagonal.solve_all(alphas[shared], right)
        return shared, coef

    def residual_sum_of_squares(
        self, n_features: int, coef: FloatArray, targets: IntArray | None = None
    ) -> FloatArray:
        """Return Σ s (t − x·w)² about the mean, for the target of each column of ``coef``."""
        d, chosen = n_features, slice(None) if targets is None else targets
        S_xx, S_xt = self.spread[:d, :d], self.spread[:d, d:][:, chosen]
        S_tt = np.diagonal(self.spread)[d:][chosen]
        # Rounding may leave a negative sum of squares where the fit is perfect.
        squares = S_tt + ((S_xx @ coef - 2 * S_xt) * coef).sum(axis=0)
        return np.asarray(np.maximum(squares, 0.0))

    def feature_root(self, n_features: int) -> FeatureRoot:
        """Return B with BᵀB = S of the features, without directions lost in rounding."""
        S = self.spread[:n_features, :n_features]
        return root_of_gram(S, self._constant(n_features))

    def squares(self, columns: slice = slice(None)) -> FloatArray:
        """Return Σ s (z − m)² of each column."""
        return np.diagonal(self.spread)[columns]

    @classmethod
    def _empty_spread(cls, n_columns: int) -> FloatArray:
        if n_columns > _MAX_COLUMNS:
            raise ValueError(
                f"the Gram matrix of {n_columns} columns (features, outputs of y and of the "
                f"teacher) would take {8e-9 * n_columns**2:.0f} GB: use fewer columns"
            )
        return np.zeros((n_columns, n_columns), order="F")

    @classmethod
    def _add_tile(cls, spread: FloatArray, tile: Tile) -> FloatArray:
        if not isinstance(tile, np.ndarray):
            return np.asarray(spread + tile.gram())
        # Adds to the upper triangle in place: half the operations of a general product.
        return np.asarray(dsyrk(1.0, tile.T, beta=1.0, c=spread, overwrite_c=1))

    @classmethod
    def _centre(cls, spread: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        weight, mean = float(spread[0, 0]), spread[0, 1:] / spread[0, 0]
        upper, symmetric = spread[1:, 1:], np.empty((len(mean),) * 2)
        # some rows at a time: of a large matrix a transpose reads each line of the cache many times
        for start in range(0, len(mean), _ROWS):
            rows, rest = slice(start, start + _ROWS), slice(start, None)
            part = upper[rows, rest] - np.outer(weight * mean[rows], mean[rest])
            symmetric[rest, rows] = part.T
            part[:, : part.shape[0]] = np.triu(part[:, : part.shape[0]])
            part[:, : part.shape[0]] += np.triu(part[:, : part.shape[0]], 1).T
            symmetric[rows, rest] = part
        return weight, mean, symmetric

    @classmethod
    def _add(cls, first: FloatArray, second: FloatArray, row: FloatArray) -> FloatArray:
        total = np.outer(row, row)
        total += first
        total += second
        return total

    def _mix_targets(self, scale: float, n_features: int, mixing: FloatArray) -> FloatArray:
        d, S = n_features, self.spread
        mixed = np.empty((d + mixing.shape[1],) * 2)
        mixed[:d, :d] = S[:d, :d]
        mixed[:d, d:] = S[:d, d:] @ mixing
        mixed[d:, :d] = mixed[:d, d:].T
        mixed[d:, d:] = mixing.T @ S[d:, d:] @ mixing
        mixed *= scale
        return mixed
