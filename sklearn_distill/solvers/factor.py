"""Factors of a Hessian, as preconditioners: of all weights, per score, or its diagonal."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.linalg import cho_factor, get_blas_funcs, get_lapack_funcs, solve_triangular
from scipy.linalg.blas import dtrsv
from scipy.linalg.lapack import dpotrs

from sklearn_distill._typing import FloatArray

# Added to the diagonal of 1s after equilibration, so that constant or repeated columns do not break
# the factorisation. A preconditioner need not be exact.
_JITTER = 1e-10
_SINGLE_JITTER = 1e-5  # in float32


class Preconditioner(Protocol):
    """An approximation of an inverse Hessian."""

    def solve(self, v: FloatArray) -> FloatArray:
        """Return M⁻¹v as a flat vector."""


class KroneckerFactor:
    r"""Cholesky factor of A, applied to consecutive parts of a vector: :math:`(I ⊗ A)^{-1}`.

    A is the Hessian of all weights or of the weights of one score. In the second case it is applied
    to each score: at equally probable classes the Hessian of a softmax is exactly
    :math:`(I - 11ᵀ/K) ⊗ A`, and gradients sum to zero over the classes. So a single Gram matrix
    preconditions all scores, and does so the better, the higher the temperature.

    Parameters
    ----------
    A : ndarray of shape (n, n)
        Symmetric and positive semidefinite matrix; n divides the number of weights.

    Raises
    ------
    numpy.linalg.LinAlgError
        If A is not finite or not positive semidefinite.

    Examples
    --------
    >>> import numpy as np
    >>> KroneckerFactor(np.diag([1.0, 4.0])).solve(np.array([1.0, 1.0, 2.0, 2.0])).round(6)
    array([1.  , 0.25, 2.  , 0.5 ])
    """

    def __init__(self, A: FloatArray) -> None:
        diagonal = np.diag(A)
        if not np.isfinite(A).all() or (diagonal < 0).any():
            raise np.linalg.LinAlgError("the matrix is not finite or not positive semidefinite")
        # A column of zeros without penalty has no curvature, and any scale is valid.
        self.scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        equilibrated = self.scale[:, None] * A
        equilibrated *= self.scale
        equilibrated[np.diag_indices(len(A))] += _JITTER + (diagonal <= 0)
        # in place: the transpose, which is the same matrix, is in LAPACK's order
        self.cholesky, _ = cho_factor(
            equilibrated.T, lower=True, overwrite_a=True, check_finite=False
        )

    def solve(self, v: FloatArray) -> FloatArray:
        """Return A⁻¹ applied to each part of v.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat vector, such as a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            Flat solution.
        """
        V = v.reshape(-1, len(self.scale)) * self.scale
        # LAPACK directly: for small problems the checks of cho_solve cost more than the solution.
        solved = (
            self._solve_vector(V[0]) if len(V) == 1 else dpotrs(self.cholesky, V.T, lower=True)[0].T
        )
        result: FloatArray = (solved * self.scale).ravel()
        return result

    def inverse_root(self) -> FloatArray:
        """Return R with RᵀR = A⁻¹, lower triangular; a product with it is positive semidefinite."""
        root: FloatArray = solve_triangular(
            self.cholesky, np.diag(self.scale), lower=True, check_finite=False
        )
        return root

    def _solve_vector(self, v: FloatArray) -> FloatArray:
        """Return A⁻¹v; dpotrs is made for many vectors and takes 2-3 times as long for one."""
        L = self.cholesky
        result: FloatArray = dtrsv(L, dtrsv(L, v, lower=1), lower=1, trans=1)
        return result


class TriangleFactor:
    r"""Cholesky factor of A, of which one triangle is given, in the precision of A.

    As :class:`KroneckerFactor`, without a copy of A. In float32 it takes half of the time and
    memory, and a preconditioner needs no more digits.

    Parameters
    ----------
    A : ndarray of shape (n, n)
        Positive semidefinite matrix in Fortran's order, whose lower triangle is used and
        overwritten; n divides the number of weights.

    Raises
    ------
    numpy.linalg.LinAlgError
        If A is not finite or not positive semidefinite, up to rounding.

    Examples
    --------
    >>> A = np.array([[4.0, 0.0], [2.0, 5.0]], np.float32, order="F")
    >>> TriangleFactor(A).solve(np.array([8.0, 16.0])).round(3)
    array([0.5, 3. ])
    """

    def __init__(self, A: FloatArray) -> None:
        diagonal = A.diagonal().astype(np.float64)
        if not np.isfinite(diagonal).all() or (diagonal < 0).any():
            raise np.linalg.LinAlgError("the matrix is not finite or not positive semidefinite")
        self._scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        scale = self._scale.astype(A.dtype)
        A *= scale[:, None]
        A *= scale
        jitter = _JITTER if A.dtype == np.float64 else _SINGLE_JITTER
        A[np.diag_indices(len(A))] = 1 + jitter
        potrf: Any = get_lapack_funcs("potrf", [A])
        self._potrs: Any = get_lapack_funcs("potrs", [A])
        self._trsv: Any = get_blas_funcs("trsv", [A])
        self._cholesky, info = potrf(A, lower=1, overwrite_a=1, clean=0)
        if info:
            raise np.linalg.LinAlgError("the matrix is not positive definite")

    def solve(self, v: FloatArray) -> FloatArray:
        """Return A⁻¹ applied to each part of v.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat vector, such as a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            Flat solution.
        """
        L = self._cholesky
        V = v.reshape(-1, len(L)) * self._scale
        peak = float(np.abs(V).max(initial=0.0)) or 1.0  # beyond the range of float32 it may be
        V = (V / peak).astype(L.dtype, copy=False)
        if len(V) == 1:  # potrs is made for many vectors
            solved = self._trsv(L, self._trsv(L, V[0], lower=1), lower=1, trans=1)[None]
        else:
            solved = self._potrs(L, V.T, lower=1)[0].T
        return np.asarray(solved * (peak * self._scale)).ravel()


class DiagonalFactor:
    r"""A diagonal D, applied to consecutive parts of a vector: :math:`(I ⊗ D)^{-1}`.

    It needs no more memory than a vector, and takes out the scales of the columns of X.

    Parameters
    ----------
    diagonal : ndarray of shape (n,)
        Nonnegative entries; n divides the number of weights.
    by_column : bool, default=False
        Whether the weights of a column are consecutive, so that it is :math:`(D ⊗ I)^{-1}`.

    Examples
    --------
    >>> import numpy as np
    >>> DiagonalFactor(np.array([1.0, 4.0])).solve(np.array([1.0, 1.0, 2.0, 2.0]))
    array([1.  , 0.25, 2.  , 0.5 ])
    """

    def __init__(self, diagonal: FloatArray, *, by_column: bool = False) -> None:
        # a column of zeros without penalty has no curvature, and any scale is valid
        self._diagonal = np.where(diagonal > 0, diagonal, 1)
        self._by_column = by_column

    def solve(self, v: FloatArray) -> FloatArray:
        """Return D⁻¹ applied to each part of v.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat vector, such as a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            Flat solution.
        """
        if self._by_column:
            return (v.reshape(len(self._diagonal), -1) / self._diagonal[:, None]).ravel()
        return (v.reshape(-1, len(self._diagonal)) / self._diagonal).ravel()


class BlockFactor:
    r"""Cholesky factors of one block per score, on weights that sum to zero over the scores.

    With P the projection that removes the part that is equal for all scores, along which the
    Hessian of a softmax is zero, the preconditioner is
    :math:`P\,\mathrm{diag}(A_1, …, A_K)^{-1} P`.

    Parameters
    ----------
    blocks : ndarray of shape (n_scores, n, n)
        Symmetric and positive semidefinite matrices, which are overwritten. In float32, the factors
        take half of the time and memory.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a block is not finite or not positive semidefinite.

    Examples
    --------
    >>> import numpy as np
    >>> factor = BlockFactor(np.array([[[1.0]], [[2.0]]]))
    >>> factor.solve(np.array([1.0, -1.0]))
    array([ 0.75, -0.75])
    """

    def __init__(self, blocks: FloatArray) -> None:
        # in place: the transpose of a block, which is the same matrix, is in LAPACK's order
        self._factors = [TriangleFactor(block.T) for block in blocks]
        self._n_columns = blocks.shape[-1]

    def solve(self, v: FloatArray) -> FloatArray:
        """Return P diag(A)⁻¹ P v of each part of v that has all weights.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat vector, such as a gradient, or several of them.

        Returns
        -------
        ndarray of shape (n_weights,)
            Flat solution.
        """
        n_columns = self._n_columns
        V = self._centred(v.reshape(-1, len(self._factors), n_columns))
        solved = np.empty_like(V)
        for k, factor in enumerate(self._factors):
            solved[:, k] = factor.solve(V[:, k].ravel()).reshape(-1, n_columns)
        return self._centred(solved).ravel()

    @staticmethod
    def _centred(V: FloatArray) -> FloatArray:
        # a single logit is not redundant
        return V if V.shape[1] == 1 else V - V.mean(axis=1, keepdims=True)
