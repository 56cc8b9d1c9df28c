"""An unknown argument of fit is named, with the way out, by every estimator."""

import inspect

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.naive_bayes import GaussianNB

import sklearn_distill as sd
from tests.public_api import public_names

X = np.arange(12.0).reshape(6, 2)
Y = np.arange(6) % 2
LINEAR = sd.DistilledLogisticRegression()
NEEDED = {
    sd.DistilledLogisticRegressionCV: {"metaparameters": ("C",), "imitation": 0.0},
    sd.SoftTargetClassifier: {"estimator": Ridge()},
    sd.SoftTargetRegressor: {"estimator": Ridge()},
    sd.BornAgainClassifier: {"student": LINEAR},
    sd.MultiLabelStudent: {"estimator": LINEAR},
    sd.TeacherStudentClassifier: {"teacher": GaussianNB(), "student": LINEAR},
    sd.TeacherStudentRegressor: {
        "teacher": LinearRegression(),
        "student": sd.PrivilegedLinearRegression(),
    },
}
# those that pass parameters on to what they fit, or to a splitter, and what they say to do
ROUTING = {
    sd.BornAgainClassifier: "pass student__foo",
    sd.TeacherStudentClassifier: "pass teacher__foo or student__foo",
    sd.TeacherStudentRegressor: "pass teacher__foo or student__foo",
    sd.DistilledLogisticRegressionCV: "fit takes teacher_proba, teacher_logits, teacher_weight and",
    sd.PrivilegedLinearRegressionCV: "fit takes teacher_prediction, teacher_std, teacher_weight",
}
KINDS = [
    kind
    for kind in public_names().values()
    if inspect.isclass(kind) and issubclass(kind, BaseEstimator) and hasattr(kind, "fit")
]


def passes_parameters_on(kind):
    parameters = inspect.signature(kind.fit).parameters.values()
    return any(one.kind is one.VAR_KEYWORD for one in parameters)


def test_these_estimators_route():
    to_a_library = {sd.DistilledBoostingClassifier, sd.DistilledBoostingRegressor}
    assert {kind for kind in KINDS if passes_parameters_on(kind)} == {*ROUTING, *to_a_library}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("routing", [False, True])
def test_an_unknown_argument_is_named(kind, routing):
    estimator = kind(**NEEDED.get(kind, {}))
    before = set(vars(estimator))
    with (
        config_context(enable_metadata_routing=routing),
        pytest.raises((TypeError, ValueError), match="foo"),
    ):
        estimator.fit(X, Y, foo=1)
    assert set(vars(estimator)) == before


@pytest.mark.parametrize("kind", ROUTING, ids=lambda kind: kind.__name__)
def test_scikit_learns_error_with_the_hint_at_routing(kind):
    message = (
        f"Passing extra keyword arguments to {kind.__name__}.fit is only supported if "
        rf"enable_metadata_routing=True.*\{{'foo'\}}.*{ROUTING[kind]}"
    )
    with pytest.raises(ValueError, match=message):
        kind(**NEEDED.get(kind, {})).fit(X, Y, foo=1)


def test_a_teacher_in_routing_that_a_teacher_student_makes_itself():
    model = sd.TeacherStudentClassifier(GaussianNB(), LINEAR)
    with (
        config_context(enable_metadata_routing=True),
        pytest.raises(TypeError, match="makes the teacher's predictions"),
    ):
        model.fit(X, Y, teacher_proba=np.eye(2)[Y])
