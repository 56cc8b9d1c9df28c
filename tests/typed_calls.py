"""Calls that a type checker must accept or reject; ``make lint`` checks them, nothing runs them.

An error that is expected has a ``type: ignore``, and an ignore without an error is one, too: the
decorators of ``fit``, ``predict`` and ``predict_proba`` keep the signatures.
"""

from typing import Any, assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
)


def estimators_accept_their_containers(
    X: pd.DataFrame, y: "pd.Series[Any]", teacher: pd.DataFrame
) -> None:
    DistilledLogisticRegression().fit(X, y, teacher_proba=teacher)
    DistilledLogisticRegression().fit(sparse.csr_matrix(X), ["a", None], teacher_proba=teacher)
    DistilledLogisticRegressionCV().fit(X.to_numpy(), y, teacher_logits=teacher.to_numpy())
    DistilledNeuralClassifier().fit(X, y, teacher_proba=teacher, X_val=X, y_val=y)
    PrivilegedLinearRegression().fit([[1.0]], [1.0], teacher_prediction=[1.0])


def misspelt_arguments_are_rejected(X: NDArray[np.float64], y: NDArray[np.int64]) -> None:
    DistilledLogisticRegression().fit(X, y, teacher_prob=X)  # type: ignore[call-arg]
    DistilledNeuralClassifier().fit(X, y, teacher_prob=X)  # type: ignore[call-arg]
    PrivilegedLinearRegression().fit(X, y, teacher=y)  # type: ignore[call-arg]
    DistilledLogisticRegression().predict_proba(X, y)  # type: ignore[call-arg]


def predictions_are_arrays(X: NDArray[np.float64], y: NDArray[np.int64]) -> None:
    linear = DistilledLogisticRegression().fit(X, y)
    assert_type(linear, DistilledLogisticRegression)
    assert_type(linear.predict_proba(X), NDArray[Any])
    assert_type(linear.predict(X), NDArray[Any])
    assert_type(DistilledNeuralClassifier().fit(X, y).predict(X), NDArray[Any])
    teacher_student = TeacherStudentClassifier(linear, linear).fit(X, y)
    assert_type(teacher_student.predict_proba(X).shape, tuple[Any, ...])
    generations = BornAgainClassifier(linear).fit(X, y)
    assert_type(generations.predict_proba(X).shape, tuple[Any, ...])
