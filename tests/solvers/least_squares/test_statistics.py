"""Statistics do not depend on chunks, order, repetition or storage of the rows."""

from functools import reduce

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.solvers.least_squares import (
    Gram,
    PrivilegedLeastSquares,
    RegressionData,
    Root,
    Source,
    Statistics,
)
from tests.solvers.least_squares.problems import random_data, take

PROBLEM = PrivilegedLeastSquares(0.3, alpha=0.1)


def results(fit):
    x = np.linspace(-1, 1, fit.statistics.n_features)[None]
    return np.concatenate(
        [
            fit.coef.ravel(),
            fit.intercept,
            fit.noise_variance,
            fit.teacher_noise_variance,
            fit.coef_covariance().ravel(),
            fit.prediction_variance(x).ravel(),
        ]
    )


def solved(rows, kind=Gram):
    return results(PROBLEM.solve(Statistics.of(rows, kind)))


@pytest.mark.parametrize("kind", [Gram, Root])
def test_moments_are_those_of_the_rows(kind):
    rows = random_data(q=2)
    moments = Statistics.of(rows, kind).groups[Source.BOTH]
    both = rows.labelled & rows.taught
    Z, weight = np.hstack([rows.X, rows.y, rows.teacher])[both], rows.weight[both]
    mean = weight @ Z / weight.sum()
    spread = moments.spread.T @ moments.spread if kind is Root else moments.spread
    np.testing.assert_allclose(moments.weight, weight.sum())
    np.testing.assert_allclose(moments.mean, mean)
    np.testing.assert_allclose(spread, ((Z - mean).T * weight) @ (Z - mean), rtol=1e-9, atol=1e-9)


def test_gram_matrices_and_triangular_roots_give_one_answer():
    rows = random_data(q=2)
    np.testing.assert_allclose(solved(rows, Gram), solved(rows, Root), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_streamed_is_whole(kind, offset):
    rows = random_data(n=300, q=2, offset=offset)
    cuts = [slice(0, 1), slice(1, 2), slice(2, 9), slice(9, 10), slice(10, 200), slice(200, 300)]
    streamed = reduce(Statistics.merge, (Statistics.of(take(rows, cut), kind) for cut in cuts))
    whole = Statistics.of(rows, kind)
    found, expected = PROBLEM.solve(streamed), PROBLEM.solve(whole)
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-10)
    np.testing.assert_allclose(results(found), results(expected), rtol=1e-7)
    assert streamed.n_taught_rows == whole.n_taught_rows == rows.taught.sum()


@pytest.mark.parametrize("kind", [Gram, Root])
def test_a_large_mean_loses_no_more_than_the_rounding_of_the_data(kind):
    rows = random_data(n=200, offset=0.0)
    far = RegressionData(rows.X + 2.0**20, rows.y + 2.0**20, rows.teacher + 2.0**20, rows.weight)
    near = RegressionData(
        far.X - 2.0**20, far.y - 2.0**20, far.teacher - 2.0**20, rows.weight
    )  # exact
    found, expected = (PROBLEM.solve(Statistics.of(data, kind)) for data in (far, near))
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_merging_is_commutative(kind):
    parts = [Statistics.of(random_data(seed), kind) for seed in range(3)]
    forward, backward = (reduce(Statistics.merge, order) for order in (parts, parts[::-1]))
    np.testing.assert_allclose(
        results(PROBLEM.solve(forward)), results(PROBLEM.solve(backward)), rtol=1e-8
    )


@pytest.mark.parametrize("kind", [Gram, Root])
def test_integer_weights_are_repetitions(kind):
    rows = random_data(weighted=False)
    times = np.random.default_rng(1).integers(0, 4, size=len(rows.X))
    weighted = RegressionData(rows.X, rows.y, rows.teacher, times.astype(float))
    repeated = take(rows, np.repeat(np.arange(len(times)), times))
    np.testing.assert_allclose(solved(weighted, kind), solved(repeated, kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_rows_of_weight_zero_are_ignored(kind):
    rows = random_data()
    weight = np.where(rows.labelled, rows.weight, 0.0)
    weighted = solved(RegressionData(rows.X, rows.y, rows.teacher, weight), kind)
    np.testing.assert_allclose(weighted, solved(take(rows, rows.labelled), kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_permuted_rows(kind):
    rows = random_data()
    permuted = take(rows, np.random.default_rng(2).permutation(len(rows.X)))
    np.testing.assert_allclose(solved(rows, kind), solved(permuted, kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_the_number_of_tiles_does_not_matter(kind, monkeypatch):
    rows = random_data(n=500)
    whole = solved(rows, kind)
    monkeypatch.setattr("sklearn_distill.solvers.least_squares.regression_data._TILE_SIZE", 64)
    assert len(list(rows.tiles())) > 40
    np.testing.assert_allclose(solved(rows, kind), whole, rtol=1e-8)


def test_sparse_and_float32_features():
    rows = random_data()
    X = rows.X.astype(np.float32)
    X[X < 3] = 0
    reference = solved(RegressionData(X.astype(np.float64), rows.y, rows.teacher, rows.weight))
    for same in (X, sparse.csr_array(X), sparse.csr_matrix(X), np.asfortranarray(X)):
        found = solved(RegressionData(same, rows.y, rows.teacher, rows.weight))
        np.testing.assert_allclose(found, reference, rtol=1e-9)


def test_new_imitation_on_old_statistics_is_a_new_fit():
    rows = random_data()
    statistics = Statistics.of(rows)
    for imitation in (0.0, 0.5, 1.0):
        problem = PrivilegedLeastSquares(imitation, alpha=0.2)
        np.testing.assert_array_equal(
            results(problem.solve(statistics)), results(problem.fit(rows))
        )
