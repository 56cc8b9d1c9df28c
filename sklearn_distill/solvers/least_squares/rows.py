"""Rows of data with their label, their teacher's prediction and their weight, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.solvers.least_squares.sources import Source

# a block of this many numbers (2 MB) stays in the cache between copy and product
_BLOCK_SIZE = 2**18
# rows that are enough to guess the mean of the features
_GLIMPSE = 512


@dataclass(frozen=True)
class Rows:
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

    def chunks(self) -> Iterator[slice]:
        """Cut the rows into slices of about 2 MB, or as many rows as columns if that is more."""
        step = max(_BLOCK_SIZE // self._n_columns, self._n_columns)
        for start in range(0, self.X.shape[0], step):
            yield slice(start, start + step)

    def features(self, rows: slice) -> NDArray[Any]:
        """Return X of some rows, dense."""
        X: Any = self.X[rows]
        return np.asarray(X.toarray() if sparse.issparse(X) else X)  # type: ignore[attr-defined]

    def shift(self, source: Source) -> FloatArray:
        """Guess the mean of [features | targets]: of few rows for X, of all for the targets."""
        glimpse = self.X[:: max(1, self.X.shape[0] // _GLIMPSE)]
        x = np.asarray(glimpse.mean(axis=0, dtype=np.float64)).ravel()
        rows = (self.source == source)[:, None]
        means = [target.mean(axis=0, where=rows) for target in self._targets(source)]
        return np.concatenate([x, *means])

    def blocks(self, source: Source, shift: FloatArray) -> Iterator[FloatArray]:
        """Yield √weight · [1 | x − shift | targets − shift] of a source's rows; one buffer."""
        buffer: FloatArray | None = None
        for rows in self.chunks():
            picked = self.source[rows] == source
            if picked.any():
                if buffer is None:
                    buffer = np.empty((len(picked), 1 + len(shift)))
                yield self._block(buffer, rows, picked, shift, self._targets(source))

    def _block(
        self,
        buffer: FloatArray,
        rows: slice,
        picked: BoolArray,
        shift: FloatArray,
        targets: list[FloatArray],
    ) -> FloatArray:
        pick: Any = slice(None) if picked.all() else picked
        block = buffer[: int(picked.sum())]
        block[:, 0], start = 1.0, 1
        for columns in (self.features(rows), *(target[rows] for target in targets)):
            stop = start + columns.shape[1]
            np.subtract(columns[pick], shift[start - 1 : stop - 1], out=block[:, start:stop])
            start = stop
        if self.weight is not None:
            block *= np.sqrt(self.weight[rows][pick])[:, None]
        return block

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
