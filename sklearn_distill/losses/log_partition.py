r"""Log-partition functions φ, whose gradients are probabilities.

All functions of a row's scores are stateless and class-major. They have ``value_and_gradient`` and
``curvature``, which returns the Hessian at one point as a linear map. Regularisers (see
:mod:`sklearn_distill.losses.regularizers`) are wrapped to the same interface.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.losses.regularizers import Regularizer

Curvature = Callable[[FloatArray], FloatArray]


class RowFunction(Protocol):
    """A function of one row's scores, vectorised over rows."""

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return φ(u) of shape (n_rows,) and ∇φ(u) of u's shape."""

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ ∇²φ(u) v, both of u's shape."""

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return the diagonal of ∇²φ(u) of each row, of u's shape."""


class SoftmaxLogPartition:
    r"""The function :math:`\mathrm{lse}(u) = \log\sum_k e^{u_k}` of K scores.

    Gradient p = softmax(u), Hessian :math:`J(p)v = p∘v - p(p·v)`.

    Examples
    --------
    >>> import numpy as np
    >>> value, p = SoftmaxLogPartition().value_and_gradient(np.zeros((2, 1)))
    >>> value.round(3), p.ravel()
    (array([0.693]), array([0.5, 0.5]))
    """

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return lse(u) and softmax(u)."""
        # Subtracting the maximum leaves no positive exponent, so nothing overflows. In-place steps
        # keep one array of scores.
        top = u.max(axis=0)
        p = u - top
        np.exp(p, out=p)
        total = p.sum(axis=0)
        p /= total
        return top + np.log(total), p

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ J(p) v."""
        _, p = self.value_and_gradient(u)

        def product(v: FloatArray) -> FloatArray:
            pv: FloatArray = p * v
            pv -= p * pv.sum(axis=0)
            return pv

        return product

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return p∘(1 − p)."""
        return _bernoulli_variance(self.value_and_gradient(u)[1])


class UnknownLogPartition:
    r"""The function :math:`\log\sum_{k \notin S} e^{u_k}` of the unknown classes of each row.

    Gradient c, the softmax over the unknown classes, 0 for known ones, Hessian
    :math:`J(c)v = c∘v - c(c·v)`. Of a row whose classes are all known, all three are 0.

    Parameters
    ----------
    classes, rows : ndarray of int of shape (n_known,)
        The pairs of a class and a row that are known.

    Examples
    --------
    >>> import numpy as np
    >>> phi = UnknownLogPartition(np.array([0]), np.array([0]))
    >>> value, c = phi.value_and_gradient(np.zeros((3, 1)))
    >>> value.round(3), c.ravel()
    (array([0.693]), array([0. , 0.5, 0.5]))
    """

    def __init__(self, classes: IntArray, rows: IntArray) -> None:
        self.classes = classes
        self.rows = rows

    @classmethod
    def of(cls, known: Any) -> UnknownLogPartition:
        """Return the function for the stored entries of a csr_array (n_rows, n_classes)."""
        return cls(known.indices, np.repeat(np.arange(known.shape[0]), np.diff(known.indptr)))

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the log-partition over the unknown classes, and the softmax over them."""
        c = u.copy()
        c[self.classes, self.rows] = -np.inf
        top = c.max(axis=0)
        nothing = np.isneginf(top)  # all classes are known
        top[nothing] = 0.0
        c -= top
        np.exp(c, out=c)
        total = c.sum(axis=0)
        total[nothing] = 1.0
        c /= total
        return top + np.log(total), c

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ J(c) v."""
        _, c = self.value_and_gradient(u)

        def product(v: FloatArray) -> FloatArray:
            cv: FloatArray = c * v
            cv -= c * cv.sum(axis=0)
            return cv

        return product

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return c∘(1 − c)."""
        return _bernoulli_variance(self.value_and_gradient(u)[1])


