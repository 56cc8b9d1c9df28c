"""Selection where most labels are missing, or where a class has fewer samples than folds."""

import warnings

import numpy as np
import optuna
import pytest
from numpy.testing import assert_allclose
from optuna.distributions import FloatDistribution
from optuna.trial import FixedTrial
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, cross_validate

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    TeacherStudentClassifier,
)
from sklearn_distill.metrics import get_scorer
from sklearn_distill.model_selection import LabeledKFold
from sklearn_distill.search import distillation_objective

NAMES = np.array(["a", "b", "c"])
IMITATIONS = [1, 0.75, 0.5, 0.25, 0]


@pytest.fixture(scope="module")
def semi_supervised():
    """Return X, the true classes and a teacher's probabilities; 100 of 600 samples are labelled."""
    X, y = make_classification(900, 10, n_informative=5, n_classes=3, random_state=0)
    teacher = RandomForestClassifier(20, random_state=0).fit(X[:300], y[:300])
    return X[300:], y[300:], teacher.predict_proba(X[300:])


@pytest.fixture(scope="module")
def rare_class():
    """Return X, labels with three of the last class, and a teacher's probabilities."""
    X, y = make_classification(900, 8, n_informative=5, n_classes=3, random_state=0)
    teacher = RandomForestClassifier(50, random_state=0).fit(X[:500], y[:500])
    X, y = X[500:], y[500:]
    keep = np.concatenate([np.flatnonzero(y != 2), np.flatnonzero(y == 2)[:3]])
    return X[keep], y[keep], teacher.predict_proba(X[keep])


def partial_labels(y, missing):
    """Return the labels of the first 100 samples, as floats with NaN or objects with None."""
    known = np.arange(len(y)) < 100
    return np.where(known, y, np.nan) if missing == "nan" else np.where(known, NAMES[y], None)


def losses_by_hand(X, y, S):
    """Return the log loss of each fold of the labelled samples, all others in training."""
    labelled, unlabelled = np.arange(100), np.arange(100, len(y))
    losses = []
    for train, test in StratifiedKFold(5).split(labelled, y[:100]):
        rows = np.concatenate([train, unlabelled])
        student = DistilledLogisticRegression(classes=[0, 1, 2])
        student.fit(X[rows], partial_labels(y, "nan")[rows], teacher_proba=S[rows])
        losses.append(log_loss(y[test], student.predict_proba(X[test])))
    return losses


@pytest.mark.parametrize("missing", ["nan", "None"])
def test_partial_labels_validate_in_scikit_learns_tools_and_in_the_packages(
    semi_supervised, missing
):
    X, y, S = semi_supervised
    some = partial_labels(y, missing)
    student = DistilledLogisticRegression(classes=[0, 1, 2] if missing == "nan" else NAMES)
    params, expected = {"teacher_proba": S}, losses_by_hand(X, y, S)
    scores = cross_val_score(
        student,
        X,
        some,
        cv=LabeledKFold(5),
        scoring=get_scorer("neg_log_loss"),
        params=params,
        error_score="raise",
    )
    assert_allclose(-scores, expected, rtol=1e-6)
    objective = distillation_objective(
        student, X, some, {"C": FloatDistribution(0, 2)}, scoring="neg_log_loss", params=params
    )
    assert_allclose(-objective(FixedTrial({"C": 1.0})), np.mean(expected), rtol=1e-6)
    search = DistilledLogisticRegressionCV(
        "C", method="grid", grid={"C": [1.0]}, classes=student.classes, tol=1e-4
    )
    assert_allclose(-search.fit(X, some, **params).best_score_, np.mean(expected), rtol=1e-3)


def test_unlabelled_test_rows_of_other_splitters_are_left_out(semi_supervised):
    X, y, S = semi_supervised
    some = partial_labels(y, "nan")
    cv = [(np.arange(50, 600), np.arange(50)), (np.r_[:50, 80:600], np.arange(50, 80))]
    mixed = [(train[train < 500], np.r_[test, 500:600]) for train, test in cv]
    student = DistilledLogisticRegression(classes=[0, 1, 2])
    by_cv = [
        cross_val_score(
            student,
            X,
            some,
            cv=[(train[train < 500], test) for train, test in folds],
            scoring=get_scorer("accuracy"),
            params={"teacher_proba": S},
            error_score="raise",
        )
        for folds in (cv, mixed)
    ]
    assert_allclose(*by_cv)


