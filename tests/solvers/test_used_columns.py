"""Columns of a sparse X without an entry are left out, and nothing else changes."""

from functools import partial

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import ColumnObjective
from sklearn_distill.solvers import (
    LeadingColumnsFactor,
    choose_minimiser,
    newton_on_used_columns,
    scaled_newton,
)
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


def with_many_columns(storage, n_columns=600, dtype=np.float64, scale=1.0, positive=False):
    """Entries at random places, with Zipf's frequencies."""

    def change(X):
        rng = np.random.default_rng(0)
        frequency = 1 / np.arange(1, n_columns + 1)
        column = rng.choice(n_columns, size=X.shape, p=frequency / frequency.sum())
        row = np.repeat(np.arange(len(X)), X.shape[1])
        values = np.abs(X) / np.linalg.norm(X, axis=1, keepdims=True) if positive else X
        wide = sparse.csr_array((values.ravel(), (row, column.ravel())), shape=(len(X), n_columns))
        return storage(wide * scale).astype(dtype)

    return change


def minima(K, *, n=300, d=5, **params):
    objective = problem(K, n=n, d=d, **params)
    assert choose_minimiser(objective, dense=False) is newton_on_used_columns
    tolerances = {"tol": 1e-8, "distance_tol": 1e-7, "precision": objective.precision}
    solution = newton_on_used_columns(objective, objective.zeros(), max_iter=300, **tolerances)
    expected = scaled_newton(objective, objective.zeros(), max_iter=300, **tolerances)
    return objective, solution, expected


@pytest.mark.parametrize("K", [3, 5])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"fit_intercept": False},
        {"C": 1e-6},
        {"C": 1e4},
        {"temperature": 0.3},
        {"temperature": 1e3},
        {"separable": True},
        {"zero_weights": True},
        {"change": with_many_columns(sparse.csc_array)},
        {"change": with_many_columns(sparse.csr_array, scale=30.0)},
        {"change": with_many_columns(sparse.csr_array, scale=1e-3)},
    ],
    ids=" ".join,
)
def test_many_columns_have_the_same_minimum(K, params):
    params = {"change": with_many_columns(sparse.csr_array)} | params
    objective, solution, expected = minima(K, **params)
    assert solution.converged == expected.converged
    difference = (solution.value - expected.value) / (abs(expected.value) or 1)
    assert difference <= 1e-12
    W, expected_W = (one.w.reshape(objective.shape) for one in (solution, expected))
    if expected.converged:
        Z, expected_Z = (objective.sums.design.scores(w, slice(0, 300)) for w in (W, expected_W))
        Z, expected_Z = Z - Z.mean(axis=0), expected_Z - expected_Z.mean(axis=0)
        np.testing.assert_allclose(Z, expected_Z, atol=2e-4)


def test_values_beyond_the_range_of_float32():
    change = with_many_columns(sparse.csr_array, scale=1e20)
    objective = problem(3, n=300, d=5, change=change)
    start = objective.zeros()
    solution = newton_on_used_columns(objective, start, tol=1e-8, max_iter=5)
    assert solution.value < objective.value_and_gradient(start)[0]


def test_many_columns_in_float32():
    change = with_many_columns(sparse.csr_array, dtype=np.float32)
    objective, solution, expected = minima(3, change=change)
    assert solution.value == pytest.approx(expected.value, rel=1e-6)
    assert np.abs(objective.value_and_gradient(solution.w)[1]).max() <= 1e-6


def test_many_columns_take_few_products(monkeypatch):
    """The Gram matrix of the frequent columns has most of the curvature."""
    products = []
    original = ColumnObjective.hessian_operator

    def counting(self, w):
        product = original(self, w)
        return lambda v: products.append(1) or product(v)

    monkeypatch.setattr(ColumnObjective, "hessian_operator", counting)
    change = with_many_columns(sparse.csr_array, n_columns=5_000, positive=True)
    objective = problem(4, n=2_000, d=20, change=change)
    run = partial(newton_on_used_columns, objective, objective.zeros(), tol=1e-6, max_iter=50)
    assert run().converged
    with_gram = len(products)
    products.clear()
    monkeypatch.setattr(LeadingColumnsFactor, "__init__", fail)
    assert run().converged
    assert with_gram <= len(products) / 2


def fail(*args, **kwargs):
    raise np.linalg.LinAlgError


def test_a_sparse_matrix_whose_columns_are_used_is_not_copied():
    full = problem(3, n=400, d=300, change=sparse.csr_array)  # 133 entries per weight
    one_logit = problem(2, n=400, d=100, change=with_empty_columns(sparse.csr_array))
    for objective in (full, one_logit):
        assert objective.used_columns is None
        assert choose_minimiser(objective, dense=False) is scaled_newton
