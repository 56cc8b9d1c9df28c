"""Factors of H = Σ s x xᵀ + αI that solve H v = b, by minimum norm where H is singular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpocon, dpotrf

from sklearn_distill._typing import BoolArray, FloatArray

_EPS = float(np.finfo(np.float64).eps)


class Factor(Protocol):
    """What least squares needs to know about H."""

    @property
    def rank(self) -> int:
        """Rank of the rows."""

    @property
    def deficient(self) -> bool:
        """Whether directions other than constant columns were left out."""

    @property
    def condition(self) -> float:
        """Condition number of the rows, that is the root of that of H, of what is not left out."""

    def solve(self, b: FloatArray) -> FloatArray:
        """Return H⁻¹ b, or H⁺ b where H is singular."""


@dataclass(frozen=True)
class CholeskyFactor:
    """Factor of D H D, where D makes the diagonal one.

    Parameters
    ----------
    scale : ndarray of shape (n_features,)
        Diagonal of D; 0 at columns that are left out because they never vary.
    lower : ndarray of shape (n_features, n_features)
        L with L Lᵀ = D H D.
    condition : float
        Estimate of √cond₁(D H D).
    """

    scale: FloatArray
    lower: FloatArray
    condition: float
    deficient: bool = False

    @property
    def rank(self) -> int:
        """Number of columns that vary."""
        return int(np.count_nonzero(self.scale))

    def solve(self, b: FloatArray) -> FloatArray:
        """Return H⁻¹ b."""
        scale = self.scale[:, None]
        inner = cho_solve((self.lower, True), scale * b, check_finite=False)
        return np.asarray(scale * inner)


@dataclass(frozen=True)
class SpectralFactor:
    """Eigenvectors V and eigenvalues of H, those of the null space left out.

    Parameters
    ----------
    basis : ndarray of shape (n_features, rank)
        V.
    values : ndarray of shape (rank,)
        Eigenvalues, positive.
    deficient : bool
        Whether eigenvectors were left out.
    """

    basis: FloatArray
    values: FloatArray
    deficient: bool

    @property
    def rank(self) -> int:
        """Number of eigenvectors kept."""
        return len(self.values)

    @property
    def condition(self) -> float:
        """Root of the largest over the smallest eigenvalue."""
        return float(np.sqrt(self.values.max() / self.values.min())) if self.rank else 1.0

    def solve(self, b: FloatArray) -> FloatArray:
        """Return V diag(1/values) Vᵀ b."""
        return np.asarray(self.basis @ ((self.basis.T @ b) / self.values[:, None]))


def factorise(H: FloatArray, constant: BoolArray) -> Factor:
    """Factor a Gram matrix: Cholesky of the equilibrated one, or its spectrum if it is singular.

    Parameters
    ----------
    H : ndarray of shape (n_features, n_features)
        Symmetric, positive semi-definite.
    constant : ndarray of bool of shape (n_features,)
        Columns that never vary; their coefficients are 0.

    Returns
    -------
    CholeskyFactor or SpectralFactor
        The factor.

    Examples
    --------
    >>> import numpy as np
    >>> factor = factorise(np.array([[4.0, 2.0], [2.0, 3.0]]), np.zeros(2, dtype=bool))
    >>> factor.solve(np.array([[8.0], [8.0]])).ravel().round(6)
    array([1., 2.])
    """
    scale = np.zeros(len(H))
    scale[~constant] = 1 / np.sqrt(np.diagonal(H)[~constant])
    equilibrated = H * scale * scale[:, None]
    equilibrated[constant, constant] = 1.0
    norm = float(np.abs(equilibrated).sum(axis=0).max(initial=1.0))
    lower, not_definite = dpotrf(equilibrated, lower=1)
    reciprocal = 0.0 if not_definite else float(dpocon(lower, norm, uplo="L")[0])
    if reciprocal < _singular(len(H)):
        return _spectral(H)
    return CholeskyFactor(scale, lower, float(1 / np.sqrt(reciprocal)))


def _spectral(H: FloatArray) -> SpectralFactor:
    values, basis = np.linalg.eigh(H)
    kept = values > _singular(len(H)) * values[-1]
    return SpectralFactor(basis[:, kept], values[kept], not kept.all())


def _singular(n_features: int) -> float:
    """Return the relative size below which an eigenvalue of a Gram matrix is rounding error."""
    return 10 * n_features * _EPS
