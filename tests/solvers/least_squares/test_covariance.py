"""The sandwich covariance against many draws of labels and teacher's predictions."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from sklearn_distill.solvers.least_squares import (
    Gram,
    PrivilegedLeastSquares,
    RegressionData,
    Root,
)
from tests.solvers.least_squares.problems import random_data

LABEL_NOISE, TEACHER_NOISE = 2.0, 0.6
N_BATCHES, N_DRAWS = 40, 100  # the draws of a batch are fitted as outputs of one problem


@pytest.fixture(autouse=True)
def one_thread():
    """Threads cost more than they save on these small products."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def sources():
    rng = np.random.default_rng(0)
    X = rng.normal(loc=[0, 1, 2], size=(40, 3))
    labelled, taught = np.arange(40) % 3 != 0, np.arange(40) % 3 != 1
    X[~labelled] += 2  # so that the sources have means of their own
    return X, labelled, taught


def draws(rng, X, labelled, taught, repetitions):
    """Each column is one draw; a row with r repetitions has 1/r of the variance."""
    truth = (X @ [1.0, -2.0, 0.5])[:, None]
    scale = 1 / np.sqrt(repetitions)[:, None]
    noise = rng.normal(size=(2, len(X), N_DRAWS)) * scale
    y, s = truth + np.sqrt(LABEL_NOISE) * noise[0], truth + np.sqrt(TEACHER_NOISE) * noise[1]
    y[~labelled], s[~taught] = np.nan, np.nan
    return y, s


