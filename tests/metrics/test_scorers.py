"""The metrics inside scikit-learn's model selection."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB

from sklearn_distill.metrics import (
    brier_score,
    cross_entropy_from_proba,
    expected_calibration_error,
    fidelity_score,
    max_min_gap,
    uncertainty_degree,
)

METRICS = [
    brier_score,
    expected_calibration_error,
    fidelity_score,
    max_min_gap,
    uncertainty_degree,
]

BINARY = np.array(["spam", "ham", "spam"])
MULTICLASS = np.array(["setosa", "versicolor", "virginica"])


def as_scorer(metric, **options):
    return make_scorer(metric, response_method="predict_proba", **options)


@pytest.fixture
def iris():
    X, y = load_iris(return_X_y=True)
    return X[:, :2], y


@pytest.mark.parametrize("names", [BINARY, MULTICLASS], ids=["binary", "multiclass"])
@pytest.mark.parametrize("metric", METRICS)
def test_cross_val_score_is_the_metric_of_each_fold(iris, metric, names):
    X, y = iris[0], names[iris[1]]
    model, cv = GaussianNB(), StratifiedKFold(3)
    scores = cross_val_score(model, X, y, cv=cv, scoring=as_scorer(metric))
    by_hand = []
    for train, test in cv.split(X, y):
        p = model.fit(X[train], y[train]).predict_proba(X[test])
        by_hand.append(metric(y[test], p))
    assert scores == pytest.approx(by_hand, rel=1e-12)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("metric", METRICS)
def test_losses_change_sign(iris, metric):
    X, y = iris
    model = GaussianNB().fit(X, y)
    loss, score = as_scorer(metric, greater_is_better=False), as_scorer(metric)
    assert loss(model, X, y) == -score(model, X, y) != 0


@pytest.mark.parametrize("metric", METRICS)
def test_scorer_passes_weights(iris, metric):
    X, y = iris[0][50:], BINARY[iris[1]][50:]
    w = np.arange(len(y)) % 3
    model = GaussianNB().fit(X, y)
    weighted = as_scorer(metric)(model, X, y, sample_weight=w)
    assert weighted == pytest.approx(metric(y, model.predict_proba(X), sample_weight=w))


def test_folds_without_some_class_need_labels(iris):
    X, y = iris[0], MULTICLASS[iris[1]]
    cv = KFold(5)  # the rows are sorted by class: no test fold holds all
    scoring = as_scorer(brier_score, labels=MULTICLASS)
    scores = cross_val_score(GaussianNB(), X, y, cv=cv, scoring=scoring)
    assert ((scores > 0) & (scores < 2)).all()
    with pytest.raises(ValueError, match=r"pass labels=estimator\.classes_"):
        cross_val_score(
            GaussianNB(),
            X,
            y,
            cv=cv,
            scoring=as_scorer(brier_score),
            error_score="raise",
        )


def test_grid_search_finds_what_the_metric_prefers(iris):
    X, y = iris[0], MULTICLASS[iris[1]]
    search = GridSearchCV(
        GaussianNB(),
        {"var_smoothing": [1e-9, 10.0]},
        scoring={
            "brier": as_scorer(brier_score, greater_is_better=False),
            "calibration": as_scorer(expected_calibration_error, greater_is_better=False),
            "uncertainty": as_scorer(uncertainty_degree, greater_is_better=False),
        },
        refit="brier",
        cv=3,
    ).fit(X, y)
    assert search.best_params_ == {"var_smoothing": 1e-9}
    results = search.cv_results_
    assert results["mean_test_uncertainty"][0] > results["mean_test_uncertainty"][1]
    assert np.isfinite(results["mean_test_calibration"]).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_known_probabilities_as_the_target_of_a_scorer(iris, n_classes):
    rows = iris[1] < n_classes
    X, y = iris[0][rows], iris[1][rows]
    model = GaussianNB().fit(X, y)
    scorer = as_scorer(cross_entropy_from_proba, greater_is_better=False)
    one_hot = np.eye(n_classes)[y]
    assert scorer(model, X, one_hot) == pytest.approx(-log_loss(y, model.predict_proba(X)))


def test_fidelity_of_a_student_fitted_on_the_teachers_labels(iris):
    X, y = iris
    teacher = GaussianNB().fit(X, y).predict(X)
    fidelity = cross_val_score(GaussianNB(), X, teacher, cv=3, scoring=as_scorer(fidelity_score))
    accuracy = cross_val_score(GaussianNB(), X, teacher, cv=3)
    assert fidelity == pytest.approx(accuracy)
