"""What students are checked on, and how their predictions are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone, is_classifier

MATTERS = 1e-2  # a teacher that matters moves predictions by more than this
SAME = 1e-4  # predictions that ought to be equal differ by less than this


@dataclass(frozen=True)
class CheckData:
    """Data to fit on: rows with labels and the teacher's answers for them."""

    X: NDArray[Any]
    y: NDArray[Any]
    teacher: Any
    argument: str
    sample_weight: NDArray[Any] | None = None

    @property
    def name(self) -> str:
        """What is learnt."""
        return f"{len(np.unique(self.y))} classes" if self.y.dtype.kind == "i" else "numbers"

    def take(self, rows: NDArray[np.intp]) -> CheckData:
        teacher = None if self.teacher is None else self.teacher[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], teacher=teacher)


def classification(n_classes: int) -> CheckData:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.concatenate([np.arange(n_classes)] * 3 + [rng.integers(n_classes, size=60)])[:60]
    teacher = softmax(2 * X @ rng.normal(size=(3, n_classes)), axis=1)
    return CheckData(X, y, teacher, argument="teacher_proba")


def regression() -> CheckData:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=60)
    teacher = X @ [1.0, 1.0, 0.0] + 1 + 0.3 * rng.normal(size=60)
    return CheckData(X, y, teacher, argument="teacher_prediction")


def opposite_of(lesson: CheckData) -> CheckData:
    """Return the lesson of a teacher who says something else."""
    assert lesson.teacher is not None
    says = np.roll(lesson.teacher, 1, axis=1) if lesson.teacher.ndim == 2 else -lesson.teacher
    return replace(lesson, teacher=says)


def fitted(estimator: Any, lesson: CheckData, **parameters: Any) -> Any:
    """Fit a fresh student."""
    student = clone(estimator).set_params(**parameters)
    teacher = {} if lesson.teacher is None else {lesson.argument: lesson.teacher}
    return student.fit(lesson.X, lesson.y, sample_weight=lesson.sample_weight, **teacher)


def answers(
    estimator: Any, lesson: CheckData, *, at: NDArray[Any] | None = None, **parameters: Any
) -> NDArray[np.float64]:
    """Fit a fresh student and return its predictions."""
    return predicted(fitted(estimator, lesson, **parameters), lesson.X if at is None else at)


def predicted(student: Any, X: NDArray[Any]) -> NDArray[np.float64]:
    """Return probabilities or numbers."""
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
