"""The objective by columns is the same function of the transposed weights."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_distill.losses import ColumnObjective
from tests.solvers.test_newton_cholesky import problem

D = 6


def sparse_x(storage=sparse.csr_array, scale=1.0, dtype=np.float64):
    return lambda X: storage((X * (np.abs(X) > 0.5) * scale).astype(dtype))


def pair(K, columns=None, *, change, **params):
    objective = problem(K, d=D, change=change, **params)
    if columns is None:
        columns = np.arange(objective.n_columns)
    return (
        objective.take_columns(columns),
        ColumnObjective(objective.sums, objective.alpha, columns),
    )


@pytest.mark.parametrize("K", [3, 5])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("storage", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_it_is_the_same_function(K, fit_intercept, temperature, storage):
    columns = np.array([0, 2, 3, D][: 4 if fit_intercept else 3])
    params = {"fit_intercept": fit_intercept, "temperature": temperature, "zero_weights": True}
    expected, actual = pair(K, columns, change=sparse_x(storage), **params)
    rng = np.random.default_rng(0)
    W, V = rng.normal(size=(2, *expected.shape))
    value, gradient = expected.value_and_gradient(W.ravel())
    own_value, own_gradient = actual.value_and_gradient(W.T.ravel())
    assert own_value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(own_gradient.reshape(-1, K).T.ravel(), gradient, atol=1e-13)
    product = expected.hessian_operator(W.ravel())(V.ravel())
    own_product = actual.hessian_operator(W.T.ravel())(V.T.ravel().astype(actual.step_dtype))
    assert own_product.dtype == np.float32
    np.testing.assert_allclose(own_product.reshape(-1, K).T.ravel(), product, atol=1e-6)
    np.testing.assert_allclose(
        actual.hessian_diagonal_at_zero(), expected.hessian_diagonal_at_zero(), rtol=1e-12
    )
    some = np.array([0, len(columns) - 1])
    A = expected.hessian_at_zero()[np.ix_(some, some)]
    np.testing.assert_allclose(actual.hessian_at_zero_of(some), A, rtol=1e-12, atol=1e-15)


def test_arguments_and_data_are_not_modified():
    X = sparse_x()(np.random.default_rng(0).normal(size=(80, D)))
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    _, objective = pair(3, change=lambda _: X)
    w = np.ones(objective.shape).ravel()
    w.flags.writeable = False
    objective.value_and_gradient(w)
    objective.hessian_operator(w)(w.astype(np.float32))


@pytest.mark.parametrize(("scale", "expected"), [(1.0, "f4"), (1e30, "f8"), (1e-30, "f8")])
def test_hessian_products_are_in_float32_where_x_is_in_its_range(scale, expected):
    _, objective = pair(3, change=sparse_x(scale=scale))
    assert objective.step_dtype == np.dtype(expected)


def test_indices_of_64_bits_are_shortened():
    def change(X):
        wide = sparse_x()(X)
        wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
        return wide

    _, objective = pair(3, change=change)
    assert objective._X.indices.dtype == objective._Xt.indptr.dtype == np.int32
    assert np.shares_memory(objective._X_step.indices, objective._X.indices)


def test_many_entries_per_weight_are_not_copied():
    columns = np.arange(D + 1)
    assert problem(3, n=1000, d=D, change=sparse_x()).by_column(columns) is None
    assert problem(3, n=10, d=D, change=sparse_x()).by_column(columns) is not None


def test_a_dense_x_has_no_entries_by_column():
    objective = problem(3, d=D)
    with pytest.raises(TypeError, match="sparse"):
        objective.by_column(np.arange(3))
