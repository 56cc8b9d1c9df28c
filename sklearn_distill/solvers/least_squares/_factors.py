"""Factors of H = Σ s x xᵀ + αI and roots of S = Σ s x xᵀ; a singular H gives minimum norm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpocon, dpotrf, dpstrf

from sklearn_distill._typing import BoolArray, FloatArray

_EPS = float(np.finfo(np.float64).eps)


class Factor(Protocol):
    """A factor of H, with its rank and condition."""

    @property
    def rank(self) -> int:
        """Numerical rank of X."""

    @property
    def deficient(self) -> bool:
        """Whether directions were dropped, other than constant columns."""

    @property
    def condition(self) -> float:
        """Condition number of X without dropped directions: the square root of that of H."""

    @property
    def smallest(self) -> float:
        """A lower bound of the smallest eigenvalue of H, without dropped directions."""

    def solve(self, b: FloatArray) -> FloatArray:
        """Return H⁻¹ b, or H⁺ b where H is singular."""


@dataclass(frozen=True)
class CholeskyFactor:
    """Cholesky factor of the equilibrated matrix D H D, which has a unit diagonal.

    Parameters
    ----------
    scale : ndarray of shape (n_features,)
        Diagonal of D; 0 for constant columns, which are dropped.
    lower : ndarray of shape (n_features, n_features)
        Triangular L with L Lᵀ = D H D.
    condition : float
        Estimate of √cond₁(D H D).
    deficient : bool
        Always False: a singular H has a :class:`SpectralFactor`.
    """

    scale: FloatArray
    lower: FloatArray
    condition: float
    deficient: bool = False

    @property
    def rank(self) -> int:
        """Number of columns that are not constant."""
        return int(np.count_nonzero(self.scale))

    @property
    def smallest(self) -> float:
        """A lower bound of the smallest eigenvalue of H."""
        return (
            float((1 / (self.scale.max(initial=0.0) * self.condition)) ** 2) if self.rank else 1.0
        )

    def solve(self, b: FloatArray) -> FloatArray:
        """Return H⁻¹ b."""
        scale = self.scale[:, None]
        inner = cho_solve((self.lower, True), scale * b, check_finite=False)
        return np.asarray(scale * inner)


@dataclass(frozen=True)
class TriangularFactor:
    """Triangular R of full rank with RᵀR = H, without the constant columns.

    Parameters
    ----------
    upper : ndarray of shape (rank, rank)
        The matrix R.
    varying : ndarray of bool of shape (n_features,)
        Mask of the columns that are not constant; the others are dropped.
    condition : float
        Condition number of R with columns of length 1.
    deficient : bool
        Always False: a singular H has a :class:`SpectralFactor`.
    """

    upper: FloatArray
    varying: BoolArray
    condition: float
    deficient: bool = False

    @property
    def rank(self) -> int:
        """Number of columns that are not constant."""
        return len(self.upper)

    @property
    def smallest(self) -> float:
        """A lower bound of the smallest eigenvalue of H."""
        return float((self.upper**2).sum(axis=0).min(initial=np.inf) / self.condition**2)

    def solve(self, b: FloatArray) -> FloatArray:
        """Return R⁻¹ R⁻ᵀ b."""
        inner = solve_triangular(self.upper, b[self.varying], trans="T", check_finite=False)
        solution = np.zeros(b.shape)
        solution[self.varying] = solve_triangular(self.upper, inner, check_finite=False)
        return solution


@dataclass(frozen=True)
class SpectralFactor:
    """Eigenvectors V and eigenvalues of H, without those of the null space.

    Parameters
    ----------
    basis : ndarray of shape (n_features, rank)
        Eigenvectors V as columns.
    values : ndarray of shape (rank,)
        Eigenvalues of H, all of them positive.
    deficient : bool
        Whether eigenvectors were dropped.
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
        """Square root of the largest over the smallest eigenvalue."""
        return float(np.sqrt(self.values.max() / self.values.min())) if self.rank else 1.0

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue of H."""
        return float(self.values.min(initial=np.inf))

    def solve(self, b: FloatArray) -> FloatArray:
        """Return V diag(1/values) Vᵀ b."""
        return np.asarray(self.basis @ ((self.basis.T @ b) / self.values[:, None]))


@dataclass(frozen=True)
class RowSpaceFactor:
    """Factor of H = RᵀR + αI where R has full rank and fewer rows than columns.

    Coefficients need the Cholesky factor of R Rᵀ + αI only. The singular vectors, for covariances,
    are computed when they are used.

    Parameters
    ----------
    root : ndarray of shape (rank, n_features)
        The matrix R.
    alpha : float
        Strength α of the penalty.
    """

    root: FloatArray
    alpha: float

    @property
    def rank(self) -> int:
        """Number of rows of R."""
        return len(self.root)

    @property
    def deficient(self) -> bool:
        """True: the directions that no row has were dropped."""
        return True

    @cached_property
    def spectral(self) -> SpectralFactor:
        """Eigenvectors and eigenvalues of H in the row space of R."""
        _, singular, basis = np.linalg.svd(self.root, full_matrices=False)
        return SpectralFactor(basis.T, singular**2 + self.alpha, deficient=True)

    @property
    def condition(self) -> float:
        """Square root of the largest over the smallest eigenvalue."""
        return self.spectral.condition

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue of H."""
        return self.spectral.smallest

    def solve(self, b: FloatArray) -> FloatArray:
        """Return H⁻¹ b for columns b in the row space of R."""
        return self.spectral.solve(b)


