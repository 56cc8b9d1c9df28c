"""Tools that do not pass predictions on work with an estimator that fits its own teacher."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_distill import TeacherStudentClassifier, TeacherStudentRegressor
from tests.routing.classifiers import STUDENT
from tests.routing.datasets import TWO_CLASSES
from tests.routing.matrix import CELLS, recorded_verdicts
from tests.routing.recording import recorded
from tests.routing.verdict import RIGHT

# These tools use parameters or methods of the student itself.
NOT_APPLICABLE = (
    "`classes=`",
    "enable_pruning",
    "exploit_incremental",
    "as long as a training fold",
)


class FixedClassifier(ClassifierMixin, BaseEstimator):
    """A teacher whose predictions depend on X alone, not on the rows that it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        second = 1 / (1 + np.exp(-np.asarray(X)[:, 0]))
        return np.column_stack([1 - second, second])


class FixedRegressor(RegressorMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None):
        return self

    def predict(self, X):
        return 2 * np.asarray(X)[:, 0]

    def __sklearn_is_fitted__(self):
        return True


def failing():
    verdicts = recorded_verdicts()
    cells = verdicts.index[(verdicts != RIGHT).any(axis=1)]
    return [
        (kind, tool)
        for kind, tool, routing in cells
        if routing == "on" and not any(word in tool for word in NOT_APPLICABLE)
    ]


def own_teacher(kind, student):
    """Return an estimator with a teacher of its own."""
    teacher, make = FixedClassifier(), TeacherStudentClassifier
    if kind == "regressor":
        teacher, make = FixedRegressor(), TeacherStudentRegressor
    return make(teacher, clone(student), cv=2)


def with_requests(estimator, tool):
    """Request AdaBoost's sample weights, and no other tool's, which belong to the original rows."""
    for part in (estimator, estimator.teacher, estimator.student):
        part.set_fit_request(sample_weight="AdaBoost" in tool)
    return estimator


def expected(kind, X):
    return (
        FixedClassifier().predict_proba(X) if kind == "classifier" else FixedRegressor().predict(X)
    )


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize(("kind", "tool"), failing())
def test_an_estimator_with_its_own_teacher(kind, tool, routing):
    case, _ = CELLS[kind, tool, "on"]
    with config_context(enable_metadata_routing=routing), recorded() as fits:
        estimator = own_teacher(kind, case.student)
        if routing:
            with_requests(estimator, tool)
        case.run(estimator, case.data, {})
        assert fits
        for fit in fits:
            np.testing.assert_allclose(fit.teacher, expected(kind, fit.X))


def test_a_stack_of_prefitted_students():
    X, y, teacher = TWO_CLASSES.X, TWO_CLASSES.y, TWO_CLASSES.teacher
    student = clone(STUDENT).fit(X, y, teacher_proba=teacher)
    stack = StackingClassifier([("student", student)], LogisticRegression(), cv="prefit")
    with recorded() as fits:
        stack.fit(X, y)
        assert not fits
    np.testing.assert_array_equal(stack.transform(X)[:, 0], student.predict_proba(X)[:, 1])
