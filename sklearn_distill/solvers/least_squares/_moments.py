"""Weight, mean and spread of rows: what least squares needs to know about data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self, TypeAlias

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.least_squares._factors import Factor


class RemoteTile(Protocol):
    """A block B of rows that lies elsewhere; what is asked of it comes here."""

    def gram(self) -> FloatArray:
        """Return BᵀB."""

    def root(self) -> FloatArray:
        """Return R with RᵀR = BᵀB, of at most as many rows as columns."""


Tile: TypeAlias = FloatArray | RemoteTile


@dataclass(frozen=True)
class Moments(ABC):
    r"""Moments of weighted rows z = [features | targets], mergeable.

    With weight :math:`W = Σ s_i` and mean :math:`m = Σ s_i z_i / W`, two sets of rows merge by

    .. math::

        S = S_1 + S_2 + \tfrac{W_1 W_2}{W_1 + W_2}\, δδ^⊤, \qquad δ = m_1 - m_2,

    where :math:`S = Σ s_i (z_i - m)(z_i - m)^⊤`. Every term is a sum of squares: nothing cancels,
    however far the mean is from zero. :class:`Gram` keeps S, :class:`Root` a root of it.

    Parameters
    ----------
    weight : float
        W > 0.
    mean : ndarray of shape (n_columns,)
        m.
    spread : ndarray of shape (k, n_columns)
        S, or R with RᵀR = S.
    resolution : float
        Machine epsilon of the data: variation that is a smaller share of X is rounding.

    References
    ----------
    Chan, Golub and LeVeque 1983, eq. (2.1).
    """

    weight: float
    mean: FloatArray
    spread: FloatArray
    resolution: float = float(np.finfo(np.float64).eps)

    # blocks of fewer rows cost more, for each row, than blocks of more
    rows_a_column: ClassVar[float] = 0.5

    @classmethod
    def of_tiles(
        cls, tiles: Iterable[Tile], shift: FloatArray, resolution: float = resolution
    ) -> Self:
        """Collect rows √s · [1 | z − shift], tile by tile; a tile may be overwritten after."""
        spread = cls._nothing(len(shift) + 1)
        for tile in tiles:
            spread = cls._absorb(spread, tile)
        weight, mean, spread = cls._about_mean(spread)
        return cls(weight, shift + mean, spread, resolution)

    def merge(self, other: Self) -> Self:
        """Return the moments of both sets of rows."""
        weight = self.weight + other.weight
        apart = other.mean - self.mean
        mean = self.mean + other.weight / weight * apart
        row = np.sqrt(self.weight * (other.weight / weight)) * apart
        spread = self._join(self.spread, other.spread, row)
        return type(self)(weight, mean, spread, max(self.resolution, other.resolution))

    def reweigh(self, share: float, n_features: int, mix: FloatArray) -> Self:
        """Multiply the weights by ``share`` and replace the targets t by t · mix."""
        mean = np.concatenate([self.mean[:n_features], self.mean[n_features:] @ mix])
        spread = self._mix(share, n_features, mix)
        return replace(self, weight=share * self.weight, mean=mean, spread=spread)

    def about_origin(self) -> Self:
        """Return the moments about zero instead of the mean, for a model without intercept."""
        row = np.sqrt(self.weight) * self.mean
        spread = self._join(self.spread, self._nothing(len(self.mean)), row)
        return replace(self, mean=np.zeros_like(self.mean), spread=spread)

    @abstractmethod
    def solve(self, n_features: int, alpha: float) -> tuple[FloatArray, Factor]:
        """Minimise Σ s (t − x·w)² + α‖w‖²: w of shape (n_features, n_targets), factor of H."""

    @abstractmethod
    def residual(self, n_features: int, coef: FloatArray) -> FloatArray:
        """Return Σ s (t − x·w)² of each target, about the mean."""

    @abstractmethod
    def sandwich(self, factor: Factor) -> FloatArray:
        """Return H⁻¹ S H⁻¹ for moments of features alone."""

    @classmethod
    @abstractmethod
    def _nothing(cls, n_columns: int) -> FloatArray: ...

    @classmethod
    @abstractmethod
    def _absorb(cls, spread: FloatArray, tile: Tile) -> FloatArray: ...

    @classmethod
    @abstractmethod
    def _about_mean(cls, spread: FloatArray) -> tuple[float, FloatArray, FloatArray]: ...

    @classmethod
    @abstractmethod
    def _join(cls, one: FloatArray, other: FloatArray, row: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _mix(self, share: float, n_features: int, mix: FloatArray) -> FloatArray: ...
