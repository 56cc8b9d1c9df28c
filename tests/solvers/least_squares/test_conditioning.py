"""Ill-conditioned and rank-deficient X: accuracy and minimum norm as of LAPACK's gelsd."""

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import lstsq, solve_triangular
from sklearn.linear_model import LinearRegression

from sklearn_distill.solvers.least_squares import (
    Gram,
    PrivilegedLeastSquares,
    RegressionData,
    Root,
    Statistics,
)

PLAIN = PrivilegedLeastSquares(0.5, fit_intercept=False)


def ill_conditioned(condition, seed, n=400, d=12):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.normal(size=(m, d)))[0] for m in (n, d))
    X = U * np.geomspace(1, 1 / condition, d) @ V.T
    return X, X @ rng.normal(size=d) + 1e-3 * rng.normal(size=n)


def exact_solution(X, y):
    """Least squares with residuals in extended precision."""
    R, w = np.linalg.qr(X, mode="r"), np.zeros(X.shape[1], dtype=np.longdouble)
    X = X.astype(np.longdouble)
    for _ in range(40):
        gradient = (X.T @ (y - X @ w)).astype(np.float64)
        w += solve_triangular(R, solve_triangular(R, gradient, trans="T"))
    return w


def typical_error(solve, condition):
    """Median over draws, since the rounding error of a single draw may be small by chance."""
    errors = []
    for seed in range(9):
        X, y = ill_conditioned(condition, seed)
        exact = exact_solution(X, y)
        errors.append(float(np.linalg.norm(solve(X, y) - exact) / np.linalg.norm(exact)))
    return np.median(errors)


@pytest.mark.parametrize("condition", [3e4, 8e5, 1e7, 1e8, 1e9])
def test_the_error_of_auto_is_at_most_three_times_that_of_gelsd(condition):
    error = typical_error(lambda X, y: PLAIN.fit(RegressionData(X, y[:, None])).coef[0], condition)
    lapack = typical_error(lambda X, y: lstsq(X, y, lapack_driver="gelsd")[0], condition)
    assert error <= 3 * lapack


@pytest.mark.parametrize("condition", [1e1, 1e2, 3e3])
def test_normal_equations_lose_the_square_of_the_condition(condition):
    error = typical_error(lambda X, y: PLAIN.fit(RegressionData(X, y[:, None])).coef[0], condition)
    assert error <= 10 * np.finfo(float).eps * condition**2


@pytest.mark.parametrize(
    ("condition", "kind"), [(1e2, Gram), (1e3, Gram), (1e5, Root), (2e6, Root), (1e8, Root)]
)
def test_auto_chooses_by_the_condition_number(condition, kind):
    X, y = ill_conditioned(condition, seed=0)
    data = RegressionData(X, y[:, None])
    auto, gram = (PLAIN.fit(data, solver) for solver in ("auto", "gram"))
    assert auto.statistics.kind is kind
    assert gram.is_unreliable == (condition > 1e6)
    again = PLAIN.solve(auto.statistics)
    np.testing.assert_array_equal(again.coef, auto.coef, err_msg="statistics give the solution")


def test_auto_corrects_coefficients_intercept_and_several_outputs():
    X, y = ill_conditioned(1e5, seed=0)
    Y, s = np.column_stack([y, y**2]), np.column_stack([y + 1e-3 * np.sin(np.arange(len(y))), y])
    weight = np.linspace(0.5, 2, len(y))
    data = RegressionData(X + 1.0, Y, s, weight)
    problem = PrivilegedLeastSquares(0.4, alpha=1e-9)
    gram, auto, tsqr = (problem.fit(data, solver) for solver in ("gram", "auto", "tsqr"))
    scale = np.abs(tsqr.coef).max()
    assert np.abs(gram.coef - tsqr.coef).max() > 1e-9 * scale
    np.testing.assert_allclose(auto.coef, tsqr.coef, atol=1e-10 * scale)
    np.testing.assert_allclose(auto.intercept, tsqr.intercept, atol=1e-10 * scale)


def deficient(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 5))
    if name == "wide":
        X = rng.normal(size=(6, 15))
    elif name == "constant":
        X[:, 1] = 0.1
    elif name == "zero":
        X[:, 1] = 0.0
    elif name == "repeated":
        X[:, 1] = X[:, 4]
    elif name == "dummies":
        X = np.eye(4)[rng.integers(4, size=40)]
    return X, rng.normal(size=len(X))


DEFICIENT = ["wide", "constant", "zero", "repeated", "dummies"]


@pytest.mark.parametrize("name", DEFICIENT)
@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_minimum_norm_as_linear_regression(name, solver, fit_intercept):
    X, y = deficient(name)
    fit = PrivilegedLeastSquares(0.5, fit_intercept=fit_intercept).fit(
        RegressionData(X, y[:, None]), solver
    )
    plain = LinearRegression(fit_intercept=fit_intercept).fit(X, y)
    np.testing.assert_allclose(fit.coef[0], plain.coef_, atol=1e-8)
    np.testing.assert_allclose(fit.intercept[0], plain.intercept_, atol=1e-8)
    dependent = name == "repeated" or (name == "dummies" and fit_intercept)
    assert fit.is_unreliable == (dependent and solver == "gram")


def test_collinear_but_for_float32_rounding_is_collinear():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3)).astype(np.float32)
    X[:, 2] = X[:, 0] + X[:, 1]
    y = rng.normal(size=(300, 1))
    fit = PrivilegedLeastSquares(0.5).fit(RegressionData(X, y))
    assert fit.statistics.kind is Root
    assert fit.fits[0].factor.rank == 2
    assert np.abs(fit.coef).max() < 1


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.7, 1e5 + 0.1])
@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
def test_a_constant_column_is_dropped_in_spite_of_rounding(value, solver):
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(5000, 3)), rng.normal(size=(5000, 1)), rng.random(5000)
    without = PrivilegedLeastSquares(0.5).fit(RegressionData(X[:, [0, 2]], y, None, weight))
    X[:, 1] = value
    whole = PrivilegedLeastSquares(0.5).fit(RegressionData(X, y, None, weight), solver)
    parts = (RegressionData(X[i::7], y[i::7], None, weight[i::7]) for i in range(7))
    streamed = reduce(Statistics.merge, (Statistics.of(p, whole.statistics.kind) for p in parts))
    for fit in (whole, PrivilegedLeastSquares(0.5).solve(streamed)):
        np.testing.assert_allclose(fit.coef[0, 1], 0, atol=1e-12)
        np.testing.assert_allclose(fit.coef[0, [0, 2]], without.coef[0], rtol=1e-9)
        assert not fit.is_unreliable


def test_scales_of_the_columns_do_not_matter():
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    scale = np.array([1e-9, 1.0, 1e9])
    for solver, kind in (("auto", Gram), ("tsqr", Root)):
        fit, scaled = (PLAIN.fit(RegressionData(Z, y), solver) for Z in (X, X * scale))
        assert scaled.statistics.kind is kind
        np.testing.assert_allclose(scaled.coef * scale, fit.coef, rtol=1e-9)
        assert scaled.rank.tolist() == [3]
