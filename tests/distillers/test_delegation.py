"""What meta-estimators take over from the estimator that predicts."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)

X, Y = load_iris(return_X_y=True)
TREE = SoftTargetClassifier(RandomForestRegressor(n_estimators=5, random_state=0), imitation=0.0)
LINEAR = DistilledLogisticRegression(imitation=0.0)

PREDICTORS = {
    "soft tree": (TREE, "estimator_"),
    "soft linear": (SoftTargetClassifier(Ridge(), imitation=0.0), "estimator_"),
    "teacher-student tree": (TeacherStudentClassifier(GaussianNB(), TREE), "student_"),
    "teacher-student linear": (TeacherStudentClassifier(GaussianNB(), LINEAR), "student_"),
    "generations": (BornAgainClassifier(LINEAR, n_generations=2), "estimator_"),
    "generations of forests": (
        BornAgainClassifier(
            RandomForestClassifier(n_estimators=3, random_state=0), labels="hard", n_generations=2
        ),
        "estimator_",
    ),
}


@pytest.fixture(params=PREDICTORS.values(), ids=PREDICTORS)
def fitted(request):
    estimator, name = request.param
    fitted = clone(estimator).fit(X, Y)
    return fitted, getattr(fitted, name)


def test_coefficients_and_importances_are_those_of_the_estimator_that_predicts(fitted):
    outer, inner = fitted
    assert any(hasattr(inner, name) for name in ("coef_", "feature_importances_"))
    for name in ("coef_", "feature_importances_"):
        assert hasattr(outer, name) == hasattr(inner, name)
        if hasattr(inner, name):
            np.testing.assert_array_equal(getattr(outer, name), getattr(inner, name))


def test_log_probabilities_are_logarithms(fitted):
    outer, _ = fitted
    with np.errstate(divide="ignore"):
        expected = np.log(outer.predict_proba(X))
    np.testing.assert_allclose(outer.predict_log_proba(X), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["teacher-student linear", "soft tree", "generations"])
def test_feature_selectors_work(name):
    estimator = PREDICTORS[name][0]
    assert RFE(estimator, n_features_to_select=2).fit(X, Y).support_.sum() == 2
    assert SelectFromModel(estimator, max_features=3).fit(X, Y).get_support().sum() <= 3


def test_privileged_features_have_no_coefficients():
    model = TeacherStudentClassifier(GaussianNB(), LINEAR, privileged_features=[3]).fit(X, Y)
    with pytest.raises(AttributeError, match=r"privileged features: read student_\.coef_"):
        _ = model.coef_
    assert model.student_.coef_.shape == (3, 3)


def test_nothing_is_delegated_before_fit():
    for estimator, _ in PREDICTORS.values():
        assert not hasattr(estimator, "coef_")
        assert not hasattr(estimator, "feature_importances_")


def test_a_student_without_log_probabilities():
    class NoLog(LogisticRegression):
        predict_log_proba = property()

        def fit(self, X, y, sample_weight=None, *, teacher_proba=None):
            return super().fit(X, y, sample_weight)

    model = TeacherStudentClassifier(GaussianNB(), NoLog(max_iter=500)).fit(X, Y)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))


def test_a_tree_gives_minus_infinity_for_a_class_without_mass_alone():
    tree = SoftTargetClassifier(DecisionTreeRegressor(), imitation=0.0, classes=[0, 1, 2, 3])
    log_proba = tree.fit(X, Y).predict_log_proba(X)
    assert np.isneginf(log_proba[:, 3]).all()
    assert np.isfinite(log_proba[:, :3]).all()
