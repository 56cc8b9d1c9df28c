"""Merged statistics are those of the whole, however the rows were split, solved and ordered."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_distill import PrivilegedLinearRegression
from sklearn_distill.solvers.least_squares import Gram, RegressionData, Root, Statistics

N = 80
RNG = np.random.default_rng(0)
CATEGORY = RNG.integers(4, size=N)
X = np.column_stack([np.eye(4)[CATEGORY][:, :3], RNG.normal(size=N)])  # 3 of 4 dummies
Y = CATEGORY + X[:, 3] + 0.1 * RNG.normal(size=N)
S = CATEGORY + X[:, 3] + 0.2 * RNG.normal(size=N)
KNOWN = {"noise_variance": 0.01, "teacher_noise_variance": 0.04}


def fitted(rows, solver="auto", **params):
    student = PrivilegedLinearRegression(solver=solver, **KNOWN, **params)
    return student.fit(X[rows], Y[rows], teacher_prediction=S[rows])


def merged(shards, **params):
    """Fit each shard, merge the statistics in this order and solve."""
    parts = [fitted(rows, solver, **params).statistics_ for rows, solver in shards]
    student = fitted(np.arange(N), **params)
    student.statistics_ = reduce(Statistics.merge, parts)
    return student.solve()


@st.composite
def partitions(draw):
    """Return shards of any sizes, in any order: by category, at random, or of few rows."""
    n_shards = draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shard_of = rng.integers(n_shards, size=N)
    if draw(st.booleans()):  # a shard lacks a category that another has alone
        shard_of = np.where(rng.integers(4) == CATEGORY, 0, np.maximum(shard_of, 1))
    few = rng.permutation(N)[: draw(st.integers(0, 4))]
    shard_of[few] = n_shards  # n ≤ d
    shards = [np.flatnonzero(shard_of == i) for i in rng.permutation(n_shards + 1)]
    shards = [rows for rows in shards if len(rows)]
    # without a penalty the normal equations warn of a shard that lacks a category
    solvers = ["auto", "tsqr", "gram"]
    alpha = draw(st.sampled_from([0.0, 0.5]))
    names = st.sampled_from(solvers if alpha else solvers[:2])
    return [(rows, draw(names)) for rows in shards], alpha


@settings(max_examples=25, deadline=None)
@given(partitions())
def test_every_partition_in_every_order_gives_the_coefficients_of_the_whole(partition):
    shards, alpha = partition
    student, whole = merged(shards, alpha=alpha), fitted(np.arange(N), alpha=alpha)
    np.testing.assert_allclose(student.coef_, whole.coef_, rtol=1e-8)
    np.testing.assert_allclose(student.intercept_, whole.intercept_, rtol=1e-8)
    np.testing.assert_allclose(student.coef_covariance_, whole.coef_covariance_, rtol=1e-7)
    assert student.n_taught_rows_ == N


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_shard_that_lacks_a_category_and_one_that_has_it_alone(order):
    alone = CATEGORY == 3
    shards = [(np.flatnonzero(rows), "auto") for rows in (~alone, alone)]
    assert fitted(~alone).statistics_.kind is Root  # its dummies sum to 1
    student = merged(shards[order])
    np.testing.assert_allclose(student.coef_, fitted(np.arange(N)).coef_, rtol=1e-8)


def test_a_root_merged_with_a_gram_matrix_is_a_gram_matrix():
    data = RegressionData(X, Y[:, None], S[:, None])
    root, gram = Statistics.of(data, Root), Statistics.of(data, Gram)
    nothing = Statistics.of(RegressionData(X, Y[:, None], None, np.zeros(N)), Gram)
    assert root.merge(root).kind is Root
    assert root.merge(nothing).kind is nothing.merge(root).kind is Root
    for mixed in (root.merge(gram), gram.merge(root)):
        assert {type(moments) for moments in mixed.groups.values()} == {Gram}


@pytest.mark.parametrize(
    ("other", "error", "message"),
    [
        (lambda: fitted(np.arange(N)).set_params(), TypeError, "got PrivilegedLinearRegression"),
        (
            lambda: PrivilegedLinearRegression(imitation=0).fit(X[:, :3], Y).statistics_,
            ValueError,
            "4 features and 1 outputs do not match those of 3 features and 1 outputs: fit both",
        ),
        (
            lambda: PrivilegedLinearRegression(imitation=0).fit(X, np.c_[Y, S]).statistics_,
            ValueError,
            "4 features and 1 outputs do not match those of 4 features and 2 outputs",
        ),
    ],
)
def test_statistics_of_other_columns_are_refused(other, error, message):
    student = fitted(np.arange(N))
    with pytest.raises(error, match=message):
        student.statistics_.merge(other())
    coef = student.coef_
    student.statistics_ = other()
    with pytest.raises(error, match=message):
        student.solve()
    assert student.coef_ is coef
