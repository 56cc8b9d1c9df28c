"""Rows of a regression whose features are a torch tensor, with products on its device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_distill._optional import tensor_to_numpy
from sklearn_distill._typing import CheckedX, FloatArray, IntArray
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import Source

# A tile of this many numbers (64 MB) keeps a GPU busy.
_TILE_SIZE = 2**23


@dataclass(frozen=True)
class TensorTile:
    """A tile B of rows on a device, of which only products and factors are transferred.

    Parameters
    ----------
    values : torch.Tensor of shape (n_rows, n_columns)
        Values B of the tile, on any device.
    linalg : module
        The module ``torch.linalg``, so that torch is not imported here.

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
    """Rows x in a torch tensor, with label, teacher's prediction and weight in NumPy.

    For each tile of n rows, the transfers to the device are labels, predictions and weights (n
    numbers each, or n per output). The transfers from the device are the Gram matrix or triangular
    root (n_columns × n_columns), or the variance of each prediction (n numbers). X is never
    transferred; each tile of it is converted to float64 on the device.

    Parameters
    ----------
    X : torch.Tensor of shape (n_rows, n_features)
        Features in float32 or float64, on any device.
    y, teacher : ndarray of shape (n_rows, n_outputs) or None
        Labels and predictions; a row of NaN is missing.
    weight, teacher_variance, trust : ndarray of shape (n_rows,) or None
        Nonnegative weights, variances of the predictions, and trust in them; None for 1.
    linalg : module
        The module ``torch.linalg``, for the QR factorisations.
    """

    linalg: Any = None

    @property
    def tile_size(self) -> int:
        """Largest number of entries of a tile, unless that is fewer rows than required."""
        return _TILE_SIZE

    @property
    def eps(self) -> float:
        """Machine epsilon of X."""
        return float(np.finfo(str(self.X.dtype).removeprefix("torch.")).eps)

    def squared_norms(
        self, tile: slice, centre: FloatArray, A: FloatArray, b: FloatArray
    ) -> FloatArray:
        """Return ‖Aᵀ(x − c) + b‖² for each row x of a tile."""
        values = self._centred(self.X[tile], centre) @ self._on_device(A) + self._on_device(b)
        return tensor_to_numpy((values**2).sum(1))

    def tile_values(
        self,
        shifts: Mapping[Source, FloatArray],
        min_rows_per_column: float,
        *,
        parts: IntArray | None = None,
        in_one_buffer: bool = True,
    ) -> Iterator[tuple[Source, int, TensorTile]]:
        """Yield √weight · [1 | x − shift | targets − shift] of each source and part, on device."""
        d = self.n_features
        for tile, source, (rows, pieces) in self._selections(shifts, min_rows_per_column, parts):
            shift = shifts[source]
            x = self._centred(self.X[tile][rows], shift[:d])
            values = x.new_ones((len(x), 1 + len(shift)))
            values[:, 1 : d + 1] = x
            targets = np.hstack([target[tile][rows] for target in self._targets(source)])
            values[:, d + 1 :] = self._on_device(targets - shift[d:])
            weight = self.weight_for(source, tile, rows)
            if weight is not None:
                values *= self._on_device(np.sqrt(weight))[:, None]
            for part, piece in pieces:
                yield source, part, TensorTile(values[piece], self.linalg)

    def _centred(self, X: CheckedX, centre: FloatArray) -> Any:
        # float64 before the subtraction: a mean far from 0 would cost a float32 X its digits.
        return X.double() - self._on_device(centre)

    def _on_device(self, values: FloatArray) -> Any:
        """Return values as a float64 tensor on the device of X."""
        return self.X[:0].double().new_tensor(np.ascontiguousarray(values, np.float64))

    def _approximate_mean(self) -> FloatArray:
        return tensor_to_numpy(self._rows_for_mean().double().mean(0))
