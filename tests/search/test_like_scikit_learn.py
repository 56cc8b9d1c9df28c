"""Scores, coefficients and options of the search, as of scikit-learn's LogisticRegressionCV."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.search import DistilledLogisticRegressionCV
from tests.students.test_distilled_logistic import data

CS = [0.01, 1.0, 100.0]
GRID = {"imitation": [0.2, 0.7], "temperature": [1.0, 3.0], "C": CS}


def on_labels(n_classes, *, weight=None, **params):
    """Fit ours and theirs to labels, over the same values of C."""
    X, y, _ = data(n_classes)
    ours = DistilledLogisticRegressionCV(
        "C", imitation=0, method="grid", grid={"C": CS}, tol=1e-9, max_iter=1000, **params
    )
    theirs = LogisticRegressionCV(
        Cs=CS, cv=5, tol=1e-9, max_iter=1000, use_legacy_attributes=False, l1_ratios=(0,), **params
    )
    return ours.fit(X, y, weight), theirs.fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
@pytest.mark.parametrize("refit", [True, False])
def test_on_labels_the_search_is_scikit_learns(n_classes, fit_intercept, scoring, refit):
    ours, theirs = on_labels(n_classes, fit_intercept=fit_intercept, scoring=scoring, refit=refit)
    np.testing.assert_array_equal(ours.Cs_, theirs.Cs_)
    # an axis of ours for the imitation and one for the temperature, of theirs for l1_ratio
    np.testing.assert_allclose(ours.scores_[:, 0], theirs.scores_, atol=1e-6)
    paths, expected = ours.coefs_paths_[:, 0].copy(), theirs.coefs_paths_
    assert paths.shape == expected.shape
    # a constant added to all intercepts changes no probability
    if fit_intercept and n_classes > 2:
        expected = expected.copy()
        expected[..., -1] -= expected[..., -1].mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(paths, expected, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(ours.C_, theirs.C_)
    X, y, _ = data(n_classes)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y))


def test_weights_go_to_the_scorer():
    weight = np.random.default_rng(0).uniform(0.1, 3, size=len(data(2)[1]))
    ours, theirs = on_labels(2, weight=weight, scoring="accuracy")
    np.testing.assert_allclose(ours.scores_[:, 0], theirs.scores_, atol=1e-9)


def test_a_grid_over_all_metaparameters_is_grid_search():
    X, y, teacher = data(3)
    scorer = make_scorer(accuracy_score)
    ours = DistilledLogisticRegressionCV(
        tuple(GRID), method="grid", grid=GRID, scoring=scorer, tol=1e-9
    ).fit(X, y, teacher_proba=teacher)
    theirs = GridSearchCV(DistilledLogisticRegression(tol=1e-9), GRID, scoring=scorer)
    theirs.fit(X, y, teacher_proba=teacher)
    assert ours.best_score_ == pytest.approx(theirs.best_score_)
    assert ours.scores_.shape == (5, 2, 2, 3)
    assert ours.coefs_paths_.shape == (5, 2, 2, 3, 3, X.shape[1] + 1)
    for params, score in zip(
        theirs.cv_results_["params"], theirs.cv_results_["mean_test_score"], strict=True
    ):
        at = (
            list(ours.imitations_).index(params["imitation"]),
            list(ours.temperatures_).index(params["temperature"]),
            list(ours.Cs_).index(params["C"]),
        )
        assert ours.scores_.mean(axis=0)[at] == pytest.approx(score)


def test_the_average_over_folds_without_refit():
    X, y, teacher = data(3)
    found = DistilledLogisticRegressionCV(
        ("imitation", "C"), method="grid", grid=3, refit=False
    ).fit(X, y, teacher_proba=teacher)
    scores = found.scores_.reshape(5, -1)
    paths = found.coefs_paths_.reshape(5, scores.shape[1], 3, -1)
    average = np.mean([paths[k, i] for k, i in enumerate(scores.argmax(axis=1))], axis=0)
    np.testing.assert_allclose(found.coef_, average[:, :-1], atol=1e-12)
    np.testing.assert_allclose(found.intercept_, average[:, -1], atol=1e-12)


def test_without_refit_a_descent_averages_the_settings_evaluated_on_all_folds():
    X, y, teacher = data(2)
    found = DistilledLogisticRegressionCV(("imitation",), refit=False).fit(
        X, y, teacher_proba=teacher
    )
    results = found.cv_results_
    best = [results[f"split{k}_test_score"].argmax() for k in range(5)]
    assert found.imitation_ == pytest.approx(results["param_imitation"][best].mean())
    assert not hasattr(found, "scores_")
    assert found.score(X, y) == np.mean(found.predict(X) == y)


def test_a_score_that_is_no_number():
    X, y, teacher = data(2)
    search = DistilledLogisticRegressionCV(
        "C", method="grid", scoring=lambda estimator, X, y: np.nan
    )
    with pytest.raises(ValueError, match="gave nan on a fold's 30 validation samples"):
        search.fit(X, y, teacher_proba=teacher)