def test_a_search_and_a_fitted_teacher_inside_the_folds(semi_supervised):
    X, y, S = (values[:160] for values in semi_supervised)
    some = partial_labels(y, "nan")
    search = DistilledLogisticRegressionCV(
        ("imitation",), method="grid", grid=2, cv=2, classes=[0, 1, 2]
    )
    forest = RandomForestClassifier(5, random_state=0)
    nested = TeacherStudentClassifier(forest, DistilledLogisticRegression(), cv=2, random_state=0)
    options = {"cv": LabeledKFold(3), "scoring": get_scorer("neg_log_loss")}
    for model, params in ((search, {"teacher_proba": S}), (nested, None)):
        scores = cross_val_score(model, X, some, params=params, error_score="raise", **options)
        assert ((scores > -2) & (scores < 0)).all()


@pytest.mark.filterwarnings("ignore:The least populated class")  # the case
def test_a_fold_without_a_rare_class_is_scored(rare_class):
    X, y, S = rare_class
    student = DistilledLogisticRegression(classes=[0, 1, 2])
    grid = {"imitation": IMITATIONS}

    def search(scoring):
        return GridSearchCV(student, grid, scoring=scoring, cv=5).fit(X, y, teacher_proba=S)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-learn: all scores are NaN
        without_classes = search("neg_log_loss")
    assert np.isnan(without_classes.cv_results_["mean_test_score"]).all()
    assert without_classes.best_params_ == {"imitation": 1}  # the first
    by_hand = make_scorer(
        log_loss, response_method="predict_proba", greater_is_better=False, labels=[0, 1, 2]
    )
    ours, expected = search(get_scorer("neg_log_loss")), search(by_hand)
    scores = ours.cv_results_["mean_test_score"]
    assert_allclose(scores, expected.cv_results_["mean_test_score"], rtol=1e-12)
    assert ours.best_params_ == expected.best_params_ == {"imitation": 0}

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = distillation_objective(
        student,
        X,
        y,
        {"imitation": FloatDistribution(0, 1)},
        scoring="neg_log_loss",
        params={"teacher_proba": S},
    )
    assert_allclose(objective(FixedTrial({"imitation": 0.5})), scores[2], rtol=1e-12)


@pytest.mark.filterwarnings("ignore:The least populated class")  # the case
def test_a_class_that_a_fold_does_not_train_on_costs_what_it_costs_in_the_package(rare_class):
    X, y, _ = rare_class
    alone = np.concatenate([np.flatnonzero(y != 2), np.flatnonzero(y == 2)[:1]])
    scores = cross_val_score(
        LogisticRegression(),
        X[alone],
        y[alone],
        scoring=get_scorer("neg_log_loss"),
        error_score="raise",
    )
    search = DistilledLogisticRegressionCV("C", imitation=0, method="grid", grid={"C": [1.0]})
    search.fit(X[alone], y[alone])
    assert_allclose(scores.mean(), search.best_score_, rtol=1e-3)


def test_without_labels_a_search_and_a_cross_validation_need_the_teacher_alone(semi_supervised):
    X, y, S = (values[:300] for values in semi_supervised)
    student, name = DistilledLogisticRegression(classes=[0, 1, 2]), "neg_teacher_cross_entropy"
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            student, {"C": [1e-4, 1.0]}, scoring=get_scorer(name), cv=LabeledKFold(3)
        )
        search.fit(X, teacher_proba=S)
        scores = cross_validate(
            search, X, scoring=get_scorer(name), cv=3, params={"teacher_proba": S}
        )["test_score"]
        missing = search.fit(X, np.full(len(X), np.nan), teacher_proba=S)
    assert search.best_params_ == {"C": 1.0}
    assert np.isfinite(scores).all()
    assert (missing.predict(X) == y).mean() > 0.6
