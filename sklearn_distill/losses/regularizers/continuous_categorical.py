"""The logarithm of the normaliser of the continuous categorical distribution."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.regularizers import _many_classes, _two_classes

__all__ = ["ContinuousCategorical"]

# n_classes × n_rows of a tile: the few complex arrays of a node then take half a MB each.
TILE_ENTRIES = 2**15


def _tiles(u: FloatArray) -> Iterator[slice]:
    rows = max(1, TILE_ENTRIES // len(u))
    return (slice(start, start + rows) for start in range(0, u.shape[1], rows))


def _formulas(u: FloatArray) -> ModuleType:
    return _two_classes if len(u) == 2 else _many_classes


@dataclass(frozen=True)
class ContinuousCategorical:
    """Compute ``r(u) = log ∫ Π_k softmax(u)_k^{s_k} ds = log M(u) − lse(u)``.

    ``M(u) = ∫ exp(u·s) ds_1…ds_{K−1}`` over the simplex is the divided difference
    ``exp[u_1, …, u_K]``, whose closed form ``Σ_k e^{u_k} / Π_{j≠k} (u_k − u_j)`` fails at ties.
    With it the cross-entropy becomes ``log M(u) − q·u``, the negative log-likelihood of an
    exponential family with the sufficient statistic q. With m the mean of s and p = softmax(u)::

        ∇r   = m − p,                        m_k = exp[u, u_k] / M
        ∇²r  = Cov(s) − (diag p − ppᵀ),      Cov(s)_kl = (1 + δ_kl) exp[u, u_k, u_l] / M − m_k m_l

    The cross-entropy plus r is convex; r alone is not (concave at u = 0). The sum is unbounded
    below where q is a vertex of the simplex, so there is no minimiser for a class without target
    mass, or if q is the same vertex in all rows.

    Divided differences are computed by a contour integral: a row costs 41 nodes of n_classes
    complex divisions (n_classes² products for ``hessian``) at any spread, and ties need no special
    case. Two classes have a closed form.

    Attributes
    ----------
    bounded_below : bool
        False: the cross-entropy plus r tends to −∞ if q is a vertex.

    References
    ----------
    Gordon-Rodriguez, Loaiza-Ganem and Cunningham, "The continuous categorical: a novel
    simplex-valued exponential family", 2020, arXiv 2002.08563; Grabovoy and Strijov, "Probabilistic
    interpretation of the distillation problem", Automation and Remote Control, 2022, Theorem 1,
    whose constant this corrects.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses.regularizers import ContinuousCategorical
    >>> ContinuousCategorical().value(np.zeros((3, 1)))  # −log 3 − log 2!
    array([-1.7917...])
    """

    bounded_below: ClassVar[bool] = False

    def convex(self, n_classes: int) -> bool:
        """Whether the cross-entropy plus r is convex, which it always is.

        Parameters
        ----------
        n_classes : int
            Number of classes, at least 2.

        Returns
        -------
        bool
            True for any number of classes.
        """
        return True

    def value(self, u: FloatArray) -> FloatArray:
        """Compute r row by row.

        Parameters
        ----------
        u : ndarray of shape (n_classes, n_rows)
            Softened scores u = z/T'.

        Returns
        -------
        ndarray of shape (n_rows,)
            Values r, in nats.
        """
        return self.value_and_gradient(u)[0]

    def gradient(self, u: FloatArray) -> FloatArray:
        """Compute ∇r row by row.

        Parameters
        ----------
        u : ndarray of shape (n_classes, n_rows)
            Softened scores u = z/T'.

        Returns
        -------
        ndarray of shape (n_classes, n_rows)
            Gradients ∇r; each sums to 0 over the classes.
        """
        return self.value_and_gradient(u)[1]

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Compute r and ∇r from the same nodes of the contour.

        Parameters
        ----------
        u : ndarray of shape (n_classes, n_rows)
            Softened scores u = z/T'.

        Returns
        -------
        value : ndarray of shape (n_rows,)
            Values r, in nats.
        gradient : ndarray of shape (n_classes, n_rows)
            Gradients ∇r; each sums to 0 over the classes.
        """
        value, gradient = np.empty(u.shape[1], dtype=u.dtype), np.empty_like(u)
        for rows in _tiles(u):
            value[rows], gradient[:, rows] = _formulas(u).value_and_gradient(u[:, rows])
        return value, gradient

    def hessian_product(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute ∇²r(u) v row by row.

        Parameters
        ----------
        u : ndarray of shape (n_classes, n_rows)
            Softened scores u = z/T'.
        v : ndarray of shape (n_classes, n_rows)
            Directions v, one per row.

        Returns
        -------
        ndarray of shape (n_classes, n_rows)
            Products; each sums to 0 over the classes.
        """
        product = np.empty_like(u)
        for rows in _tiles(u):
            product[:, rows] = _formulas(u).hessian_product(u[:, rows], v[:, rows])
        return product

    def hessian(self, u: FloatArray) -> FloatArray:
        """Compute ∇²r row by row, for several products at the same scores.

        Parameters
        ----------
        u : ndarray of shape (n_classes, n_rows)
            Softened scores u = z/T'.

        Returns
        -------
        ndarray of shape (n_classes, n_classes, n_rows)
            Symmetric Hessians, which take n_classes times the memory of ``u``.
        """
        hessian = np.empty((len(u), *u.shape), dtype=u.dtype)
        for rows in _tiles(u):
            hessian[:, :, rows] = _formulas(u).hessian(u[:, rows])
        return hessian
