"""The fourth term of Grabovoy and Strijov's likelihood of distillation."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.regularizers._likeliest_class import Split, split

__all__ = ["Grabovoy"]

Float64Array = npt.NDArray[np.float64]


def _over_classes(x: Float64Array) -> Float64Array:
    total: Float64Array = x.sum(axis=0)
    return total


def _value(s: Split) -> Float64Array:
    # log ℓ_t as a − log(x / log(1 + x)), since ℓ_t = log(1 + x) itself underflows to 0 with x.
    top = np.log1p(np.exp(s.log_odds)) - s.log_odds + np.log(s.ratio)
    return _over_classes(s.losses - np.log(s.losses) - s.one_hot) + top


def _gradient(s: Split) -> Float64Array:
    c = (1 - s.one_hot) - s.inverse_losses
    # The top class has a formula of its own: 1/ℓ_t is unbounded, but x/log(1 + x) is not.
    top_slope = s.mass - s.ratio * (1 - s.mass)
    return s.proba * _over_classes(c) - c + top_slope * (s.shares - s.one_hot)


def _softmax_product(p: Float64Array, v: Float64Array) -> Float64Array:
    """Multiply by J(p) = diag p − ppᵀ."""
    return p * (v - _over_classes(p * v))


def _hessian_of_other_classes(s: Split, v: Float64Array) -> Float64Array:
    """Multiply by Σ_{k≠t} (1 − 1/ℓ_k) J(p) + (p − e_k)(p − e_k)ᵀ / ℓ_k²."""
    p, inverse = s.proba, s.inverse_losses
    c = _over_classes(1 - s.one_hot - inverse)
    curved = inverse * inverse * (_over_classes(p * v) - v)
    return c * _softmax_product(p, v) + p * _over_classes(curved) - curved


def _hessian_of_top_class(s: Split, v: Float64Array) -> Float64Array:
    """Multiply by the Hessian of φ(a) = softplus a − log softplus a, ∇a = π − e_t, ∇²a = J(π)."""
    p_t = 1 - s.mass
    g = s.ratio * p_t  # derivative of log softplus a: σ(a) / ℓ_t
    slope, curvature = s.mass - g, s.mass * p_t - g * (p_t - g)
    direction = s.shares - s.one_hot
    return curvature * _over_classes(direction * v) * direction + slope * _softmax_product(
        s.shares, v
    )


def _hessian_product(s: Split, v: Float64Array) -> Float64Array:
    return _hessian_of_other_classes(s, v) + _hessian_of_top_class(s, v)


@dataclass(frozen=True)
class Grabovoy:
    """Compute ``r(u) = Σ_k (ℓ_k − log ℓ_k)``, ``ℓ_k = −log softmax(u)_k``.

    This is minus the optional fourth term of the paper's likelihood. With t the most probable
    class, ``ℓ_t = softplus(a)``, ``a = lse_{j≠t} u_j − u_t``, and ``ℓ_k = u_t − u_k + ℓ_t``, so
    nothing cancels or overflows at any spread of the scores, and ``log ℓ_t`` becomes ``a``. With
    p = softmax(u) and J(p) = diag p − ppᵀ::

        ∇r   = Σ_k (1 − 1/ℓ_k) (p − e_k)
        ∇²r  = Σ_k (1 − 1/ℓ_k) J(p) + (p − e_k)(p − e_k)ᵀ / ℓ_k²

    r ≥ n_classes, and r grows with the spread, so a minimiser exists for every target. It is
    convex for two classes only: as p_t → 1, ``−log ℓ_t → u_t − lse_{j≠t} u_j`` is concave.

    Attributes
    ----------
    bounded_below : bool
        True: r ≥ n_classes.

    References
    ----------
    Grabovoy and Strijov, "Probabilistic interpretation of the distillation problem", Automation and
    Remote Control, 2022, eq. (17).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses.regularizers import Grabovoy
    >>> Grabovoy().value(np.array([[0.0], [0.0]]))  # 2 (log 2 − log log 2)
    array([2.1193...])
    """

    bounded_below: ClassVar[bool] = True

    def convex(self, n_classes: int) -> bool:
        """Whether the cross-entropy plus r is convex, which holds for two classes only.

        Parameters
        ----------
        n_classes : int
            Number of classes, at least 2.

        Returns
        -------
        bool
            True for two classes.
        """
        return n_classes == 2

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
        return _value(split(u)).astype(u.dtype, copy=False)

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
        return _gradient(split(u)).astype(u.dtype, copy=False)

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Compute r and ∇r from the same exponentials.

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
        s = split(u)
        return _value(s).astype(u.dtype, copy=False), _gradient(s).astype(u.dtype, copy=False)

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
        return _hessian_product(split(u), v.astype(np.float64)).astype(u.dtype, copy=False)

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
        s, hessian = split(u), np.empty((len(u), *u.shape), dtype=u.dtype)
        for k, unit in enumerate(np.eye(len(u))):
            hessian[k] = _hessian_product(s, unit[:, np.newaxis])
        return hessian