@pytest.mark.parametrize("imitation", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("alpha", [0.0, 5.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_covariance_is_that_of_many_draws(sources, imitation, alpha, fit_intercept):
    X, labelled, taught = sources
    weight = np.random.default_rng(1).integers(1, 4, size=len(X)).astype(float)
    problem = PrivilegedLeastSquares(imitation, alpha, fit_intercept, LABEL_NOISE, TEACHER_NOISE)
    rng, coef, intercept = np.random.default_rng(2), [], []
    for _ in range(N_BATCHES):
        fit = problem.fit(RegressionData(X, *draws(rng, X, labelled, taught, weight), weight))
        coef.append(fit.coef)
        intercept.append(fit.intercept)
    coef, intercept = np.vstack(coef), np.concatenate(intercept)
    covariance = fit.covariances[0].of_coef() * LABEL_NOISE
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    # entries of a sample covariance have a standard error of √(2/4000) = 2 %
    np.testing.assert_allclose(np.cov(coef.T) / scale, covariance / scale, atol=0.1)

    x = np.array([[0.0, 0.0, 0.0], [3.0, -1.0, 4.0]])
    means = x @ coef.T + intercept
    variance = LABEL_NOISE * fit.covariances[0].of_mean(x)
    np.testing.assert_allclose(means.var(axis=1), variance, rtol=0.1, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 5.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["gram", "tsqr"])
def test_covariance_is_the_sandwich_as_it_is_written(sources, alpha, fit_intercept, solver):
    X, labelled, taught = sources
    weight = np.random.default_rng(1).uniform(size=len(X))
    y, s = np.where(labelled, 1.0, np.nan), np.where(taught, 2.0, np.nan)
    problem = PrivilegedLeastSquares(0.3, alpha, fit_intercept, LABEL_NOISE, TEACHER_NOISE)
    fit = problem.fit(RegressionData(X, y[:, None], s[:, None], weight), solver)
    # MATHEMATICS §4 with the intercept as a last column, α in units of σ²
    a = np.where(labelled, np.where(taught, 0.7, 1.0), 0.0) / LABEL_NOISE
    b = np.where(taught, np.where(labelled, 0.3, 1.0), 0.0) / TEACHER_NOISE
    design = np.column_stack([X, np.ones(len(X))]) if fit_intercept else X
    penalty = np.diag([alpha / LABEL_NOISE] * 3 + [0.0] * fit_intercept)
    inverse = np.linalg.inv((design.T * weight * (a + b)) @ design + penalty)
    v = weight * (a**2 * LABEL_NOISE + b**2 * TEACHER_NOISE)
    covariance = inverse @ (design.T * v) @ design @ inverse
    np.testing.assert_allclose(fit.coef_covariance()[0], covariance[:3, :3], rtol=1e-8)
    variance = np.einsum("ij,jk,ik->i", design, covariance, design) + LABEL_NOISE
    np.testing.assert_allclose(fit.prediction_variance(X)[:, 0], variance, rtol=1e-9)


def test_the_inverse_hessian_alone_is_wrong_by_half():
    data = random_data(weighted=False)
    both = data.labelled & data.taught
    X, y, s = data.X[both], data.y[both], data.teacher[both]
    fit = PrivilegedLeastSquares(0.5, 0.0, True, 1.0, 1.0).fit(RegressionData(X, y, s))
    centred = X - X.mean(axis=0)
    hessian = np.linalg.inv(centred.T @ centred)
    np.testing.assert_allclose(fit.coef_covariance()[0], hessian / 2, rtol=1e-8)


def test_without_a_teacher_it_is_that_of_least_squares():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=(30, 1))
    fit = PrivilegedLeastSquares(0.5).fit(RegressionData(X, y))
    design = np.column_stack([X, np.ones(30)])
    residual = y[:, 0] - design @ np.linalg.lstsq(design, y[:, 0], rcond=None)[0]
    covariance = np.linalg.inv(design.T @ design) * (residual @ residual) / (30 - 5)
    np.testing.assert_allclose(fit.coef_covariance()[0], covariance[:4, :4])
    std = np.einsum("ij,jk,ik->i", design, covariance, design) + (residual @ residual) / 25
    np.testing.assert_allclose(fit.prediction_variance(X)[:, 0], std)


def test_ill_conditioned_covariance_from_triangular_roots():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(200, 3))
    X[:, 2] = X[:, 1] + 1e-7 * X[:, 2]
    y = rng.normal(size=(200, 1))
    fit = PrivilegedLeastSquares(0.5, fit_intercept=False, noise_variance=1.0).fit(
        RegressionData(X, y)
    )
    turned = np.array([[1, 0, 0], [0, 1, 0], [0, -1e7, 1e7]]).T  # X @ turned is well-conditioned
    inverse = np.linalg.inv((X @ turned).T @ (X @ turned))
    np.testing.assert_allclose(fit.coef_covariance()[0], turned @ inverse @ turned.T, rtol=1e-6)


@pytest.mark.parametrize(
    ("n", "alpha"), [(100, 1e-8), (1000, 1e-6), (100_000, 1e-4), (100_000, 1e-3)]
)
def test_a_small_penalty_on_dummies_that_sum_to_one(n, alpha):
    group = np.random.default_rng(0).integers(4, size=n)
    X, y = np.eye(4)[group], group[:, None] + np.random.default_rng(1).normal(size=(n, 1))
    fit = PrivilegedLeastSquares(0.0, alpha, noise_variance=1.0).fit(RegressionData(X, y))
    # S = diag(m) − m mᵀ/n of the counts m, whose null vector is 1
    m = np.bincount(group).astype(float)
    values, basis = np.linalg.eigh(np.diag(m) - np.outer(m, m) / n)
    values, basis = values[1:], basis[:, 1:]
    expected = (basis * (values / (values + alpha) ** 2)) @ basis.T
    np.testing.assert_allclose(fit.coef_covariance()[0], expected, rtol=1e-6)
    assert not fit.has_unreliable_covariance


@pytest.mark.parametrize("spread", [1e-3, 1e-5, 1e-7, 1e-9, 1e-11])
@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize("solver", ["auto", "gram", "tsqr"])
def test_variances_are_never_negative_and_right_or_reported(spread, offset, solver):
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, 50))
    X = np.column_stack([x + offset, x + offset + spread * noise])
    fit = PrivilegedLeastSquares(0.0, noise_variance=1.0).fit(RegressionData(X, x[:, None]), solver)
    variance = fit.prediction_variance(X)[:, 0]
    assert (variance >= 1).all()
    assert (np.diag(fit.coef_covariance()[0]) >= 0).all()
    assert fit.has_unreliable_covariance == (spread < (1e-3 if solver == "gram" else 1e-8))
    if not fit.has_unreliable_covariance:
        x_minus_z = (X[:, 1] - X[:, 0]) / spread  # exact, and well-conditioned with x
        design = np.column_stack([np.ones(50), x, x_minus_z])
        leverage = np.square(np.linalg.qr(design)[0]).sum(axis=1)
        np.testing.assert_allclose(variance, 1 + leverage, rtol=1e-6)


def test_a_gram_matrix_does_not_show_whether_columns_depend_exactly():
    """With a penalty the coefficients are right, but the covariance may not be."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    X = np.column_stack([X, X[:, 0] + 3e-9 * rng.normal(size=60)])
    data = RegressionData(X, rng.normal(size=(60, 1)))
    problem = PrivilegedLeastSquares(0.0, alpha=1e-4)
    gram, auto = problem.fit(data, "gram"), problem.fit(data)
    assert (gram.statistics.kind, auto.statistics.kind) == (Gram, Root)
    assert gram.has_unreliable_covariance
    assert not gram.is_unreliable
    np.testing.assert_allclose(gram.coef, auto.coef, rtol=1e-4)
