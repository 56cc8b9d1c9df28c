"""More columns than rows: the same student as on X itself, in coordinates of the row space."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.solvers import row_space
from sklearn_distill.solvers.choice import MIN_WIDE_COLUMNS

N_ROWS, N_FEATURES = 30, MIN_WIDE_COLUMNS + 50
SCALES = 10.0 ** np.linspace(-2, 2, N_FEATURES)


def data(kind, n_classes, n=N_ROWS):
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(n, N_FEATURES)) + rng.normal(size=(n, 3)) @ rng.normal(
        size=(3, N_FEATURES)
    )
    X[:, 7] = X[:, 8]
    X = {
        "scaled": X,
        "unscaled": X * SCALES,
        "repeated rows": X[np.arange(n) // 2],
        "constant columns": np.where(np.arange(N_FEATURES) < 20, 0.1, X),
    }[kind]
    y = np.arange(n) % n_classes + 0.0
    y[n_classes::4] = np.nan
    S = softmax(rng.normal(size=(n, n_classes)), axis=1)
    return X, {"y": y, "teacher_proba": S, "sample_weight": rng.uniform(0.2, 2, n)}


def fit_on_X(X, fit_args, **params):
    """Fit without the row space, which a sparse X does not have."""
    student = DistilledLogisticRegression(**params, solver="newton-cg", tol=1e-6)
    student.fit(sparse.csr_array(X), **fit_args)
    assert student.solver_ == "newton-cg"
    return student


@pytest.mark.parametrize("kind", ["scaled", "unscaled", "repeated rows", "constant columns"])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("C", [0.01, 1.0, 1e4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_probabilities_are_those_of_the_fit_on_X(kind, n_classes, C, fit_intercept):
    X, fit_args = data(kind, n_classes)
    params = {"temperature": 2.0, "C": C, "fit_intercept": fit_intercept}
    student = DistilledLogisticRegression(**params).fit(X, **fit_args)
    assert student.solver_ == "row-space"
    # conjugate gradients without a preconditioner resolve centred columns only
    centred = X - X.mean(axis=0) if fit_intercept else X
    on_X = fit_on_X(centred, fit_args, max_iter=5000, **params)
    expected = on_X.predict_proba(centred)
    np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-6)
    np.testing.assert_allclose(student.coef_, on_X.coef_, atol=1e-5 * np.abs(on_X.coef_).max())


@pytest.mark.parametrize("regularizer", ["grabovoy", "continuous_categorical"])
def test_regularisers_are_the_same(regularizer):
    X, fit_args = data("scaled", 3)
    params = {"imitation": 0.7, "regularizer": regularizer}
    student = DistilledLogisticRegression(**params).fit(X, **fit_args)
    on_X = fit_on_X(X, fit_args, **params)
    np.testing.assert_allclose(student.predict_proba(X), on_X.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("kind", ["scaled", "unscaled", "repeated rows", "constant columns"])
def test_newtons_method_works_in_the_row_space_too(kind, monkeypatch):
    X, fit_args = data(kind, 3)
    by_default = DistilledLogisticRegression().fit(X, **fit_args)
    monkeypatch.setattr(row_space, "coarse_to_fine", None)  # that of "auto"
    student = DistilledLogisticRegression(solver="newton-cg").fit(X, **fit_args)
    assert student.solver_ == "row-space"
    np.testing.assert_allclose(
        student.predict_proba(X), by_default.predict_proba(X), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_memory_is_that_of_X(solver):
    """A matrix of n_features² numbers would be a hundred times as large."""
    X = np.random.default_rng(0).normal(size=(N_ROWS, 3000))
    tracemalloc.start()
    DistilledLogisticRegression(imitation=0, solver=solver).fit(X, np.arange(N_ROWS) % 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * X.nbytes


def test_float32_is_fitted_in_double_precision():
    X, fit_args = data("scaled", 3)
    X = X.astype(np.float32)
    student = DistilledLogisticRegression(C=100.0).fit(X, **fit_args)
    expected = DistilledLogisticRegression(C=100.0).fit(X.astype(np.float64), **fit_args)
    assert student.coef_.dtype == np.float32
    np.testing.assert_array_equal(student.coef_, expected.coef_.astype(np.float32))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_a_penalty_the_coefficients_are_the_smallest(n_classes):
    """Every target is interior, and as many weights as rows fit each of them exactly."""
    X, fit_args = data("scaled", n_classes)
    S = fit_args["teacher_proba"]
    student = DistilledLogisticRegression(1.0, C=np.inf, classes=range(n_classes)).fit(
        X, teacher_proba=S
    )
    np.testing.assert_allclose(student.predict_proba(X), S, atol=1e-6)
    logits = np.log(S)
    # coefficients of the classes sum to 0; two classes have their difference
    logits = (
        logits[:, 1:] - logits[:, :1] if n_classes == 2 else logits - logits.mean(axis=1)[:, None]
    )
    centred = X - X.mean(axis=0)
    smallest = np.linalg.pinv(centred) @ (logits - logits.mean(axis=0))
    np.testing.assert_allclose(student.coef_, smallest.T, atol=1e-6)


def test_tol_holds_for_the_gradient_in_X():
    X = data("unscaled", 3)[0] + 1e3
    y = np.arange(N_ROWS) % 3
    student = DistilledLogisticRegression(imitation=0, tol=1e-5).fit(X, y)
    residuals = student.predict_proba(X) - np.eye(3)[y]
    gradient = (residuals.T @ X + student.coef_) / N_ROWS
    assert np.abs(gradient).max() <= 1e-5


def test_a_warm_start_needs_no_iteration():
    X, fit_args = data("scaled", 3)
    student = DistilledLogisticRegression(warm_start=True).fit(X, **fit_args)
    coef = student.coef_
    assert student.n_iter_ > 2
    assert student.fit(X, **fit_args).n_iter_ <= 1
    np.testing.assert_allclose(student.coef_, coef, atol=1e-7)


@pytest.mark.parametrize("X", [np.zeros((6, 200)), np.full((6, 200), 1e-170)])
def test_features_without_variation_give_the_prior(X):
    student = DistilledLogisticRegression(imitation=0).fit(X, [0, 1, 1, 0, 1, 1])
    np.testing.assert_allclose(student.predict_proba(X)[:, 1], 4 / 6, atol=1e-6)
