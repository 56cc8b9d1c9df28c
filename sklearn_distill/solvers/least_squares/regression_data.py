"""Rows of data with their label, their teacher's prediction and their weight, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.solvers.least_squares._moments import Tile
from sklearn_distill.solvers.least_squares.sources import Source

# a block of this many numbers (1 MB) stays in the cache between copy and product
_TILE_SIZE = 2**17
# rows that are enough to guess the mean of the features
_GLIMPSE = 512


@dataclass(frozen=True)
class RegressionData:
    """Rows x with label y, teacher's prediction s and weight; nothing is copied as a whole.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        Features of any real dtype; sparse X is made dense block by block.
    y : ndarray of shape (n_rows, n_outputs) or None
        Labels; a row of NaN is a missing label.
    teacher : ndarray of shape (n_rows, n_outputs) or None
        The teacher's predictions; a row of NaN is silent.
    weight : ndarray of shape (n_rows,) or None
        Weights, at least 0; None is 1 for all.
    """

    X: Any
    y: FloatArray | None
    teacher: FloatArray | None = None
    weight: FloatArray | None = None

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.X.shape[1])

    @property
    def n_outputs(self) -> int:
        """Number of outputs q."""
        target = self.teacher if self.y is None else self.y
        return 0 if target is None else target.shape[1]

    @property
    def resolution(self) -> float:
        """Machine epsilon of X."""
        dtype = self.X.dtype if self.X.dtype.kind == "f" else np.float64
        return float(np.finfo(dtype).eps)

    @cached_property
    def taught(self) -> BoolArray:
        """Rows for which the teacher speaks."""
        return self._present(self.teacher)

    @cached_property
    def labelled(self) -> BoolArray:
        """Rows that have a label."""
        return self._present(self.y)

    @cached_property
    def source(self) -> NDArray[np.int8]:
        """Who speaks for each row; -1 where nobody does or the weight is 0."""
        source = np.full(self.X.shape[0], -1, dtype=np.int8)
        source[self.labelled] = Source.LABEL
        source[self.taught] = Source.TEACHER
        source[self.labelled & self.taught] = Source.BOTH
        if self.weight is not None:
            source[self.weight == 0] = -1
        return source

    @property
    def tile_size(self) -> int:
        """Numbers in a block."""
        return _TILE_SIZE

    def tiles(self, rows_a_column: float = 0.5) -> Iterator[slice]:
        """Cut into slices of ``tile_size`` numbers, or so many rows a column if that is more."""
        step = max(self.tile_size // self._n_columns, ceil(rows_a_column * self._n_columns))
        for start in range(0, self.X.shape[0], step):
            yield slice(start, min(start + step, self.X.shape[0]))

    def features(self, rows: slice) -> NDArray[Any]:
        """Return X of some rows, dense."""
        X: Any = self.X[rows]
        return np.asarray(X.toarray() if sparse.issparse(X) else X)  # type: ignore[attr-defined]

    def pulled_back(
        self,
        rows: slice,
        centre: FloatArray,
        coef: FloatArray,
        residual: Callable[[FloatArray], FloatArray],
    ) -> FloatArray:
        """Return (X − c)ᵀ r((X − c) w) of some rows, of shape (n_features, n_outputs)."""
        x = self.features(rows) - centre
        return np.asarray(x.T @ residual(x @ coef))

    def quadratic(
        self, rows: slice, centre: FloatArray, A: FloatArray, b: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return (x − c)ᵀ A (x − c) and (x − c)·b for each x of some rows."""
        x = self.features(rows) - centre
        return ((x @ A) * x).sum(axis=1), x @ b

    def shift(self, source: Source) -> FloatArray:
        """Guess the mean of [features | targets]: of few rows for X, of all for the targets."""
        rows = (self.source == source)[:, None]
        means = [target.mean(axis=0, where=rows) for target in self._targets(source)]
        return np.concatenate([self._glimpsed_mean(), *means])

    def tile_values(
        self, source: Source, shift: FloatArray, rows_a_column: float
    ) -> Iterator[Tile]:
        """Yield √weight · [1 | x − shift | targets − shift] of a source's rows; one buffer."""
        buffer: FloatArray | None = None
        for rows, pick in self._parts(source, rows_a_column):
            if buffer is None:
                buffer = np.empty((rows.stop - rows.start, 1 + len(shift)))
            yield self._block(buffer, rows, pick, shift, self._targets(source))

    def _parts(self, source: Source, rows_a_column: float) -> Iterator[tuple[slice, Any]]:
        """Yield the chunks in which there are rows of a source, and which rows of them these are.

        All rows of a chunk are a slice, which is no copy.
        """
        for rows in self.tiles(rows_a_column):
            picked = self.source[rows] == source
            if picked.any():
                yield rows, slice(None) if picked.all() else picked

    def _block(
        self,
        buffer: FloatArray,
        rows: slice,
        pick: Any,
        shift: FloatArray,
        targets: list[FloatArray],
    ) -> FloatArray:
        block = buffer[: len(self.source[rows][pick])]
        block[:, 0], start = 1.0, 1
        for columns in (self.features(rows), *(target[rows] for target in targets)):
            stop = start + columns.shape[1]
            np.subtract(columns[pick], shift[start - 1 : stop - 1], out=block[:, start:stop])
            start = stop
        if self.weight is not None:
            block *= np.sqrt(self.weight[rows][pick])[:, None]
        return block

    def _glimpse(self) -> Any:
        return self.X[:: max(1, self.X.shape[0] // _GLIMPSE)]

    def _glimpsed_mean(self) -> FloatArray:
        return np.asarray(self._glimpse().mean(axis=0, dtype=np.float64)).ravel()

    def _targets(self, source: Source) -> list[FloatArray]:
        spoken = {
            Source.LABEL: [self.y],
            Source.BOTH: [self.y, self.teacher],
            Source.TEACHER: [self.teacher],
        }[source]
        return [target for target in spoken if target is not None]

    def _present(self, target: FloatArray | None) -> BoolArray:
        if target is None:
            return np.zeros(self.X.shape[0], dtype=bool)
        return ~np.isnan(target[:, 0])

    @property
    def _n_columns(self) -> int:
        return 1 + self.n_features + 2 * self.n_outputs
