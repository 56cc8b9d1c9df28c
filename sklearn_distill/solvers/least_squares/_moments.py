"""Moments of weighted rows: weight, mean and spread, the sufficient statistics of a fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self, TypeAlias, TypeVar

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.solvers.least_squares._factors import Factor, FeatureRoot

# A column is constant up to rounding if its deviations, relative to its mean, are smaller.
_ROUNDING = 16 * float(np.finfo(np.float64).eps)


class RemoteTile(Protocol):
    """A tile B of rows on another device, from which only the results are transferred."""

    def gram(self) -> FloatArray:
        """Return BᵀB."""

    def root(self) -> FloatArray:
        """Return R with RᵀR = BᵀB, of at most as many rows as columns."""


Tile: TypeAlias = FloatArray | RemoteTile
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Moments(ABC):
    r"""Moments of weighted rows z = [features | targets], which can be merged.

    With weight :math:`W = Σ s_i` and mean :math:`m = Σ s_i z_i / W`, two sets of rows merge by

    .. math::

        S = S_1 + S_2 + \tfrac{W_1 W_2}{W_1 + W_2}\, δδ^⊤, \qquad δ = m_1 - m_2,

    where :math:`S = Σ s_i (z_i - m)(z_i - m)^⊤`. Every term is a sum of squares, so nothing
    cancels, however far the mean is from zero. :class:`Gram` stores S, :class:`Root` a root of it.

    Parameters
    ----------
    weight : float
        Sum W > 0 of the weights.
    mean : ndarray of shape (n_columns,)
        Weighted mean m of the rows.
    spread : ndarray of shape (k, n_columns)
        The matrix S, or R with RᵀR = S.
    eps : float
        Machine epsilon of the data: variation that is a smaller share of X is rounding.

    References
    ----------
    Chan, Golub and LeVeque 1983, eq. (2.1).
    """

    weight: float
    mean: FloatArray
    spread: FloatArray
    eps: float = float(np.finfo(np.float64).eps)

    # Condition number of X up to which coefficients have eight digits and covariances six.
    max_condition: ClassVar[float]
    # Share of the variation of the targets from which on residual variances have six digits.
    min_residual_share: ClassVar[float] = 0.0
    # Each tile updates all of ``spread``: tiles of fewer rows cost more per row.
    min_rows_per_column: ClassVar[float] = 0.5
    # Whether a tile is no longer needed when the next one is computed.
    takes_shared_tiles: ClassVar[bool] = True

    @classmethod
    def of_tiles(cls, tiles: Iterable[Tile], shift: FloatArray, eps: float = eps) -> Self:
        """Compute moments from tiles of rows √s · [1 | z − shift].

        The tiles of a Gram matrix may share a buffer; those of a triangular root are overwritten.
        """
        keyed = ((None, tile) for tile in tiles)
        return cls.of_keyed_tiles(keyed, lambda _: shift, eps)[None]

    @classmethod
    def of_keyed_tiles(
        cls,
        tiles: Iterable[tuple[_Key, Tile]],
        shift_of: Callable[[_Key], FloatArray],
        eps: float = eps,
    ) -> dict[_Key, Self]:
        """Compute moments of several sets of rows, from tiles that name the set they belong to."""
        spreads: dict[_Key, FloatArray] = {}
        for key, tile in tiles:
            spread = spreads.get(key)
            if spread is None:
                spread = cls._empty_spread(len(shift_of(key)) + 1)
            spreads[key] = cls._add_tile(spread, tile)
        moments = {}
        for key, spread in spreads.items():
            weight, mean, spread = cls._centre(spread)
            moments[key] = cls(weight, shift_of(key) + mean, spread, eps)
        return moments

    def merge(self, other: Self) -> Self:
        """Return the moments of both sets of rows."""
        weight = self.weight + other.weight
        difference = other.mean - self.mean
        mean = self.mean + other.weight / weight * difference
        # δδᵀ W₁W₂/W enters as one more row, √(W₁W₂/W) δ.
        row = np.sqrt(self.weight * (other.weight / weight)) * difference
        spread = self._add(self.spread, other.spread, row)
        return type(self)(weight, mean, spread, max(self.eps, other.eps))

    def reweight(self, scale: float, n_features: int, mixing: FloatArray) -> Self:
        """Multiply the weights by ``scale`` and replace the targets t by t · mixing."""
        mean = np.concatenate([self.mean[:n_features], self.mean[n_features:] @ mixing])
        spread = self._mix_targets(scale, n_features, mixing)
        return replace(self, weight=scale * self.weight, mean=mean, spread=spread)

    def about_origin(self) -> Self:
        """Return the moments about zero instead of the mean, for a model without intercept."""
        row = np.sqrt(self.weight) * self.mean
        spread = self._add(self.spread, self._empty_spread(len(self.mean)), row)
        return replace(self, mean=np.zeros_like(self.mean), spread=spread)

    def _constant(self, n_features: int) -> BoolArray:
        """Return a mask of the columns that are constant up to rounding.

        Without it rounding noise would be scaled up to a feature by equilibration.
        """
        squares, mean = self.squares(slice(n_features)), self.mean[:n_features]
        return np.asarray(squares <= self.weight * (_ROUNDING * mean) ** 2)

    @abstractmethod
    def solve(self, n_features: int, alpha: float) -> tuple[FloatArray, Factor]:
        """Minimise Σ s (t − x·w)² + α‖w‖²: w of shape (n_features, n_targets), factor of H."""

    def solve_path(self, n_features: int, alphas: FloatArray) -> tuple[FloatArray, float]:
        """Minimise Σ s (t − x·w)² + α‖w‖² for each α.

        Returns
        -------
        coef : ndarray of shape (n_alphas, n_features, n_targets)
            Coefficients w.
        condition : float
            Largest condition number of X, with its penalty, on which digits depend; infinite if
            directions were dropped.
        """
        shared, coef = self._solve_shared(n_features, alphas)
        condition = 1.0
        for i in np.flatnonzero(~shared):
            coef[i], factor = self.solve(n_features, float(alphas[i]))
            condition = max(condition, np.inf if factor.deficient else factor.condition)
        return coef, condition

    @abstractmethod
    def _solve_shared(self, n_features: int, alphas: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Return a mask of the α that one factorisation solves, and coefficients for these."""

    @abstractmethod
    def residual_sum_of_squares(
        self, n_features: int, coef: FloatArray, targets: IntArray | None = None
    ) -> FloatArray:
        """Return Σ s (t − x·w)² about the mean, for the target of each column of ``coef``.

        ``targets`` are the numbers of these targets; None if column j is of target j.
        """

    def mean_squared_errors(
        self, n_features: int, coef: FloatArray, intercept: FloatArray, targets: IntArray
    ) -> FloatArray:
        """Return the mean of (t − x·w − b)² for each column w of ``coef``, with its target t."""
        x_mean, t_mean = self.mean[:n_features], self.mean[n_features:]
        bias = t_mean[targets] - intercept - x_mean @ coef
        spread = self.residual_sum_of_squares(n_features, coef, targets)
        return np.asarray(bias**2 + spread / self.weight)

    @abstractmethod
    def feature_root(self, n_features: int) -> FeatureRoot:
        """Return B with BᵀB = S of the features, about the mean."""

    @abstractmethod
    def squares(self, columns: slice = slice(None)) -> FloatArray:
        """Return Σ s (z − m)² of each column."""

    @classmethod
    @abstractmethod
    def _empty_spread(cls, n_columns: int) -> FloatArray: ...

    @classmethod
    @abstractmethod
    def _add_tile(cls, spread: FloatArray, tile: Tile) -> FloatArray: ...

    @classmethod
    @abstractmethod
    def _centre(cls, spread: FloatArray) -> tuple[float, FloatArray, FloatArray]: ...

    @classmethod
    @abstractmethod
    def _add(cls, first: FloatArray, second: FloatArray, row: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _mix_targets(self, scale: float, n_features: int, mixing: FloatArray) -> FloatArray: ...
