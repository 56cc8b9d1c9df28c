"""A factor of a Hessian: of all scores together, or of one that serves every score."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.linalg import cho_factor
from scipy.linalg.blas import dtrsv
from scipy.linalg.lapack import dpotrs

from sklearn_distill._typing import FloatArray

# added to the equilibrated diagonal of 1s: a constant or a repeated column must not break the
# factorisation, and a preconditioner need not be exact
_JITTER = 1e-10


class Preconditioner(Protocol):
    """Something near an inverse Hessian."""

    def solve(self, v: FloatArray) -> FloatArray:
        """Return M⁻¹v, flat as v is."""


class KroneckerFactor:
    r"""Cholesky factor of A, applied to each part of the weights: :math:`(I ⊗ A)^{-1}`.

    A is the Hessian of all weights, or of the weights of one score. The latter serves every score:
    at equally probable classes the Hessian of a softmax is exactly :math:`(I - 11ᵀ/K) ⊗ A`, and
    gradients sum to zero over the classes; so one Gram matrix preconditions all of them, the
    better the higher the temperature.

    Parameters
    ----------
    A : ndarray of shape (n, n)
        Symmetric and positive semidefinite; n divides the number of weights.

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
        # an all-zero column without penalty has no curvature: any scale serves
        self._scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        equilibrated = self._scale[:, None] * A * self._scale
        equilibrated[np.diag_indices(len(A))] += _JITTER + (diagonal <= 0)
        self._cholesky, _ = cho_factor(equilibrated, lower=True, check_finite=False)

    def solve(self, v: FloatArray) -> FloatArray:
        """Return A⁻¹ applied to each part of v, flat as v is.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat weights or a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            The solution.
        """
        V = v.reshape(-1, len(self._scale)) * self._scale
        # LAPACK itself: for small problems cho_solve's checks cost more than the solution
        solved = (
            self._solve_one(V[0]) if len(V) == 1 else dpotrs(self._cholesky, V.T, lower=True)[0].T
        )
        result: FloatArray = (solved * self._scale).ravel()
        return result

    def _solve_one(self, v: FloatArray) -> FloatArray:
        """Return A⁻¹v; for one vector LAPACK's way, made for many, takes 2-3 times as long."""
        L = self._cholesky
        result: FloatArray = dtrsv(L, dtrsv(L, v, lower=1), lower=1, trans=1)
        return result


class BlockFactor:
    r"""Cholesky factors of a block for each score, on weights that sum to zero over the scores.

    With P the projection that takes out what is equal for all scores, where the Hessian of a
    softmax is flat, this is :math:`P\,\mathrm{diag}(A_1, …, A_K)^{-1} P`.

    Parameters
    ----------
    blocks : ndarray of shape (n_scores, n, n)
        Symmetric and positive semidefinite.

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
        self._factors = [KroneckerFactor(block) for block in blocks]

    def solve(self, v: FloatArray) -> FloatArray:
        """Return P diag(A)⁻¹ P v, flat as v is.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat weights or a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            The solution.
        """
        V = self._balanced(v.reshape(len(self._factors), -1))
        solved = [factor.solve(part) for factor, part in zip(self._factors, V, strict=True)]
        return self._balanced(np.array(solved)).ravel()

    @staticmethod
    def _balanced(V: FloatArray) -> FloatArray:
        return V if len(V) == 1 else V - V.mean(axis=0)
