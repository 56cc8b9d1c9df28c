"""Statistics do not depend on how rows are cut, ordered, repeated or represented."""

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
from tests.solvers.least_squares.problems import random_lesson, take

PROBLEM = PrivilegedLeastSquares(0.3, alpha=0.1)


def answers(fit):
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
    return answers(PROBLEM.solve(Statistics.of(rows, kind)))


@pytest.mark.parametrize("kind", [Gram, Root])
def test_moments_are_those_of_the_rows(kind):
    rows = random_lesson(q=2)
    moments = Statistics.of(rows, kind).groups[Source.BOTH]
    both = rows.labelled & rows.taught
    Z, weight = np.hstack([rows.X, rows.y, rows.teacher])[both], rows.weight[both]
    mean = weight @ Z / weight.sum()
    spread = moments.spread.T @ moments.spread if kind is Root else moments.spread
    np.testing.assert_allclose(moments.weight, weight.sum())
    np.testing.assert_allclose(moments.mean, mean)
    np.testing.assert_allclose(spread, ((Z - mean).T * weight) @ (Z - mean), rtol=1e-9, atol=1e-9)


def test_gram_matrices_and_triangular_roots_give_one_answer():
    rows = random_lesson(q=2)
    np.testing.assert_allclose(solved(rows, Gram), solved(rows, Root), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_streamed_is_whole(kind, offset):
    rows = random_lesson(n=300, q=2, offset=offset)
    cuts = [slice(0, 1), slice(1, 2), slice(2, 9), slice(9, 10), slice(10, 200), slice(200, 300)]
    streamed = reduce(Statistics.merge, (Statistics.of(take(rows, cut), kind) for cut in cuts))
    whole = Statistics.of(rows, kind)
    one, other = PROBLEM.solve(streamed), PROBLEM.solve(whole)
    np.testing.assert_allclose(one.coef, other.coef, rtol=1e-10)
    np.testing.assert_allclose(answers(one), answers(other), rtol=1e-7)
    assert streamed.n_taught_rows == whole.n_taught_rows == rows.taught.sum()


@pytest.mark.parametrize("kind", [Gram, Root])
def test_a_far_mean_costs_what_rounding_the_data_costs(kind):
    rows = random_lesson(n=200, offset=0.0)
    far = RegressionData(rows.X + 2.0**20, rows.y + 2.0**20, rows.teacher + 2.0**20, rows.weight)
    near = RegressionData(
        far.X - 2.0**20, far.y - 2.0**20, far.teacher - 2.0**20, rows.weight
    )  # exact
    one, other = (PROBLEM.solve(Statistics.of(r, kind)) for r in (far, near))
    np.testing.assert_allclose(one.coef, other.coef, rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_a_merge_has_no_order(kind):
    parts = [Statistics.of(random_lesson(seed), kind) for seed in range(3)]
    one, other = reduce(Statistics.merge, parts), reduce(Statistics.merge, parts[::-1])
    np.testing.assert_allclose(
        answers(PROBLEM.solve(one)), answers(PROBLEM.solve(other)), rtol=1e-8
    )


@pytest.mark.parametrize("kind", [Gram, Root])
def test_whole_weights_are_repetitions(kind):
    rows = random_lesson(weighted=False)
    times = np.random.default_rng(1).integers(0, 4, size=len(rows.X))
    weighted = RegressionData(rows.X, rows.y, rows.teacher, times.astype(float))
    repeated = take(rows, np.repeat(np.arange(len(times)), times))
    np.testing.assert_allclose(solved(weighted, kind), solved(repeated, kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_a_source_with_no_weight_is_no_source(kind):
    rows = random_lesson()
    weight = np.where(rows.labelled, rows.weight, 0.0)
    silenced = solved(RegressionData(rows.X, rows.y, rows.teacher, weight), kind)
    np.testing.assert_allclose(silenced, solved(take(rows, rows.labelled), kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_permuted_rows(kind):
    rows = random_lesson()
    permuted = take(rows, np.random.default_rng(2).permutation(len(rows.X)))
    np.testing.assert_allclose(solved(rows, kind), solved(permuted, kind), rtol=1e-8)


@pytest.mark.parametrize("kind", [Gram, Root])
def test_many_blocks_are_one(kind, monkeypatch):
    rows = random_lesson(n=500)
    whole = solved(rows, kind)
    monkeypatch.setattr("sklearn_distill.solvers.least_squares.regression_data._TILE_SIZE", 64)
    assert len(list(rows.tiles())) > 40
    np.testing.assert_allclose(solved(rows, kind), whole, rtol=1e-8)


def test_sparse_and_float32_features():
    rows = random_lesson()
    X = rows.X.astype(np.float32)
    X[X < 3] = 0
    reference = solved(RegressionData(X.astype(np.float64), rows.y, rows.teacher, rows.weight))
    for same in (X, sparse.csr_array(X), sparse.csr_matrix(X), np.asfortranarray(X)):
        found = solved(RegressionData(same, rows.y, rows.teacher, rows.weight))
        np.testing.assert_allclose(found, reference, rtol=1e-9)


def test_new_imitation_on_old_statistics_is_a_new_fit():
    rows = random_lesson()
    statistics = Statistics.of(rows)
    for imitation in (0.0, 0.5, 1.0):
        problem = PrivilegedLeastSquares(imitation, alpha=0.2)
        np.testing.assert_array_equal(
            answers(problem.solve(statistics)), answers(problem.fit(rows))
        )
