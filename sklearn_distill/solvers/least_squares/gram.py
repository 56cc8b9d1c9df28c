"""Moments as a Gram matrix, computed by one matrix product per tile."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.linalg.blas import dsyrk

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.least_squares._factors import (
    Factor,
    FeatureRoot,
    factorise,
    root_of_gram,
)
from sklearn_distill.solvers.least_squares._moments import Moments, Tile

# With more columns the matrix has over 2³¹ entries, more than BLAS can index.
_MAX_COLUMNS = 46_000


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

    def residual_sum_of_squares(self, n_features: int, coef: FloatArray) -> FloatArray:
        """Return Σ s (t − x·w)² of each target, about the mean."""
        d = n_features
        S_xx, S_xt, S_tt = self.spread[:d, :d], self.spread[:d, d:], self.spread[d:, d:]
        # Rounding may leave a negative sum of squares where the fit is perfect.
        squares = np.diagonal(S_tt) + ((S_xx @ coef - 2 * S_xt) * coef).sum(axis=0)
        return np.asarray(np.maximum(squares, 0.0))

    def feature_root(self, n_features: int) -> FeatureRoot:
        """Return B with BᵀB = S of the features, without directions lost in rounding."""
        S = self.spread[:n_features, :n_features]
        return root_of_gram(S, self._constant(n_features))

    def squares(self) -> FloatArray:
        """Return Σ s (z − m)² of each column."""
        return np.diagonal(self.spread)

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
        upper = np.triu(spread[1:, 1:])
        symmetric = upper + np.triu(upper, 1).T
        return weight, mean, symmetric - weight * np.outer(mean, mean)

    @classmethod
    def _add(cls, first: FloatArray, second: FloatArray, row: FloatArray) -> FloatArray:
        return np.asarray(first + second + np.outer(row, row))

    def _mix_targets(self, scale: float, n_features: int, mixing: FloatArray) -> FloatArray:
        d, S = n_features, scale * self.spread
        cross = S[:d, d:] @ mixing
        return np.block([[S[:d, :d], cross], [cross.T, mixing.T @ S[d:, d:] @ mixing]])
