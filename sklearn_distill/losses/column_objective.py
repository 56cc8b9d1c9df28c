"""The objective of several scores over a sparse X, with the weights of a column side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.linalg.blas import daxpy, saxpy

from sklearn_distill._typing import CheckedX, FloatArray, IntArray
from sklearn_distill.losses._float_range import scaled_back, within_range
from sklearn_distill.losses.design import SparseDesign
from sklearn_distill.losses.row_sums import RowSums
from sklearn_distill.targets import SoftTargets

# entries of this size leave 18 orders of magnitude of float32 for the factors of a product
_SINGLE_RANGE = 1e-10, 1e10


class ColumnObjective:
    r"""The function of :class:`SoftTargetObjective` of some columns of a sparse X.

    A stored entry :math:`x_{ij}` takes part in one product with each score, so the scores of a
    column are consecutive in memory: weights are flat vectors of the transpose of W, of shape
    (n_columns, n_scores). X and its transpose are stored by rows, with the intercept as a column of
    ones. Hessian products, which need few digits, are in float32 if X is within its range.

    Parameters
    ----------
    sums : RowSums
        Sums over the rows of a sparse X, of three or more classes.
    alpha : float
        Strength of the penalty.
    columns : ndarray of int
        The columns of X that are used, and the intercept as the last one if it is fitted.

    Examples
    --------
    >>> from sklearn_distill.targets import LogPartitionTerm
    >>> targets = SoftTargets(np.eye(3), (LogPartitionTerm(np.ones(3), 1.0),))
    >>> sums = RowSums(SparseDesign(sparse.csr_array(np.eye(3)), False), targets, np.ones(3))
    >>> objective = ColumnObjective(sums, 1.0, np.array([0, 2]))
    >>> value, gradient = objective.value_and_gradient(np.zeros(6))
    >>> round(value, 3), gradient.round(2)
    (1.099, array([-0.22,  0.11,  0.11,  0.11,  0.11, -0.22]))
    """

    def __init__(self, sums: RowSums, alpha: float, columns: IntArray) -> None:
        if not isinstance(sums.design, SparseDesign):
            raise TypeError(f"columns are taken of a sparse X, got {type(sums.design)}")
        self._targets, self._weight_sum = sums.targets, sums.weight_sum
        self._has_intercept = sums.fit_intercept
        self.alpha = alpha
        self.shape = (len(columns), sums.n_scores)
        self.dtype = sums.dtype
        self._X = _with_columns(sums.design.X, columns, sums.fit_intercept)
        self._Xt = _compact(self._X.T.tocsr())
        self._sums = RowSums(SparseDesign(self._X, False), sums.targets, sums.weight)
        self.step_dtype = np.dtype(np.float32) if _is_in_single_range(self._X) else self.dtype
        self._X_step, self._Xt_step = (_astype(A, self.step_dtype) for A in (self._X, self._Xt))
        self._step_sums = RowSums(SparseDesign(self._X_step, False), sums.targets, sums.weight)

    @property
    def precision(self) -> float:
        """Relative rounding error of F."""
        return float(np.finfo(self.dtype).eps)

    def value_and_gradient(self, w: FloatArray) -> tuple[float, FloatArray]:
        """Return F and ∇F; F includes a bound of its rounding error."""
        Z = self._scores(w)
        linear = _linear(self._targets)
        products = linear * Z
        value = self.precision * float(np.abs(products).sum(dtype=np.float64))
        value -= float(products.sum(dtype=np.float64))
        phi, R = self._sums.residuals(Z)
        R -= linear
        R -= R.mean(axis=0)  # 0 but for rounding, whose direction has no curvature
        G = np.asarray(self._Xt @ _by_row(R), dtype=np.float64).ravel()
        G /= self._weight_sum
        value = (value + phi) / self._weight_sum
        penalised = w[: self._n_penalised]
        daxpy(penalised, G, n=len(penalised), a=self.alpha)  # in place
        return value + 0.5 * self.alpha * float(penalised @ penalised), G

    def hessian_operator(self, w: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return v ↦ ∇²F(w) v, of and for vectors in ``step_dtype``."""
        curvature = self._step_sums.curvature(self._scores(w).astype(self.step_dtype, copy=False))
        axpy = saxpy if self.step_dtype == np.float32 else daxpy

        def product(v: FloatArray) -> FloatArray:
            dR = curvature(np.ascontiguousarray((self._X_step @ v.reshape(self.shape)).T))
            dR -= dR.mean(axis=0)
            dR *= 1 / self._weight_sum
            Hv = (self._Xt_step @ _by_row(dR.astype(self.step_dtype, copy=False))).ravel()
            axpy(v, Hv, n=self._n_penalised, a=self.alpha)  # in place
            return np.asarray(Hv)

        return product

    def hessian_diagonal_at_zero(self) -> FloatArray:
        """Return a nonnegative diagonal with the scale of each weight of a score."""
        diagonal = self._sums.gram_diagonal_at_zero() / self._weight_sum
        diagonal[: len(diagonal) - self._has_intercept] += self.alpha
        return diagonal

    def hessian_at_zero_of(self, columns: IntArray) -> FloatArray:
        """Return the Hessian of these weights of one score at equally probable classes."""
        design = SparseDesign(self._X[:, columns], False)
        A = RowSums(design, self._targets, self._sums.weight).gram_at_zero() / self._weight_sum
        is_penalised = columns < self.shape[0] - self._has_intercept
        A[np.diag_indices(len(A))] += self.alpha * is_penalised
        return A

    @property
    def _n_penalised(self) -> int:
        return (self.shape[0] - self._has_intercept) * self.shape[1]

    def _scores(self, w: FloatArray) -> FloatArray:
        """Return the scores, class by class, of shape (n_scores, n_rows)."""
        W, scale = within_range(w.reshape(self.shape), self.dtype)
        Z = np.ascontiguousarray((self._X @ W.astype(self.dtype, copy=False)).T)
        return scaled_back(Z, scale)


def _linear(targets: SoftTargets) -> FloatArray:
    return targets.dense_linear(slice(None))


def _by_row(R: FloatArray) -> FloatArray:
    return np.ascontiguousarray(R.T)


def _with_columns(X: CheckedX, columns: IntArray, fit_intercept: bool) -> CheckedX:
    """Return these columns of X as rows of entries, with ones for the intercept."""
    features = columns[:-1] if fit_intercept else columns
    taken = sparse.csr_array(X if len(features) == X.shape[1] else X[:, features])
    if fit_intercept:
        ones = sparse.csr_array(np.ones((X.shape[0], 1), X.dtype))
        taken = sparse.hstack([taken, ones], format="csr")
    return _compact(taken)


def _compact(X: CheckedX) -> CheckedX:
    """Return a CSR matrix with indices of 32 bits, if they suffice."""
    if max(X.nnz, *X.shape) >= 2**31:
        return X
    indices, indptr = (part.astype(np.int32, copy=False) for part in (X.indices, X.indptr))
    return sparse.csr_array((X.data, indices, indptr), shape=X.shape)


def _astype(X: CheckedX, dtype: np.dtype[np.floating]) -> CheckedX:
    """Return X in a precision, with the same arrays of indices."""
    if X.dtype == dtype:
        return X
    return sparse.csr_array((X.data.astype(dtype), X.indices, X.indptr), shape=X.shape)


def _is_in_single_range(X: CheckedX) -> bool:
    sizes = np.abs(X.data[X.data != 0])
    smallest, largest = _SINGLE_RANGE
    return bool(((sizes >= smallest) & (sizes <= largest)).all())
