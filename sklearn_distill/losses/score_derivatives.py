"""The loss as a function of each row's scores, for boosting: gradient and Hessian diagonal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import logit

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.log_partition import (
    OneLogitLogPartition,
    SoftmaxLogPartition,
    UnknownLogPartition,
)
from sklearn_distill.targets import SoftTargets, SparseLinear

_ALL = slice(None)
# scores of a tile, whose temporary arrays then stay in the cache
_TILE_SIZE = 1 << 15
# below it, exp(-η) would overflow; the probability is 1e-16 there
_MIN_LOGIT = -37.0
# a class without target mass has this share of it, as in scikit-learn: its score must be finite
_MIN_SHARE = float(np.finfo(np.float64).eps)
# Newton's method for the start
_MAX_STEPS = 200
_TOLERANCE = 1e-12
_ROUNDING = 1e-14


class ScoreLoss:
    r"""The loss of rows as a function of their scores, which a boosting library minimises.

    For a row of weight s with scores z, :math:`p = \mathrm{softmax}(z)` and
    :math:`p' = \mathrm{softmax}(z/T')`, gradient and Hessian diagonal are

    .. math::

        g = s\,[(1-λ_i)(p - y) + λ_i\,\tfrac{τ}{T'}(p' - q)], \qquad
        h = s\,[(1-λ_i)\,p∘(1-p) + λ_i\,\tfrac{τ}{T'^2}\,p'∘(1-p')].

    Two classes have one score η, with z = (0, η). Where a teacher leaves classes unknown, q is
    :math:`q_r c` for these, with :math:`c = \mathrm{softmax}(z_{k \notin S}/T')`; h stays that of
    p', which keeps it positive.

    Parameters
    ----------
    targets : SoftTargets
        Targets without regulariser of two or more classes, which contain the weights.
    weight : ndarray of shape (n_rows,) or None
        Positive row weights s; None if all are 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.targets import LogPartitionTerm
    >>> targets = SoftTargets(np.array([[0.25], [0.75]]), (LogPartitionTerm(np.ones(1), 1.0),))
    >>> loss = ScoreLoss(targets, None)
    >>> gradient, hessian = np.empty((1, 1)), np.empty((1, 1))
    >>> loss.derivatives(np.zeros((1, 1)), gradient, hessian)
    >>> gradient, hessian
    (array([[-0.25]]), array([[0.25]]))
    """

    def __init__(self, targets: SoftTargets, weight: FloatArray | None) -> None:
        self.weight = weight
        # divided by s, to multiply by it last: g of a one-hot row is then (p − y) s, as libraries
        # have it, and does not cancel as s p − s y would
        self._targets = targets
        self._dense = None if _is_sparse(targets) else _over(targets.dense_linear(_ALL), weight)
        self._terms = [
            (_over(t.weight, weight), t.temperature) for t in targets.terms if t.known is None
        ]
        self._unknown = [
            (_over(t.weight, weight), t.temperature, t.known)
            for t in targets.terms
            if t.known is not None
        ]
        self.n_classes, self.n_rows = targets.n_classes, targets.n_rows
        self.n_scores = 1 if self.n_classes == 2 else self.n_classes

    def mean(self, scores: FloatArray) -> float:
        """Return the weighted mean of the loss.

        Parameters
        ----------
        scores : ndarray of shape (n_scores, n_rows)
            Scores z.

        Returns
        -------
        float
            Σ s loss / Σ s.
        """
        phi = OneLogitLogPartition() if self.n_scores == 1 else SoftmaxLogPartition()
        total = 0.0
        for tile in self._tiles():
            z = np.asarray(scores[:, tile], dtype=np.float64)
            linear = self._linear(tile)[-self.n_scores :]
            value = -np.einsum("kn,kn->n", linear, z)
            for c, T_ in self._terms:
                value += c[tile] * phi.value_and_gradient(z / T_)[0]
            for c, T_, known in self._unknown:
                of_unknown = UnknownLogPartition.of(known[tile])
                value += c[tile] * of_unknown.value_and_gradient(z / T_)[0]
            total += float(value.sum() if self.weight is None else self.weight[tile] @ value)
        return total / self._weight_sum

    def derivatives(
        self, scores: FloatArray, gradient_out: FloatArray, hessian_out: FloatArray
    ) -> None:
        """Write gradient and Hessian diagonal of each row's loss into two arrays.

        Parameters
        ----------
        scores : ndarray of shape (n_scores, n_rows)
            Scores z, of any float dtype and order.
        gradient_out, hessian_out : ndarray of shape (n_scores, n_rows)
            Arrays of any float dtype and order, which are overwritten.
        """
        for tile in self._tiles():
            # a contiguous row for each class, over which sums are fast, in double precision: single
            # would round weighted and repeated rows apart, and trees would differ
            z = np.ascontiguousarray(scores[:, tile], dtype=np.float64)
            g, h = self._derivatives(z, tile)
            if self.weight is not None:
                g *= self.weight[tile]
                h *= self.weight[tile]
            gradient_out[:, tile] = g
            hessian_out[:, tile] = h

    def mixed_target(self) -> tuple[FloatArray, FloatArray] | None:
        """Return the loss as a cross-entropy of one target a row, if it is one.

        Returns
        -------
        tuple of (target, weight), or None
            Probabilities of shape (n_classes, n_rows), for a library that takes them as labels, and
            the weights of the rows. None if the student is softened, or classes are unknown.
        """
        if self._dense is None or any(T_ != 1 for _, T_ in self._terms):
            return None
        mass = self._dense.sum(axis=0)
        return self._dense / mass, mass if self.weight is None else mass * self.weight

    def start(self) -> FloatArray:
        r"""Return the constant scores with the least loss.

        With one term, such as at T' = 1, these are :math:`T' \log \bar{m}` of the mean target
        :math:`\bar m`; with two, damped Newton steps find them.

        Returns
        -------
        ndarray of shape (n_scores,)
            Scores with mean 0, or the log-odds of the second of two classes. Classes without
            target mass have a share of 2e-16 of it. Unknown classes count with even parts of the
            rest.
        """
        if self._dense is None:
            mass = self._targets.class_mass()
        else:
            mass = np.array([_total(row, self.weight) for row in self._dense])
        terms = [(_total(c, self.weight), T_) for c, T_ in self._terms]
        share = mass / sum(c / T_ for c, T_ in terms)
        # scikit-learn's bounds, of which that of two classes is ten times as large
        low = _MIN_SHARE * (10 if self.n_scores == 1 else 1)
        share = np.clip(share, low, 1 - low)
        if len(terms) == 1:
            z: FloatArray = terms[0][1] * _centred_log(share)
            return z
        z = _newton(share / share.sum(), [(c / self._weight_sum, T_) for c, T_ in terms])
        z -= z[0] if self.n_scores == 1 else z.mean()
        return z[-self.n_scores :]

    def _derivatives(self, z: FloatArray, tile: slice) -> tuple[FloatArray, FloatArray]:
        """Return gradient and Hessian diagonal of rows of weight 1."""
        linear = self._linear(tile)
        if self.n_scores > 1:
            g, h = _softmax_derivatives(z, linear, self._terms_of(tile))
            for c, T_, known in self._unknown:
                _, of_unknown = UnknownLogPartition.of(known[tile]).value_and_gradient(z / T_)
                g += c[tile] / T_ * of_unknown
            return g, h
        if len(self._terms) == 1:
            return _logit_derivatives(z, linear, *self._terms_of(tile)[0])
        return _two_term_logit_derivatives(z, linear, self._terms_of(tile))

    def _linear(self, tile: slice) -> FloatArray:
        """Return the linear form of rows of weight 1."""
        if self._dense is not None:
            return self._dense[:, tile]
        weight = None if self.weight is None else self.weight[tile]
        return _over(self._targets.dense_linear(tile), weight)

    def _terms_of(self, tile: slice) -> list[tuple[FloatArray, float]]:
        return [(c[tile], T_) for c, T_ in self._terms]

    def _tiles(self) -> Iterator[slice]:
        size = max(_TILE_SIZE // self.n_scores, 1)
        for first in range(0, self.n_rows, size):
            yield slice(first, min(first + size, self.n_rows))

    @property
    def _weight_sum(self) -> float:
        return float(self.n_rows if self.weight is None else self.weight.sum())


def _softmax_derivatives(
    z: FloatArray, linear: FloatArray, terms: list[tuple[FloatArray, float]]
) -> tuple[FloatArray, FloatArray]:
    (g, h), *more = (_softmax_term(z, c, T_) for c, T_ in terms)
    for of_gradient, of_hessian in more:
        g += of_gradient
        h += of_hessian
    g -= linear
    return g, h


def _softmax_term(z: FloatArray, c: FloatArray, T_: float) -> tuple[FloatArray, FloatArray]:
    """Return c/T' p and c/T'² p (1 − p)."""
    p = z / T_ if T_ != 1 else z.copy()
    p -= p.max(axis=0)
    np.exp(p, out=p)
    p /= p.sum(axis=0)
    h = 1 - p
    h *= p
    c = c / T_
    p *= c
    h *= c / T_
    return p, h


def _logit_derivatives(
    eta: FloatArray, linear: FloatArray, c: FloatArray, T_: float
) -> tuple[FloatArray, FloatArray]:
    """Return the derivatives of a single term; its gradient does not cancel where p rounds to 1."""
    e = _exp_of_minus(eta, T_)
    over_p = 1 + e
    g = linear[1:] * e
    np.subtract(linear[:1], g, out=g)
    g /= over_p
    return g, _logit_hessian(e, over_p, c, T_)


def _two_term_logit_derivatives(
    eta: FloatArray, linear: FloatArray, terms: list[tuple[FloatArray, float]]
) -> tuple[FloatArray, FloatArray]:
    g, h = np.negative(linear[1:]), np.zeros(linear[1:].shape)
    for c, T_ in terms:
        e = _exp_of_minus(eta, T_)
        over_p = 1 + e
        g += (c / T_) / over_p
        h += _logit_hessian(e, over_p, c, T_)
    return g, h


def _logit_hessian(e: FloatArray, over_p: FloatArray, c: FloatArray, T_: float) -> FloatArray:
    """Return c/T'² p (1 − p) in the memory of e; 1/p is overwritten too."""
    over_p *= over_p
    e /= over_p
    e *= c if T_ == 1 else c / T_**2
    return e


def _exp_of_minus(eta: FloatArray, T_: float) -> FloatArray:
    u: FloatArray = np.maximum(eta if T_ == 1 else eta / T_, _MIN_LOGIT)
    np.negative(u, out=u)
    np.exp(u, out=u)
    return u


def _newton(linear: FloatArray, terms: list[tuple[float, float]]) -> FloatArray:
    r"""Minimise :math:`\sum_t c_t\,\mathrm{lse}(z/T_t) - ℓ·z` over z by damped Newton steps."""
    # the gradient sums to 0 if and only if the linear form has the mass of the terms
    linear = linear * sum(c / T_ for c, T_ in terms)
    z = np.zeros(len(linear))
    value, g, H = _constant_loss(z, linear, terms)
    for _ in range(_MAX_STEPS):
        if np.abs(g).max() <= _TOLERANCE:
            break
        step = np.linalg.solve(H, -g)
        slope, length = float(g @ step), 1.0
        # near the minimum rounding hides the decrease, and full steps converge
        limit = value + _ROUNDING * (1 + abs(value))
        while _constant_loss(z + length * step, linear, terms)[0] > limit + 1e-4 * length * slope:
            length /= 2
        z = z + length * step
        value, g, H = _constant_loss(z, linear, terms)
    return z


def _constant_loss(
    z: FloatArray, linear: FloatArray, terms: list[tuple[float, float]]
) -> tuple[float, FloatArray, FloatArray]:
    """Return value, gradient and Hessian; the latter with the null vector 1 made definite."""
    value, g = -float(linear @ z), -linear
    H = np.full((len(z), len(z)), sum(c / T_**2 for c, T_ in terms) / len(z))
    for c, T_ in terms:
        lse, p = SoftmaxLogPartition().value_and_gradient(z[:, None] / T_)
        p = p[:, 0]
        value += c * float(lse[0])
        g = g + (c / T_) * p
        H += (c / T_**2) * (np.diag(p) - np.outer(p, p))
    return value, g, H


def _centred_log(share: FloatArray) -> FloatArray:
    """Return the log of shares with mean 0, or the log-odds of the second of two."""
    if len(share) == 2:
        return np.asarray(logit(share[1:]))
    # the geometric mean: as scikit-learn has it, to the last digit
    centred: FloatArray = np.log(share / np.exp(np.log(share).mean()))
    return centred


def _is_sparse(targets: SoftTargets) -> bool:
    return isinstance(targets.linear, SparseLinear)


def _over(values: FloatArray, weight: FloatArray | None) -> FloatArray:
    return values if weight is None else values / weight


def _total(values: FloatArray, weight: FloatArray | None) -> float:
    # the product is summed as numpy.average does, so that the start is scikit-learn's
    return float((values if weight is None else values * weight).sum())
