"""Products with X, tile by tile, for each way to store X: dense, sparse or as a torch tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import sparse
from scipy.linalg import get_blas_funcs

from sklearn_distill._typing import CheckedX, FloatArray, IntArray, RowIndexer
from sklearn_distill.losses._float_range import scaled_back, within_range
from sklearn_distill.losses.tensor_design import TensorDesign

# A tile stays in the cache from the product that computes the scores to the product that pulls the
# residuals back, so that value and gradient read X from memory once.
TILE_BYTES = 4 * 2**20
# Rows of a Gram matrix's update: fewer are slower, since each update writes all of the matrix.
MIN_GRAM_ROWS = 512
# From this share of stored entries on, a Gram matrix is faster from dense tiles than by a sparse
# product (measured for 20 to 2,000 columns): ten times at a share of 0.3 of 500 columns.
DENSE_SHARE = 0.1


class Design(Protocol):
    """The linear map from weights to scores, Z = W Xᵀ + b 1ᵀ, and its transpose."""

    n_rows: int
    n_columns: int  # of W: the features, and the intercept as the last column if it is fitted
    fit_intercept: bool
    dtype: np.dtype[Any]
    shares_passes: bool  # whether a product with many scores takes less time than several products

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield consecutive tiles of rows that cover all rows, for products with so many scores."""

    def scores(self, W: FloatArray, tile: slice) -> FloatArray:
        """Return Z of shape (n_scores, n_rows of the tile) for W of shape (n_scores, n_columns)."""

    def pull_back(self, R: FloatArray, tile: slice) -> FloatArray:
        """Return R [X 1] of shape (n_scores, n_columns) for residuals R of the tile."""

    def gram(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the tile."""

    def gram_diagonal(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return the diagonal of the Gram matrix, Σ weight · [X 1]², without the matrix."""

    def take(self, rows: RowIndexer) -> Design:
        """Return the design of the given rows."""

    def take_columns(self, columns: IntArray) -> Design | None:
        """Return some columns of a sparse X, of which the intercept is the last; None if dense."""

    def in_double(self) -> Design:
        """Return the design with products in float64."""


class DenseDesign:
    """A dense X of float32 or float64 in any memory order, used without a copy.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features in float32 or float64.
    fit_intercept : bool
        Whether a column of ones is appended to the features.
    dtype : dtype or None
        Precision of the products, to which tiles of X are converted; None for that of X.
    """

    shares_passes = True

    def __init__(
        self, X: FloatArray, fit_intercept: bool, dtype: np.dtype[Any] | None = None
    ) -> None:
        self.X = X
        self.fit_intercept = fit_intercept
        self.n_rows = X.shape[0]
        self.n_columns = X.shape[1] + fit_intercept
        self.dtype = X.dtype if dtype is None else dtype

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield tiles of about ``TILE_BYTES``, with the scores of the rows and their residuals."""
        yield from _dense_tiles(self.X, n_scores)

    def scores(self, W: FloatArray, tile: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the tile."""
        W, scale = within_range(W, self.dtype)
        # Equal dtypes: a float64 W would make NumPy convert all of a float32 X in each product.
        W = W.astype(self.dtype, copy=False)
        Z: FloatArray = W[:, : self.X.shape[1]] @ self._rows(tile).T
        if self.fit_intercept:
            Z += W[:, -1:]
        return scaled_back(Z, scale)

    def pull_back(self, R: FloatArray, tile: slice) -> FloatArray:
        """Return R [X 1] on the tile."""
        result = np.empty((len(R), self.n_columns))
        result[:, : self.X.shape[1]] = R.astype(self.dtype, copy=False) @ self._rows(tile)
        if self.fit_intercept:
            result[:, -1] = R.sum(axis=1, dtype=np.float64)
        return result

    def gram(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the tile."""
        X, c = self._rows(tile), weight.astype(self.dtype, copy=False)
        product = _symmetric_product(X, c)
        return _bordered(product, X.T @ c if self.fit_intercept else None, c)

    def gram_triangle(self, weight: FloatArray, dtype: type[np.floating[Any]]) -> FloatArray:
        """Return the lower triangle of [X 1]ᵀ diag(weight) [X 1] over all rows, in a precision.

        The weights are not negative. Tiles are added in place, without a matrix for each of them.
        """
        d = self.X.shape[1]
        G = np.zeros((self.n_columns, self.n_columns), dtype, order="F")
        product, root = np.zeros((d, d), dtype, order="F"), np.sqrt(weight).astype(dtype)
        syrk = get_blas_funcs("syrk", [product])
        for start in range(0, self.n_rows, MIN_GRAM_ROWS):
            tile = slice(start, start + MIN_GRAM_ROWS)
            B = self.X[tile] * root[tile, None] if self.X.dtype == dtype else None
            if B is None:
                B = self.X[tile].astype(dtype)
                B *= root[tile, None]
            product = syrk(1, B.T, beta=1, c=product, lower=1, overwrite_c=1)
            if self.fit_intercept:
                G[d, :d] += root[tile] @ B
        G[:d, :d] = product
        if self.fit_intercept:
            G[d, d] = weight.sum(dtype=np.float64)
        return G

    def gram_diagonal(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return the diagonal of the Gram matrix, Σ weight · [X 1]², without the matrix."""
        X, c = self._rows(tile), weight.astype(self.dtype, copy=False)
        if (c == c[0]).all():  # a third of the time
            diagonal = c[0] * np.einsum("nd,nd->d", X, X)
        else:
            diagonal = np.einsum("n,nd,nd->d", c, X, X)
        return _with_intercept(diagonal, c, self.fit_intercept)

    def take(self, rows: RowIndexer) -> DenseDesign:
        """Return the design of the given rows."""
        return DenseDesign(self.X[rows], self.fit_intercept, self.dtype)

    def take_columns(self, columns: IntArray) -> None:
        """Return None: X is not sparse."""

    def in_double(self) -> DenseDesign:
        """Return the design with products in float64, to which a tile at a time is converted."""
        return DenseDesign(self.X, self.fit_intercept, np.dtype(np.float64))

    def to_array(self) -> FloatArray:
        """Return a copy of [X 1] in float64."""
        return _with_ones(self.X, self.fit_intercept)

    def _rows(self, tile: slice) -> FloatArray:
        return self.X[tile].astype(self.dtype, copy=False)


class TakenDesign(DenseDesign):
    """Some rows of a dense X, of which a tile at a time is copied.

    Parameters
    ----------
    X : ndarray of shape (n_all_rows, n_features)
        Features in float32 or float64.
    rows : ndarray of int of shape (n_rows,)
        Numbers of the rows.
    fit_intercept : bool
        Whether a column of ones is appended to the features.
    """

    def __init__(self, X: FloatArray, rows: IntArray, fit_intercept: bool) -> None:
        super().__init__(X, fit_intercept)
        self.rows = rows
        self.n_rows = len(rows)

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield tiles of the rows."""
        yield from _dense_tiles(self.X, n_scores, self.n_rows)

    def take(self, rows: RowIndexer) -> DenseDesign:
        """Return the design of the given ones of these rows, which are copied."""
        return DenseDesign(self.X[self.rows[rows]], self.fit_intercept, self.dtype)

    def in_double(self) -> DenseDesign:
        """Return the design of a copy of the rows, with products in float64."""
        return self.take(slice(None)).in_double()

    def gram_triangle(self, weight: FloatArray, dtype: type[np.floating[Any]]) -> FloatArray:
        """Return the lower triangle of a Gram matrix, of a copy of the rows."""
        return self.take(slice(None)).gram_triangle(weight, dtype)

    def to_array(self) -> FloatArray:
        """Return a copy of [X 1] of the rows in float64."""
        return self.take(slice(None)).to_array()

    def _rows(self, tile: slice) -> FloatArray:
        return self.X[self.rows[tile]]


class SparseDesign:
    """A CSR or CSC X, used without conversion to dense or to another format.

    Parameters
    ----------
    X : sparse matrix or array of shape (n_rows, n_features)
        Features in float32 or float64.
    fit_intercept : bool
        Whether a column of ones is appended to the features.
    """

    shares_passes = False  # measured: the weights of one score stay in a smaller cache

    def __init__(self, X: CheckedX, fit_intercept: bool) -> None:
        self.X = X
        self.fit_intercept = fit_intercept
        self.n_rows = X.shape[0]
        self.n_columns = X.shape[1] + fit_intercept
        self.dtype = X.dtype

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield all rows as one tile, since a slice of a sparse matrix is a copy."""
        yield slice(0, self.n_rows)

    def scores(self, W: FloatArray, tile: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the tile."""
        W, scale = within_range(W, self.dtype)
        W = W.astype(self.dtype, copy=False)
        d = self.X.shape[1]
        if len(W) == 1:  # a vector takes less time than a matrix of one column
            Z = (self._rows(tile) @ W[0, :d])[None]
        else:
            # The product with a sparse X is row-major: make the scores class-major.
            Z = np.ascontiguousarray((self._rows(tile) @ W[:, :d].T).T)
        if self.fit_intercept:
            Z += W[:, -1:]
        return scaled_back(Z, scale)

    def pull_back(self, R: FloatArray, tile: slice) -> FloatArray:
        """Return R [X 1] on the tile."""
        result = np.empty((len(R), self.n_columns))
        R_, is_all = R.astype(self.dtype, copy=False), self._is_all(tile)
        if len(R) == 1:
            result[0, : self.X.shape[1]] = (self._columns if is_all else self.X[tile].T) @ R_[0]
        else:  # a copy of X pays for several residuals
            Xt = self._transpose if is_all else self.X[tile].T
            result[:, : self.X.shape[1]] = (Xt @ R_.T).T
        if self.fit_intercept:
            result[:, -1] = R.sum(axis=1, dtype=np.float64)
        return result

    def gram(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the tile; (n_columns, n_columns), dense."""
        X, c = self._rows(tile), weight.astype(self.dtype, copy=False)
        # tiles of rows are cut from CSR only
        dense = X.format == "csr" and X.nnz > DENSE_SHARE * X.shape[0] * X.shape[1]
        product = _gram_of_dense_tiles(X, c) if dense else _sparse_gram(X, c)
        return _bordered(product, X.T @ c if self.fit_intercept else None, c)

    def gram_diagonal(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return the diagonal of the Gram matrix, Σ weight · [X 1]², without the matrix."""
        X, c = self._rows(tile), weight.astype(self.dtype, copy=False)
        return _with_intercept(X.multiply(X).T @ c, c, self.fit_intercept)

    def take(self, rows: RowIndexer) -> SparseDesign:
        """Return the design of the given rows."""
        return SparseDesign(self.X[rows], self.fit_intercept)

    def in_double(self) -> SparseDesign:
        """Return the design of a float64 copy of the stored entries, for products in float64."""
        return SparseDesign(self.X.astype(np.float64), self.fit_intercept)

    def to_array(self) -> FloatArray:
        """Return a dense copy of [X 1] in float64."""
        return _with_ones(self.X.toarray(), self.fit_intercept)

    def used_columns(self) -> IntArray:
        """Return the numbers of the features that have a stored entry, and of the intercept."""
        X = self.X
        if X.format == "csr":
            used = np.bincount(X.indices, minlength=X.shape[1]) > 0
        else:
            used = np.diff(X.indptr) > 0
        return np.flatnonzero(np.append(used, [True] * self.fit_intercept))

    def take_columns(self, columns: IntArray) -> SparseDesign:
        """Return the design of the given columns, of which the intercept is the last."""
        features = columns[:-1] if self.fit_intercept else columns
        return SparseDesign(self.X[:, features], self.fit_intercept)

    @cached_property
    def _columns(self) -> CheckedX:
        # without a copy; made once, since SciPy's checks take as long as a product of few entries
        return self.X.T

    @cached_property
    def _transpose(self) -> CheckedX:
        # in rows, which a product writes one after the other
        return self.X.T.tocsr()

    def _rows(self, tile: slice) -> CheckedX:
        return self.X if self._is_all(tile) else self.X[tile]

    def _is_all(self, tile: slice) -> bool:
        return bool(tile.start == 0 and tile.stop == self.n_rows)


def _with_ones(X: FloatArray, fit_intercept: bool) -> FloatArray:
    """Return [X 1] in float64, or a copy of X without an intercept."""
    n, d = X.shape
    ones = np.ones((n, d + fit_intercept))
    ones[:, :d] = X
    return ones


def _symmetric_product(X: FloatArray, c: FloatArray) -> FloatArray:
    """Return Xᵀ diag(c) X."""
    some_negative, some_positive = c.min(initial=0) < 0, c.max(initial=0) > 0
    if some_negative and some_positive:
        return X.T @ (c[:, None] * X)
    # NumPy computes the product of a matrix with its own transpose in half the operations
    root = np.sqrt(np.abs(c))[:, None] * X
    product = root.T @ root
    return -product if some_negative else product


def _sparse_gram(X: CheckedX, c: FloatArray) -> FloatArray:
    """Return Xᵀ diag(c) X of a sparse X by a sparse product."""
    product: FloatArray = (X.T @ X.multiply(c[:, None])).toarray()
    return product


def _gram_of_dense_tiles(X: CheckedX, c: FloatArray) -> FloatArray:
    """Return Xᵀ diag(c) X of a CSR X, whose tiles are made dense one at a time."""
    product = np.zeros((X.shape[1], X.shape[1]))
    for tile in _dense_tiles(X):
        product += _symmetric_product(X[tile].toarray(), c[tile])
    return product


def _dense_tiles(X: CheckedX, n_scores: int = 0, n_rows: int | None = None) -> Iterator[slice]:
    """Yield tiles of rows of about ``TILE_BYTES``, if they are dense."""
    # Wide X: tiles of a few rows would lose the speed of matrix products.
    entries = X.shape[1] + (2 * n_scores if n_scores > 1 else 0)
    size = max(256, TILE_BYTES // max(1, entries * X.dtype.itemsize))
    n_rows = X.shape[0] if n_rows is None else n_rows
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def _with_intercept(squares: FloatArray, c: FloatArray, fit_intercept: bool) -> FloatArray:
    """Return sums of squares in float64, with that of the ones if the intercept is fitted."""
    return np.append(squares.astype(np.float64), c.sum(dtype=np.float64) if fit_intercept else [])


def _bordered(product: FloatArray, Xc: FloatArray | None, c: FloatArray) -> FloatArray:
    """Return Xᵀ diag(c) X in float64, bordered by Xᵀc and Σc if the intercept is fitted."""
    if Xc is None:
        return product.astype(np.float64, copy=False)
    d = len(product)
    result = np.empty((d + 1, d + 1))
    result[:d, :d] = product
    result[d, :d] = result[:d, d] = Xc
    result[d, d] = c.sum(dtype=np.float64)
    return result


def stack_designs(parts: Sequence[Any]) -> Design:
    """Stack the rows of several designs.

    Parameters
    ----------
    parts : sequence of DenseDesign, or of SparseDesign
        Designs of the same storage, dtype and columns.

    Returns
    -------
    Design
        Design of all rows, which holds a copy of them.
    """
    stack = sparse.vstack if isinstance(parts[0], SparseDesign) else np.vstack
    return as_design(stack([part.X for part in parts]), parts[0].fit_intercept)


def as_design(X: CheckedX, fit_intercept: bool) -> Design:
    """Return the design of X for the way in which X is stored.

    Parameters
    ----------
    X : ndarray, CSR, CSC or torch.Tensor of shape (n_rows, n_features)
        Features in float32 or float64.
    fit_intercept : bool
        Whether a column of ones is appended to the features.

    Returns
    -------
    Design
        The linear map from weights to scores.

    Examples
    --------
    >>> import numpy as np
    >>> design = as_design(np.array([[1.0], [2.0]]), fit_intercept=True)
    >>> design.scores(np.array([[3.0, 0.5]]), slice(0, 2))
    array([[3.5, 6.5]])
    """
    if sparse.issparse(X):
        return SparseDesign(X, fit_intercept)
    if isinstance(X, np.ndarray):
        return DenseDesign(X, fit_intercept)
    return TensorDesign(X, fit_intercept)
