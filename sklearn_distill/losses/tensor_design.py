"""Products with a torch tensor on its device, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_distill._optional import tensor_to_numpy
from sklearn_distill._typing import CheckedX, FloatArray, IntArray, RowIndexer
from sklearn_distill.losses._float_range import scaled_back, within_range

# 64 MB keep a GPU busy, and the scores of a tile are small compared with it.
TILE_BYTES = 2**26


class TensorDesign:
    """A dense X in a torch tensor of float32 or float64, which stays on its device.

    For each tile of n rows, the transfers between the device and NumPy are weights and their
    gradients (n_scores × n_columns), scores and residuals (n_scores × n), and a Gram matrix
    (n_columns × n_columns) with the weights of its rows. X is never transferred.

    Parameters
    ----------
    X : torch.Tensor of shape (n_rows, n_features)
        Features, on any device.
    fit_intercept : bool
        Whether a column of ones is appended to the features.

    Examples
    --------
    >>> import numpy as np, torch
    >>> design = TensorDesign(torch.tensor([[1.0], [2.0]]), fit_intercept=True)
    >>> design.scores(np.array([[3.0, 0.5]]), slice(0, 2))
    array([[3.5, 6.5]], dtype=float32)
    """

    shares_passes = True

    def __init__(self, X: CheckedX, fit_intercept: bool) -> None:
        self.X = X
        self.fit_intercept = fit_intercept
        self.n_rows = int(X.shape[0])
        self.n_columns = int(X.shape[1]) + fit_intercept
        self.dtype: np.dtype[Any] = np.dtype(str(X.dtype).removeprefix("torch."))

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield tiles of about ``TILE_BYTES``."""
        size = max(256, TILE_BYTES // max(1, self.X.shape[1] * self.dtype.itemsize))
        for start in range(0, self.n_rows, size):
            yield slice(start, min(start + size, self.n_rows))

    def scores(self, W: FloatArray, tile: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the tile."""
        W, scale = within_range(W, self.dtype)
        Z = tensor_to_numpy(self._on_device(W[:, : self.X.shape[1]]) @ self.X[tile].T)
        if self.fit_intercept:
            Z += W[:, -1:].astype(self.dtype)
        return scaled_back(Z, scale)

    def pull_back(self, R: FloatArray, tile: slice) -> FloatArray:
        """Return R [X 1] on the tile."""
        result = np.empty((len(R), self.n_columns))
        result[:, : self.X.shape[1]] = tensor_to_numpy(self._on_device(R) @ self.X[tile])
        if self.fit_intercept:
            result[:, -1] = R.sum(axis=1, dtype=np.float64)
        return result

    def gram(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the tile."""
        X, c = self.X[tile], self._on_device(weight)
        A = tensor_to_numpy(X.T @ (c[:, None] * X)).astype(np.float64)
        if not self.fit_intercept:
            return A
        a = tensor_to_numpy(c @ X).astype(np.float64)
        return np.block([[A, a[:, None]], [a, weight.sum(dtype=np.float64)]])

    def gram_diagonal(self, weight: FloatArray, tile: slice) -> FloatArray:
        """Return the diagonal of the Gram matrix, Σ weight · [X 1]², without the matrix."""
        squares = tensor_to_numpy(self._on_device(weight) @ self.X[tile] ** 2).astype(np.float64)
        return np.append(squares, weight.sum(dtype=np.float64) if self.fit_intercept else [])

    def take(self, rows: RowIndexer) -> TensorDesign:
        """Return the design of the given rows, on the same device."""
        return TensorDesign(self.X[rows], self.fit_intercept)

    def take_columns(self, columns: IntArray) -> None:
        """Return None: X is not sparse."""

    def in_double(self) -> TensorDesign:
        """Return the design of a float64 copy; itself on Apple's GPUs, which have no float64."""
        if self.X.device.type == "mps":
            return self
        return TensorDesign(self.X.double(), self.fit_intercept)

    def to_array(self) -> FloatArray:
        """Return a copy of [X 1] in NumPy's memory, in float64."""
        X = tensor_to_numpy(self.X).astype(np.float64)
        return np.hstack([X, np.ones((self.n_rows, 1))]) if self.fit_intercept else X

    def _on_device(self, values: FloatArray) -> Any:
        """Return values as a tensor of the device and dtype of X."""
        return self.X.new_tensor(np.ascontiguousarray(values, self.dtype), dtype=self.X.dtype)
