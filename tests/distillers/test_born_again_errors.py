"""Errors name the argument, its value and the remedy; a failed fit changes nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_distill import BornAgainClassifier, DistilledLogisticRegression
from tests.distillers.spies import SpyStudent

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = np.tile([0, 1], 20)


LOGISTIC = DistilledLogisticRegression()


def model(student=LOGISTIC, **parameters):
    return BornAgainClassifier(student, **parameters)


def fitted_attributes(estimator):
    return [name for name in vars(estimator) if name.endswith("_") or name.startswith("_")]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"student": RandomForestClassifier()},
            "RandomForestClassifier cannot learn from probabilities.*labels='hard', or use a "
            r"student of sklearn_distill, such as SoftTargetClassifier\(RandomForestClassifier",
        ),
        ({"student": make_pipeline(StandardScaler(), SVC())}, "Pipeline cannot learn from prob"),
        ({"student": SpyStudent()}, "labels='soft' needs probabilities, and student SpyStudent"),
        (
            {"student": GaussianNB(), "labels": "hard", "imitation": 0.5},
            "imitation=0.5 with labels='hard' mixes.*GaussianNB does not support"
            ".*Set imitation=1.0",
        ),
        ({"student": SVC(), "labels": "hard", "ensemble": True}, "ensemble=True needs probabil"),
        ({"student": SpyStudent(), "labels": "hard"}, "no parameter imitation.*imitation=None"),
        ({"student": Ridge(), "labels": "hard"}, "Ridge is not a classifier.*SoftTargetClassifier"),
        ({"labels": "medium"}, "'labels' parameter"),
        ({"n_generations": 0}, "'n_generations' parameter"),
        ({"imitation": 1.1}, "'imitation' parameter"),
        ({"cv": 1}, "'cv' parameter|n_splits"),
        ({"scoring": "no such"}, "'scoring' parameter"),
        ({"scoring": "accuracy"}, "scoring='accuracy' needs a validation set"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' parameter"),
        ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ({"random_state": "x"}, "random_state"),
        ({"early_stopping": True, "validation_fraction": 0.01}, "cannot set aside.*0.01 of the 40"),
        (
            {"early_stopping": True, "scoring": lambda estimator, features, y: np.nan},
            "scoring returned nan for generation 1",
        ),
        ({"student": DistilledLogisticRegression(classes=[0, 2])}, r"does not name: \[1\]"),
        ({"cv": KFold(2), "labels": "hard"}, "only one class"),
    ],
)
def test_wrong_parameters(parameters, message):
    wrong = model(**parameters)
    with pytest.raises(ValueError, match=message):
        wrong.fit(X, np.sort(Y))
    assert fitted_attributes(wrong) == []


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (ValueError, {"y": Y[:-1]}, "y has 39 entries, X has 40 rows"),
        (ValueError, {"y": None}, "requires y to be passed.*first generation"),
        (ValueError, {"y": np.full(40, np.nan)}, "y has no labels|only one class|at least"),
        (ValueError, {"y": np.where(Y, np.inf, 0)}, "infinity"),
        (ValueError, {"y": np.zeros(40)}, "only one class"),
        (
            ValueError,
            {"sample_weight": np.ones(39)},
            r"sample_weight has shape \(39,\); .* each of the 40",
        ),
        (ValueError, {"X_val": X}, "X_val and y_val belong together"),
        (ValueError, {"y_val": Y}, "X_val and y_val belong together"),
        (ValueError, {"X_val": X[:, :3], "y_val": Y}, "X has 3 features"),
        (ValueError, {"X_val": X, "y_val": Y[:-1]}, "X_val and y_val: y has 39 entries"),
        (ValueError, {"X_val": X, "y_val": Y + 1}, r"X_val and y_val: .*not name: \[2\]"),
        (
            ValueError,
            {"X_val": X, "y_val": np.where(np.arange(40) == 7, np.nan, Y)},
            "y_val has no label in row 7",
        ),
        (ValueError, {"weight": 1}, "{'weight'}. Without it, pass student__weight"),
        (TypeError, {"student__weight": 1}, "weight"),
        (
            TypeError,
            {"student__teacher_proba": np.eye(2)[Y]},
            "makes the teacher's predictions",
        ),
    ],
)
def test_wrong_arguments_of_fit(kind, arguments, message):
    wrong = model()
    with pytest.raises(kind, match=message):
        wrong.fit(X, **({"y": Y} | arguments))
    assert fitted_attributes(wrong) == []


def test_a_student_without_sample_weight():
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
        model(KNeighborsClassifier(), labels="hard").fit(X, Y, np.ones(40))


class Failing(ClassifierMixin, BaseEstimator):
    """Raise an error in the third fit."""

    fits = 0

    def __init__(self, error=ValueError):
        self.error = error

    def fit(self, X, y):
        type(self).fits += 1
        if self.fits == 3:
            raise self.error("no more")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.resize(self.classes_, len(X))


@pytest.mark.parametrize("error", [ValueError, KeyError, KeyboardInterrupt])
def test_an_interrupted_fit_leaves_the_estimator_as_it_was(error):
    Failing.fits = -10
    fitted = model(Failing(error), labels="hard", n_generations=2).fit(X, Y)
    before = dict(vars(fitted))
    Failing.fits = 0
    with pytest.raises(error) as caught:
        fitted.set_params(n_generations=5).fit(X[:, :2], Y)
    assert vars(fitted) == before | {"n_generations": 5}
    if error is not KeyboardInterrupt:
        assert caught.value.__notes__ == ["raised by Failing in generation 3"]
    Failing.fits = 0
    with pytest.raises(error) as caught:
        model(Failing(error), labels="hard", cv=2).fit(X, Y)
    if error is not KeyboardInterrupt:
        assert caught.value.__notes__ == ["raised by Failing in generation 1, fold 2 of 2"]


def test_a_class_that_later_generations_lack():
    """A student that predicts the most frequent class only passes on no other."""
    y = np.array([0] * 25 + [1] * 15)
    majority = DummyClassifier(strategy="most_frequent")
    with pytest.warns(UserWarning, match=r"generation 2 was not trained on the classes \[1\]"):
        fitted = model(majority, labels="hard", n_generations=3, ensemble=True).fit(X, y)
    np.testing.assert_array_equal(fitted.classes_, [0, 1])
    np.testing.assert_array_equal(fitted.predict_proba(X), [[1.0, 0.0]] * 40)
    last = model(majority, labels="hard", n_generations=3)
    with pytest.warns(UserWarning, match="generation 2"):
        last.fit(X, y)
    np.testing.assert_array_equal(last.predict_proba(X), [[1.0, 0.0]] * 40)


def test_other_features_in_predict():
    with pytest.raises(NotFittedError):
        model().predict(X)
    fitted = model(n_generations=1).fit(pd.DataFrame(X, columns=list("abcd")), Y)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict_proba(pd.DataFrame(X, columns=list("bacd")))
    with pytest.raises(ValueError, match="X has 3 features"):
        model(n_generations=1).fit(X, Y).predict(X[:, :3])


def test_the_methods_are_the_students():
    assert not hasattr(model(SVC()), "predict_proba")
    assert hasattr(model(SVC()), "decision_function")
    assert hasattr(model(LogisticRegression()), "predict_proba")
    assert not hasattr(model(RandomForestClassifier()), "decision_function")


def test_a_progress_bar_over_the_generations(capsys):
    model(n_generations=3, verbose=1).fit(X, Y)
    assert "3/3" in capsys.readouterr().err
    model(n_generations=3).fit(X, Y)
    assert capsys.readouterr().err == ""
