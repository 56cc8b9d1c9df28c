"""Columns of a sparse X without an entry are left out, and nothing else changes."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.solvers import choose_minimiser, newton_on_used_columns, scaled_newton
from tests.solvers.test_newton_cholesky import problem

EMPTY = np.arange(300) % 3 > 0


def with_empty_columns(storage):
    def change(X):
        wide = np.zeros((len(X), len(EMPTY)))
        wide[:, ~EMPTY] = X * (np.abs(X) > 0.3)
        return storage(wide)

    return change


@pytest.mark.parametrize("storage", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
@pytest.mark.parametrize("K", [3, 5])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_minimum_is_the_same(storage, K, fit_intercept):
    shape = {"n": 400, "d": int((~EMPTY).sum()), "fit_intercept": fit_intercept}
    objective = problem(K, **shape, change=with_empty_columns(storage))
    assert choose_minimiser(objective, dense=False) is newton_on_used_columns
    start = np.ones_like(objective.zeros())
    solution = newton_on_used_columns(objective, start, tol=1e-10, max_iter=50)
    expected = scaled_newton(objective, start, tol=1e-10, max_iter=50)
    assert solution.converged
    W, expected = (one.w.reshape(objective.shape) for one in (solution, expected))
    if fit_intercept:  # only their differences matter
        for one in (W, expected):
            one[:, -1] -= one[:, -1].mean()
    np.testing.assert_allclose(W, expected, atol=1e-7)
    assert not W[:, : len(EMPTY)][:, EMPTY].any()


def test_a_sparse_matrix_whose_columns_are_used_is_not_copied():
    full = problem(3, n=400, d=300, change=sparse.csr_array)
    one_logit = problem(2, n=400, d=100, change=with_empty_columns(sparse.csr_array))
    for objective in (full, one_logit):
        assert objective.used_columns is None
        assert choose_minimiser(objective, dense=False) is scaled_newton
