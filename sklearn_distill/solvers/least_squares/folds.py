"""Cross-validation folds as parts of the rows, and the statistics of each, from one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np

from sklearn_distill._typing import BoolArray, IntArray
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import WITH_LABEL
from sklearn_distill.solvers.least_squares.statistics import Statistics


@dataclass(frozen=True)
class FoldRows:
    """The rows of folds that are trained on the others: no row is held out of two of them.

    Parameters
    ----------
    n_folds : int
        Number of folds K.
    parts : ndarray of int of shape (n_rows,)
        k for a row on which fold k is tested, K + k for one on which it is neither tested nor
        trained, and 2K for one on which every fold is trained.
    """

    n_folds: int
    parts: IntArray

    @classmethod
    def of_tests(cls, test_fold: IntArray, n_folds: int) -> Self:
        """Take the fold that each row is tested in; every fold is trained on those with −1."""
        parts = np.where(test_fold < 0, 2 * n_folds, test_fold)
        return cls(n_folds, parts.astype(_number_type(n_folds)))

    def within(self, start: int, stop: int) -> FoldRows:
        """Return the rows of a chunk."""
        return FoldRows(self.n_folds, self.parts[start:stop])


def _number_type(n_folds: int) -> type[np.signedinteger]:
    # numbers of 16 bits are sorted several times faster
    return np.int16 if 2 * n_folds < np.iinfo(np.int16).max else np.int64


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
    >>> group_folds(splits, n_rows=3)[0].parts
    array([0, 1, 4], dtype=int16)
    """
    groups: list[list[tuple[IntArray, BoolArray]]] = []
    held_out = np.zeros(n_rows, dtype=bool)  # rows that a fold of the last group does not train on
    for k, (train, test) in enumerate(splits, start=1):
        without = np.ones(n_rows, dtype=bool)
        without[train] = False
        if len(train) + np.count_nonzero(without) > n_rows:
            raise ValueError(
                f"cv in fold {k} of {len(splits)} trains on a row twice: pass its repetitions as "
                "sample_weight"
            )
        if not groups or (held_out & without).any():
            groups.append([])
            held_out[:] = False
        held_out |= without
        groups[-1].append((test, without))
    return [_fold_rows(group, n_rows) for group in groups]


def _fold_rows(folds: list[tuple[IntArray, BoolArray]], n_rows: int) -> FoldRows:
    n_folds = len(folds)
    parts = np.full(n_rows, 2 * n_folds, dtype=_number_type(n_folds))
    for k, (test, without) in enumerate(folds):
        parts[without] = n_folds + k
        parts[test] = k
    return FoldRows(n_folds, parts)


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
        K = rows.n_folds
        parts = Statistics.by_part(data, rows.parts, 2 * K + 1, kind)
        return cls(tuple(parts[:K]), tuple(parts[K : 2 * K]), parts[2 * K])

    def merge(self, other: FoldStatistics) -> FoldStatistics:
        """Return the statistics of both sets of rows, fold by fold."""
        return FoldStatistics(
            tuple(map(Statistics.merge, self.tests, other.tests)),
            tuple(map(Statistics.merge, self.omitted, other.omitted)),
            self.rest.merge(other.rest),
        )

    @property
    def kind(self) -> type[Moments]:
        """Class of the moments: Gram matrices or triangular roots."""
        return self.total().kind

    @property
    def has_labels(self) -> bool:
        """Whether some row has a label."""
        return self.total().has_rows_of(*WITH_LABEL)

    def that_test(self) -> FoldStatistics:
        """Return the folds that have rows to test on; what the others leave out, all train on."""
        tested = [k for k, test in enumerate(self.tests) if test.groups]
        others = [omitted for k, omitted in enumerate(self.omitted) if k not in tested]
        return FoldStatistics(
            tuple(self.tests[k] for k in tested),
            tuple(self.omitted[k] for k in tested),
            reduce(Statistics.merge, others, self.rest),
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
