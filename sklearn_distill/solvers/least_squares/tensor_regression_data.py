"""Rows whose features are a torch tensor, computed with where it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_distill._optional import tensor_to_numpy
from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import Source

# a block of this many numbers (64 MB) keeps a GPU busy
_TILE_SIZE = 2**23


@dataclass(frozen=True)
class TensorTile:
    """A block B of rows on a device; only matrices of its columns leave it.

    Parameters
    ----------
    values : torch.Tensor of shape (n_rows, n_columns)
        B.
    linalg : module
        ``torch.linalg``.

    Examples
    --------
    >>> import torch
    >>> TensorTile(torch.tensor([[3.0], [4.0]]), torch.linalg).gram()
    array([[25.]], dtype=float32)
    """

    values: Any
    linalg: Any

    def gram(self) -> FloatArray:
        """Return BᵀB of shape (n_columns, n_columns)."""
        return tensor_to_numpy(self.values.T @ self.values)

    def root(self) -> FloatArray:
        """Return R with RᵀR = BᵀB, of at most as many rows as columns."""
        return tensor_to_numpy(self.linalg.qr(self.values, mode="r")[1])


@dataclass(frozen=True)
class TensorRegressionData(RegressionData):
    """Rows x that lie on a device, with label, teacher's prediction and weight in NumPy.

    To the device go, for each block of n rows, labels, predictions and weights (n numbers each,
    or n for each output), and in a refinement residuals; from it come Gram matrix or triangular
    root (n_columns × n_columns), or products x·w (n × n_outputs). X itself stays, and each block
    of it is made float64 there.

    Parameters
    ----------
    X : torch.Tensor of shape (n_rows, n_features)
        Features in float32 or float64.
    y, teacher : ndarray of shape (n_rows, n_outputs) or None
        Labels and predictions; a row of NaN is missing or silent.
    weight : ndarray of shape (n_rows,) or None
        Weights, at least 0; None is 1 for all.
    linalg : module
        ``torch.linalg``.
    """

    linalg: Any = None

    @property
    def tile_size(self) -> int:
        """Numbers in a block."""
        return _TILE_SIZE

    @property
    def resolution(self) -> float:
        """Machine epsilon of X."""
        return float(np.finfo(str(self.X.dtype).removeprefix("torch.")).eps)

    def pulled_back(
        self,
        rows: slice,
        centre: FloatArray,
        coef: FloatArray,
        residual: Callable[[FloatArray], FloatArray],
    ) -> FloatArray:
        """Return (X − c)ᵀ r((X − c) w) of some rows, of shape (n_features, n_outputs)."""
        x = self._centred(self.X[rows], centre)
        R = residual(tensor_to_numpy(x @ self._there(coef)))
        return tensor_to_numpy(x.T @ self._there(R))

    def quadratic(
        self, rows: slice, centre: FloatArray, A: FloatArray, b: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return (x − c)ᵀ A (x − c) and (x − c)·b for each x of some rows."""
        x = self._centred(self.X[rows], centre)
        squares = ((x @ self._there(A)) * x).sum(1)
        return tensor_to_numpy(squares), tensor_to_numpy(x @ self._there(b))

    def tile_values(
        self, source: Source, shift: FloatArray, rows_a_column: float
    ) -> Iterator[TensorTile]:
        """Yield √weight · [1 | x − shift | targets − shift] of a source's rows, on the device."""
        d = self.n_features
        for rows, pick in self._parts(source, rows_a_column):
            x = self._centred(self.X[rows][pick], shift[:d])
            block = x.new_ones((len(x), 1 + len(shift)))
            block[:, 1 : d + 1] = x
            targets = np.hstack([target[rows][pick] for target in self._targets(source)])
            block[:, d + 1 :] = self._there(targets - shift[d:])
            if self.weight is not None:
                block *= self._there(np.sqrt(self.weight[rows][pick]))[:, None]
            yield TensorTile(block, self.linalg)

    def _centred(self, X: Any, centre: FloatArray) -> Any:
        return X.double() - self._there(centre)

    def _there(self, values: FloatArray) -> Any:
        """Return values beside X, in float64."""
        return self.X[:0].double().new_tensor(np.ascontiguousarray(values, np.float64))

    def _glimpsed_mean(self) -> FloatArray:
        return tensor_to_numpy(self._glimpse().double().mean(0))
