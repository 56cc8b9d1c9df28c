"""Moments as a triangular root, computed by one QR factorisation per tile (TSQR)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.linalg.blas import dger

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.solvers.least_squares._factors import (
    Factor,
    FeatureRoot,
    RowSpaceFactor,
    SpectralFactor,
    TriangularFactor,
    solve_in_row_space,
)
from sklearn_distill.solvers.least_squares._moments import Moments, Tile
from sklearn_distill.solvers.least_squares._tridiagonal import Tridiagonal
from sklearn_distill.solvers.least_squares.gram import Gram

_EPS = float(np.finfo(np.float64).eps)
# Singular values of a smaller share of the largest may be the rounding of many rows.
_DEPENDENT = 1e-13
# Condition number up to which the singular values have ten digits.
_SHARED = 1e6


class Root(Moments):
    """Moments whose ``spread`` is R with RᵀR = S: as accurate as an SVD of the rows themselves.

    R has at most as many rows as columns; fewer data rows than that are stored about their mean.
    With fewer rows than features, the coefficients are computed in the row space.

    References
    ----------
    Demmel, Grigori, Hoemmen and Langou 2012, "Communication-optimal parallel and sequential QR".

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 3.0], [1.0, 2.0, 5.0]])  # [1 | x | y]
    >>> root = Root.of_tiles([rows], shift=np.zeros(2))
    >>> coef, factor = root.solve(n_features=1, alpha=0.0)
    >>> coef.round(12)
    array([[2.]])
    """

    # The relative error is eps · cond: 2e-8 here.
    max_condition: ClassVar[float] = 1e8
    # Each factorisation includes all rows of R, so a tile should have as many rows.
    min_rows_per_column: ClassVar[float] = 1.0
    # A single tile of few rows is the root, which would otherwise be a copy.
    takes_shared_tiles: ClassVar[bool] = False

    def solve(self, n_features: int, alpha: float) -> tuple[FloatArray, Factor]:
        """Minimise Σ s (t − x·w)² + α‖w‖² by R or, if it is rank-deficient, its singular values."""
        R, right = self.spread[:, :n_features], self.spread[:, n_features:]
        if len(R) < n_features:
            coef = solve_in_row_space(R, right, alpha, Gram.max_condition)
            if coef is not None:
                return coef, RowSpaceFactor(R, alpha)
        varying = ~self._constant(n_features)
        if self._is_independent(R[:, varying]):
            return self._solve_triangular(n_features, alpha, varying)
        left, singular, basis = np.linalg.svd(R, full_matrices=False)
        kept = self._resolved(R, singular)
        singular, basis = singular[kept], basis[kept].T
        values = singular**2 + alpha
        coef = basis @ ((singular / values)[:, None] * (left[:, kept].T @ right))
        return coef, SpectralFactor(basis, values, len(singular) < n_features)

    def _solve_triangular(
        self, n_features: int, alpha: float, varying: BoolArray
    ) -> tuple[FloatArray, Factor]:
        d = int(varying.sum())
        rows = np.hstack([self.spread[:, :n_features][:, varying], self.spread[:, n_features:]])
        if alpha:  # √α I are d further rows, whose target is 0
            rows = np.vstack([rows, np.sqrt(alpha) * np.eye(d, rows.shape[1])])
        R = _triangle(rows)[:d]
        factor = TriangularFactor(R[:, :d], varying, _condition(_equilibrated(R[:, :d])))
        coef = np.zeros((n_features, R.shape[1] - d))
        coef[varying] = solve_triangular(R[:, :d], R[:, d:], check_finite=False)
        return coef, factor

    def _solve_shared(self, n_features: int, alphas: FloatArray) -> tuple[BoolArray, FloatArray]:
        R, right = self.spread[:, :n_features], self.spread[:, n_features:]
        if len(R) < n_features:
            tridiagonal = Tridiagonal.of(R @ R.T)
            shared = tridiagonal.condition(alphas) <= Gram.max_condition
            if shared.any():
                coef = np.empty((len(alphas), n_features, right.shape[1]))
                coef[shared] = R.T @ tridiagonal.solve_all(alphas[shared], right)
                return shared, coef
        left, singular, basis = np.linalg.svd(R, full_matrices=False)
        kept = self._resolved(R, singular)
        # where columns of very different scales hide small singular values, each α has its own
        is_shared = _ratio(singular) <= _SHARED or not self._is_independent(
            R[:, ~self._constant(n_features)]
        )
        shrunk = singular[kept] / (singular[kept] ** 2 + alphas[:, None])
        coef = basis[kept].T @ (shrunk[:, :, None] * (left[:, kept].T @ right))
        return np.full(len(alphas), is_shared), coef

    def residual_sum_of_squares(
        self, n_features: int, coef: FloatArray, targets: IntArray | None = None
    ) -> FloatArray:
        """Return Σ s (t − x·w)² about the mean, for the target of each column of ``coef``."""
        R, right = self.spread[:, :n_features], self.spread[:, n_features:]
        right = right if targets is None else right[:, targets]
        return np.asarray(((right - R @ coef) ** 2).sum(axis=0))

    def feature_root(self, n_features: int) -> FeatureRoot:
        """Return R itself."""
        R, varying = self.spread[:, :n_features], ~self._constant(n_features)
        if self._is_independent(R[:, varying]):
            return FeatureRoot(R, int(varying.sum()), _condition(_equilibrated(R[:, varying])))
        singular = np.linalg.svd(R, compute_uv=False)
        singular = singular[self._resolved(R, singular)]
        return FeatureRoot(R, len(singular), _ratio(singular))

    def _is_independent(self, R: FloatArray) -> bool:
        """Return whether no column depends on others, whatever the scales of the columns."""
        if len(R) < R.shape[1]:
            return False
        singular = np.linalg.svd(_equilibrated(R), compute_uv=False)
        return bool(self._resolved(R, singular).all())

    def squares(self, columns: slice = slice(None)) -> FloatArray:
        """Return Σ s (z − m)² of each column."""
        R = self.spread[:, columns]
        return np.asarray(np.einsum("ij,ij->j", R, R))

    def as_gram(self) -> Gram:
        """Return the same moments as a Gram matrix."""
        return Gram(self.weight, self.mean, self.spread.T @ self.spread, self.eps)

    def _resolved(self, R: FloatArray, singular: FloatArray) -> BoolArray:
        """Return a mask of the singular values that are not rounding errors."""
        # Columns that are collinear but for the rounding of float32 data count as collinear.
        rounding = max(_EPS * max(R.shape), _DEPENDENT, 4 * self.eps)
        return np.asarray(singular > rounding * singular.max(initial=0.0))

    @classmethod
    def _empty_spread(cls, n_columns: int) -> FloatArray:
        return np.zeros((0, n_columns))

    @classmethod
    def _add_tile(cls, spread: FloatArray, tile: Tile) -> FloatArray:
        rows = tile if isinstance(tile, np.ndarray) else tile.root()
        return _at_most_square(np.vstack([spread, rows]) if len(spread) else rows)

    @classmethod
    def _centre(cls, spread: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        # R of [1 | z]: its first row is √W [1 | mean], the other rows are a root about the mean.
        R = _triangle(spread) if len(spread) >= spread.shape[1] else _reflect(spread)
        return float(R[0, 0]) ** 2, R[0, 1:] / R[0, 0], R[1:, 1:]

    @classmethod
    def _add(cls, first: FloatArray, second: FloatArray, row: FloatArray) -> FloatArray:
        return _at_most_square(np.vstack([first, second, row]))

    def _mix_targets(self, scale: float, n_features: int, mixing: FloatArray) -> FloatArray:
        R, d = self.spread, n_features
        if scale == 1 and np.array_equal(mixing, np.eye(R.shape[1] - d)):
            return R  # as large as the data if there are few rows
        mixed = np.hstack([R[:, :d], R[:, d:] @ mixing])
        mixed *= np.sqrt(scale)
        return mixed


def _reflect(rows: FloatArray) -> FloatArray:
    """Reflect rows so that the first column is 0 below the first row: the first step of a QR."""
    first = rows[:, 0]
    v = first.copy()
    v[0] += np.copysign(np.linalg.norm(first), v[0])
    # in place, as the rows are no longer needed
    return np.asarray(dger(-2 / (v @ v), v @ rows, v, a=rows.T, overwrite_a=1).T)


def _equilibrated(R: FloatArray) -> FloatArray:
    """Return R with columns of length 1, or 0."""
    norms = np.sqrt((R**2).sum(axis=0))
    return np.asarray(R / np.where(norms > 0, norms, 1.0))


def _condition(R: FloatArray) -> float:
    return _ratio(np.linalg.svd(R, compute_uv=False))


def _ratio(singular: FloatArray) -> float:
    if not singular.any():  # no column varies
        return 1.0
    with np.errstate(divide="ignore"):
        return float(np.divide(singular[0], singular[-1]))


def _at_most_square(rows: FloatArray) -> FloatArray:
    return _triangle(rows) if rows.shape[0] > rows.shape[1] else rows


def _triangle(rows: FloatArray) -> FloatArray:
    (R,) = qr(rows, mode="r", overwrite_a=True, check_finite=False)
    return np.asarray(R[: min(rows.shape)])
