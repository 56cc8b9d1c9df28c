"""The data of the checks, and comparisons of predictions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone, is_classifier

from sklearn_distill.exceptions import ImplausibleTeacherWarning

# another teacher must change some prediction by more than this
MIN_EFFECT = 1e-2
# predictions that must be equal may differ by this much: solvers stop at a tolerance
SAME = 1e-4


@dataclass(frozen=True)
class CheckData:
    """Training data: samples, labels, and a teacher's predictions in the order of the samples."""

    X: Any
    y: NDArray[Any]
    teacher: Any
    teacher_param: str
    sample_weight: NDArray[Any] | None = None

    @property
    def name(self) -> str:
        """The kind of target, for the names of tests."""
        return f"{len(np.unique(self.y))} classes" if self.y.dtype.kind == "i" else "numbers"

    def take(self, rows: NDArray[np.intp]) -> CheckData:
        """Return the data of the given rows."""
        teacher = None if self.teacher is None else self.teacher[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], teacher=teacher)


def classification(n_classes: int) -> CheckData:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.concatenate([np.arange(n_classes)] * 3 + [rng.integers(n_classes, size=60)])[:60]
    teacher = softmax(2 * X @ rng.normal(size=(3, n_classes)), axis=1)
    return CheckData(X, y, teacher, teacher_param="teacher_proba")


def labelled_by_teacher(n_classes: int) -> CheckData:
    """Return labels that are drawn from the teacher's probabilities, and so agree with it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    teacher = softmax(3 * X @ rng.normal(size=(3, n_classes)), axis=1)
    y = (rng.random(300)[:, None] > teacher.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return CheckData(X, y, teacher, teacher_param="teacher_proba")


def labelled_by_regressor() -> CheckData:
    """Return labels that are the teacher's predictions and noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    teacher = X @ [1.0, -1.0, 0.5] + 0.1 * rng.normal(size=300)
    return CheckData(X, teacher + 0.5 * rng.normal(size=300), teacher, "teacher_prediction")


def regression() -> CheckData:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=60)
    teacher = X @ [1.0, 1.0, 0.0] + 1 + 0.3 * rng.normal(size=60)
    return CheckData(X, y, teacher, teacher_param="teacher_prediction")


def with_opposite_teacher(data: CheckData) -> CheckData:
    """Return the same data with other teacher predictions: shifted by a class, or negated."""
    assert data.teacher is not None
    opposite = np.roll(data.teacher, 1, axis=1) if data.teacher.ndim == 2 else -data.teacher
    return replace(data, teacher=opposite)


def fit_clone(estimator: Any, data: CheckData, **parameters: Any) -> Any:
    """Fit a clone of the student with these parameters."""
    return _fit(clone(estimator).set_params(**parameters), data)


def _fit(student: Any, data: CheckData) -> Any:
    weight = {} if data.sample_weight is None else {"sample_weight": data.sample_weight}
    teacher = {} if data.teacher is None else {data.teacher_param: data.teacher}
    with warnings.catch_warnings():
        # most of these teachers have nothing to do with the labels; see check_implausible_teacher
        warnings.simplefilter("ignore", ImplausibleTeacherWarning)
        return student.fit(data.X, data.y, **weight, **teacher)


def fit_and_predict(
    estimator: Any, data: CheckData, *, X_test: NDArray[Any] | None = None, **parameters: Any
) -> NDArray[np.float64]:
    """Fit a clone of the student and return its predictions."""
    return predictions_of(
        fit_clone(estimator, data, **parameters), data.X if X_test is None else X_test
    )


def predictions_of(student: Any, X: NDArray[Any]) -> NDArray[np.float64]:
    """Return probabilities of a classifier, predictions of a regressor."""
    return np.asarray(student.predict_proba(X) if is_classifier(student) else student.predict(X))


def assert_same(
    estimator: Any, one: NDArray[np.float64], other: NDArray[np.float64], otherwise: str
) -> None:
    difference = np.abs(one - other).max()
    assert difference < SAME, (
        f"{class_name(estimator)}: {otherwise}: predictions differ by {difference:.1e}"
    )


def class_name(estimator: Any) -> str:
    return type(estimator).__name__


def in_pandas(data: CheckData) -> Any:
    """Return the teacher as a DataFrame with the classes as columns, or as a Series."""
    teacher = np.asarray(data.teacher)
    if teacher.ndim == 1:
        return pd.Series(teacher)
    return pd.DataFrame(teacher, columns=np.unique(data.y))


def assert_raises(
    estimator: Any, data: CheckData, argument: str, what: str, **parameters: Any
) -> None:
    """Require a ValueError that names the argument, and leaves nothing half-fitted."""
    student = clone(estimator).set_params(**parameters)
    before = set(vars(student))
    try:
        _fit(student, data)
    except ValueError as error:
        assert argument in str(error), (
            f"{class_name(estimator)}: the error for {what} does not name {argument}: {error}"
        )
        left = set(vars(student)) - before
        assert not left, (
            f"{class_name(estimator)}: a failed fit ({what}) left {sorted(left)} behind"
        )
        return
    raise AssertionError(f"{class_name(estimator)}: fit accepts {what} without a ValueError")
