"""A warning's place is the line of the user's call, also through pipelines and searches."""

import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
)
from sklearn_distill.teachers import out_of_fold_proba

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.arange(60) % 2
PROBA = np.full((60, 2), 0.5)
SORTED = np.repeat([0, 1, 2], 20)  # each of three folds in a row lacks a class
UNSHUFFLED = KFold(3)
STUDENT = DistilledLogisticRegression(max_iter=200)

CALLS = {
    "not converged": (
        ConvergenceWarning,
        lambda: make_pipeline(DistilledLogisticRegression(max_iter=1)).fit(
            X, Y, distilledlogisticregression__teacher_proba=PROBA
        ),
    ),
    "not converged in folds": (
        ConvergenceWarning,
        lambda: DistilledLogisticRegressionCV(max_iter=1).fit(X, X[:, 0] > 0, teacher_proba=PROBA),
    ),
    "variance": (
        UserWarning,
        lambda: make_pipeline(PrivilegedLinearRegression()).fit(
            X[:3], X[:3, 0], privilegedlinearregression__teacher_prediction=X[:3, 1]
        ),
    ),
    "a class that a fold lacks": (
        UserWarning,
        lambda: TeacherStudentClassifier(DummyClassifier(), STUDENT, cv=UNSHUFFLED).fit(X, SORTED),
    ),
    "a class that a fold lacks, alone": (
        UserWarning,
        lambda: out_of_fold_proba(DummyClassifier(), X, SORTED, cv=UNSHUFFLED),
    ),
    "far samples": (
        UserWarning,
        lambda: BornAgainClassifier(STUDENT, n_generations=2).fit(X, Y, X_val=X + 100, y_val=Y),
    ),
    "far unlabelled samples": (
        UserWarning,
        lambda: TeacherStudentClassifier(DummyClassifier(), STUDENT).fit(X, Y, X_unlabeled=X + 100),
    ),
}


@pytest.mark.parametrize(("category", "call"), CALLS.values(), ids=CALLS)
def test_place_is_the_users_line(category, call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    ours = [one for one in caught if issubclass(one.category, category)]
    assert ours
    assert {one.filename for one in ours} == {__file__}