class OneLogitLogPartition:
    r"""The log-partition of two classes, :math:`\mathrm{lse}(0, η) = \log(1 + e^η)`.

    It is a function of one logit η of shape (1, n_rows), with gradient :math:`p = σ(η)` and
    Hessian :math:`p(1-p)`.

    Examples
    --------
    >>> import numpy as np
    >>> value, p = OneLogitLogPartition().value_and_gradient(np.zeros((1, 1)))
    >>> value.round(3), p
    (array([0.693]), array([[0.5]]))
    """

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return softplus(η) and σ(η)."""
        # σ(η) = (1 + tanh(η/2))/2 and softplus(η) = max(η, 0) − log max(p, 1−p): nothing overflows,
        # and one tanh replaces exp, log1p, a division and a selection
        half = 0.5 * u
        p = np.tanh(half)
        value = np.abs(p[0])
        value += 1
        value *= 0.5
        np.log(value, out=value)
        positive = np.abs(half[0])  # with half, max(η, 0): a selection takes several times as long
        positive += half[0]
        np.subtract(positive, value, out=value)
        p += 1
        p *= 0.5
        return value, p

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ p(1−p) v."""
        h = self.curvature_diagonal(u)
        return lambda v: h * v

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return p(1−p)."""
        e = np.exp(-np.abs(u))
        h: FloatArray = e / (1 + e) ** 2  # without the cancellation in 1-p where p rounds to 1
        return h


class RegularizerFunction:
    """A regulariser with the interface of :class:`RowFunction`.

    Parameters
    ----------
    regularizer : Regularizer
        A regulariser of :mod:`sklearn_distill.losses.regularizers`.
    """

    def __init__(self, regularizer: Regularizer) -> None:
        self.regularizer = regularizer

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return r(u) and ∇r(u)."""
        return self.regularizer.value_and_gradient(u)

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ ∇²r(u) v."""
        return lambda v: self.regularizer.hessian_product(u, v)

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return the diagonal of ∇²r(u), by a product with each unit vector."""
        diagonal, unit = np.empty_like(u), np.zeros_like(u)
        for k in range(len(u)):
            unit[k] = 1
            diagonal[k] = self.regularizer.hessian_product(u, unit)[k]
            unit[k] = 0
        return diagonal


class OneLogit:
    r"""A function of two scores as a function of the logit η, with z = (0, η).

    Parameters
    ----------
    of_two_scores : RowFunction
        Function of both scores.
    """

    def __init__(self, of_two_scores: RowFunction) -> None:
        self.of_two_scores = of_two_scores

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the value and the derivative in η."""
        value, gradient = self.of_two_scores.value_and_gradient(_with_zero(u))
        return value, gradient[1:]

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ second derivative in η times v."""
        curvature = self.of_two_scores.curvature(_with_zero(u))
        return lambda v: curvature(_with_zero(v))[1:]

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return the second derivative in η."""
        return self.of_two_scores.curvature_diagonal(_with_zero(u))[1:]


class SumOf:
    """The sum of two functions of the same scores.

    Parameters
    ----------
    first, second : RowFunction
        Summands, functions of the same number of scores.
    """

    def __init__(self, first: RowFunction, second: RowFunction) -> None:
        self.first = first
        self.second = second

    def value_and_gradient(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the sums of the values and of the gradients."""
        first, first_gradient = self.first.value_and_gradient(u)
        second, second_gradient = self.second.value_and_gradient(u)
        return first + second, first_gradient + second_gradient

    def curvature(self, u: FloatArray) -> Curvature:
        """Return v ↦ the sum of both Hessian products."""
        first, second = self.first.curvature(u), self.second.curvature(u)
        return lambda v: first(v) + second(v)

    def curvature_diagonal(self, u: FloatArray) -> FloatArray:
        """Return the sum of both diagonals."""
        return self.first.curvature_diagonal(u) + self.second.curvature_diagonal(u)


def _with_zero(u: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros_like(u), u])


def _bernoulli_variance(p: FloatArray) -> FloatArray:
    """Return p∘(1 − p)."""
    variance: FloatArray = np.subtract(1, p)
    variance *= p
    return variance
