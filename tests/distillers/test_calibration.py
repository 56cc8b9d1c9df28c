"""``calibrate_teacher``: one temperature, fitted without the labels that something is judged on."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from benchmarks import calibrated_teacher
from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    TeacherStudentClassifier,
)
from sklearn_distill.distillers import _calibration
from tests.distillers.spies import SpyStudent

N = 90
X, Y = make_classification(N, 6, n_informative=3, n_redundant=3, flip_y=0.15, random_state=3)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
OUT_OF_FOLD = cross_val_predict(GaussianNB(), X, Y, cv=FOLDS, method="predict_proba")


def calibrated(teacher, student=None, **parameters):
    parameters = {"cv": FOLDS, "calibrate_teacher": "temperature", "random_state": 0} | parameters
    return TeacherStudentClassifier(teacher, student or DistilledLogisticRegression(), **parameters)


def best_temperature(proba, y, weight=None):
    logits = np.log(np.maximum(proba, np.finfo(float).eps))

    def loss(log_tau):
        return log_loss(y, softmax(logits / np.exp(log_tau), axis=1), sample_weight=weight)

    best = minimize_scalar(loss, bounds=(-4.6, 4.6), method="bounded", options={"xatol": 1e-9})
    return np.exp(best.x)


def test_the_temperature_is_that_of_the_smallest_loss_of_out_of_fold_labels():
    weight = np.linspace(0.5, 2, N)
    model = calibrated(GaussianNB(), SpyStudent())
    for given in (None, weight):
        model.fit(X, Y)
        expected = best_temperature(OUT_OF_FOLD, Y)
        if given is not None:
            by_fold = cross_val_predict(
                GaussianNB(), X, Y, cv=FOLDS, params={"sample_weight": weight},
                method="predict_proba",
            )  # fmt: skip
            expected = best_temperature(by_fold, Y, weight)
            model.fit(X, Y, weight)
        assert model.teacher_temperature_ == pytest.approx(expected, rel=1e-4)
        assert expected > 1.2


def test_the_student_is_trained_on_tempered_predictions_also_of_other_samples():
    model = calibrated(GaussianNB(), SpyStudent()).fit(X, Y, X_unlabeled=X[:4] + 0.1)
    proba = model.student_.fit_args_["proba"]
    raw = np.vstack([OUT_OF_FOLD, clone(GaussianNB()).fit(X, Y).predict_proba(X[:4] + 0.1)])
    powers = raw ** (1 / model.teacher_temperature_)
    np.testing.assert_allclose(proba, powers / powers.sum(axis=1, keepdims=True), atol=1e-8)


def test_a_calibrated_teacher_is_left_nearly_as_it_is():
    model = calibrated(LogisticRegression()).fit(X, Y)
    assert 0.7 < model.teacher_temperature_ < 1.4
    assert calibrated(GaussianNB(), calibrate_teacher=None).fit(X, Y).teacher_temperature_ is None


def test_certainties_of_a_tree_are_softened():
    model = calibrated(DecisionTreeClassifier(random_state=0), SpyStudent()).fit(X, Y)
    assert model.teacher_temperature_ > 5
    proba = model.student_.fit_args_["proba"]
    assert 0.01 < proba.min() < 0.5
    assert np.isfinite(log_loss(Y, proba))


def test_rows_without_a_label_do_not_count():
    some = np.where(np.arange(N) % 5 == 0, np.nan, Y)
    labelled = np.arange(N) % 5 != 0
    partial = calibrated(GaussianNB(), cv=3).fit(X, some)
    alone = calibrated(GaussianNB(), cv=3).fit(X[labelled], Y[labelled])
    assert partial.teacher_temperature_ == pytest.approx(alone.teacher_temperature_)


class RowTeacher(ClassifierMixin, BaseEstimator):
    """Predict from the features alone, whatever the labels are."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-3 * X[:, 0]))
        return np.column_stack([1 - p, p])


