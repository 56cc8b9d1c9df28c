"""The report names a teacher that the student's own fit found worse than the baseline."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import (
    DistilledLogisticRegression,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
    WorseTeacherWarning,
)
from sklearn_distill.distillers._teacher_check import TeacherCheck
from sklearn_distill.inspection import distillation_report
from tests.inspection.data import labelled_samples

X, Y = labelled_samples(2)
TRAIN, TEST = slice(0, 300), slice(300, None)
PAIR = TeacherStudentClassifier(
    RandomForestClassifier(30, min_samples_leaf=5, random_state=0),
    DistilledLogisticRegression(),
    check_teacher=True,
    random_state=0,
)
WORSE, BETTER = TeacherCheck(0.62, 0.48, 0.03), TeacherCheck(0.4, 0.48, 0.03)
SENTENCE = (
    "On training samples that it was not fitted on, the teacher is worse than the baseline: its "
    "cross-entropy is 0.62 against 0.48 (difference 0.14, standard error 0.03)."
)


def report(model, teacher=None, **options):
    baseline = LogisticRegression().fit(X[TRAIN], Y[TRAIN])
    return distillation_report(
        teacher=teacher or model.teacher_,
        baseline=baseline,
        distilled=model,
        X=X[TEST],
        y=Y[TEST],
        n_repeats=2,
        **options,
    )


@pytest.fixture
def pair():
    return PAIR.fit(X[TRAIN], Y[TRAIN])


def test_a_worse_teacher_is_named(pair):
    pair.teacher_check_ = WORSE
    judged = report(pair)
    assert judged.worse_in_training == WORSE
    assert SENTENCE in str(judged)
    assert SENTENCE in judged._repr_html_()


@pytest.mark.parametrize("check", [BETTER, None])
def test_another_teacher_is_not(pair, check):
    pair.teacher_check_ = check
    judged = report(pair)
    assert judged.worse_in_training is None
    assert "training samples" not in str(judged)


def test_it_is_not_said_twice(pair):
    pair.teacher_check_ = WORSE
    judged = report(pair, GaussianNB().fit(10 * X[TRAIN], Y[TRAIN]))
    assert "worse than the" in judged.headline
    assert "training samples" not in str(judged)


def test_in_a_pipeline_a_search_and_among_several(pair):
    pipeline = make_pipeline(StandardScaler(), PAIR).fit(X[TRAIN], Y[TRAIN])
    search = GridSearchCV(PAIR, {"student__imitation": [0.5]}, cv=2).fit(X[TRAIN], Y[TRAIN])
    pipeline[-1].teacher_check_ = search.best_estimator_.teacher_check_ = WORSE
    for model in (pipeline, search):
        assert report(model, pair.teacher_).worse_in_training == WORSE
    pair.teacher_check_ = WORSE
    bad = TeacherStudentClassifier(
        GaussianNB(), DistilledLogisticRegression(C=1e-4), random_state=0
    )
    several = {"good": pair, "bad": bad.fit(X[TRAIN], Y[TRAIN])}
    assert report(several, pair.teacher_).worse_in_training == WORSE


def test_of_numbers():
    rng = np.random.default_rng(0)
    y = X[:, 0] + rng.normal(size=len(X))
    model = TeacherStudentRegressor(LinearRegression(), PrivilegedLinearRegression())
    model.fit(X[TRAIN], y[TRAIN]).teacher_check_ = WORSE
    judged = distillation_report(
        teacher=model.teacher_,
        baseline=LinearRegression().fit(X[TRAIN], y[TRAIN]),
        distilled=model,
        X=X[TEST],
        y=y[TEST],
        n_repeats=2,
    )
    assert "its squared error is 0.62 against 0.48" in str(judged)


def test_what_a_fit_warned_of_is_what_the_report_names():
    overfitted = PAIR.__class__(
        make_pipeline(StandardScaler(), GaussianNB(var_smoothing=1e-12)),
        DistilledLogisticRegression(),
        check_teacher=True,
        random_state=0,
    )
    features = np.repeat(X, 4, axis=1)  # repeated columns make naive Bayes too sure
    with pytest.warns(WorseTeacherWarning):
        overfitted.fit(features[TRAIN], Y[TRAIN])
    good = RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
    judged = distillation_report(
        teacher=good.fit(features[TRAIN], Y[TRAIN]),
        baseline=LogisticRegression().fit(features[TRAIN], Y[TRAIN]),
        distilled=overfitted,
        X=features[TEST],
        y=Y[TEST],
        n_repeats=2,
    )
    assert judged.worse_in_training == overfitted.teacher_check_
