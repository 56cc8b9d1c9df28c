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


def solved(data, kind=Gram):
    return results(PROBLEM.solve(Statistics.of(data, kind)))


@pytest.mark.parametrize("kind", [Gram, Root])
def test_moments_are_those_of_the_rows(kind):
    data = random_data(q=2)
    moments = Statistics.of(data, kind).groups[Source.BOTH]
    both = data.labelled & data.taught
    Z, weight = np.hstack([data.X, data.y, data.teacher])[both], data.weight[both]
    mean = weight @ Z / weight.sum()
    spread = moments.spread.T @ moments.spread if kind is Root else moments.spread
    np.testing.assert_allclose(moments.weight, weight.sum())
    np.testing.assert_allclose(moments.mean, mean)
    np.testing.assert_allclose(spread, ((Z - mean).T * weight) @ (Z - mean), rtol=1e-9, atol=1e-9)


def test_gram_matrices_and_triangular_roots_give_one_answer():
    data = random_data(q=2)
    np.testing.assert_allclose(solved(data, Gram), solved(data, Root), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_streamed_is_whole(kind, offset):
    data = random_data(n=300, q=2, offset=offset)
    cuts = [slice(0, 1), slice(1, 2), slice(2, 9), slice(9, 10), slice(10, 200), slice(200, 300)]
    streamed = reduce(Statistics.merge, (Statistics.of(take(data, cut), kind) for cut in cuts))
    whole = Statistics.of(data, kind)
    found, expected = PROBLEM.solve(streamed), PROBLEM.solve(whole)
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-10)
    np.testing.assert_allclose(results(found), results(expected), rtol=1e-7)
    assert streamed.n_taught_rows == whole.n_taught_rows == data.taught.sum()


@pytest.mark.parametrize("kind", [Gram, Root])
def test_a_large_mean_loses_no_more_than_the_rounding_of_the_data(kind):
    data = random_data(n=200, offset=0.0)
    far = RegressionData(data.X + 2.0**20, data.y + 2.0**20, data.teacher + 2.0**20, data.weight)
    near = RegressionData(
        far.X - 2.0**20, far.y - 2.0**20, far.teacher - 2.0**20, data.weight
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
    data = random_data(weighted=False)
    times = np.random.default_rng(1).integers(0, 4, size=len(data.X))
    weighted = RegressionData(data.X, data.y, data.teacher, times.astype(float))
    repeated = take(data, np.repeat(np.arange(len(times)), times))
    np.testing.assert_allclose(solved(weighted, kind), solved(repeated, kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_rows_of_weight_zero_are_ignored(kind):
    data = random_data()
    weight = np.where(data.labelled, data.weight, 0.0)
    weighted = solved(RegressionData(data.X, data.y, data.teacher, weight), kind)
    np.testing.assert_allclose(weighted, solved(take(data, data.labelled), kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_permuted_rows(kind):
    data = random_data()
    permuted = take(data, np.random.default_rng(2).permutation(len(data.X)))
    np.testing.assert_allclose(solved(data, kind), solved(permuted, kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_the_number_of_tiles_does_not_matter(kind, monkeypatch):
    data = random_data(n=500)
    whole = solved(data, kind)
    monkeypatch.setattr("sklearn_distill.solvers.least_squares.regression_data._TILE_SIZE", 64)
    assert len(list(data.tiles())) > 40
    np.testing.assert_allclose(solved(data, kind), whole, rtol=1e-8)


def test_sparse_and_float32_features():
    data = random_data()
    X = data.X.astype(np.float32)
    X[X < 3] = 0
    reference = solved(RegressionData(X.astype(np.float64), data.y, data.teacher, data.weight))
    for same in (X, sparse.csr_array(X), sparse.csr_matrix(X), np.asfortranarray(X)):
        found = solved(RegressionData(same, data.y, data.teacher, data.weight))
        np.testing.assert_allclose(found, reference, rtol=1e-9)


def test_new_imitation_on_old_statistics_is_a_new_fit():
    data = random_data()
    statistics = Statistics.of(data)
    for imitation in (0.0, 0.5, 1.0):
        problem = PrivilegedLeastSquares(imitation, alpha=0.2)
        np.testing.assert_array_equal(
            results(problem.solve(statistics)), results(problem.fit(data))
        )
