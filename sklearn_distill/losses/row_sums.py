"""Sums over rows of the terms of the objective: all computations that need X."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, RowIndexer
from sklearn_distill.losses._float_range import scaled_back, within_range
from sklearn_distill.losses.design import DenseDesign, Design, stack_designs
from sklearn_distill.losses.log_partition import (
    Curvature,
    OneLogit,
    OneLogitLogPartition,
    RegularizerFunction,
    RowFunction,
    SoftmaxLogPartition,
    SumOf,
    UnknownLogPartition,
)
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.targets import LogPartitionTerm, SoftTargets, TargetTangent, stack_targets

# Scores of as many rows and classes, whose probabilities are kept between products: 256 MB.
MAX_KEPT_SCORES = 2**25
ALL = slice(None)


class RowSums:
    r"""Sums over the rows of one design.

    With scores Z = W [X 1]ᵀ, the targets' linear form ℓ and terms (c, T', r), these are

    .. math::

        Φ(W) = \sum_i \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t) + r_t(z_i/T_t)], \qquad
        L = \sum_i ℓ_i\,[x_i\ 1],

    and the derivatives of Φ. They are additive over tiles and chunks of rows; the mean over rows
    and the penalty are left to the objective. Two classes are modelled by one logit: z = (0, η).

    Parameters
    ----------
    design : Design
        Design of the rows, which computes products with X.
    targets : SoftTargets
        Targets of two or more classes.
    weight : ndarray of shape (n_rows,)
        Row weights s, of which only the sum is used: targets contain them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import as_design
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> sums = RowSums(as_design(np.array([[-1.0], [1.0]]), False), targets, np.ones(2))
    >>> value, gradient = sums.value_and_gradient(np.zeros((1, 1)))
    >>> round(value / np.log(2), 6), gradient, sums.linear_form
    (np.float64(2.0), array([[0.]]), array([[1.]]))
    """

    def __init__(self, design: Design, targets: SoftTargets, weight: FloatArray) -> None:
        self.design = design
        self.targets = targets
        self.weight = weight
        self.n_classes = targets.n_classes
        self.n_scores = 1 if self.n_classes == 2 else self.n_classes

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.design.n_rows

    @property
    def n_columns(self) -> int:
        """Number of weights of one score."""
        return self.design.n_columns

    @property
    def fit_intercept(self) -> bool:
        """Whether the last column is the intercept."""
        return self.design.fit_intercept

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the products with X."""
        return self.design.dtype

    @property
    def regularizers(self) -> set[str | None]:
        """Names of the terms' regularisers."""
        return {term.regularizer for term in self.targets.terms}

    @property
    def class_mass(self) -> FloatArray:
        """Target mass of each class."""
        return self.targets.class_mass()

    @property
    def is_partial(self) -> bool:
        """Whether a term is over the unknown classes of each row only."""
        return self.targets.is_partial

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield the design's tiles, without those in which no row has a weight."""
        for tile in self.design.tiles(n_scores):
            if self.counts(tile):
                yield tile

    def counts(self, tile: slice) -> bool:
        """Return whether a row of the tile has a weight."""
        return self._has_weight is None or bool(self._has_weight[tile].any())

    @cached_property
    def _has_weight(self) -> BoolArray | None:
        """Which rows have a weight; None if all have, or where the weights are not known."""
        has_weight = self.weight != 0
        return None if has_weight.all() else has_weight

    @cached_property
    def weight_sum(self) -> float:
        """Return Σ s."""
        return float(self.weight.sum())

    @cached_property
    def linear_form(self) -> FloatArray:
        """L of shape (n_scores, n_columns).

        The cross-entropy is linear in the target, so targets enter value and gradient through L
        only: it is computed once, not in each pass over X.
        """
        result = np.zeros((self.n_scores, self.n_columns))
        for tile in self.tiles(self.n_scores):
            linear = self._free_scores(self.targets.dense_linear(tile))
            result += self.design.pull_back(linear, tile)
        return result

    def without_linear(self) -> RowSums:
        """Return the same sums without the linear form of each row, of which rows are not taken."""
        has_weight = self.weight != 0  # an eighth of the memory of the weights
        sums = RowSums(self.design, self.targets.without_linear(), has_weight)
        sums.linear_form, sums.weight_sum = self.linear_form, self.weight_sum
        return sums

    def take(self, rows: RowIndexer) -> RowSums:
        """Return the sums of the given rows."""
        return RowSums(self.design.take(rows), self.targets.take(rows), self.weight[rows])

    def value_and_gradient(self, W: FloatArray) -> tuple[float, FloatArray]:
        """Return Φ and ∇Φ in one pass over X."""
        value, gradient = 0.0, np.zeros(W.shape)
        for tile in self.tiles(self.n_scores):
            tile_value, R = self.residuals(self.design.scores(W, tile), tile)
            value += tile_value
            gradient += self.design.pull_back(R, tile)
        return value, gradient

    def residuals(self, Z: FloatArray, tile: slice = ALL) -> tuple[float, FloatArray]:
        """Return Φ of a tile's rows and its derivatives in their scores, which are overwritten."""
        residuals = _at_one_and_two if self._is_at_one_and_two else _residuals
        return residuals(Z, self._terms_of(tile))

    def hessian_operator(self, W: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return V ↦ ∇²Φ(W) V; each product is one pass over X."""
        # Probabilities are computed once and serve all products at W, unless that would take the
        # memory of a dense teacher that was not passed as one.
        if self.is_partial and self.n_rows * self.n_scores > MAX_KEPT_SCORES:
            return lambda V: self._hessian_product(W, V)
        curvatures = [
            (tile, self.curvature(self.design.scores(W, tile), tile))
            for tile in self.tiles(self.n_scores)
        ]

        def product(V: FloatArray) -> FloatArray:
            result = np.zeros(V.shape)
            V, scale = within_range(V, self.design.dtype)
            for tile, curvature in curvatures:
                dR = curvature(self.design.scores(V, tile))
                result += self.design.pull_back(dR, tile)
            return scaled_back(result, scale)

        return product

    def _hessian_product(self, W: FloatArray, V: FloatArray) -> FloatArray:
        """Return ∇²Φ(W) V, with the probabilities of a tile at a time."""
        result = np.zeros(V.shape)
        V, scale = within_range(V, self.design.dtype)
        for tile in self.tiles():
            dR = self.curvature(self.design.scores(W, tile), tile)(self.design.scores(V, tile))
            result += self.design.pull_back(dR, tile)
        return scaled_back(result, scale)

    def hessian(self, W: FloatArray) -> FloatArray:
        """Return ∇²Φ(W) of shape (n_scores, n_columns, n_scores, n_columns).

        Adding the same vector to the weights of all scores changes nothing, so each row of blocks
        sums to 0. The diagonal blocks follow from the others, and with the symmetry K(K − 1)/2 Gram
        matrices suffice.
        """
        K, d = W.shape
        if K == 1:
            return self._hessian_blocks(W, np.dtype(np.float64))[:, :, None, :]
        H = np.zeros((K, d, K, d))
        for tile in self.tiles():
            curvature = self.curvature(self.design.scores(W, tile), tile)
            for k, direction in zip(range(K - 1), self._unit_scores(tile), strict=False):
                h = curvature(direction)
                for m in range(k + 1, K):
                    H[k, :, m, :] += self.design.gram(h[m], tile)
        for k in range(K):
            for m in range(k):
                H[k, :, m, :] = H[m, :, k, :].T
        for k, row_of_blocks in enumerate(H):
            row_of_blocks[:, k, :] = -row_of_blocks.sum(axis=1)
        return H

    def hessian_blocks(self, W: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²Φ(W), in the precision of the products with X.

        The shape is (n_scores, n_columns, n_columns).
        """
        return self._hessian_blocks(W, self.dtype)

    def _hessian_blocks(self, W: FloatArray, dtype: np.dtype[Any]) -> FloatArray:
        K, d = W.shape
        H = np.zeros((K, d, d), dtype)
        for tile in self.tiles():
            for k, h in enumerate(self._curvature_diagonal(W, tile)):
                H[k] += self.design.gram(h, tile)
        return H

    def class_moments(self, W: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        r"""Return the curvature's moments by class, and their spread over all classes.

        With the diagonal h of the Hessian in the scores of each row, these are
        :math:`B_k = \sum_i h_{ik} [x_i\ 1]` and
        :math:`G = \sum_i (\sum_k h_{ik})\,[x_i\ 1][x_i\ 1]^⊤`, the sum of the diagonal blocks.

        Returns
        -------
        curvature : ndarray of shape (n_scores,)
            Sums :math:`\sum_i h_{ik}`.
        moments : ndarray of shape (n_scores, n_columns)
            The rows B_k.
        spread : ndarray of shape (n_columns, n_columns)
            The matrix G.
        """
        K, d = W.shape
        a, B, G = np.zeros(K), np.zeros((K, d)), np.zeros((d, d))
        for tile in self.tiles(self.n_scores):
            h = self._curvature_diagonal(W, tile)
            a += h.sum(axis=1, dtype=np.float64)
            B += self.design.pull_back(h, tile)
            G += self.design.gram(h.sum(axis=0), tile)
        return a, B, G

    def mean_block(self, W: FloatArray, dtype: type[np.floating[Any]]) -> FloatArray:
        r"""Return the lower triangle of A with ∇²Φ(W) ≈ P ⊗ A, in a precision; X is dense.

        With the curvature :math:`(1 - \|p\|^2)/(K - 1)`, the mean of the Hessian's nonzero
        eigenvalues in the scores, it is exact where all classes are equally probable, and for one
        logit.
        """
        assert isinstance(self.design, DenseDesign)
        h = np.zeros(self.n_rows)
        for tile in self.tiles():
            h[tile] = self._mean_curvatures(self.design.scores(W, tile), tile)
        return self.design.gram_triangle(h, dtype)

    def _mean_curvatures(self, Z: FloatArray, tile: slice) -> FloatArray:
        h = np.zeros(Z.shape[1])
        for phi, c, T_ in self._terms_of(tile):
            if self.n_scores == 1:
                h += c / T_**2 * phi.curvature(Z / T_)(np.ones_like(Z))[0]
            else:
                p = phi.value_and_gradient(Z / T_)[1]
                h += c / T_**2 * (1 - np.einsum("kn,kn->n", p, p)) / (self.n_scores - 1)
        return np.maximum(h, 0)

    def gram_at_zero(self) -> FloatArray:
        r"""Return A of shape (n_columns, n_columns) with :math:`\nabla^2Φ(0) = P ⊗ A`.

        P is 1 for one logit, else the projection :math:`I - 11ᵀ/K`: at W = 0 all classes are
        equally probable, so the Hessian in the scores is κP with one number κ per term.
        """
        A = np.zeros((self.n_columns, self.n_columns))
        for tile in self.tiles():
            A += self.design.gram(self._curvatures_at_zero(tile), tile)
        return A

    def gram_diagonal_at_zero(self) -> FloatArray:
        r"""Return the diagonal of A with ∇²Φ(0) = P ⊗ A, with all curvatures as positive.

        It has the scales of the columns. A regulariser may make curvatures negative.
        """
        diagonal = np.zeros(self.n_columns)
        for tile in self.tiles():
            diagonal += self.design.gram_diagonal(np.abs(self._curvatures_at_zero(tile)), tile)
        return diagonal

    def tangent(self, W: FloatArray, tangent: TargetTangent) -> tuple[float, FloatArray]:
        r"""Return the derivative of Φ − L·W and of its gradient in a metaparameter θ, at fixed W.

        With u = z/T' and a dot for ∂/∂θ, the residual :math:`G = \frac{c}{T'}\nablaφ(u) - ℓ` has

        .. math:: \dot G = \frac{1}{T'}\big[\dot c\,\nablaφ
                  - \tfrac{\dot T'}{T'}\,c\,(\nablaφ + \nabla^2φ\,u)\big] - \dot ℓ.
        """
        value, gradient = 0.0, np.zeros(W.shape)
        for tile in self.tiles():
            tile_value, R = self._residual_tangent(self.design.scores(W, tile), tangent, tile)
            value += tile_value
            gradient += self.design.pull_back(R, tile)
        return value, gradient

    def tangents_along(
        self, W: FloatArray, A: FloatArray, tangents: Sequence[TargetTangent]
    ) -> FloatArray:
        r"""Return :math:`\sum_i \dot G_i·(A x_i)` for each of several tangents.

        The scores of W and of A serve all tangents, and no product with Xᵀ is needed.
        """
        totals = np.zeros(len(tangents))
        A, scale = within_range(A, self.design.dtype)
        for tile in self.tiles():
            Z, U = self.design.scores(W, tile), self.design.scores(A, tile)
            for j, tangent in enumerate(tangents):
                totals[j] += np.vdot(self._residual_tangent(Z, tangent, tile)[1], U)
        return scaled_back(totals, scale)

    def _curvatures_at_zero(self, tile: slice) -> FloatArray:
        """Return the factor of P in the Hessian at W = 0 in the scores, of each row.

        The terms of unknown classes, whose Hessian is no multiple of P, are left out: their
        curvature is negative, so that this is an upper bound.
        """
        return sum(
            (
                c * (self._curvature_at_zero(phi) / T_**2)
                for phi, c, T_ in self._terms_of(tile, partial=False)
            ),
            np.zeros(tile.stop - tile.start, self.design.dtype),
        )

    def _curvature_at_zero(self, phi: RowFunction) -> float:
        """Return κ: the one eigenvalue of ∇²φ(0) on directions that sum to zero."""
        # (1, −1) is such a direction; for one logit η itself is the only one.
        v = np.zeros((self.n_scores, 1))
        v[:2, 0] = [1.0, -1.0][: self.n_scores]
        return float(phi.curvature(np.zeros_like(v))(v)[0, 0])

    def _residual_tangent(
        self, Z: FloatArray, tangent: TargetTangent, tile: slice
    ) -> tuple[float, FloatArray]:
        """Return the derivative of the loss of a tile's rows, and of its residuals G, in θ."""
        R = -self._free_scores(tangent.direction.dense_linear(tile))
        value = float(np.vdot(R, Z))
        for base, direction in zip(tangent.base.terms, tangent.direction.terms, strict=True):
            phi, T_ = self._row_function(base, tile), base.temperature
            c, dc, rate = base.weight[tile], direction.weight[tile], direction.temperature / T_
            if not (rate or dc.any()):  # a term that does not depend on θ
                continue
            u = Z / T_
            phi_value, phi_gradient = phi.value_and_gradient(u)
            value += float(np.sum(dc * phi_value - rate * c * (u * phi_gradient).sum(axis=0)))
            R = R + (dc - rate * c) / T_ * phi_gradient
            if rate:
                R = R - rate * c / T_ * phi.curvature(u)(u)
        return value, R

    def curvature(self, Z: FloatArray, tile: slice = ALL) -> Curvature:
        """Return the Hessian of a tile's rows in their scores."""
        parts = [(phi.curvature(Z / T_), c / T_**2) for phi, c, T_ in self._terms_of(tile)]
        return lambda dZ: sum((c * curvature(dZ) for curvature, c in parts), np.zeros_like(dZ))

    def _curvature_diagonal(self, W: FloatArray, tile: slice) -> FloatArray:
        """Return the diagonal of the Hessian in the scores of a tile's rows."""
        Z = self.design.scores(W, tile)
        h = np.zeros_like(Z)
        for phi, c, T_ in self._terms_of(tile):
            of_term = phi.curvature_diagonal(Z / T_ if T_ != 1 else Z)
            of_term *= c / T_**2 if T_ != 1 else c
            h += of_term
        return h

    def _unit_scores(self, tile: slice) -> Iterator[FloatArray]:
        """Yield the unit direction of each score; all at once would take n_scores² per row."""
        for k in range(self.n_scores):
            unit = np.zeros((self.n_scores, tile.stop - tile.start), self.design.dtype)
            unit[k] = 1
            yield unit

    def _terms_of(
        self, tile: slice, *, partial: bool = True
    ) -> list[tuple[RowFunction, FloatArray, float]]:
        return [
            (self._row_function(term, tile) if phi is None else phi, c[tile], term.temperature)
            for term, phi, c in self._terms
            if partial or phi is not None
        ]

    @cached_property
    def _terms(self) -> list[tuple[LogPartitionTerm, RowFunction | None, FloatArray]]:
        """The terms with weights in X's dtype: mixed dtypes would convert X in each product.

        A term of unknown classes has a function for each tile, None here.
        """
        return [
            (
                term,
                None if term.known is not None else self._row_function(term, slice(None)),
                term.weight.astype(self.design.dtype, copy=False),
            )
            for term in self.targets.terms
        ]

    @cached_property
    def _is_at_one_and_two(self) -> bool:
        """Whether the terms are softmaxes at the temperatures 1 and 2."""
        temperatures = [term.temperature for term in self.targets.terms]
        return temperatures == [1.0, 2.0] and self.n_scores > 1 and self.regularizers == {None}

    def _free_scores(self, linear: FloatArray) -> FloatArray:
        """Drop the first class of (n_classes, n_rows) where z = (0, η) fixes its score at 0."""
        return linear[1:] if self.n_scores == 1 else linear

    def _row_function(self, term: LogPartitionTerm, tile: slice) -> RowFunction:
        if term.known is not None:
            unknown = UnknownLogPartition.of(term.known[tile])
            return OneLogit(unknown) if self.n_scores == 1 else unknown
        phi: RowFunction = OneLogitLogPartition() if self.n_scores == 1 else SoftmaxLogPartition()
        regularizer = make_regularizer(term.regularizer)
        if regularizer is None:
            return phi
        r = RegularizerFunction(regularizer)
        return SumOf(phi, OneLogit(r) if self.n_scores == 1 else r)


Terms = list[tuple[RowFunction, FloatArray, float]]


def _residuals(Z: FloatArray, terms: Terms) -> tuple[float, FloatArray]:
    """Return Φ and its derivatives in the scores."""
    value, R = 0.0, None
    for phi, c, T_ in terms:
        phi_value, phi_gradient = phi.value_and_gradient(Z / T_ if T_ != 1 else Z)
        value += _dot(c, phi_value)
        phi_gradient *= c / T_ if T_ != 1 else c
        R = phi_gradient if R is None else np.add(R, phi_gradient, out=R)
    return value, np.zeros_like(Z) if R is None else R


def _at_one_and_two(Z: FloatArray, terms: Terms) -> tuple[float, FloatArray]:
    """Return the same of softmaxes at T' = 1 and 2, with one exponential; Z is overwritten."""
    (_, c, _), (_, c2, _) = terms
    top = Z.max(axis=0)
    Z -= top
    Z *= 0.5
    p2 = np.exp(Z, out=Z)
    total2 = p2.sum(axis=0)
    p = p2 * p2
    total = p.sum(axis=0)
    value = _dot(c, top + np.log(total)) + _dot(c2, 0.5 * top + np.log(total2))
    p *= c / total
    p2 *= c2 / (2 * total2)
    p += p2
    return value, p


def stack_sums(parts: Sequence[RowSums]) -> RowSums:
    """Stack the rows of several sums, in memory."""
    return RowSums(
        stack_designs([part.design for part in parts]),
        stack_targets([part.targets for part in parts]),
        np.concatenate([part.weight for part in parts]),
    )


def _dot(c: FloatArray, values: FloatArray) -> float:
    """Return c·values, accumulated in float64: a line search sees rounding errors of parts."""
    return float(np.dot(c.astype(np.float64, copy=False), values.astype(np.float64, copy=False)))
