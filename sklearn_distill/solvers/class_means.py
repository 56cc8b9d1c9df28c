"""A preconditioner of many classes: each has a mean of its own, and all share their spread."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.factor import KroneckerFactor

# the smallest curvature of a class, as a share of the mean one
_MIN_CURVATURE = 1e-6


class ClassMeansFactor:
    r"""One block per score, all of the same spread about a mean of their own.

    In weights w and an intercept b, the block of a class with curvature a and mean m is

    .. math::

        \begin{pmatrix} a\,(S + m m^⊤) + αI & a\,m \\ a\,m^⊤ & a \end{pmatrix}.

    The curvature of a class is where its probability is neither 0 nor 1, so that classes differ in
    m most. The spread S takes one Gram matrix for all classes instead of one for each, and one
    basis diagonalises :math:`aS + αI` for all a. Like :class:`BlockFactor` it acts on weights that
    sum to zero over the scores.

    Parameters
    ----------
    curvature : ndarray of shape (n_scores,)
        Curvatures a ≥ 0, of which some are positive.
    means : ndarray of shape (n_scores, n_features)
        Means m.
    spread : ndarray of shape (n_features, n_features)
        Symmetric and positive semidefinite matrix S.
    alpha : float
        Strength α ≥ 0 of the penalty.
    fit_intercept : bool
        Whether there is an intercept, the last weight of each score.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the spread is not finite or not positive semidefinite.

    Examples
    --------
    >>> import numpy as np
    >>> a, m, S = np.array([1.0, 1.0]), np.array([[0.0], [0.0]]), np.array([[0.5]])
    >>> ClassMeansFactor(a, m, S, 0.5, fit_intercept=False).solve(np.array([1.0, -1.0])).round(6)
    array([ 1., -1.])
    """

    def __init__(
        self,
        curvature: FloatArray,
        means: FloatArray,
        spread: FloatArray,
        alpha: float,
        *,
        fit_intercept: bool,
    ) -> None:
        average = float(curvature.mean())
        if not (average > 0 and np.isfinite(average)):
            raise np.linalg.LinAlgError("no class has a finite positive curvature")
        # with less curvature steps would be unlimited
        self._curvature = np.maximum(curvature, _MIN_CURVATURE * average)
        self._means = means
        self._fit_intercept = fit_intercept
        self._basis, penalties = _common_basis(average * spread, alpha)
        ratio = self._curvature[:, None] / average
        self._inverse = 1 / (ratio * (1 - penalties) + penalties)
        if not fit_intercept:  # of a + mᵀ(aS + αI)⁻¹m a², by the formula of Sherman and Morrison
            self._solved_means = self._solve_spread(means)
            a = self._curvature
            self._weight = a / (1 + a * (means * self._solved_means).sum(axis=1))

    def solve(self, v: FloatArray) -> FloatArray:
        """Return P diag(A)⁻¹ P v with the projection P and the blocks A.

        Parameters
        ----------
        v : ndarray of shape (n_weights,)
            Flat vector, such as a gradient.

        Returns
        -------
        ndarray of shape (n_weights,)
            Flat solution.
        """
        V = v.reshape(len(self._means), -1)
        V = V - V.mean(axis=0)
        solved = self._with_intercept(V) if self._fit_intercept else self._without_intercept(V)
        solved -= solved.mean(axis=0)
        return solved.ravel()

    def _with_intercept(self, V: FloatArray) -> FloatArray:
        m, solved = self._means, np.empty(V.shape)
        coef = self._solve_spread(V[:, :-1] - m * V[:, -1:])
        solved[:, :-1] = coef
        solved[:, -1] = V[:, -1] / self._curvature - np.einsum("kd,kd->k", m, coef)
        return solved

    def _without_intercept(self, V: FloatArray) -> FloatArray:
        solved = self._solve_spread(V)
        along = self._weight * np.einsum("kd,kd->k", self._means, solved)
        return np.asarray(solved - along[:, None] * self._solved_means)

    def _solve_spread(self, V: FloatArray) -> FloatArray:
        """Return (aS + αI)⁻¹v for the row v and the curvature a of each class."""
        return np.asarray(((V @ self._basis) * self._inverse) @ self._basis.T)


def _common_basis(S: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """Return B with Bᵀ(S + αI)B = I, and the diagonal of BᵀαB, with entries in [0, 1]."""
    A = S.copy()
    A[np.diag_indices(len(A))] += alpha
    root = KroneckerFactor(A).inverse_root()
    if not alpha:
        return root.T, np.zeros(len(A))
    penalties, rotation = np.linalg.eigh(alpha * (root @ root.T))
    return np.asarray(root.T @ rotation), np.clip(penalties, 0, 1)
