"""The teacher's predictions stay with their samples: frames, weights, folds that lack a class.

The meta-estimators are tested one by one in ``tests/routing``.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import DistilledLogisticRegression

N, K = 60, 3


class Spy(DistilledLogisticRegression):
    """Checks that teacher row i comes with sample i: both carry i."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None, teacher_logits=None):
        assert teacher_proba is not None, "the teacher did not arrive"
        values = np.asarray(teacher_proba)
        np.testing.assert_allclose(values[:, 1], fingerprint(np.asarray(X)[:, 0]), atol=1e-12)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


def fingerprint(index):
    return 0.2 + 0.4 * index / N


def indexed_data():
    """Return X, y and a teacher whose rows carry their numbers."""
    rng = np.random.default_rng(0)
    index = np.arange(N, dtype=float)
    X = np.column_stack([index, rng.normal(size=(N, 2))])
    y = rng.permutation(np.arange(N) % K)
    second = fingerprint(index)
    teacher = np.column_stack([(1 - second) / 2, second, (1 - second) / 2])
    return X, y, teacher


@pytest.fixture
def data():
    return indexed_data()


GRID = {"imitation": [0.2, 0.8], "temperature": [1.0, 2.0]}
CV = KFold(4, shuffle=True, random_state=0)


def spy(**parameters):
    return Spy(max_iter=1000, tol=1e-3, **parameters)


@pytest.mark.parametrize("routing", [False, True])
def test_frames(data, routing):
    X, y, teacher = data
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(spy(), GRID, cv=CV, error_score="raise")
        search.fit(pd.DataFrame(X), y, teacher_proba=pd.DataFrame(teacher))
    assert search.best_estimator_.n_taught_rows_ == N


def test_meta_estimators_that_encode_classes_need_columns_without_names(data):
    X, y, teacher = data
    names = np.array(["a", "b", "c"])
    ensemble = VotingClassifier([("spy", spy())])
    with config_context(enable_metadata_routing=True):
        ensemble.fit(X, names[y], teacher_proba=teacher)
        with pytest.raises(ValueError, match="none of which is named 0"):
            ensemble.fit(X, names[y], teacher_proba=pd.DataFrame(teacher, columns=names))


def test_sample_weight_still_needs_a_request(data):
    X, y, teacher = data
    with config_context(enable_metadata_routing=True):
        student = spy().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(student, GRID, cv=CV, error_score="raise")
        search.fit(X, y, teacher_proba=teacher, sample_weight=np.ones(N))


def test_a_misaligned_teacher_is_detected(data):
    X, y, teacher = data
    search = GridSearchCV(spy(), GRID, cv=CV, error_score="raise")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        search.fit(X, y, teacher_proba=teacher[::-1])


def test_a_class_missing_in_a_fold(data):
    """Class 2 has only rows of one fold: with classes= every fold has the same classes."""
    X, y, teacher = data
    folds = list(CV.split(X))
    y = np.arange(N) % 2
    y[folds[0][1][:5]] = 2
    frame = pd.DataFrame(teacher[:, [2, 0, 1]], columns=[2, 0, 1])
    student = make_pipeline(
        StandardScaler(), DistilledLogisticRegression(classes=[0, 1, 2], temperature=2.0)
    )
    search = GridSearchCV(
        student,
        {"distilledlogisticregression__imitation": [0.0, 0.5]},
        cv=folds,
        scoring="accuracy",
        error_score="raise",
    )
    search.fit(X, y, distilledlogisticregression__teacher_proba=frame)
    assert search.best_estimator_[-1].classes_.tolist() == [0, 1, 2]
    without = make_pipeline(StandardScaler(), DistilledLogisticRegression())
    with pytest.raises(ValueError, match=r"beyond the labels of y: \[2\]"):
        cross_validate(
            without,
            X,
            y,
            params={"distilledlogisticregression__teacher_proba": frame},
            cv=folds,
            error_score="raise",
        )