def test_nothing_of_a_fold_knows_the_labels_of_its_test_rows(monkeypatch):
    """With a teacher that ignores labels, only temperatures could know them."""
    seen = []
    settings = _calibration.TemperatureCalibration.nested

    def recorded(self, several):
        result = settings(self, several)
        seen.append([one.row_predictions for one in result])
        return result

    monkeypatch.setattr(_calibration.TemperatureCalibration, "nested", recorded)
    folds = [(np.setdiff1d(np.arange(N), test), test) for test in np.array_split(np.arange(N), 3)]
    student = DistilledLogisticRegressionCV(("imitation", "C"), max_evaluations=2)
    changed = Y.copy()
    changed[folds[0][1]] = 1 - changed[folds[0][1]]
    for y in (Y, changed):
        calibrated(RowTeacher(), student, cv=folds).fit(X, y)
    of_given, of_changed = seen
    np.testing.assert_array_equal(of_given[0], of_changed[0])
    assert np.abs(of_given[1] - of_changed[1]).max() > 1e-3


@pytest.mark.filterwarnings("ignore::sklearn_distill.WorseTeacherWarning")
def test_the_check_is_of_the_calibrated_teacher_by_the_labels_of_other_folds():
    raw = calibrated(GaussianNB(), calibrate_teacher=None, check_teacher=True).fit(X, Y)
    model = calibrated(GaussianNB(), check_teacher=True).fit(X, Y)
    losses = []
    for train, test in FOLDS.split(X, Y):
        tau = best_temperature(OUT_OF_FOLD[train], Y[train])
        powers = OUT_OF_FOLD[test] ** (1 / tau)
        losses.append(log_loss(Y[test], powers / powers.sum(axis=1, keepdims=True)))
    assert model.teacher_check_.teacher_loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert model.teacher_check_.teacher_loss < raw.teacher_check_.teacher_loss
    assert model.teacher_check_.baseline_loss == pytest.approx(raw.teacher_check_.baseline_loss)


def test_a_fitted_teacher_is_calibrated_by_the_given_labels():
    teacher = GaussianNB().fit(X[:45], Y[:45])
    model = calibrated(
        teacher, cv="prefit", augmentation="munge", n_augmented=20, check_teacher=False
    )
    model.fit(X[45:], Y[45:])
    expected = best_temperature(teacher.predict_proba(X[45:]), Y[45:])
    assert model.teacher_temperature_ == pytest.approx(expected, rel=1e-4)
    assert model.augmentation_gain_ is not None


@pytest.mark.parametrize(
    ("cv", "y", "message"),
    [
        (None, Y, "calibrate_teacher needs predictions for samples that the teacher was not"),
        ("prefit", None, "y has no labels: calibrate_teacher fits a temperature on some"),
    ],
    ids=["in-sample", "no labels"],
)
def test_without_labels_that_the_teacher_does_not_know_it_says_so(cv, y, message):
    with pytest.raises(ValueError, match=message):
        calibrated(GaussianNB().fit(X, Y), cv=cv).fit(X, y)


@pytest.mark.slow
def test_on_random_labels_a_given_setting_is_not_better_than_the_prior():
    """Of several settings the best one is a little better, by the choice alone."""
    rng = np.random.default_rng(0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    one = DistilledLogisticRegressionCV(("C",), imitation=1.0, max_evaluations=1)
    gains = []
    for _ in range(16):
        features, labels = rng.normal(size=(200, 8)), rng.permutation(np.arange(200) % 2)
        forest = RandomForestClassifier(20, random_state=0)
        model = calibrated(forest, one, cv=folds).fit(features, labels)
        gains.append(np.log(2) + model.student_.best_score_)  # balanced: each fold's prior is ½
    assert np.mean(gains) < 2 * np.std(gains, ddof=1) / np.sqrt(len(gains))


def test_the_guide_shows_the_measured_figures():
    page = calibrated_teacher.PAGE.read_text("utf-8")
    assert calibrated_teacher.with_results(page, pd.read_csv(calibrated_teacher.CSV)) == page
