"""Searches and cross-validations: the number of teacher fits, and the routing of parameters."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RepeatedKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.distillers import TeacherStudentClassifier
from tests.distillers.spies import CountingTeacher, SpyStudent, SpyTeacher

N = 60
X, Y = make_classification(N, 4, n_informative=3, n_redundant=0, random_state=1)
GRID = {"student__imitation": [0.1, 0.5, 0.9], "student__temperature": [1.0, 4.0]}


def teacher_student(teacher, **parameters):
    return TeacherStudentClassifier(teacher, DistilledLogisticRegression(), **parameters)


def count_fits(search):
    CountingTeacher.fits.clear()
    search.fit(X, Y)
    return len(CountingTeacher.fits)


@pytest.mark.parametrize(
    "cv",
    [4, [(np.arange(15), np.arange(15, 30))] * 4, StratifiedKFold(4, shuffle=True, random_state=0)],
)
def test_with_memory_a_search_over_the_student_fits_each_teacher_once(tmp_path, cv):
    model = teacher_student(CountingTeacher(3), cv=cv, memory=tmp_path, random_state=0)
    search = GridSearchCV(model, GRID, cv=3)
    assert count_fits(search) == (3 + 1) * (4 + 1)
    assert count_fits(search) == 0
    plain = teacher_student(CountingTeacher(3), cv=cv, random_state=0)
    uncached = GridSearchCV(plain, GRID, cv=3)
    assert count_fits(uncached) == (3 * 6 + 1) * (4 + 1)
    scores = "mean_test_score"
    np.testing.assert_array_equal(search.cv_results_[scores], uncached.cv_results_[scores])


def test_memory_distinguishes_teachers_seeds_and_data(tmp_path):
    memory = joblib.Memory(tmp_path, verbose=0)
    model = teacher_student(RandomForestClassifier(2), cv=2, memory=memory, random_state=0)
    trees = [model.fit(X, Y).teacher_.estimators_[0].random_state]
    trees += [model.set_params(random_state=1).fit(X, Y).teacher_.estimators_[0].random_state]
    assert trees[0] != trees[1]
    assert model.set_params(teacher__n_estimators=3).fit(X, Y).teacher_.n_estimators == 3
    model.fit(X[:40], Y[:40], teacher__sample_weight=np.ones(40))
    in_sample = teacher_student(CountingTeacher(), cv=None, memory=memory, random_state=0)
    assert count_fits(in_sample) == 1
    assert count_fits(in_sample) == 0


def test_search_over_the_teacher():
    model = teacher_student(KNeighborsClassifier(), cv=3)
    search = GridSearchCV(model, {"teacher__n_neighbors": [1, 9], "student__imitation": [0.5, 1.0]})
    search.fit(X, Y)
    assert search.best_score_ > 0.7
    assert set(search.best_params_) == {"teacher__n_neighbors", "student__imitation"}


def test_without_routing_prefixes_and_groups_name_the_receiver():
    groups, weight = np.repeat(np.arange(20), 3), np.linspace(1, 2, N)
    numbered = np.column_stack([np.arange(N), X])
    model = TeacherStudentClassifier(SpyTeacher(), SpyStudent(), cv=GroupKFold(4))
    model.fit(numbered, Y, groups=groups, teacher__sample_weight=weight)
    np.testing.assert_array_equal(model.teacher_.weight_, weight)
    assert model.student_.fit_args_["weight"] is None
    model.fit(numbered, Y, groups=groups, student__sample_weight=weight)
    assert model.teacher_.weight_ is None
    np.testing.assert_array_equal(model.student_.fit_args_["weight"], weight)


def test_weights_reach_the_last_step_of_pipelines():
    weight = np.linspace(1, 9, N)
    teacher = make_pipeline(StandardScaler(), LogisticRegression())
    student = make_pipeline(StandardScaler(), DistilledLogisticRegression())
    model = TeacherStudentClassifier(teacher, student).fit(X, Y, weight)
    plain = TeacherStudentClassifier(teacher, student).fit(X, Y)
    assert abs(model.teacher_[-1].coef_ - plain.teacher_[-1].coef_).max() > 1e-3
    assert abs(model.student_[-1].coef_ - plain.student_[-1].coef_).max() > 1e-3


def test_with_routing_requests_name_the_receiver():
    groups, weight = np.repeat(np.arange(20), 3), np.linspace(1, 2, N)
    numbered = np.column_stack([np.arange(N), X])
    with config_context(enable_metadata_routing=True):
        teacher = SpyTeacher().set_fit_request(sample_weight=True)
        student = SpyStudent().set_fit_request(sample_weight=False, teacher_proba=True)
        model = TeacherStudentClassifier(teacher, student, cv=GroupKFold(4))
        model.fit(numbered, Y, weight, groups=groups)
        np.testing.assert_array_equal(model.teacher_.weight_, weight)
        assert model.student_.fit_args_["weight"] is None
        assert not model.student_.fit_args_["proba"][:, 1].any()
        with pytest.raises(ValueError, match="sample_weight"):
            TeacherStudentClassifier(SpyTeacher(), student).fit(numbered, Y, weight)


def test_with_routing_a_cross_validation_passes_on_what_is_requested():
    weight, groups = np.linspace(1, 9, N), np.repeat(np.arange(20), 3)
    more = np.random.default_rng(0).normal(size=(7, 4))
    with config_context(enable_metadata_routing=True):
        logistic = LogisticRegression().set_fit_request(sample_weight=True)
        student = DistilledLogisticRegression().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = TeacherStudentClassifier(logistic, make_pipeline(scaler, student), cv=GroupKFold(3))
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(model, {"student__distilledlogisticregression__imitation": [0.2, 1]})
        search.fit(X, Y, sample_weight=weight, groups=groups, X_unlabeled=more)
    assert search.best_estimator_.student_[-1].n_taught_rows_ == N + 7


TEACHERS = [KNeighborsClassifier(1), RandomForestClassifier(4), SVC(C=10)]


@pytest.mark.parametrize("teacher", TEACHERS, ids=lambda teacher: type(teacher).__name__)
@pytest.mark.parametrize(
    ("n_repeats", "tolerance"), [(3, 0.06), pytest.param(20, 0.02, marks=pytest.mark.slow)]
)
def test_pure_noise_is_at_chance_level(teacher, n_repeats, tolerance):
    accuracy = []
    for seed in range(n_repeats):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(300, 10))
        # balanced, else a student that predicts the more frequent class is better than chance
        random_labels = rng.permutation(np.tile([0, 1], 150))
        model = teacher_student(teacher, random_state=seed)
        cv = StratifiedKFold(5, shuffle=True, random_state=seed)
        accuracy.append(cross_val_score(model, noise, random_labels, cv=cv).mean())
    assert np.mean(accuracy) == pytest.approx(0.5, abs=tolerance)


def test_repeated_folds():
    cv = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    assert teacher_student(KNeighborsClassifier(), cv=cv).fit(X, Y).score(X, Y) > 0.7
