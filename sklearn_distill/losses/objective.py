"""The objective of linear students: a weighted mean over rows and a ridge penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray, RowIndexer
from sklearn_distill.losses.chunked_design import DesignChunkSums
from sklearn_distill.losses.column_objective import ColumnObjective
from sklearn_distill.losses.design import DenseDesign, SparseDesign
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.losses.row_space import RowSpace
from sklearn_distill.losses.row_sums import RowSums
from sklearn_distill.losses.small_objective import SmallObjective
from sklearn_distill.losses.tensor_design import TensorDesign
from sklearn_distill.targets import TargetTangent

# with more columns that have an entry, leaving out the others does not pay for a copy of X
USED_SHARE = 0.8
# with more entries per weight the weights take little of the memory and of the time
MAX_ENTRIES_PER_WEIGHT = 4
IN_MEMORY = (DenseDesign, SparseDesign, TensorDesign)

Evaluation = tuple[float, FloatArray]  # F(w), ∇F(w)


class Sums(Protocol):
    """Sums over rows, as in :class:`RowSums`, for rows in memory or in chunks."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    @property
    def n_columns(self) -> int:
        """Number of weights of one score."""

    @property
    def n_classes(self) -> int:
        """Number of classes K."""

    @property
    def n_scores(self) -> int:
        """Number of scores: K, or one logit for two classes."""

    @property
    def fit_intercept(self) -> bool:
        """Whether the last column is the intercept."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the products with X: float32 or float64."""

    @property
    def regularizers(self) -> set[str | None]:
        """Names of the terms' regularisers."""

    @property
    def is_partial(self) -> bool:
        """Whether a term is over the unknown classes of each row only."""

    @property
    def weight_sum(self) -> float:
        """Σ s."""

    @property
    def linear_form(self) -> FloatArray:
        """Σ ℓ_i [x_i 1]."""

    def take(self, rows: RowIndexer) -> RowSums:
        """Return the sums of the given rows, which are loaded into memory."""

    def value_and_gradient(self, W: FloatArray) -> tuple[float, FloatArray]:
        """Return Φ and ∇Φ."""

    def hessian_operator(self, W: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return V ↦ ∇²Φ(W) V."""

    def hessian(self, W: FloatArray) -> FloatArray:
        """Return ∇²Φ(W)."""

    def hessian_blocks(self, W: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²Φ(W), one per score, in the precision of the products."""

    def class_moments(self, W: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the curvature's moments by class, and their spread over all classes."""

    def gram_at_zero(self) -> FloatArray:
        """Return A with ∇²Φ(0) = P ⊗ A."""

    def gram_diagonal_at_zero(self) -> FloatArray:
        """Return the diagonal of A with ∇²Φ(0) = P ⊗ A, with all curvatures as positive."""


class ClassMoments(NamedTuple):
    """Curvature of the classes, the means of the features it weights, and their spread.

    Parameters
    ----------
    curvature : ndarray of shape (n_scores,)
        Means a of the second derivatives in the score of each class.
    means : ndarray of shape (n_scores, n_features)
        Means of x, weighted by these derivatives.
    spread : ndarray of shape (n_features, n_features)
        Covariance of x about the means, averaged over the classes.
    alpha : float
        Strength of the penalty.
    fit_intercept : bool
        Whether each class has an intercept, its last weight, which is not penalised.
    """

    curvature: FloatArray
    means: FloatArray
    spread: FloatArray
    alpha: float
    fit_intercept: bool


class SoftTargetObjective:
    r"""Soft-target cross-entropy of linear scores with a ridge penalty.

    With z = W x + b, weights :math:`s_i`, and the targets' linear form ℓ and terms (c, T', r),

    .. math::

        F(W) = \frac{1}{\sum_i s_i} \sum_i \Big\{ \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t)
               + r_t(z_i/T_t)] - ℓ_i·z_i \Big\} + \frac{α}{2} \|W\|^2.

    Two classes are modelled by one logit: z = (0, η). The intercept is the last column of W and is
    not penalised. Weights and gradients are flat vectors, as solvers require.

    Parameters
    ----------
    sums : RowSums or ChunkSums
        Sums over rows; each class has some target mass.
    alpha : float
        Strength of the penalty, α = 1/(C Σ s) over all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import as_design
    >>> from sklearn_distill.targets import Labels, TargetMixture
    >>> mixture = TargetMixture(Labels(np.array([0, 1]), 2), None, np.ones(2), imitation=0.0)
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=True)
    >>> objective = SoftTargetObjective(RowSums(design, mixture.targets(), np.ones(2)), alpha=1.0)
    >>> value, gradient = objective.value_and_gradient(objective.zeros())
    >>> round(value, 3), gradient
    (0.693, array([-0.5,  0. ]))
    """

    def __init__(self, sums: Sums, alpha: float) -> None:
        self.sums = sums
        self.alpha = alpha
        self.shape = (sums.n_scores, sums.n_columns)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.sums.n_rows

    @property
    def n_columns(self) -> int:
        """Number of weights of one score."""
        return self.sums.n_columns

    @property
    def n_features(self) -> int:
        """Number of penalised weights of one score."""
        return self.sums.n_columns - self.sums.fit_intercept

    def with_penalty(self, alpha: float) -> SoftTargetObjective:
        """Return the objective of the same sums with another strength of the penalty."""
        return SoftTargetObjective(self.sums, alpha)

    def without_linear(self) -> SoftTargetObjective:
        """Return the objective without each row's linear form, of which no rows are taken."""
        return SoftTargetObjective(self._tangent_sums.without_linear(), self.alpha)

    @cached_property
    def precision(self) -> float:
        """Relative rounding error of F: machine epsilon of the products with X."""
        return float(np.finfo(self.sums.dtype).eps)

    @property
    def smallest_class_share(self) -> float:
        """Smallest share of a class in the mass of the targets, which are in memory."""
        return float(self.class_shares.min())

    @cached_property
    def class_shares(self) -> FloatArray:
        """Share of each class in the mass of the targets, which are in memory."""
        mass = self._tangent_sums.class_mass
        return np.asarray(mass / mass.sum())

    @property
    def is_convex(self) -> bool:
        """Whether the objective is convex, with all regularisers and terms of unknown classes."""
        if self.sums.is_partial:
            return False
        regularizers = [make_regularizer(name) for name in self.sums.regularizers]
        return all(r is None or r.convex(self.sums.n_classes) for r in regularizers)

    def zeros(self) -> FloatArray:
        """Return the weights at which every class is equally probable."""
        return np.zeros(self.shape[0] * self.shape[1])

    def take(self, rows: RowIndexer) -> SoftTargetObjective:
        """Return the objective of the given rows with the penalty of all rows."""
        return SoftTargetObjective(self.sums.take(rows), self.alpha)

    @property
    def has_row_space(self) -> bool:
        """Whether X is a dense array in memory, of whose rows coordinates can be computed."""
        return isinstance(self.sums, RowSums) and isinstance(self.sums.design, DenseDesign)

    def in_double(self) -> SoftTargetObjective:
        """Return the objective with float64 products of a float32 X in memory, or itself."""
        if self.sums.dtype == np.float64 or not isinstance(self.sums, RowSums):
            return self
        design, targets, weight = self.sums.design, self.sums.targets, self.sums.weight
        return SoftTargetObjective(RowSums(design.in_double(), targets, weight), self.alpha)

    @cached_property
    def used_columns(self) -> IntArray | None:
        """Columns of a sparse X in memory that have an entry; None if it is not to be copied.

        It pays where some columns have none, or there are many weights. It is None for one score,
        whose weights take less time than a copy of X.
        """
        if not isinstance(self.sums, RowSums) or self.shape[0] == 1:
            return None
        if not isinstance(self.sums.design, SparseDesign):
            return None
        used = self.sums.design.used_columns()
        return used if len(used) < USED_SHARE * self.n_columns or self._is_wide(used) else None

    def _is_wide(self, columns: IntArray) -> bool:
        design = self._row_sums.design
        if not isinstance(design, SparseDesign):
            raise TypeError(f"columns are taken of a sparse X, got {type(design)}")
        return bool(design.X.nnz <= MAX_ENTRIES_PER_WEIGHT * len(columns) * self.shape[0])

    def by_column(self, columns: IntArray) -> ColumnObjective | None:
        """Return the function of the weights of some columns; None if their entries are many."""
        if not self._is_wide(columns):
            return None
        return ColumnObjective(self._row_sums, self.alpha, columns)

    def take_columns(self, columns: IntArray) -> SoftTargetObjective:
        """Return the objective of the weights of some columns of a sparse X; the others are 0."""
        taken = self._of_columns(columns)
        if taken is None:
            raise TypeError("columns are taken of a sparse X in memory, and X is none")
        return taken

    def _of_columns(self, columns: IntArray) -> SoftTargetObjective | None:
        sums = self.sums
        if not isinstance(sums, RowSums):
            return None
        design = sums.design.take_columns(columns)
        if design is None:
            return None
        return SoftTargetObjective(RowSums(design, sums.targets, sums.weight), self.alpha)

    @property
    def fits_in_cache(self) -> bool:
        """Whether :meth:`in_cache` applies: all is in memory, and each row has plain targets."""
        if not isinstance(self.sums, RowSums) or not isinstance(self.sums.design, IN_MEMORY):
            return False
        targets = self.sums.targets
        plain = isinstance(targets.linear, np.ndarray) and not targets.is_partial
        return plain and self.sums.regularizers == {None}

    def in_cache(self) -> SmallObjective:
        """Return the same function of dense copies of few rows."""
        sums = self._row_sums
        if not isinstance(sums.design, IN_MEMORY):
            raise TypeError(f"a design of rows in memory is required, got {type(sums.design)}")
        return SmallObjective(
            sums.design.to_array(),
            sums.targets,
            sums.weight_sum,
            self.alpha,
            fit_intercept=sums.fit_intercept,
        )

    def row_space(self) -> RowSpace | None:
        """Return coordinates of the row space of a dense X; None if X has none, being 0."""
        design = self._row_sums.design
        if not isinstance(design, DenseDesign):
            raise TypeError(f"coordinates of the rows require a dense X, got {type(design)}")
        return RowSpace.of(design.X, fit_intercept=design.fit_intercept)

    def in_row_space(self, space: RowSpace) -> SoftTargetObjective:
        """Return the objective of the weights in these coordinates."""
        sums = self._row_sums
        return SoftTargetObjective(RowSums(space.design, sums.targets, sums.weight), self.alpha)

    def value_and_gradient(self, w: FloatArray) -> Evaluation:
        """Return F and ∇F in one pass over X.

        F includes a bound of its rounding error, Φ and L·W being large numbers of a small
        difference where the weights are huge: they do not look better than they are.
        """
        W = w.reshape(self.shape)
        return self.from_sums(W, *self.sums.value_and_gradient(W))

    def from_sums(self, W: FloatArray, phi: float, gradient: FloatArray) -> Evaluation:
        """Return F and ∇F, flat, for Φ(W) and ∇Φ(W)."""
        L, weight_sum = self.sums.linear_form, self.sums.weight_sum
        rounding = self.precision * np.vdot(np.abs(L), np.abs(W))
        value = (phi - np.vdot(L, W) + rounding) / weight_sum
        penalised = self._penalised(W)
        value += 0.5 * self.alpha * np.vdot(penalised, penalised)
        G = self._centred(gradient - L)
        G /= weight_sum
        G += self.alpha * penalised
        return float(value), G.ravel()

    def hessian_operator(self, w: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return v ↦ ∇²F(w) v; each product is one pass over X."""
        sums_product = self.sums.hessian_operator(w.reshape(self.shape))

        def product(v: FloatArray) -> FloatArray:
            V = v.reshape(self.shape)
            data = self._centred(sums_product(V)) / self.sums.weight_sum
            return (data + self.alpha * self._penalised(V)).ravel()

        return product

    def hessian(self, w: FloatArray) -> FloatArray:
        """Return ∇²F(w), dense, of shape (n_weights, n_weights)."""
        n_weights = len(w)
        H = self.sums.hessian(w.reshape(self.shape)).reshape(n_weights, n_weights)
        H /= self.sums.weight_sum
        penalties = self.alpha * self._penalised(np.ones(self.shape))
        H[np.diag_indices(n_weights)] += penalties.ravel()
        return H

    def hessian_blocks(self, w: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²F(w), one per score, in the precision of the products."""
        H = self.sums.hessian_blocks(w.reshape(self.shape))
        H /= self.sums.weight_sum
        d = np.arange(self.n_columns)
        H[:, d, d] += self.alpha * self._penalised(np.ones(self.shape))
        return H

    def class_moments(self, w: FloatArray) -> ClassMoments:
        """Return the moments of the diagonal blocks of ∇²F(w), without the blocks themselves."""
        a, B, G = self.sums.class_moments(w.reshape(self.shape))
        d = self.n_columns - self.sums.fit_intercept
        # a class without curvature has no mean; the origin is as good as any
        means = B[:, :d] / np.where(a > 0, a, 1.0)[:, None]
        spread = (G[:d, :d] - (means * a[:, None]).T @ means) / (a.sum() or 1.0)
        curvature = a / self.sums.weight_sum
        return ClassMoments(curvature, means, spread, self.alpha, self.sums.fit_intercept)

    def nonsingular_hessian(self, w: FloatArray) -> FloatArray:
        r"""Return ∇²F(w) + (11ᵀ/K) ⊗ D with D the mean of the diagonal blocks' diagonals.

        Adding the same vector to the weights of all classes changes no probability, so without a
        penalty (always for the intercept) the Hessian of K ≥ 3 scores is singular along such
        directions. Gradients are orthogonal to them, and the added term acts on them only.
        """
        H = self.hessian(w)
        K, d = self.shape
        if K > 1:
            # D gives the added term the scale of H in each column.
            D = np.diag(H).reshape(K, d).mean(axis=0)
            blocks = H.reshape(K, d, K, d)
            blocks[:, np.arange(d), :, np.arange(d)] += (D / K)[:, None, None]
        return H

    def mean_block(self, w: FloatArray, dtype: type[np.floating[Any]] = np.float64) -> FloatArray:
        r"""Return the lower triangle of A with :math:`\nabla^2F(w) ≈ P ⊗ A`, of a dense X."""
        A = self._row_sums.mean_block(w.reshape(self.shape), dtype)
        A /= self.sums.weight_sum
        A[np.diag_indices(len(A))] += self.alpha * self._penalised(np.ones((1, len(A))))[0]
        return A

    def hessian_at_zero(self) -> FloatArray:
        r"""Return A of shape (n_columns, n_columns) with :math:`\nabla^2F(0) = P ⊗ A`.

        P is 1 for one logit, else the projection :math:`I - 11ᵀ/K`.
        """
        A = self.sums.gram_at_zero()
        A /= self.sums.weight_sum
        A[np.diag_indices(len(A))] += self.alpha * self._penalised(np.ones((1, len(A))))[0]
        return A

    def hessian_at_zero_of(self, columns: IntArray) -> FloatArray | None:
        """Return the rows and columns of :meth:`hessian_at_zero` of some weights of a score.

        The intercept is the last of them. None for other than a sparse X in memory.
        """
        taken = self._of_columns(columns)
        return None if taken is None else taken.hessian_at_zero()

    def hessian_diagonal_at_zero(self) -> FloatArray:
        """Return the diagonal of :meth:`hessian_at_zero`, with all curvatures as positive."""
        diagonal = self.sums.gram_diagonal_at_zero() / self.sums.weight_sum
        diagonal += self.alpha * self._penalised(np.ones((1, len(diagonal))))[0]
        return diagonal

    def tangent(self, w: FloatArray, tangent: TargetTangent) -> tuple[float, FloatArray]:
        """Return ∂F/∂θ and ∂∇F/∂θ at fixed w for a metaparameter θ of the targets."""
        value, gradient = self._row_sums.tangent(w.reshape(self.shape), tangent)
        return value / self.sums.weight_sum, (gradient / self.sums.weight_sum).ravel()

    def tangents_along(
        self, w: FloatArray, a: FloatArray, tangents: Sequence[TargetTangent]
    ) -> FloatArray:
        r"""Return :math:`a·\partial\nabla F/\partialθ` at fixed w for each of several tangents."""
        W, A = w.reshape(self.shape), a.reshape(self.shape)
        return self._tangent_sums.tangents_along(W, A, tangents) / self.sums.weight_sum

    def penalty_gradient(self, w: FloatArray) -> FloatArray:
        r"""Return :math:`α\,[W, 0]`, the gradient of the penalty, which is −∂∇F/∂ log C."""
        return (self.alpha * self._penalised(w.reshape(self.shape))).ravel()

    @property
    def _tangent_sums(self) -> RowSums | DesignChunkSums:
        """The sums, if their targets are in memory."""
        return self.sums if isinstance(self.sums, DesignChunkSums) else self._row_sums

    @property
    def _row_sums(self) -> RowSums:
        if not isinstance(self.sums, RowSums):
            raise TypeError(
                "derivatives in λ and T require sums of rows in memory (RowSums), got "
                f"{type(self.sums).__name__}"
            )
        return self.sums

    def _centred(self, G: FloatArray) -> FloatArray:
        """Make the gradient sum to 0 over the classes, as it does but for rounding.

        The rounding error lies along directions without curvature, in which a solver would take
        large steps.
        """
        return G if self.shape[0] == 1 else G - G.mean(axis=0)

    def _penalised(self, W: FloatArray) -> FloatArray:
        """Return W with the intercept, which is not penalised, set to 0."""
        if not self.sums.fit_intercept:
            return W
        penalised = W.copy()
        penalised[:, -1] = 0
        return penalised
