"""The objective of few samples and weights, with its Hessian from the same scores."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.targets import SoftTargets

_EPS = float(np.finfo(np.float64).eps)


class SmallObjective:
    r"""The function of :class:`SoftTargetObjective` without regularisers, for data in the cache.

    Calls of NumPy cost more than arithmetic here. So all terms are evaluated in one array, and
    value, gradient and Hessian at a point share the exponentials,

    .. math::

        \nabla^2F = \frac{1}{\sum_i s_i}\sum_i \sum_t \frac{c_{it}}{T_t^2}\,
                    [\mathrm{diag}(p_{it}) - p_{it}p_{it}^⊤] ⊗ x_i x_i^⊤ + α\,I.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Features, and the ones of the intercept as the last column if it is fitted.
    targets : SoftTargets
        Targets of two or more classes, without regularisers.
    weight_sum : float
        Sum Σ s of the row weights.
    alpha : float
        Strength of the penalty.
    fit_intercept : bool
        Whether the last column is the intercept, which is not penalised.

    Examples
    --------
    >>> from sklearn_distill.targets import LogPartitionTerm
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> X = np.array([[-1.0], [1.0]])
    >>> point = SmallObjective(X, targets, 2.0, 0.5, fit_intercept=False).at(np.zeros(1))
    >>> round(point.value, 3), point.gradient, point.hessian()
    (0.693, array([-0.5]), array([[0.75]]))
    """

    def __init__(
        self,
        X: FloatArray,
        targets: SoftTargets,
        weight_sum: float,
        alpha: float,
        *,
        fit_intercept: bool,
    ) -> None:
        if not isinstance(targets.linear, np.ndarray):
            raise TypeError("targets of dense arrays are required")
        n_classes = len(targets.linear)
        self.Xt = np.ascontiguousarray(X.T)
        self.X = X
        self.shape = (1 if n_classes == 2 else n_classes, len(self.Xt))
        linear = targets.linear[1:] if n_classes == 2 else targets.linear
        self.L = (linear @ X).ravel() / weight_sum
        self.rounding_of_linear = _EPS * np.abs(self.L)
        T = np.array([[term.temperature] for term in targets.terms])
        self.over_T = None if (T == 1).all() else 1 / T
        self.c = np.array([term.weight for term in targets.terms]) / weight_sum
        self.residual_weight = self.c if self.over_T is None else self.c / T
        self.penalty = np.full(self.shape, alpha)
        if fit_intercept:
            self.penalty[:, -1] = 0
        self.flat_penalty = self.penalty.ravel()

    @cached_property
    def hessian_weight(self) -> FloatArray:
        """Weights c/T² of the terms in the Hessian, (n_terms, n_rows)."""
        return self.c if self.over_T is None else self.residual_weight * self.over_T

    def at(self, w: FloatArray) -> Point:
        """Return the point with flat weights w."""
        return (LogitPoint if self.shape[0] == 1 else SoftmaxPoint)(self, w)

    def value_and_gradient(self, w: FloatArray) -> tuple[float, FloatArray]:
        """Return F and ∇F."""
        point = self.at(w)
        return point.value, point.gradient


class Point:
    """Value, gradient and Hessian at one point.

    Parameters
    ----------
    objective : SmallObjective
        The function F.
    w : ndarray of shape (n_weights,)
        The point, a flat vector of weights.
    """

    value: float
    gradient: FloatArray

    def __init__(self, objective: SmallObjective, w: FloatArray) -> None:
        self.objective = objective
        self.w = w
        phi, residuals = self._scored(w.reshape(objective.shape) @ objective.Xt)
        penalised = objective.flat_penalty * w
        # with a bound of the rounding error, as in SoftTargetObjective
        linear = objective.L @ w - objective.rounding_of_linear @ np.abs(w)
        self.value = float(phi - linear + 0.5 * (penalised @ w))
        self.gradient = self._pulled_back(residuals) + penalised

    def hessian(self) -> FloatArray:
        """Return ∇²F, (n_weights, n_weights), nonsingular in directions without gradient."""
        raise NotImplementedError

    def _scored(self, Z: FloatArray) -> tuple[float, FloatArray]:
        """Return Φ and its derivatives in the scores Z of shape (n_scores, n_rows)."""
        raise NotImplementedError

    def _pulled_back(self, residuals: FloatArray) -> FloatArray:
        """Return the gradient without the penalty, flat."""
        raise NotImplementedError


class LogitPoint(Point):
    """A point of two classes, with one logit."""

    def _scored(self, Z: FloatArray) -> tuple[float, FloatArray]:
        o = self.objective
        U = Z if o.over_T is None else Z * o.over_T
        self._e = np.exp(-np.abs(U))
        self._total = 1 + self._e
        log_partition = np.log(self._total)
        log_partition += np.maximum(U, 0)
        p = np.where(U > 0, 1.0, self._e)
        p /= self._total
        p *= o.residual_weight
        return float(np.vdot(o.c, log_partition)), p.sum(axis=0) if len(p) > 1 else p[0]

    def _pulled_back(self, residuals: FloatArray) -> FloatArray:
        return np.asarray(self.objective.Xt @ residuals - self.objective.L)

    def hessian(self) -> FloatArray:
        """Return ∇²F of shape (n_columns, n_columns)."""
        o = self.objective
        # p (1 − p) without the cancellation in 1 − p where p rounds to 1
        h = self._e / (self._total * self._total)
        h *= o.hessian_weight
        H: FloatArray = (o.Xt * (h.sum(axis=0) if len(h) > 1 else h)) @ o.X
        H.ravel()[:: len(H) + 1] += o.flat_penalty
        return H


class SoftmaxPoint(Point):
    """A point of three or more classes."""

    def _scored(self, Z: FloatArray) -> tuple[float, FloatArray]:
        o = self.objective
        U = Z[None] if o.over_T is None else Z * o.over_T[:, :, None]
        top = U.max(axis=1)
        p = U - top[:, None]
        np.exp(p, out=p)
        total = p.sum(axis=1)
        p /= total[:, None]
        self._p = p
        np.log(total, out=total)
        total += top
        residuals = p * o.residual_weight[:, None]
        return float(np.vdot(o.c, total)), residuals.sum(axis=0) if len(p) > 1 else residuals[0]

    def _pulled_back(self, residuals: FloatArray) -> FloatArray:
        G = residuals @ self.objective.X - self.objective.L.reshape(self.objective.shape)
        G -= G.mean(axis=0)  # as it does but for rounding
        return G.ravel()

    def hessian(self) -> FloatArray:
        """Return ∇²F + (11ᵀ/K) ⊗ D, with the same D as in :class:`SoftTargetObjective`."""
        o = self.objective
        K, d = o.shape
        first, second = np.triu_indices(K, 1)
        h = self._p[:, first] * self._p[:, second]
        h *= -o.hessian_weight[:, None]
        pairs = (h.sum(axis=0)[:, None] * o.Xt).reshape(-1, o.X.shape[0]) @ o.X
        H = np.zeros((K, K, d, d))
        H[first, second] = H[second, first] = pairs.reshape(-1, d, d)
        k, j = np.arange(K), np.arange(d)
        H[k, k] = -H.sum(axis=1)  # adding the same to all scores changes nothing
        H[k[:, None], k[:, None], j, j] += o.penalty
        H[:, :, j, j] += H[k[:, None], k[:, None], j, j].mean(axis=0) / K
        return H.transpose(0, 2, 1, 3).reshape(K * d, K * d)
