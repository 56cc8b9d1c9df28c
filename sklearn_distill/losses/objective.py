"""The objective of the linear student: additive over blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from sklearn_distill._typing import FloatArray, Rows
from sklearn_distill.losses.design import Design
from sklearn_distill.losses.log_partition import (
    Curvature,
    OneLogit,
    OneLogitLogPartition,
    RegularizerFunction,
    RowFunction,
    SoftmaxLogPartition,
    SumOf,
)
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.targets import LogPartitionTerm, SoftTargets, TargetTangent


class SoftTargetObjective:
    r"""Soft-target cross-entropy of linear scores with a ridge penalty.

    With z = W x + b, weights :math:`s_i`, and the targets' linear form ℓ and terms (c, T', r),

    .. math::

        F(W) = \frac{1}{\sum_i s_i} \sum_i \Big\{ \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t)
               + r_t(z_i/T_t)] - ℓ_i·z_i \Big\} + \frac{α}{2} \|W\|^2.

    Two classes are one logit: z = (0, η). The intercept is the last column of W and free.
    Weights go in and out as flat vectors, for a solver that knows nothing of classes.

    Parameters
    ----------
    design : Design
        The products with X.
    targets : SoftTargets
        Targets of two or more classes, each with some mass.
    weight : ndarray of shape (n_rows,)
        Row weights s.
    alpha : float
        Penalty α = 1/(C Σ s) of the whole problem; :meth:`take` keeps it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import as_design
    >>> from sklearn_distill.targets import Labels, TargetMixture
    >>> mixture = TargetMixture(Labels(np.array([0, 1]), 2), None, np.ones(2), imitation=0.0)
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=True)
    >>> objective = SoftTargetObjective(design, mixture.targets(), np.ones(2), alpha=1.0)
    >>> value, gradient = objective.value_and_gradient(objective.zeros())
    >>> round(value, 3), gradient
    (0.693, array([-0.5,  0. ]))
    """

    def __init__(
        self, design: Design, targets: SoftTargets, weight: FloatArray, alpha: float
    ) -> None:
        self.design = design
        self.targets = targets
        self.weight = weight
        self.weight_sum = float(weight.sum())
        self.alpha = alpha
        self.n_classes = len(targets.linear)
        self.n_scores = 1 if self.n_classes == 2 else self.n_classes
        self.shape = (self.n_scores, design.n_columns)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.design.n_rows

    @property
    def is_convex(self) -> bool:
        """Whether every regulariser keeps the objective convex."""
        names = {term.regularizer for term in self.targets.terms}
        regularizers = [r for r in map(make_regularizer, names) if r is not None]
        return all(r.convex(self.n_classes) for r in regularizers)

    @property
    def n_columns(self) -> int:
        """Number of weights of one score."""
        return self.design.n_columns

    def zeros(self) -> FloatArray:
        """Return the weights at which every class is equally probable."""
        return np.zeros(self.n_scores * self.design.n_columns)

    def take(self, rows: Rows) -> SoftTargetObjective:
        """Return the objective of the given rows with the penalty of the whole problem."""
        return SoftTargetObjective(
            self.design.take(rows), self.targets.take(rows), self.weight[rows], self.alpha
        )

    def value_and_gradient(self, w: FloatArray) -> tuple[float, FloatArray]:
        """Return F and ∇F in one pass over X."""
        W = w.reshape(self.shape)
        value, gradient = -np.vdot(self._linear_form, W), -self._linear_form
        for rows in self.design.blocks():
            Z = self.design.scores(W, rows)
            R = np.zeros_like(Z)
            for phi, c, T_ in self._terms_at(rows):
                phi_value, phi_gradient = phi.value_and_gradient(Z / T_ if T_ != 1 else Z)
                value += _dot(c, phi_value)
                phi_gradient *= c / T_
                R += phi_gradient
            gradient = gradient + self.design.pull_back(R, rows)
        value, gradient = value / self.weight_sum, self._balanced(gradient) / self.weight_sum
        penalised = self._penalised(W)
        value += 0.5 * self.alpha * np.vdot(penalised, penalised)
        return float(value), (gradient + self.alpha * penalised).ravel()

    def hessian_operator(self, w: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return v ↦ ∇²F(w) v; each product is one pass over X."""
        W = w.reshape(self.shape)
        curvatures = [(rows, self._curvature(W, rows)) for rows in self.design.blocks()]

        def product(v: FloatArray) -> FloatArray:
            V = v.reshape(self.shape)
            result = np.zeros(self.shape)
            for rows, curvature in curvatures:
                dR = curvature(self.design.scores(V, rows))
                result += self.design.pull_back(dR, rows)
            data = self._balanced(result) / self.weight_sum
            return (data + self.alpha * self._penalised(V)).ravel()

        return product

    def hessian(self, w: FloatArray) -> FloatArray:
        """Return ∇²F(w), dense, of shape (n_weights, n_weights)."""
        K, d = self.shape
        H = np.zeros((K, d, K, d))
        for rows in self.design.blocks():
            curvature = self._curvature(w.reshape(self.shape), rows)
            for k, direction in enumerate(self._unit_scores(rows)):
                h = curvature(direction)
                for m in range(k, K):
                    H[k, :, m, :] += self.design.gram(h[m], rows)
        for k in range(K):
            for m in range(k):
                H[k, :, m, :] = H[m, :, k, :].T
        H /= self.weight_sum
        flat = H.reshape(K * d, K * d)
        flat[np.diag_indices(K * d)] += self.alpha * self._penalised(np.ones(self.shape)).ravel()
        return flat

    def hessian_blocks(self, w: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²F(w), one a score: (n_scores, n_columns, n_columns)."""
        K, d = self.shape
        H = np.zeros((K, d, d))
        for rows in self.design.blocks():
            curvature = self._curvature(w.reshape(self.shape), rows)
            for k, direction in enumerate(self._unit_scores(rows)):
                H[k] += self.design.gram(curvature(direction)[k], rows)
        H /= self.weight_sum
        H[:, np.arange(d), np.arange(d)] += self.alpha * self._penalised(np.ones(self.shape))
        return H

    def nonsingular_hessian(self, w: FloatArray) -> FloatArray:
        r"""Return ∇²F(w) + (11ᵀ/K) ⊗ D with D the mean diagonal of the classes' blocks.

        A change that is equal for all classes changes no probability, so without a penalty
        (always for the intercept) the Hessian of K ≥ 3 scores is singular along it. Gradients are
        orthogonal to these directions, and what is added acts on nothing else.
        """
        H = self.hessian(w)
        K, d = self.shape
        if K > 1:
            D = np.diag(H).reshape(K, d).mean(axis=0)
            blocks = H.reshape(K, d, K, d)
            blocks[:, np.arange(d), :, np.arange(d)] += (D / K)[:, None, None]
        return H

    def hessian_at_zero(self) -> FloatArray:
        r"""Return A of shape (n_columns, n_columns) with :math:`\nabla^2F(0) = P ⊗ A`.

        P is 1 for one logit, else the projection :math:`I - 11ᵀ/K`: at W = 0 all classes are
        alike, so the curvature in the scores is one number κ for each term.
        """
        A = np.zeros((self.n_columns, self.n_columns))
        for rows in self.design.blocks():
            h = sum(
                (c * (self._curvature_at_zero(phi) / T_**2) for phi, c, T_ in self._terms_at(rows)),
                np.zeros(rows.stop - rows.start, self.design.dtype),
            )
            A += self.design.gram(h, rows)
        A /= self.weight_sum
        A[np.diag_indices(len(A))] += self.alpha * self._penalised(np.ones((1, len(A))))[0]
        return A

    def _curvature_at_zero(self, phi: RowFunction) -> float:
        """Return κ: the one eigenvalue of ∇²φ(0) on directions that sum to zero."""
        v = np.zeros((self.n_scores, 1))
        v[:2, 0] = [1.0, -1.0][: self.n_scores]
        return float(phi.curvature(np.zeros_like(v))(v)[0, 0])

    def tangent(self, w: FloatArray, tangent: TargetTangent) -> tuple[float, FloatArray]:
        r"""Return ∂F/∂θ and ∂∇F/∂θ at fixed w for a metaparameter θ of the targets.

        With u = z/T' and a dot for ∂/∂θ, the residual :math:`G = \frac{c}{T'}\nablaφ(u) - ℓ` has

        .. math:: \dot G = \frac{1}{T'}\big[\dot c\,\nablaφ
                  - \tfrac{\dot T'}{T'}\,c\,(\nablaφ + \nabla^2φ\,u)\big] - \dot ℓ.
        """
        W = w.reshape(self.shape)
        value, gradient = 0.0, np.zeros(self.shape)
        for rows in self.design.blocks():
            block_value, R = self._residual_tangent(self.design.scores(W, rows), tangent, rows)
            value += block_value
            gradient += self.design.pull_back(R, rows)
        return value / self.weight_sum, (gradient / self.weight_sum).ravel()

    def tangents_along(
        self, w: FloatArray, a: FloatArray, tangents: Sequence[TargetTangent]
    ) -> FloatArray:
        r"""Return :math:`a·\partial\nabla F/\partialθ` at fixed w for each of several tangents.

        It is :math:`\sum_i \dot G_i·(A x_i)`: the scores of w and of a serve all tangents, and
        nothing is pulled back.
        """
        W, A = w.reshape(self.shape), a.reshape(self.shape)
        totals = np.zeros(len(tangents))
        for rows in self.design.blocks():
            Z, U = self.design.scores(W, rows), self.design.scores(A, rows)
            for j, tangent in enumerate(tangents):
                totals[j] += np.vdot(self._residual_tangent(Z, tangent, rows)[1], U)
        return totals / self.weight_sum

    def penalty_gradient(self, w: FloatArray) -> FloatArray:
        r"""Return :math:`α\,[W, 0]`, the penalty's part of ∇F: that is −∂∇F/∂ log C."""
        return (self.alpha * self._penalised(w.reshape(self.shape))).ravel()

    def _residual_tangent(
        self, Z: FloatArray, tangent: TargetTangent, rows: slice
    ) -> tuple[float, FloatArray]:
        R = -self._scores_of(tangent.direction.linear[:, rows])
        value = float(np.vdot(R, Z))
        for base, direction in zip(tangent.base.terms, tangent.direction.terms, strict=True):
            phi, T_ = self._row_function(base), base.temperature
            c, dc, rate = base.weight[rows], direction.weight[rows], direction.temperature / T_
            if not (rate or dc.any()):
                continue
            u = Z / T_
            phi_value, phi_gradient = phi.value_and_gradient(u)
            value += float(np.sum(dc * phi_value - rate * c * (u * phi_gradient).sum(axis=0)))
            R = R + (dc - rate * c) / T_ * phi_gradient
            if rate:
                R = R - rate * c / T_ * phi.curvature(u)(u)
        return value, R

    def _curvature(self, W: FloatArray, rows: slice) -> Curvature:
        """Return the Hessian in the scores of a block of rows."""
        Z = self.design.scores(W, rows)
        parts = [(phi.curvature(Z / T_), c / T_**2) for phi, c, T_ in self._terms_at(rows)]
        return lambda dZ: sum((c * curvature(dZ) for curvature, c in parts), np.zeros_like(dZ))

    def _unit_scores(self, rows: slice) -> Iterator[FloatArray]:
        """Yield the direction of each score; all at once would be n_scores² numbers a row."""
        for k in range(self.n_scores):
            unit = np.zeros((self.n_scores, rows.stop - rows.start), self.design.dtype)
            unit[k] = 1
            yield unit

    def _terms_at(self, rows: slice) -> list[tuple[RowFunction, FloatArray, float]]:
        return [(phi, c[rows], T_) for phi, c, T_ in self._terms]

    @cached_property
    def _terms(self) -> list[tuple[RowFunction, FloatArray, float]]:
        """The terms with their weights in X's dtype: mixed dtypes would recast X."""
        return [
            (self._row_function(t), t.weight.astype(self.design.dtype, copy=False), t.temperature)
            for t in self.targets.terms
        ]

    @cached_property
    def _linear_form(self) -> FloatArray:
        """Σ ℓ_i [x_i 1], the only way in which targets enter: computed once."""
        result = np.zeros(self.shape)
        for rows in self.design.blocks():
            linear = self._scores_of(self.targets.linear[:, rows])
            result += self.design.pull_back(linear, rows)
        return result

    def _scores_of(self, linear: FloatArray) -> FloatArray:
        """Return the part of a (n_classes, n_rows) array that goes with the scores."""
        return linear[1:] if self.n_scores == 1 else linear

    def _row_function(self, term: LogPartitionTerm) -> RowFunction:
        phi: RowFunction = OneLogitLogPartition() if self.n_scores == 1 else SoftmaxLogPartition()
        regularizer = make_regularizer(term.regularizer)
        if regularizer is None:
            return phi
        r = RegularizerFunction(regularizer)
        return SumOf(phi, OneLogit(r) if self.n_scores == 1 else r)

    def _balanced(self, G: FloatArray) -> FloatArray:
        """Make the classes' parts sum to 0, as they do but for rounding.

        What rounding leaves lies where the Hessian is flat: solvers would follow it far away.
        """
        return G if self.n_scores == 1 else G - G.mean(axis=0)

    def _penalised(self, W: FloatArray) -> FloatArray:
        """Return W with the free intercept set to 0."""
        if not self.design.fit_intercept:
            return W
        penalised = W.copy()
        penalised[:, -1] = 0
        return penalised


def _dot(c: FloatArray, values: FloatArray) -> float:
    """Return c·values, accumulated in float64."""
    return float(np.dot(c.astype(np.float64, copy=False), values.astype(np.float64, copy=False)))
