"""Cross-validation folds as rows, and the statistics of each, from one pass over the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeAlias

import numpy as np

from sklearn_distill._typing import IntArray
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.statistics import Statistics

Rows: TypeAlias = slice | IntArray

# Rows that are not consecutive are copied so many numbers at a time (2 MB).
_BLOCK_SIZE = 2**18
# Share of the rows of a range from which on it is read as a whole, and the others are skipped.
_DENSE = 0.2


@dataclass(frozen=True)
class FoldRows:
    """The rows of folds that are trained on the others: no row is held out of two of them.

    Parameters
    ----------
    tests : tuple of slice or ndarray of int
        Rows on which each fold is tested, ascending.
    omitted : tuple of slice or ndarray of int
        Rows on which each fold is neither tested nor trained, ascending.
    rest : slice or ndarray of int
        Rows on which every fold is trained, ascending.
    """

    tests: tuple[Rows, ...]
    omitted: tuple[Rows, ...]
    rest: Rows

    def within(self, start: int, stop: int) -> FoldRows:
        """Return the rows of a chunk, counted from its start."""

        def cut(rows: Rows) -> Rows:
            if isinstance(rows, slice):
                first, last = (min(max(row, start), stop) for row in (rows.start, rows.stop))
                return slice(first - start, last - start)
            return _as_slice(rows[slice(*np.searchsorted(rows, [start, stop]))] - start)

        return FoldRows(tuple(map(cut, self.tests)), tuple(map(cut, self.omitted)), cut(self.rest))


def group_folds(splits: Sequence[tuple[IntArray, IntArray]], n_rows: int) -> list[FoldRows]:
    """Group folds, in their order, so that those of a group hold out different rows.

    The folds of a KFold are one group, and are read in one pass; those of a RepeatedKFold are one
    group for each repetition, and each of a ShuffleSplit is one of its own.

    Parameters
    ----------
    splits : sequence of (ndarray of int, ndarray of int)
        Training and test rows of each fold.
    n_rows : int
        Number of rows.

    Returns
    -------
    list of FoldRows
        The groups.

    Raises
    ------
    ValueError
        If a fold has a row twice among those that it trains on.

    Examples
    --------
    >>> splits = [(np.array([1, 2]), np.array([0])), (np.array([0, 2]), np.array([1]))]
    >>> group_folds(splits, n_rows=3)[0].tests
    (slice(0, 1, None), slice(1, 2, None))
    """
    groups: list[list[tuple[IntArray, IntArray]]] = []
    held_out = np.zeros(n_rows, dtype=bool)  # rows that a fold of the last group does not train on
    for k, (train, test) in enumerate(splits, start=1):
        omitted = np.ones(n_rows, dtype=bool)
        omitted[train] = False
        without = np.flatnonzero(omitted)
        if len(train) + len(without) > n_rows:
            raise ValueError(
                f"cv in fold {k} of {len(splits)} trains on a row twice: pass its repetitions as "
                "sample_weight"
            )
        omitted[test] = False
        if not groups or held_out[without].any():
            groups.append([])
            held_out[:] = False
        held_out[without] = True
        ascending = test if (test[1:] > test[:-1]).all() else np.sort(test)
        groups[-1].append((ascending, np.flatnonzero(omitted)))
    return [_fold_rows(group, n_rows) for group in groups]


def consecutive_folds(n_folds: int, n_rows: int) -> FoldRows:
    """Return the folds of a KFold without shuffling, which need no row numbers.

    Parameters
    ----------
    n_folds : int
        Number of folds.
    n_rows : int
        Number of rows, as many as folds or more.

    Returns
    -------
    FoldRows
        The folds, as slices.

    Examples
    --------
    >>> consecutive_folds(2, n_rows=3).tests
    (slice(0, 2, None), slice(2, 3, None))
    """
    sizes = np.full(n_folds, n_rows // n_folds)
    sizes[: n_rows % n_folds] += 1
    stops = np.cumsum(sizes)
    tests = tuple(slice(int(stop - n), int(stop)) for stop, n in zip(stops, sizes, strict=True))
    return FoldRows(tests, (slice(0, 0),) * n_folds, slice(0, 0))


def _fold_rows(folds: list[tuple[IntArray, IntArray]], n_rows: int) -> FoldRows:
    in_rest = np.ones(n_rows, dtype=bool)
    for test, omitted in folds:
        in_rest[test] = in_rest[omitted] = False
    return FoldRows(
        tuple(_as_slice(test) for test, _ in folds),
        tuple(_as_slice(omitted) for _, omitted in folds),
        _as_slice(np.flatnonzero(in_rest)),
    )


def _as_slice(rows: IntArray) -> Rows:
    """Return consecutive rows as a slice, which makes no copy."""
    if not len(rows):
        return slice(0, 0)
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


@dataclass(frozen=True)
class FoldStatistics:
    """Statistics of the rows of each fold; the training rows are those of all other folds.

    Statistics of other folds are merged, never subtracted from the total: nothing cancels.

    Parameters
    ----------
    tests, omitted : tuple of Statistics
        Of the rows on which each fold is tested, and of those that it leaves out otherwise.
    rest : Statistics
        Of the rows on which every fold is trained.
    """

    tests: tuple[Statistics, ...]
    omitted: tuple[Statistics, ...]
    rest: Statistics

    @classmethod
    def of(cls, data: RegressionData, rows: FoldRows, kind: type[Moments]) -> FoldStatistics:
        """Compute the statistics of rows, each of which is read once."""
        tests, omitted = (
            tuple(_statistics(data, part, kind) for part in parts)
            for parts in (rows.tests, rows.omitted)
        )
        return cls(tests, omitted, _statistics(data, rows.rest, kind))

    def merge(self, other: FoldStatistics) -> FoldStatistics:
        """Return the statistics of both sets of rows, fold by fold."""
        return FoldStatistics(
            tuple(map(Statistics.merge, self.tests, other.tests)),
            tuple(map(Statistics.merge, self.omitted, other.omitted)),
            self.rest.merge(other.rest),
        )

    @property
    def held_out(self) -> list[Statistics]:
        """Statistics of the rows on which each fold is not trained."""
        return list(map(Statistics.merge, self.tests, self.omitted))

    def total(self) -> Statistics:
        """Return the statistics of all rows."""
        return reduce(Statistics.merge, self.held_out, self.rest)

    def training(self) -> list[Statistics]:
        """Return the statistics of the training rows of each fold."""
        held_out = self.held_out
        # the folds before k, and those behind it, from 2K merges
        before, behind = [self.rest], [held_out[-1]]
        for one in held_out[:-1]:
            before.append(before[-1].merge(one))
        for one in held_out[-2:0:-1]:
            behind.append(behind[-1].merge(one))
        pairs = zip(before[:-1], behind[::-1][: len(held_out) - 1], strict=True)
        return [one.merge(other) for one, other in pairs] + [before[-1]]


def _statistics(data: RegressionData, rows: Rows, kind: type[Moments]) -> Statistics:
    if isinstance(rows, slice):
        return Statistics.of(data.take(rows), kind)
    first, last = int(rows[0]), int(rows[-1])
    if len(rows) > _DENSE * (last - first):
        span = data.take(slice(first, last + 1)).only(rows - first)
        return replace(Statistics.of(span, kind), n_rows=len(rows))
    step = max(1, _BLOCK_SIZE // max(1, data.n_features))
    blocks = [rows[start : start + step] for start in range(0, len(rows), step)]
    parts = (Statistics.of(data.take(block), kind) for block in blocks)
    return reduce(Statistics.merge, parts)
