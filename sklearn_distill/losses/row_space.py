"""Coordinates of the row space of X, in which data of more columns than rows are square."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpocon, dpstrf

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.losses.design import DenseDesign

_EPS = float(np.finfo(np.float64).eps)

# A block of columns, centred in float64, stays in the cache: X is never copied as a whole.
BLOCK_ENTRIES = 2**18
MIN_BLOCK_COLUMNS = 64
# The Gram matrix has the square of the condition of X: beyond this reciprocal condition its factor
# may leave errors of more than 1e-6 in the scores, and the factor is computed from X itself.
MIN_RECIPROCAL_CONDITION = 1e-8


class RowSpace:
    r"""Orthonormal coordinates of the row space of a dense X with more columns than rows.

    With the mean x̄ of the rows (0 without an intercept) and the rows ordered by pivots,

    .. math:: (X - 1\bar x^⊤)(X - 1\bar x^⊤)^⊤ = L L^⊤,

    where L of shape (n_rows, rank) has a triangular :math:`L_1` on top. The penalty keeps the
    minimiser in the row space (representer theorem), so that with :math:`X_1` for the centred rows
    of the pivots it is

    .. math:: W^⊤ = X_1^⊤ L_1^{-⊤} V^⊤, \qquad W (X - 1\bar x^⊤)^⊤ = V L^⊤, \qquad
              \|W\| = \|V\|:

    V minimises the same objective with L in place of X. Centring makes the intercept b that of V
    less :math:`W\bar x`. Without it, the vector of ones may lie in the range of X, and without a
    penalty W would be as large as the mean is small.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features in float32 or float64.
    L : ndarray of shape (n_rows, rank)
        The factor, in float64, in the order of the rows of X.
    pivots : ndarray of shape (rank,)
        Numbers of the rows that span the row space.
    mean : ndarray of shape (n_features,) or None
        The vector x̄; None without an intercept.
    is_ill_conditioned : bool
        Whether :math:`L_1^{-1}` is so large that W is corrected for rounding errors.

    References
    ----------
    Schölkopf, Herbrich and Smola 2001, "A generalized representer theorem"; Higham 2002, section
    10.3, for Cholesky factors with pivots.

    Examples
    --------
    >>> import numpy as np
    >>> space = RowSpace.of(np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 2.0]]), fit_intercept=False)
    >>> space.L
    array([[5., 0.],
           [0., 2.]])
    >>> space.lift(np.array([[5.0, 4.0]]))
    array([[3., 4., 4.]])
    """

    def __init__(
        self,
        X: FloatArray,
        L: FloatArray,
        pivots: IntArray,
        mean: FloatArray | None,
        is_ill_conditioned: bool,
    ) -> None:
        self.X = X
        self.L = L
        self.pivots = pivots
        self.mean = mean
        self.is_ill_conditioned = is_ill_conditioned

    @classmethod
    def of(cls, X: FloatArray, *, fit_intercept: bool) -> RowSpace | None:
        """Factorise a Gram matrix of the rows; None if it is 0 or beyond the range of float64."""
        G, mean = _gram_and_mean(X, fit_intercept)
        scale = float(np.trace(G))
        if not np.finfo(np.float64).tiny / _EPS < scale < np.inf:
            return None
        factor = _factor_of_gram(G, rank=len(X) - fit_intercept)
        L, pivots = factor or _factor_of_rows(X, fit_intercept)
        return cls(X, L, pivots, mean if fit_intercept else None, factor is None)

    @property
    def design(self) -> DenseDesign:
        """The design with the rows of L."""
        return DenseDesign(self.L, self.mean is not None)

    def lift(self, V: FloatArray) -> FloatArray:
        """Return [W b] of shape (n_scores, n_columns), for [V b] in the coordinates of L."""
        rank, d = self.L.shape[1], self.X.shape[1]
        W = self._combine_rows(V[:, :rank])
        if self.is_ill_conditioned:
            # large terms cancel in the sum over rows: one step of iterative refinement
            W += self._combine_rows(V[:, :rank] - self._coordinates(W))
        return W if self.mean is None else np.column_stack([W, V[:, rank] - W[:, :d] @ self.mean])

    def lift_flat(self, v: FloatArray) -> FloatArray:
        """Return the flat weights for flat ones in the coordinates of L."""
        return self.lift(v.reshape(-1, self.design.n_columns)).ravel()

    def project(self, W: FloatArray) -> FloatArray:
        """Return [V b] of the projection of [W b] onto the row space."""
        d = self.X.shape[1]
        V = self._coordinates(W[:, :d])
        return V if self.mean is None else np.column_stack([V, W[:, d] + W[:, :d] @ self.mean])

    def _combine_rows(self, V: FloatArray) -> FloatArray:
        """Return V L₁⁻¹ X₁."""
        A = self._solve(V, trans="T")
        W = np.empty((len(V), self.X.shape[1]))
        for columns in self._blocks():
            W[:, columns] = A @ self._pivot_rows(columns)
        return W

    def _coordinates(self, W: FloatArray) -> FloatArray:
        """Return W X₁ᵀ L₁⁻ᵀ."""
        products = np.zeros((len(W), len(self.pivots)))
        for columns in self._blocks():
            products += W[:, columns] @ self._pivot_rows(columns).T
        return self._solve(products, trans="N")

    def _solve(self, V: FloatArray, trans: Literal["N", "T"]) -> FloatArray:
        """Return V L₁⁻¹, or V L₁⁻ᵀ."""
        L1 = self.L[self.pivots]
        solved = solve_triangular(L1, V.T, lower=True, trans=trans, check_finite=False)
        return np.asarray(solved.T)

    def _blocks(self) -> Iterator[slice]:
        return column_blocks(len(self.pivots), self.X.shape[1])

    def _pivot_rows(self, columns: slice) -> FloatArray:
        """Return columns of X₁, in float64."""
        B = self.X[self.pivots, columns].astype(np.float64, copy=False)
        return B if self.mean is None else B - self.mean[columns]


def column_blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield consecutive blocks of columns that cover all columns.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the matrix.

    Yields
    ------
    slice
        Columns of a block.

    Examples
    --------
    >>> [columns.stop for columns in column_blocks(4096, 100)]
    [64, 100]
    """
    width = max(MIN_BLOCK_COLUMNS, BLOCK_ENTRIES // max(1, n_rows))
    for start in range(0, n_columns, width):
        yield slice(start, min(start + width, n_columns))


def _gram_and_mean(X: FloatArray, fit_intercept: bool) -> tuple[FloatArray, FloatArray]:
    """Return the Gram matrix of the centred rows, and their mean."""
    n, d = X.shape
    G, mean = np.zeros((n, n), order="F"), np.zeros(d)
    with np.errstate(over="ignore", invalid="ignore"):
        for columns in column_blocks(*X.shape):
            B, mean[columns] = _centred(X[:, columns], fit_intercept)
            # in place, and one triangle of it
            G = dsyrk(1.0, B.T, trans=1, beta=1.0, c=G, lower=1, overwrite_c=1)
    return G, mean


def _centred(block: FloatArray, fit_intercept: bool) -> tuple[FloatArray, FloatArray | float]:
    """Return a block of columns in float64, less its mean if the intercept is fitted."""
    B = block.astype(np.float64, copy=False)
    if not fit_intercept:
        return B, 0.0
    first = B.mean(axis=0)
    B = B - first
    # the rounding error of a large mean is a direction of its own, in the span of the intercept
    second = B.mean(axis=0)
    B -= second
    return B, first + second


def _factor_of_gram(G: FloatArray, rank: int) -> tuple[FloatArray, IntArray] | None:
    """Return L and the pivots of the Cholesky factor; None if G has a lower rank or few digits.

    G is given by its lower triangle, and overwritten.
    """
    largest, norm = float(G.diagonal().max()), float(np.sqrt(2) * np.linalg.norm(G))
    factor, pivots, found, _ = dpstrf(
        G, tol=_singular_below(len(G)) * largest, lower=1, overwrite_a=1
    )
    if found < rank:
        return None
    L = np.tril(factor)[:, :rank]
    reciprocal = float(dpocon(L[:rank], norm, uplo="L")[0])
    return _in_order(L, pivots - 1) if reciprocal > MIN_RECIPROCAL_CONDITION else None


def _factor_of_rows(X: FloatArray, fit_intercept: bool) -> tuple[FloatArray, IntArray]:
    """Return L and the pivots by orthogonal transformations, which lose no digits of X."""
    n = len(X)
    R: FloatArray = np.zeros((0, n))
    for columns in column_blocks(*X.shape):
        B, _ = _centred(X[:, columns], fit_intercept)
        R = np.asarray(np.linalg.qr(np.concatenate([R, B.T]), mode="r"))
    triangular = qr(R, mode="r", pivoting=True, check_finite=False, overwrite_a=True)
    upper, pivots = cast("tuple[FloatArray, IntArray]", triangular)
    sizes = np.abs(np.diagonal(upper))
    rank = int(np.count_nonzero(sizes > _singular_below(n) * sizes[0]))
    return _in_order(upper[:rank].T, pivots)


def _in_order(L: FloatArray, pivots: IntArray) -> tuple[FloatArray, IntArray]:
    """Return L in the order of the rows of X, and the rows that span the row space."""
    ordered = np.empty_like(L, order="C")
    ordered[pivots] = L
    return ordered, pivots[: L.shape[1]]


def _singular_below(n_rows: int) -> float:
    """Return the relative size below which a pivot is rounding error."""
    return 10 * n_rows * _EPS
