"""Teacher-student estimators of a leaderboard, whose student is timed, and the controls."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.distillers._teacher_fit import TeacherData


class TimedClassifier(TeacherStudentClassifier):
    """A TeacherStudentClassifier that measures the time to fit the student, without the teacher."""

    student_seconds_: float

    def _fit_student(self, *args: Any) -> Any:
        start = perf_counter()
        student = super()._fit_student(*args)
        self.student_seconds_ = perf_counter() - start
        return student


class TimedRegressor(TeacherStudentRegressor):
    """A TeacherStudentRegressor that measures the time to fit the student."""

    student_seconds_: float

    def _fit_student(self, *args: Any) -> Any:
        start = perf_counter()
        student = super()._fit_student(*args)
        self.student_seconds_ = perf_counter() - start
        return student


class PermutedTeacher(TimedClassifier):
    """A control: each row has the probabilities of another row of the same predicted class."""

    def _format_predictions(self, student_data: StudentData, data: TeacherData) -> Any:
        q = permute_within_class(student_data.predictions, self.random_state)
        return super()._format_predictions(replace(student_data, predictions=q), data)


class SmoothedLabels(TimedClassifier):
    """A control: smoothed labels in place of the teacher's probabilities."""

    def _format_predictions(self, student_data: StudentData, data: TeacherData) -> Any:
        # of a classifier's teacher: PredictAligned
        classes: NDArray[Any] = data.predict.classes  # type: ignore[attr-defined]
        q = smooth_labels(student_data.y, student_data.predictions, classes)
        return super()._format_predictions(replace(student_data, predictions=q), data)


def permute_within_class(q: FloatArray, random_state: Any) -> FloatArray:
    """Return the rows of q in a random order, each in the place of one of its predicted class.

    What the teacher predicts, and how sure it is on average, are kept; what it knows about the
    single row beyond the class is lost.

    Parameters
    ----------
    q : ndarray of shape (n_rows, n_classes)
        Probabilities; rows of NaN are missing and stay.
    random_state : int or RandomState
        Seed of the order.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        The permuted rows.

    Examples
    --------
    >>> import numpy as np
    >>> permute_within_class(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), 0)[:, 0].tolist()
    [0.6, 0.2, 0.9]
    """
    rng = check_random_state(random_state)
    permuted, present = q.copy(), np.flatnonzero(np.isfinite(q).all(axis=1))
    predicted = q[present].argmax(axis=1)
    for k in np.unique(predicted):
        rows = present[predicted == k]
        permuted[rows] = q[rng.permutation(rows)]
    return permuted


def smooth_labels(y: NDArray[Any], q: FloatArray, classes: NDArray[Any]) -> FloatArray:
    """Return labels that are smoothed as much as the teacher's probabilities are soft.

    ``(1 − ε) onehot(y_i) + ε (1 − onehot(y_i)) / (K − 1)`` with ε the mean of 1 − q_i[y_i].

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Labels; in place of a missing one stands the teacher's predicted class.
    q : ndarray of shape (n_rows, n_classes)
        The teacher's probabilities; rows of NaN are missing and stay.
    classes : ndarray of shape (n_classes,)
        The class of each column.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        The smoothed labels.

    Examples
    --------
    >>> import numpy as np
    >>> smooth_labels(np.array([0, 1]), np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0, 1]))
    array([[0.8, 0.2],
           [0.2, 0.8]])
    """
    present: BoolArray = np.asarray(np.isfinite(q).all(axis=1))
    labelled: BoolArray = np.asarray(~np.asarray(pd.isna(y), dtype=bool))
    codes: IntArray = np.zeros(len(y), dtype=np.intp)
    codes[present] = q[present].argmax(axis=1)
    codes[labelled] = np.searchsorted(classes, y[labelled].astype(classes.dtype))
    both = np.flatnonzero(present & labelled)
    epsilon = float(1 - q[both, codes[both]].mean())
    one_hot = np.eye(len(classes))[codes]
    smoothed = (1 - epsilon) * one_hot + epsilon * (1 - one_hot) / max(len(classes) - 1, 1)
    return np.where(present[:, None], smoothed, np.nan)
