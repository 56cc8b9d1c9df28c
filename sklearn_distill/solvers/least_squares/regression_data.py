"""Rows of a regression: features, labels, teacher's predictions and weights, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill.solvers.least_squares._moments import Tile
from sklearn_distill.solvers.least_squares._variance_histogram import VarianceHistogram
from sklearn_distill.solvers.least_squares.sources import WITH_VARIANCE, Source

# A tile of this many numbers (1 MB) stays in the cache between its copy and its product.
_TILE_SIZE = 2**17
# Tiles whose rows belong to many parts have more rows, but at most so many numbers (32 MB).
_MAX_TILE_SIZE = 2**22
# About this many rows suffice to estimate the mean of the features.
_N_ROWS_FOR_MEAN = 512
# Value of ``RegressionData.source`` for rows that are not used.
_UNUSED = -1
# sources of rows whose prediction has its own variance, by the source of the whole row
_SPLIT = {
    Source.BOTH: [Source.SPLIT_LABEL, Source.SPLIT_TEACHER],
    Source.TEACHER: [Source.PRECISE_TEACHER],
}
# sources of the rows with both targets that are partly trusted, beside LABEL and the above
_PARTLY = (Source.PARTLY_TRUSTED, Source.PARTLY_LABEL, Source.PARTLY_TEACHER)
_WHOLE = {part: whole for whole, parts in _SPLIT.items() for part in parts}

_BY_ROW = ("X", "y", "teacher", "weight", "teacher_variance", "trust")

# The rows of a tile that a source has, and which of them are of which part.
Selection: TypeAlias = tuple[slice | IntArray, list[tuple[int, slice]]]


@dataclass(frozen=True)
class RegressionData:
    """Rows x with label y, teacher's prediction s and weight; only tiles of them are copied.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        Features of any real dtype; a sparse X is made dense tile by tile.
    y : ndarray of shape (n_rows, n_outputs) or None
        Labels; a row of NaN is a missing label.
    teacher : ndarray of shape (n_rows, n_outputs) or None
        The teacher's predictions; a row of NaN is a missing prediction.
    weight : ndarray of shape (n_rows,) or None
        Nonnegative weights; None for 1.
    teacher_variance : ndarray of shape (n_rows,) or None
        Variances of the predictions, of which only the ratios matter; None if all are the same.
    trust : ndarray of shape (n_rows,) or None
        Trust in the predictions, in (0, 1] where there is a label, too; None for 1. That of rows
        without a label is in their weight.
    """

    X: CheckedX
    y: FloatArray | None
    teacher: FloatArray | None = None
    weight: FloatArray | None = None
    teacher_variance: FloatArray | None = None
    trust: FloatArray | None = None

    def take(self, rows: slice | IntArray) -> Self:
        """Return some of the rows; a slice makes no copy."""
        return replace(self, **{name: _take(getattr(self, name), rows) for name in _BY_ROW})

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
    def eps(self) -> float:
        """Machine epsilon of X."""
        dtype = self.X.dtype if self.X.dtype.kind == "f" else np.float64
        return float(np.finfo(dtype).eps)

    @property
    def teacher_std(self) -> FloatArray | None:
        """Standard deviations of the predictions."""
        return None if self.teacher_variance is None else np.sqrt(self.teacher_variance)

    @cached_property
    def taught(self) -> BoolArray:
        """Rows that have a teacher's prediction."""
        return self._available(self.teacher)

    @cached_property
    def labelled(self) -> BoolArray:
        """Rows that have a label."""
        return self._available(self.y)

    @cached_property
    def source(self) -> NDArray[np.int8]:
        """LABEL, BOTH or TEACHER of each row; -1 without all of them, or with weight 0."""
        source = np.full(self.X.shape[0], _UNUSED, dtype=np.int8)
        source[self.labelled] = Source.LABEL
        source[self.taught] = Source.TEACHER
        source[self.labelled & self.taught] = Source.BOTH
        # A source whose rows all have weight 0 has no mean: its rows must not count as rows.
        if self.weight is not None:
            source[self.weight == 0] = _UNUSED
        return source

    def sources(self) -> list[Source]:
        """Return the sources that have rows."""
        both = [Source.BOTH] if self.teacher_variance is None else _SPLIT[Source.BOTH]
        teacher = [Source.TEACHER] if self.teacher_variance is None else _SPLIT[Source.TEACHER]
        partly = _PARTLY[:1] if self.teacher_variance is None else _PARTLY[1:]
        return [s for s in (Source.LABEL, *both, *teacher, *partly) if self.has_source(s).any()]

    def has_source(self, source: Source, rows: slice = slice(None)) -> BoolArray:
        """Return a mask of the rows of a source; a partly trusted row is of several."""
        if source in _PARTLY:
            return self._partly_trusted[rows]
        has_source = self.source[rows] == _WHOLE.get(source, source)
        if source is Source.LABEL and self.trust is not None:
            has_source |= self._partly_trusted[rows]
        return np.asarray(has_source)

    @cached_property
    def _partly_trusted(self) -> BoolArray:
        """Rows with both targets, of which a part of the prediction's weight is the label's."""
        if self.trust is None:
            return np.zeros(len(self.source), dtype=bool)
        return np.asarray((self.source == Source.BOTH) & (self.trust < 1))

    def weight_for(
        self, source: Source, rows: slice, selected: slice | BoolArray | IntArray
    ) -> Any:
        """Return the weights of a source's rows, over the variance of the prediction if it is one.

        None is 1 for all rows.
        """
        weight = None if self.weight is None else self.weight[rows][selected]
        if self.trust is not None:
            part = self._part_of_row(source, rows, selected)
            weight = part if weight is None else weight * part
        if self.teacher_variance is None or source not in WITH_VARIANCE:
            return weight
        precision = 1 / self.teacher_variance[rows][selected]
        return precision if weight is None else weight * precision

    def _part_of_row(
        self, source: Source, rows: slice, selected: slice | BoolArray | IntArray
    ) -> FloatArray:
        """Return which part of the weight of a row is that of its copy of a source."""
        assert self.trust is not None
        w = np.where(self.source == Source.BOTH, self.trust, np.nan)[rows][selected]
        part = (
            (1 - w) ** 2 if source is Source.LABEL else w * (1 - w) if source in _PARTLY else w**2
        )
        return np.where(np.isnan(w), 1.0, part)  # a row with one target is one row

    def variances(self, among: BoolArray | None = None) -> VarianceHistogram | None:
        """Return the variances of the predictions that have a weight, with weight and trust.

        ``among`` is a mask of the rows to take; None for all.
        """
        if self.teacher_variance is None:
            return None
        rows = self.taught & (self.source != _UNUSED)
        if among is not None:
            rows &= among
        if not rows.any():
            return None
        weight = None if self.weight is None else self.weight[rows]
        if self.trust is not None:
            trust = np.where(self.labelled, self.trust, 1.0)[rows]
            weight = trust if weight is None else weight * trust
        return VarianceHistogram.of(self.teacher_variance[rows], weight)

    @property
    def tile_size(self) -> int:
        """Largest number of entries of a tile, unless that is fewer rows than required."""
        return _TILE_SIZE

    def tiles(self, min_rows_per_column: float = 0.5, n_parts: int = 1) -> Iterator[slice]:
        """Yield tiles of ``tile_size`` entries, but of at least so many rows per column and part.

        The number of parts counts only as long as a tile is not too large for that.
        """
        min_rows = ceil(min_rows_per_column * self._n_columns)
        for_parts = min(n_parts * min_rows, _MAX_TILE_SIZE // self._n_columns)
        step = max(self.tile_size // self._n_columns, min_rows, for_parts)
        for start in range(0, self.X.shape[0], step):
            yield slice(start, min(start + step, self.X.shape[0]))

    def features(self, tile: slice) -> FloatArray:
        """Return X of a tile, dense."""
        X = self.X[tile]
        return np.asarray(X.toarray() if hasattr(X, "toarray") else X)

    def squared_norms(
        self, tile: slice, centre: FloatArray, A: FloatArray, b: FloatArray
    ) -> FloatArray:
        """Return ‖Aᵀ(x − c) + b‖² for each row x of a tile."""
        values = (self.features(tile) - centre) @ A + b
        return np.asarray((values**2).sum(axis=1))

    def shift(self, source: Source) -> FloatArray:
        """Return an approximate mean of [features | targets] of the rows of a source.

        Moments about a point near the mean do not cancel. A few rows suffice for that.
        """
        rows = np.flatnonzero(self.has_source(source))
        some = rows[:: max(1, len(rows) // _N_ROWS_FOR_MEAN)]
        means = [target[some].mean(axis=0) for target in self._targets(source)]
        return np.concatenate([self._approximate_mean(), *means])

    def tile_values(
        self,
        shifts: Mapping[Source, FloatArray],
        min_rows_per_column: float,
        *,
        parts: IntArray | None = None,
        in_one_buffer: bool = True,
    ) -> Iterator[tuple[Source, int, Tile]]:
        """Yield √weight · [1 | x − shift | targets − shift] of the rows of each source and part.

        Parameters
        ----------
        shifts : dict of ndarray by Source
            The shift of each source whose rows are read.
        min_rows_per_column : float
            As in :meth:`tiles`.
        parts : ndarray of int of shape (n_rows,) or None, default=None
            Number of the part of each row; None for a single part, of number 0.
        in_one_buffer : bool, default=True
            Whether the values are no longer needed when the next ones are computed.

        Yields
        ------
        source : Source
        part : int
        values : ndarray or RemoteTile
            Of rows of one tile.
        """
        buffers: dict[Source, FloatArray] = {}
        scratch: list[FloatArray] = []
        for tile, source, (rows, pieces) in self._selections(shifts, min_rows_per_column, parts):
            shift, n_rows = shifts[source], pieces[-1][1].stop
            if not in_one_buffer or source not in buffers:
                size = tile.stop - tile.start if in_one_buffer else n_rows
                buffers[source] = np.empty((size, 1 + len(shift)))
            values = buffers[source][:n_rows]
            self._fill(values, tile, rows, shift, self._targets(source), scratch)
            weight = self.weight_for(source, tile, rows)
            if weight is not None:
                values *= np.sqrt(weight)[:, None]
            for part, piece in pieces:
                yield source, part, values[piece]

    def _selections(
        self,
        shifts: Mapping[Source, FloatArray],
        min_rows_per_column: float,
        parts: IntArray | None,
    ) -> Iterator[tuple[slice, Source, Selection]]:
        """Yield each tile with each source that has rows in it, and these rows by part."""
        # for the size of the tiles, some of the rows suffice
        n_parts = 1 if parts is None else len(np.unique(parts[:: max(1, len(parts) // 2**12)]))
        n_parts *= len(shifts)  # each source has some of the rows
        # source by source within a tile, which then is still in the cache
        for tile in self.tiles(min_rows_per_column, n_parts):
            for source in shifts:
                selected = self.has_source(source, tile)
                if selected.any():
                    yield tile, source, _by_part(selected, None if parts is None else parts[tile])

    def _fill(
        self,
        values: FloatArray,
        tile: slice,
        rows: slice | IntArray,
        shift: FloatArray,
        targets: list[FloatArray],
        scratch: list[FloatArray],
    ) -> None:
        values[:, 0], start = 1.0, 1
        for columns in (self.features(tile), *(target[tile] for target in targets)):
            stop = start + columns.shape[1]
            # Subtraction and conversion to float64 in one pass, into the buffer.
            np.subtract(
                _take_into(scratch, columns, rows),
                shift[start - 1 : stop - 1],
                out=values[:, start:stop],
            )
            start = stop

    def _rows_for_mean(self) -> CheckedX:
        return self.X[:: max(1, self.X.shape[0] // _N_ROWS_FOR_MEAN)]

    def _approximate_mean(self) -> FloatArray:
        return np.asarray(self._rows_for_mean().mean(axis=0, dtype=np.float64)).ravel()

    def _targets(self, source: Source) -> list[FloatArray]:
        targets = {
            Source.LABEL: [self.y],
            Source.BOTH: [self.y, self.teacher],
            Source.TEACHER: [self.teacher],
            Source.SPLIT_LABEL: [self.y],
            Source.SPLIT_TEACHER: [self.teacher],
            Source.PRECISE_TEACHER: [self.teacher],
            Source.PARTLY_TRUSTED: [self.y, self.teacher],
            Source.PARTLY_LABEL: [self.y],
            Source.PARTLY_TEACHER: [self.teacher],
        }[source]
        return [target for target in targets if target is not None]

    def _available(self, target: FloatArray | None) -> BoolArray:
        if target is None:
            return np.zeros(self.X.shape[0], dtype=bool)
        # A missing target is NaN in all outputs, so the first one suffices.
        return ~np.isnan(target[:, 0])

    @property
    def _n_columns(self) -> int:
        return 1 + self.n_features + 2 * self.n_outputs


def _take(values: Any, rows: slice | IntArray) -> Any:
    return None if values is None else values[rows]


def _by_part(selected: BoolArray, parts: IntArray | None) -> Selection:
    """Return an index of the selected rows, ordered by part, and the range of each part in it.

    If all rows are selected, and of one part, the index is a slice, which makes no copy.
    """
    rows = slice(None) if selected.all() else np.flatnonzero(selected)
    n_rows = int(np.count_nonzero(selected))
    if parts is None:
        return rows, [(0, slice(0, n_rows))]
    chosen = parts[rows]
    if (chosen == chosen[0]).all():
        return rows, [(int(chosen[0]), slice(0, n_rows))]
    order = np.argsort(chosen, kind="stable")
    chosen = chosen[order]
    bounds = [0, *(np.flatnonzero(chosen[1:] != chosen[:-1]) + 1).tolist(), n_rows]
    pieces = [(int(chosen[a]), slice(a, b)) for a, b in pairwise(bounds)]
    return (order if isinstance(rows, slice) else rows[order]), pieces


def _take_into(scratch: list[FloatArray], values: FloatArray, rows: slice | IntArray) -> FloatArray:
    """Return some rows; several are copied to ``scratch``, which is allocated only once.

    The memory of a new array of this size would take as long as the copy.
    """
    if isinstance(rows, slice) or values.shape[1] == 1:
        return values[rows]
    if not scratch or scratch[0].size < values.size or scratch[0].dtype != values.dtype:
        scratch[:] = [np.empty(values.size, values.dtype)]
    shape = (len(rows), values.shape[1])
    taken = scratch[0][: shape[0] * shape[1]].reshape(shape)
    # "clip" writes without a buffer; the rows exist
    return np.take(values, rows, axis=0, out=taken, mode="clip")
