"""Searches in coordinates of the row space give the losses and coefficients of X itself."""

import numpy as np
import pytest
from scipy.special import softmax

from sklearn_distill import DistilledLogisticRegressionCV
from sklearn_distill.search import distilled_logistic_cv


def data(n_classes, n=45, d=160):
    rng = np.random.default_rng(n_classes)
    X = rng.normal(size=(n, d)) + 1.0
    logits = X[:, :n_classes] * 2
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1) + 0.0
    y[::7] = np.nan
    S = softmax(logits + rng.normal(size=logits.shape), axis=1)
    return X, {"y": y, "teacher_proba": S, "sample_weight": rng.integers(0, 3, n)}


@pytest.fixture
def on_X(monkeypatch):
    """Fit with the coordinates switched off."""

    def fit(search, *args, **kwargs):
        with monkeypatch.context() as patch:
            patch.setattr(distilled_logistic_cv, "row_space_pays", lambda *shape: False)
            return search.fit(*args, **kwargs)

    return fit


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "params",
    [{}, {"refit": False}, {"scoring": "accuracy"}, {"fit_intercept": False}],
    ids=["losses", "average", "scorer", "no intercept"],
)
def test_a_grid_has_the_same_losses_and_coefficients(n_classes, params, on_X):
    X, fit_args = data(n_classes)
    params = {"cv": 3, "method": "grid", "tol": 1e-9, **params}
    params["grid"] = {"imitation": [0.3, 0.9], "C": [0.01, 1.0]}
    params["metaparameters"] = ("imitation", "C")
    search = DistilledLogisticRegressionCV(**params).fit(X, **fit_args)
    expected = on_X(DistilledLogisticRegressionCV(**params), X, **fit_args)
    np.testing.assert_allclose(search.scores_, expected.scores_, atol=1e-6)
    assert search.coefs_paths_.shape == expected.coefs_paths_.shape
    np.testing.assert_allclose(search.coefs_paths_, expected.coefs_paths_, atol=1e-5)
    np.testing.assert_allclose(search.coef_, expected.coef_, atol=1e-5)
    np.testing.assert_allclose(search.predict_proba(X), expected.predict_proba(X), atol=1e-6)


def test_a_descent_finds_the_same_metaparameters(on_X):
    X, fit_args = data(2)
    params = {"metaparameters": ("imitation", "C"), "cv": 3, "tol": 1e-7}
    search = DistilledLogisticRegressionCV(**params).fit(X, **fit_args)
    expected = on_X(DistilledLogisticRegressionCV(**params), X, **fit_args)
    assert search.best_score_ == pytest.approx(expected.best_score_, abs=1e-4)
    assert search.solver_ == "row-space"
    assert search.coef_.shape == (1, X.shape[1])
