"""The closed form is the minimum of the objective, for each solver."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LinearRegression, Ridge

from sklearn_distill.solvers.least_squares import PrivilegedLeastSquares, RegressionData
from tests.solvers.least_squares.problems import random_data, weighted_rows, written_objective


@pytest.mark.parametrize("imitation", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_closed_form_is_the_numerical_minimum(imitation, alpha):
    data = random_data(n=30, d=2, offset=0.0)
    problem = PrivilegedLeastSquares(
        imitation, alpha, noise_variance=1.5, teacher_noise_variance=0.4
    )
    fit = problem.fit(data)
    found = minimize(
        lambda p: written_objective(
            p, data, imitation=imitation, label_noise=1.5, teacher_noise=0.4, alpha=alpha
        ),
        np.zeros(3),
        options={"gtol": 1e-3},
    )
    np.testing.assert_allclose(np.append(fit.coef[0], fit.intercept), found.x, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("solver", ["gram", "tsqr", "auto"])
@pytest.mark.parametrize("alpha", [0.0, 7.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("q", [1, 3])
def test_ridge_on_weighted_rows(solver, alpha, fit_intercept, q):
    data = random_data(q=q)
    problem = PrivilegedLeastSquares(
        0.3, alpha, fit_intercept, noise_variance=1.2, teacher_noise_variance=0.3
    )
    target, weight = weighted_rows(data, 0.3, ratio=4.0)
    plain = Ridge(alpha, fit_intercept=fit_intercept, solver="cholesky").fit(data.X, target, weight)
    fit = problem.fit(data, solver)
    np.testing.assert_allclose(fit.coef, np.atleast_2d(plain.coef_), rtol=1e-9)
    np.testing.assert_allclose(fit.intercept, plain.intercept_, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("variances", [(None, None), (1.0, 1e-3)])
def test_imitation_0_with_every_row_labelled_ignores_the_teacher(variances):
    data = random_data()
    y, s = np.where(data.labelled[:, None], data.y, 4.0), data.teacher
    fit = PrivilegedLeastSquares(0.0, 0.0, True, *variances).fit(
        RegressionData(data.X, y, s, data.weight)
    )
    plain = LinearRegression().fit(data.X, y[:, 0], data.weight)
    np.testing.assert_allclose(fit.coef[0], plain.coef_, rtol=1e-9)


def test_without_labels_the_student_is_ridge_on_the_teacher():
    data = random_data()
    s = np.nan_to_num(data.teacher)
    fit = PrivilegedLeastSquares(0.2, alpha=3.0).fit(RegressionData(data.X, None, s))
    plain = Ridge(3.0).fit(data.X, s[:, 0])
    np.testing.assert_allclose(fit.coef[0], plain.coef_, rtol=1e-9)
    np.testing.assert_array_equal(fit.noise_variance, fit.teacher_noise_variance)


def test_outputs_are_fitted_independently():
    data = random_data(q=3)
    data.y[:, 1] += 20 * np.sin(np.arange(len(data.X)))  # more noise in this output
    together = PrivilegedLeastSquares(0.4).fit(data)
    assert len(np.unique(together.ratio)) == 3
    for j in range(3):
        single_output = RegressionData(data.X, data.y[:, [j]], data.teacher[:, [j]], data.weight)
        fit = PrivilegedLeastSquares(0.4).fit(single_output)
        np.testing.assert_allclose(together.coef[j], fit.coef[0], rtol=1e-10)
        np.testing.assert_allclose(together.intercept[j], fit.intercept[0], rtol=1e-10)
        np.testing.assert_allclose(together.coef_covariance()[j], fit.coef_covariance()[0])
        np.testing.assert_allclose(
            together.prediction_variance(data.X)[:, j], fit.prediction_variance(data.X)[:, 0]
        )


def test_the_stationary_point_is_stationary_for_the_rows_themselves():
    data = random_data()
    fit = PrivilegedLeastSquares(0.6, alpha=0.5).fit(data)
    target, weight = weighted_rows(data, 0.6, float(fit.ratio[0]))
    residual = weight * (target[:, 0] - data.X @ fit.coef[0] - fit.intercept[0])
    np.testing.assert_allclose(data.X.T @ residual, 0.5 * fit.coef[0], atol=1e-9)
    assert residual.sum() == pytest.approx(0, abs=1e-9)
