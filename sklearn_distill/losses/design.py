"""Products with X by blocks of rows; the only place that knows how X is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from sklearn_distill._typing import FloatArray, RowIndexer
from sklearn_distill.losses._float_range import scaled_back, within_range
from sklearn_distill.losses.tensor_design import TensorDesign

# A block and its scores stay in the cache between the product that makes the scores and the
# product that pulls the residuals back.
TILE_BYTES = 4 * 2**20


class Design(Protocol):
    """The linear map from weights to scores, Z = W Xᵀ + b 1ᵀ, and its transpose."""

    n_rows: int
    n_columns: int  # of W: features, and the intercept as the last one if there is one
    fit_intercept: bool
    dtype: np.dtype[Any]

    def tiles(self) -> Iterator[slice]:
        """Yield the tiles of rows over which a pass over the data goes."""

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return Z of shape (n_scores, rows) for W of shape (n_scores, n_columns)."""

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] of shape (n_scores, n_columns) for R of shape (n_scores, rows)."""

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1]."""

    def take(self, rows: RowIndexer) -> Design:
        """Return the design of the given rows."""


class DenseDesign:
    """A dense X of float32 or float64 in any memory order; it is never copied.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features.
    fit_intercept : bool
        Whether a column of ones follows the features.
    """

    def __init__(self, X: FloatArray, fit_intercept: bool) -> None:
        self.X = X
        self.fit_intercept = fit_intercept
        self.n_rows = X.shape[0]
        self.n_columns = X.shape[1] + fit_intercept
        self.dtype = X.dtype

    def tiles(self) -> Iterator[slice]:
        """Yield tiles of about ``TILE_BYTES``."""
        size = max(256, TILE_BYTES // max(1, self.X.shape[1] * self.X.itemsize))
        for start in range(0, self.n_rows, size):
            yield slice(start, min(start + size, self.n_rows))

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the rows."""
        W, scale = within_range(W, self.dtype)
        # equal dtypes: a float64 W would make numpy recast all of a float32 X at each product
        W = W.astype(self.dtype, copy=False)
        Z: FloatArray = W[:, : self.X.shape[1]] @ self.X[rows].T
        if self.fit_intercept:
            Z += W[:, -1:]
        return scaled_back(Z, scale)

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] on the rows."""
        result = np.empty((len(R), self.n_columns))
        result[:, : self.X.shape[1]] = R.astype(self.dtype, copy=False) @ self.X[rows]
        if self.fit_intercept:
            result[:, -1] = R.sum(axis=1, dtype=np.float64)
        return result

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the rows."""
        block, c = self.X[rows], weight.astype(self.dtype, copy=False)
        return _bordered_gram(block.T, c, c[:, None] * block, self)

    def take(self, rows: RowIndexer) -> DenseDesign:
        """Return the design of the given rows."""
        return DenseDesign(self.X[rows], self.fit_intercept)


class SparseDesign:
    """A CSR or CSC X; it is never made dense and never converted.

    Parameters
    ----------
    X : sparse matrix or array of shape (n_rows, n_features)
        Features, CSR or CSC.
    fit_intercept : bool
        Whether a column of ones follows the features.
    """

    def __init__(self, X: Any, fit_intercept: bool) -> None:
        self.X = X
        self.fit_intercept = fit_intercept
        self.n_rows = X.shape[0]
        self.n_columns = X.shape[1] + fit_intercept
        self.dtype = X.dtype

    def tiles(self) -> Iterator[slice]:
        """Yield all rows at once: slices of a sparse matrix are copies."""
        yield slice(0, self.n_rows)

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the rows."""
        W, scale = within_range(W, self.dtype)
        W = W.astype(self.dtype, copy=False)
        Z = np.ascontiguousarray((self._at(rows) @ W[:, : self.X.shape[1]].T).T)
        if self.fit_intercept:
            Z += W[:, -1:]
        return scaled_back(Z, scale)

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] on the rows."""
        result = np.empty((len(R), self.n_columns))
        result[:, : self.X.shape[1]] = (self._at(rows).T @ R.astype(self.dtype, copy=False).T).T
        if self.fit_intercept:
            result[:, -1] = R.sum(axis=1, dtype=np.float64)
        return result

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the rows; (n_columns, n_columns), dense."""
        block, c = self._at(rows), weight.astype(self.dtype, copy=False)
        return _bordered_gram(block.T, c, block.multiply(c[:, None]), self)

    def take(self, rows: RowIndexer) -> SparseDesign:
        """Return the design of the given rows."""
        return SparseDesign(self.X[rows], self.fit_intercept)

    def _at(self, rows: slice) -> Any:
        whole = rows.start == 0 and rows.stop == self.n_rows
        return self.X if whole else self.X[rows]


def _bordered_gram(
    transposed: Any, c: FloatArray, weighted: Any, design: DenseDesign | SparseDesign
) -> FloatArray:
    """Return Xᵀ(cX), bordered by Xᵀc and Σc if there is an intercept."""
    product = transposed @ weighted
    result = np.empty((design.n_columns, design.n_columns))
    d = transposed.shape[0]
    result[:d, :d] = product.toarray() if hasattr(product, "toarray") else product
    if design.fit_intercept:
        result[d, :d] = result[:d, d] = transposed @ c
        result[d, d] = c.sum(dtype=np.float64)
    return result


def stack_designs(parts: Sequence[Any]) -> Design:
    """Return the design of the rows of several parts together.

    Parameters
    ----------
    parts : sequence of DenseDesign, or of SparseDesign
        All alike.

    Returns
    -------
    Design
        It holds a copy.
    """
    stack = sparse.vstack if isinstance(parts[0], SparseDesign) else np.vstack
    return as_design(stack([part.X for part in parts]), parts[0].fit_intercept)


def as_design(X: Any, fit_intercept: bool) -> Design:
    """Wrap X by how it is stored.

    Parameters
    ----------
    X : ndarray, CSR, CSC or torch.Tensor of shape (n_rows, n_features)
        Features in float32 or float64.
    fit_intercept : bool
        Whether a column of ones follows the features.

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
