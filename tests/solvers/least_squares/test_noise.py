"""Estimated noise variances are residual variances on the rows that have the target."""

from functools import reduce

import numpy as np
import pytest

from sklearn_distill.solvers.least_squares import (
    NoNoiseEstimateError,
    PrivilegedLeastSquares,
    RegressionData,
    Statistics,
)
from tests.solvers.least_squares.problems import random_data

CHUNKS = [slice(0, 7), slice(7, 30), slice(30, 60)]
AUTO = PrivilegedLeastSquares(0.5)


def residual_variance(X, target, fit_intercept):
    design = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    residual = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return residual @ residual / (len(X) - np.linalg.matrix_rank(design))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["gram", "tsqr"])
@pytest.mark.parametrize("repeated", [False, True])
def test_estimates_are_residual_variances(fit_intercept, solver, repeated):
    data = random_data(weighted=False)
    X = np.column_stack([data.X, data.X[:, 0]]) if repeated else data.X
    problem = PrivilegedLeastSquares(0.5, fit_intercept=fit_intercept)
    fit = problem.fit(RegressionData(X, data.y, data.teacher), solver)
    for found, target in ((fit.noise_variance, data.y), (fit.teacher_noise_variance, data.teacher)):
        available = ~np.isnan(target[:, 0])
        expected = residual_variance(X[available], target[available, 0], fit_intercept)
        np.testing.assert_allclose(found[0], expected, rtol=1e-7)
    np.testing.assert_allclose(fit.ratio, fit.noise_variance / fit.teacher_noise_variance)


def test_one_half_with_estimates_is_inverse_variance_weighting():
    data = random_data(weighted=False)
    y = np.where(data.labelled[:, None], data.y, data.teacher + 1)
    s = np.where(data.taught[:, None], data.teacher, data.y - 1)
    fit = AUTO.fit(RegressionData(data.X, y, s))
    label, teacher = 1 / fit.noise_variance, 1 / fit.teacher_noise_variance
    best = (label * y + teacher * s) / (label + teacher)
    expected = AUTO.fit(RegressionData(data.X, best))
    np.testing.assert_allclose(fit.coef, expected.coef, rtol=1e-9)
    np.testing.assert_allclose(fit.intercept, expected.intercept, rtol=1e-9)


def test_a_perfect_teacher_is_floored():
    data = random_data()
    s = data.X @ np.ones((4, 1))
    fit = AUTO.fit(RegressionData(data.X, np.nan_to_num(data.y), s))
    assert fit.floored == ("teacher_noise_variance",)
    np.testing.assert_allclose(fit.teacher_noise_variance, 1e-6 * s.var(), rtol=1e-9)
    np.testing.assert_allclose(fit.coef, 1, atol=1e-3)


def test_variances_are_estimated_only_if_the_fit_depends_on_them():
    X, y, s = np.arange(12.0).reshape(3, 4), np.ones((3, 1)), np.zeros((3, 1))
    missing = np.full((3, 1), np.nan)
    AUTO.fit(RegressionData(X, y))
    AUTO.fit(RegressionData(X, y, missing))
    AUTO.fit(RegressionData(X, None, s))
    PrivilegedLeastSquares(0.0).fit(RegressionData(X, y, s))
    PrivilegedLeastSquares(0.5, noise_variance=1.0, teacher_noise_variance=1.0).fit(
        RegressionData(X, y, s)
    )
    with pytest.raises(NoNoiseEstimateError, match="noise_variance='auto'"):
        AUTO.fit(RegressionData(X, y, s))


def test_the_error_for_too_few_rows_names_their_number_and_the_remedy():
    data = random_data()
    few = np.full_like(data.y, np.nan)
    few[:5] = 1.0
    s = np.nan_to_num(data.teacher)
    with pytest.raises(NoNoiseEstimateError, match=r"labels cover 5 rows .* rank 5 .* as a number"):
        AUTO.fit(RegressionData(data.X, few, s))
    with pytest.raises(NoNoiseEstimateError, match=r"teacher_noise_variance='auto'.*5 rows"):
        AUTO.fit(RegressionData(data.X, s, few))
    PrivilegedLeastSquares(0.5, noise_variance=1.0).fit(RegressionData(data.X, few, s))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e5 + 0.1])
def test_constant_targets_have_no_noise_estimate(value):
    data = random_data()
    s = np.nan_to_num(data.teacher)
    constant = np.full_like(s, value)

    def solve(y, teacher):
        chunks = [RegressionData(data.X[i], y[i], teacher[i], data.weight[i]) for i in CHUNKS]
        return AUTO.solve(reduce(Statistics.merge, map(Statistics.of, chunks)))

    with pytest.raises(NoNoiseEstimateError, match="the teacher's predictions are constant"):
        solve(s, constant)
    with pytest.raises(NoNoiseEstimateError, match="the labels are constant"):
        solve(constant, s)


def test_noise_without_an_estimate_is_nan_or_an_error():
    X, y = np.arange(4.0).reshape(2, 2), np.ones((2, 1))
    fit = AUTO.solve(Statistics.of(RegressionData(X, y)))
    assert np.isnan(fit.teacher_noise_variance).all()
    with pytest.raises(NoNoiseEstimateError, match="leaves no degree"):
        fit.coef_covariance()


@pytest.mark.parametrize("noise", [1e-2, 1e-6, 1e-9])
@pytest.mark.parametrize("alpha", [0.0, 1e-3])
def test_a_small_variance_has_six_digits_or_is_reported(noise, alpha):
    rng = np.random.default_rng(0)
    X, e = rng.normal(size=(200, 3)), rng.normal(size=(200, 1))
    truth = np.round(X @ rng.normal(size=(3, 1)) * 8) / 8
    X = np.column_stack([X, truth])
    y = truth + noise * e
    exact = (y - truth) - X @ np.linalg.lstsq(np.c_[X, np.ones(200)], y - truth)[0][:4]
    exact = np.square(exact - exact.mean()).sum() / (200 - 5)
    problem, data = PrivilegedLeastSquares(0.0, alpha), RegressionData(X, y)
    for solver in ("auto", "gram", "tsqr"):
        fit = problem.fit(data, solver)
        if not fit.has_unreliable_covariance:
            assert fit.noise_variance[0] == pytest.approx(exact, rel=1e-6)
        elif alpha == 0:  # "auto" sees the residuals of the penalised fit
            assert (solver, noise) in {("gram", 1e-6), ("gram", 1e-9)}
