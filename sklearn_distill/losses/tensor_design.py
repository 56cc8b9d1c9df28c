"""Products with a torch tensor where it lies, by blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_distill._optional import tensor_to_numpy
from sklearn_distill._typing import FloatArray, RowIndexer
from sklearn_distill.losses._float_range import scaled_back, within_range

# A block is large enough to keep a GPU busy, and its scores are small beside it.
TILE_BYTES = 2**26


class TensorDesign:
    """A dense X that is a torch tensor of float32 or float64, on any device; it stays there.

    Between the device and NumPy go, in each block of n rows, weights and their gradients
    (n_scores × n_columns), scores and residuals (n_scores × n), and the entries of a Gram matrix
    (n_columns × n_columns) with the weights of its rows; never X.

    Parameters
    ----------
    X : torch.Tensor of shape (n_rows, n_features)
        Features.
    fit_intercept : bool
        Whether a column of ones follows the features.

    Examples
    --------
    >>> import numpy as np, torch
    >>> design = TensorDesign(torch.tensor([[1.0], [2.0]]), fit_intercept=True)
    >>> design.scores(np.array([[3.0, 0.5]]), slice(0, 2))
    array([[3.5, 6.5]], dtype=float32)
    """

    def __init__(self, X: Any, fit_intercept: bool) -> None:
        self.X = X
        self.fit_intercept = fit_intercept
        self.n_rows = int(X.shape[0])
        self.n_columns = int(X.shape[1]) + fit_intercept
        self.dtype: np.dtype[Any] = np.dtype(str(X.dtype).removeprefix("torch."))

    def tiles(self) -> Iterator[slice]:
        """Yield tiles of about ``TILE_BYTES``."""
        size = max(256, TILE_BYTES // max(1, self.X.shape[1] * self.dtype.itemsize))
        for start in range(0, self.n_rows, size):
            yield slice(start, min(start + size, self.n_rows))

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the rows."""
        W, scale = within_range(W, self.dtype)
        Z = tensor_to_numpy(self._there(W[:, : self.X.shape[1]]) @ self.X[rows].T)
        if self.fit_intercept:
            Z += W[:, -1:].astype(self.dtype)
        return scaled_back(Z, scale)

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] on the rows."""
        result = np.empty((len(R), self.n_columns))
        result[:, : self.X.shape[1]] = tensor_to_numpy(self._there(R) @ self.X[rows])
        if self.fit_intercept:
            result[:, -1] = R.sum(axis=1, dtype=np.float64)
        return result

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the rows."""
        block, c = self.X[rows], self._there(weight)
        A = tensor_to_numpy(block.T @ (c[:, None] * block)).astype(np.float64)
        if not self.fit_intercept:
            return A
        a = tensor_to_numpy(c @ block).astype(np.float64)
        return np.block([[A, a[:, None]], [a, weight.sum(dtype=np.float64)]])

    def take(self, rows: RowIndexer) -> TensorDesign:
        """Return the design of the given rows; they stay on the device."""
        return TensorDesign(self.X[rows], self.fit_intercept)

    def _there(self, values: FloatArray) -> Any:
        """Return values beside X, in its precision."""
        return self.X.new_tensor(np.ascontiguousarray(values, self.dtype), dtype=self.X.dtype)
