"""A report measures what would be deployed: not the teacher, the search or other generations."""

import pickle
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.distillers import (
    BornAgainClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.inspection import count_parameters, distillation_report, student_size
from sklearn_distill.inspection._deployed import deployed_with_features
from sklearn_distill.students import SoftTargetClassifier
from tests.inspection.data import labelled_samples

X, Y = labelled_samples(n_rows=200)
STUDENT = DistilledLogisticRegression(imitation=0)


class SlowForest(RandomForestClassifier):
    def predict_proba(self, X):
        time.sleep(0.05)
        return super().predict_proba(X)


def teacher_student(**parameters):
    teacher = SlowForest(20, random_state=0)
    return TeacherStudentClassifier(teacher, STUDENT, cv=2, random_state=0, **parameters)


def generations(**parameters):
    return BornAgainClassifier(STUDENT, n_generations=3, **parameters)


GRID = {"student__imitation": [0.5, 0.7]}
WRAPPED = {
    "teacher and student": (teacher_student(), lambda m: m.student_),
    "generations": (generations(), lambda m: m.estimator_),
    "search": (GridSearchCV(STUDENT, {"C": [1.0]}, cv=2), lambda m: m.best_estimator_),
    "search of teacher and student": (
        GridSearchCV(teacher_student(), GRID, cv=2),
        lambda m: m.best_estimator_.student_,
    ),
}


@pytest.mark.parametrize(("model", "part"), WRAPPED.values(), ids=WRAPPED.keys())
def test_size_and_time_are_those_of_the_part_that_predicts(model, part):
    expected = part(model.fit(X, Y))
    assert student_size(model) == len(pickle.dumps(expected, protocol=5))
    assert count_parameters(model) == count_parameters(expected) == 27
    assert deployed_with_features(model, X)[0] is expected


def test_models_inside_others():
    model = teacher_student().fit(X, Y)
    n_bytes = student_size(model)
    pipeline = make_pipeline(StandardScaler(), model).fit(X, Y)
    assert student_size(pipeline) < n_bytes + 2000 < len(pickle.dumps(model))
    assert count_parameters(pipeline) == 16 + 27
    part, _ = deployed_with_features(pipeline, X)
    assert part[-1] is pipeline[-1].student_
    np.testing.assert_array_equal(part.predict_proba(X), pipeline.predict_proba(X))
    votes = VotingClassifier([("a", model), ("b", STUDENT)]).fit(X, Y)
    assert student_size(votes) < 4 * n_bytes


def test_privileged_features_are_no_part_of_it():
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    model = teacher_student(privileged_features=["b", "h"]).fit(frame, Y)
    for given in (frame, frame.drop(columns=["b", "h"])):
        part, features = deployed_with_features(model, given)
        assert part is model.student_
        assert list(features.columns) == list("acdefg")
        np.testing.assert_array_equal(part.predict_proba(features), model.predict_proba(given))
    pipeline = make_pipeline("passthrough", model)  # the student alone would get all features
    assert deployed_with_features(pipeline, frame)[0] is pipeline


def test_the_report_has_these_numbers():
    model = teacher_student().fit(X, Y)
    report = distillation_report(
        teacher=model.teacher_, baseline=model.student_, distilled=model, X=X, y=Y, n_repeats=2
    )
    sizes = report.table[["n_parameters", "n_bytes"]]
    assert sizes.loc["distilled"].equals(sizes.loc["baseline"])
    slow, fast = report.table.loc[["teacher", "distilled"], "latency_p50_us"]
    assert slow > 10 * fast


def test_ensembles_of_generations_and_regressors_as_classifiers():
    mean = generations(ensemble=True).fit(X, Y)
    assert count_parameters(mean) == 3 * 27
    assert student_size(mean) == len(pickle.dumps(mean.estimator_, protocol=5))
    soft = SoftTargetClassifier(DecisionTreeRegressor(max_leaf_nodes=4), imitation=0).fit(X, Y)
    assert count_parameters(soft) == 7


def test_regression():
    numbers = X @ np.arange(8.0) + np.random.default_rng(0).normal(size=len(X))
    model = TeacherStudentRegressor(LinearRegression(), PrivilegedLinearRegression()).fit(
        X, numbers
    )
    assert student_size(model) == len(pickle.dumps(model.student_, protocol=5))
    assert count_parameters(model) == 9
