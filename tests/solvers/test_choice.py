"""The minimiser that is chosen by shape and storage."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import RowSums, SoftTargetObjective, as_design
from sklearn_distill.solvers import (
    choose_minimiser,
    coarse_to_fine,
    lbfgs_with_late_factor,
    minimise_in_row_space,
    newton_cholesky,
    newton_on_used_columns,
    scaled_newton,
)
from sklearn_distill.targets import LogPartitionTerm, SoftTargets


def objective(X, K, regularizer=None):
    n = X.shape[0]
    targets = SoftTargets(np.ones((K, n)) / K, (LogPartitionTerm(np.ones(n), 1.0, regularizer),))
    return SoftTargetObjective(RowSums(as_design(X, True), targets, np.ones(n)), 1.0)


@pytest.mark.parametrize(
    ("n", "d", "K", "expected"),
    [
        (100, 5, 2, newton_cholesky),
        (1_000, 30, 2, newton_cholesky),
        (1_000, 30, 3, coarse_to_fine),
        (20_000, 784, 10, coarse_to_fine),
        (6_000, 1_500, 2, lbfgs_with_late_factor),
        (1_000, 800, 5, lbfgs_with_late_factor),
        (500, 2_000, 2, minimise_in_row_space),
    ],
)
def test_dense(n, d, K, expected):
    assert choose_minimiser(objective(np.zeros((n, d)), K), dense=True) is expected


@pytest.mark.parametrize(
    ("n", "d", "K", "expected"),
    [
        (100, 5, 2, newton_cholesky),
        (5_000, 200, 2, coarse_to_fine),
        (5_000, 2_000, 2, scaled_newton),
        (5_000, 2_000, 3, newton_on_used_columns),
    ],
)
def test_sparse(n, d, K, expected):
    X = sparse.csr_array((n, d), dtype=np.float64)
    assert choose_minimiser(objective(X, K), dense=False) is expected


def test_objectives_that_are_not_convex():
    one = objective(np.zeros((100, 5)), 3, regularizer="grabovoy")
    assert choose_minimiser(one, dense=True) is scaled_newton
