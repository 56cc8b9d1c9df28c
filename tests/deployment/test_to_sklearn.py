"""Models without this package: the same predictions; those of a process: test_formats."""

import pickle

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    MultiLabelStudent,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.deployment import to_sklearn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
Y = np.array(["a", "b", "c"])[np.argmax(X[:, :3] + 0.5 * RNG.normal(size=(80, 3)), axis=1)]
S = np.exp(2 * X[:, :3])
S /= S.sum(axis=1, keepdims=True)
NUMBERS = X @ [1.0, 2.0, 0.0, -1.0] + 0.3 * RNG.normal(size=80)
LOGISTIC = DistilledLogisticRegression()
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)

CLASSIFIERS = {
    "logistic": LOGISTIC,
    "cv": DistilledLogisticRegressionCV(("imitation",), cv=2),
    "boosting": DistilledBoostingClassifier(),
    "tree": SoftTargetClassifier(TREE),
    "extra tree": SoftTargetClassifier(ExtraTreeRegressor(max_depth=3, random_state=0)),
    "forest": SoftTargetClassifier(RandomForestRegressor(3, max_depth=3, random_state=0)),
    "extra trees": SoftTargetClassifier(ExtraTreesRegressor(3, max_depth=3, random_state=0)),
    "tree in a pipeline": SoftTargetClassifier(make_pipeline(StandardScaler(), TREE)),
    "a class without mass": SoftTargetClassifier(TREE, classes=["a", "b", "c", "d"]),
}
REGRESSORS = {
    "linear": PrivilegedLinearRegression(),
    "boosting": DistilledBoostingRegressor(),
    "tree": SoftTargetRegressor(TREE),
}


def fitted_classifier(name):
    teacher = np.column_stack([S, np.zeros(80)]) if "without mass" in name else S
    return CLASSIFIERS[name].fit(X, Y, teacher_proba=teacher)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_keep_their_probabilities(name):
    student = fitted_classifier(name)
    plain = to_sklearn(student)
    assert not type(plain).__module__.startswith("sklearn_distill")
    np.testing.assert_allclose(plain.predict_proba(X), student.predict_proba(X), atol=3e-16)
    np.testing.assert_array_equal(plain.predict(X), student.predict(X))
    np.testing.assert_array_equal(plain.classes_, student.classes_)


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_keep_their_predictions(name):
    student = REGRESSORS[name].fit(X, NUMBERS, teacher_prediction=NUMBERS + 0.1 * X[:, 0])
    np.testing.assert_allclose(to_sklearn(student).predict(X), student.predict(X), rtol=1e-12)


def test_trees_share_nothing_with_the_student():
    student = fitted_classifier("forest")
    before = student.predict_proba(X)
    for tree in to_sklearn(student).estimators_:
        tree.tree_.value[:] = 0
    np.testing.assert_array_equal(student.predict_proba(X), before)


def test_trees_of_one_and_of_two_classes():
    for y in (["a"] * 80, np.where(X[:, 0] > 0, "a", "b")):
        student = SoftTargetClassifier(TREE, imitation=0).fit(X, y)
        proba = to_sklearn(student).predict_proba(X)
        np.testing.assert_array_equal(proba, student.predict_proba(X))


def test_trees_go_on_taking_missing_values():
    holes = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    student = SoftTargetClassifier(TREE).fit(holes, Y, teacher_proba=S)
    plain = to_sklearn(student)
    np.testing.assert_array_equal(plain.predict_proba(holes), student.predict_proba(holes))


def test_a_pipeline_and_a_search_are_converted_inside():
    pipeline = make_pipeline(StandardScaler(), LOGISTIC)
    search = GridSearchCV(pipeline, {"distilledlogisticregression__C": [1, 2]}, cv=2)
    search.fit(X, Y, distilledlogisticregression__teacher_proba=S)
    plain = to_sklearn(search)
    assert type(plain[-1]).__name__ == "LogisticRegression"
    np.testing.assert_allclose(plain.predict_proba(X), search.predict_proba(X), rtol=1e-13)


def test_pairs_and_generations_give_their_student():
    pair = TeacherStudentClassifier(
        GradientBoostingClassifier(n_estimators=5), LOGISTIC, privileged_features=[3]
    ).fit(X, Y)
    plain = pair.to_sklearn()
    np.testing.assert_allclose(plain.predict_proba(X[:, :3]), pair.predict_proba(X), rtol=1e-13)
    generations = BornAgainClassifier(LOGISTIC, n_generations=2).fit(X, Y)
    proba = generations.predict_proba(X)
    np.testing.assert_allclose(generations.to_sklearn().predict_proba(X), proba, rtol=1e-13)
    regressor = TeacherStudentRegressor(Ridge(), PrivilegedLinearRegression()).fit(X, NUMBERS)
    np.testing.assert_allclose(
        to_sklearn(regressor).predict(X), regressor.predict(X), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SoftTargetClassifier(Ridge()), "around Ridge, only around its trees and forests"),
        (BornAgainClassifier(LOGISTIC, n_generations=2, ensemble=True), "MeanOfGenerations"),
        (BaggingClassifier(DistilledLogisticRegression(imitation=0)), "contains DistilledLogistic"),
    ],
)
def test_what_has_no_equal_is_an_error(model, message):
    params = {"teacher_proba": S} if isinstance(model, SoftTargetClassifier) else {}
    with pytest.raises(TypeError, match=message):
        to_sklearn(model.fit(X, Y, **params))


def test_several_labels_are_one_versus_rest():
    labels = (S > 0.3).astype(int)
    student = MultiLabelStudent(LOGISTIC).fit(X, labels, teacher_proba=S)
    plain = student.to_sklearn()
    assert type(plain).__name__ == "OneVsRestClassifier"
    np.testing.assert_allclose(plain.predict_proba(X), student.predict_proba(X), rtol=1e-13)
    np.testing.assert_array_equal(plain.predict(X), student.predict(X))
    alone = MultiLabelStudent(LOGISTIC).fit(X, labels[:, :1], teacher_proba=S[:, :1])
    with pytest.raises(TypeError, match=r"single label: convert estimators_\[0\]"):
        alone.to_sklearn()
    labels[:, 1] = 1
    student = MultiLabelStudent(DummyClassifier()).fit(X, labels)
    with pytest.raises(TypeError, match="student of label 1 knows only the classes"):
        student.to_sklearn()


def test_other_estimators_are_returned_as_they_are():
    model = Ridge().fit(X, NUMBERS)
    assert to_sklearn(model) is model


@pytest.mark.parametrize("keep", [True, False])
def test_a_pair_may_drop_its_teacher(keep):
    pair = TeacherStudentClassifier(
        GradientBoostingClassifier(), LOGISTIC, keep_teacher=keep, random_state=0
    ).fit(X, Y)
    assert hasattr(pair, "teacher_") == keep
    assert (len(pickle.dumps(pair)) > 50_000) == keep
    assert pair.predict(X).shape == (80,)
