"""Statistics of training rows are those of the rows, for any grouping of folds."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, TimeSeriesSplit

from sklearn_distill.solvers.least_squares import (
    FoldStatistics,
    Gram,
    Root,
    Source,
    Statistics,
    group_folds,
    regression_data,
)
from tests.solvers.least_squares.problems import random_data

N = 60


@pytest.mark.parametrize(
    ("splitter", "n_groups"),
    [
        (KFold(5), 1),
        (KFold(2, shuffle=True, random_state=0), 1),
        (RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), 2),
        (ShuffleSplit(3, test_size=0.5, random_state=0), 3),
        (TimeSeriesSplit(3), 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_folds_that_hold_out_different_rows_are_read_together(splitter, n_groups):
    groups = group_folds(list(splitter.split(np.zeros(N))), N)
    assert len(groups) == n_groups


@pytest.mark.parametrize("kind", [Gram, Root])
@pytest.mark.parametrize("n_folds", [1, 2, 3, 7])
@pytest.mark.parametrize("tile_size", [20, 2**17])
def test_training_statistics_are_those_of_the_training_rows(kind, n_folds, tile_size, monkeypatch):
    for name in ("_TILE_SIZE", "_MAX_TILE_SIZE"):  # a few rows at a time, or all
        monkeypatch.setattr(regression_data, name, tile_size)
    data = random_data(n=N)
    rng = np.random.default_rng(n_folds)
    fold = rng.integers(-1, n_folds, size=N)
    splits, omitted = [], rng.random(N) < 0.2
    for k in range(n_folds):
        test = np.flatnonzero((fold == k) & ~omitted)
        splits.append((np.flatnonzero(fold != k), test))
    (rows,) = group_folds(splits, N)
    statistics = FoldStatistics.of(data, rows, kind)
    for (train, test), found, tested in zip(
        splits, statistics.training(), statistics.tests, strict=True
    ):
        for one, expected in ((found, train), (tested, test)):
            same_statistics(one, Statistics.of(data.take(expected), kind))
    same_statistics(statistics.total(), Statistics.of(data, kind))


def same_statistics(found, expected):
    assert found.groups.keys() == expected.groups.keys()
    assert (found.n_rows, found.n_taught_rows) == (expected.n_rows, expected.n_taught_rows)
    for source in Source:
        if source in expected.groups:
            one, other = found.groups[source], expected.groups[source]
            np.testing.assert_allclose(one.weight, other.weight)
            np.testing.assert_allclose(one.mean, other.mean)
            np.testing.assert_allclose(gram(one), gram(other), rtol=1e-9, atol=1e-9)


def gram(moments):
    return moments.spread.T @ moments.spread if isinstance(moments, Root) else moments.spread


def test_chunks_cut_the_rows_of_a_fold():
    splits = list(KFold(3, shuffle=True, random_state=0).split(np.zeros(N)))
    (rows,) = group_folds(splits, N)
    found = [rows.within(start, min(start + 17, N)).parts for start in range(0, N, 17)]
    assert np.array_equal(np.flatnonzero(np.concatenate(found) == 1), splits[1][1])