def solve_in_row_space(
    R: FloatArray, right: FloatArray, alpha: float, max_condition: float
) -> FloatArray | None:
    r"""Return Rᵀ (R Rᵀ + αI)⁻¹ t, the minimiser of ‖t − R w‖² + α‖w‖² of smallest norm.

    Parameters
    ----------
    R : ndarray of shape (k, n_features)
        A matrix of fewer rows than columns.
    right : ndarray of shape (k, n_targets)
        Targets t.
    alpha : float
        Strength α ≥ 0 of the penalty.
    max_condition : float
        Largest :math:`\sqrt{\mathrm{cond}(R R^⊤ + αI)}` for which the normal equations have enough
        digits.

    Returns
    -------
    ndarray of shape (n_features, n_targets) or None
        The coefficients w; None if they have too few digits.

    References
    ----------
    Saunders, Gammerman and Vovk 1998, "Ridge regression learning algorithm in dual variables".

    Examples
    --------
    >>> solve_in_row_space(np.array([[3.0, 4.0]]), np.array([[5.0]]), 0.0, 1e3)
    array([[0.6],
           [0.8]])
    """
    K = R @ R.T
    K[np.diag_indices_from(K)] += alpha
    norm = _norm(K)
    # the transpose is in Fortran order, so that K is factored in place
    lower, not_definite = dpotrf(K.T, lower=1, clean=0, overwrite_a=1)
    if not_definite or dpocon(lower, norm, uplo="L")[0] < max_condition**-2:
        return None
    return np.asarray(R.T @ cho_solve((lower, True), right, check_finite=False))


def factorise(H: FloatArray, constant: BoolArray) -> Factor:
    """Factorise a Gram matrix: equilibrated Cholesky, or eigenvectors if it is singular.

    Parameters
    ----------
    H : ndarray of shape (n_features, n_features)
        Symmetric and positive semidefinite matrix.
    constant : ndarray of bool of shape (n_features,)
        Mask of constant columns, whose coefficients are 0.

    Returns
    -------
    CholeskyFactor or SpectralFactor
        Factor of H, by which systems are solved.

    Examples
    --------
    >>> import numpy as np
    >>> factor = factorise(np.array([[4.0, 2.0], [2.0, 3.0]]), np.zeros(2, dtype=bool))
    >>> factor.solve(np.array([[8.0], [8.0]])).ravel().round(6)
    array([1., 2.])
    """
    scale = _scale(H, constant)
    equilibrated = H * scale * scale[:, None]
    equilibrated[constant, constant] = 1.0  # keeps the matrix definite; scale 0 drops the column
    # LAPACK reports a failure and the reciprocal condition number, which costs only O(d²).
    lower, not_definite = dpotrf(equilibrated, lower=1)
    reciprocal = 0.0 if not_definite else float(dpocon(lower, _norm(equilibrated), uplo="L")[0])
    if reciprocal < _singular_below(len(H)):
        return _spectral(H)
    return CholeskyFactor(scale, lower, float(1 / np.sqrt(reciprocal)))


@dataclass(frozen=True)
class FeatureRoot:
    """A matrix B with BᵀB = S, the spread of the features.

    Parameters
    ----------
    values : ndarray of shape (k, n_features)
        The matrix B.
    rank : int
        Its numerical rank.
    condition : float
        Its condition number without the directions that are rounding errors; infinite if they
        cannot be told from directions of little variation.
    """

    values: FloatArray
    rank: int
    condition: float


def root_of_gram(S: FloatArray, constant: BoolArray) -> FeatureRoot:
    """Return the pivoted Cholesky factor of a Gram matrix, without directions lost in rounding.

    Parameters
    ----------
    S : ndarray of shape (n_features, n_features)
        Symmetric and, but for rounding, positive semidefinite matrix.
    constant : ndarray of bool of shape (n_features,)
        Mask of constant columns, which are 0 in the root.

    Returns
    -------
    FeatureRoot
        Its ``condition`` is that of the equilibrated matrix, and infinite if columns depend on
        others: a Gram matrix does not show whether they do so exactly.

    Examples
    --------
    >>> import numpy as np
    >>> root = root_of_gram(np.array([[4.0, 2.0], [2.0, 1.0]]), np.zeros(2, dtype=bool))
    >>> root.values, root.rank, root.condition
    (array([[2., 1.]]), 1, inf)
    """
    scale = _scale(S, constant)
    equilibrated = S * scale * scale[:, None]
    factor, pivots, rank, _ = dpstrf(equilibrated, tol=_singular_below(len(S)))
    kept, upper = pivots[:rank] - 1, np.triu(factor)[:rank]
    values = np.zeros_like(upper)
    values[:, pivots - 1] = upper
    values[:, ~constant] /= scale[~constant]
    if rank < len(constant) - constant.sum():
        return FeatureRoot(values, rank, np.inf)
    norm = _norm(equilibrated[np.ix_(kept, kept)])
    reciprocal = float(dpocon(upper[:, :rank], norm, uplo="U")[0]) if rank else 1.0
    return FeatureRoot(values, rank, float(1 / np.sqrt(reciprocal)))


def _scale(H: FloatArray, constant: BoolArray) -> FloatArray:
    """Return D for which D H D has a unit diagonal; 0 for constant columns.

    This makes factors, roots and conditions independent of the scales of the columns.
    """
    scale = np.zeros(len(H))
    scale[~constant] = 1 / np.sqrt(np.diagonal(H)[~constant])
    return scale


def _norm(H: FloatArray) -> float:
    return float(np.abs(H).sum(axis=0).max(initial=1.0))


def _spectral(H: FloatArray) -> SpectralFactor:
    values, basis = np.linalg.eigh(H)
    kept = values > _singular_below(len(H)) * values[-1]
    return SpectralFactor(basis[:, kept], values[kept], not kept.all())


def _singular_below(n_features: int) -> float:
    """Return the relative size below which an eigenvalue of a Gram matrix is rounding error."""
    return 10 * n_features * _EPS
