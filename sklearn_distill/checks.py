"""What every distilling estimator must satisfy, beyond scikit-learn's ``check_estimator``.

Libraries in this field have trained students without their teacher unnoticed; these checks notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone, is_classifier

__all__ = ["check_distiller"]

_MATTERS = 1e-2  # a teacher that matters moves predictions by more than this
_SAME = 1e-4  # predictions that ought to be equal differ by less than this


@dataclass(frozen=True)
class _Lesson:
    """Data to fit on: rows with labels and the teacher's answers for them."""

    X: NDArray[Any]
    y: NDArray[Any]
    teacher: NDArray[Any] | None
    argument: str
    sample_weight: NDArray[Any] | None = None

    def take(self, rows: NDArray[np.intp]) -> _Lesson:
        teacher = None if self.teacher is None else self.teacher[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], teacher=teacher)


def check_distiller(estimator: Any) -> None:
    """Check that a student learns from its teacher, and from nothing else that it should not.

    A fresh clone is fitted for each check: changing only the teacher changes the student;
    ``imitation=0`` ignores the teacher; the order of rows and the names of classes say nothing; a
    teacher that is silent on a row is as good as none there; a repeated row is a row of twice the
    weight; wrong teacher outputs and parameters raise ValueErrors that name the argument and leave
    nothing half-fitted.

    Parameters
    ----------
    estimator : estimator
        A classifier whose ``fit`` takes ``teacher_proba``, or a regressor whose ``fit`` takes
        ``teacher_prediction``, with a parameter ``imitation``.

    Raises
    ------
    AssertionError
        If a law does not hold; the message says which and by how much.

    Examples
    --------
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> from sklearn_distill.checks import check_distiller
    >>> check_distiller(DistilledLogisticRegression())
    """
    estimator = clone(estimator)
    if "tol" in estimator.get_params():
        estimator.set_params(tol=1e-9)
    lessons = (
        [_classification(n_classes=2), _classification(n_classes=3)]
        if is_classifier(estimator)
        else [_regression()]
    )
    for lesson in lessons:
        for check in _CHECKS:
            check(estimator, lesson)


def check_teacher_matters(estimator: Any, lesson: _Lesson) -> None:
    """Changing only the teacher changes the student."""
    opposite = _opposite(lesson)
    for imitation in (0.5, 1.0):
        one = _answers(estimator, lesson, imitation=imitation)
        other = _answers(estimator, opposite, imitation=imitation)
        moved = np.abs(one - other).max()
        assert moved > _MATTERS, (
            f"{_name(estimator)}: another {lesson.argument} at imitation={imitation} moves no "
            f"prediction by more than {moved:.1e}: the student does not listen to its teacher"
        )


def check_imitation_zero_ignores_teacher(estimator: Any, lesson: _Lesson) -> None:
    """With imitation=0 and every row labelled the teacher is not heard."""
    taught = _answers(estimator, lesson, imitation=0.0)
    alone = _answers(estimator, replace(lesson, teacher=None), imitation=0.0)
    _assert_same(estimator, taught, alone, "with imitation=0, a teacher changes the student")


def check_no_teacher_is_label_learning(estimator: Any, lesson: _Lesson) -> None:
    """Without a teacher imitation has no meaning: labels get all the weight."""
    alone = replace(lesson, teacher=None)
    little, much = (_answers(estimator, alone, imitation=lam) for lam in (0.1, 0.9))
    _assert_same(estimator, little, much, "without a teacher, imitation changes the student")


def check_row_order(estimator: Any, lesson: _Lesson) -> None:
    """The order of rows says nothing, and teacher rows follow their samples."""
    order = np.random.default_rng(1).permutation(len(lesson.y))
    _assert_same(
        estimator,
        _answers(estimator, lesson),
        _answers(estimator, lesson.take(order), at=lesson.X),
        "permuted rows change the student",
    )


def check_class_names(estimator: Any, lesson: _Lesson) -> None:
    """The names of classes say nothing, and teacher columns follow them."""
    if not is_classifier(estimator) or lesson.teacher is None:
        return
    order = np.roll(np.arange(lesson.teacher.shape[1]), 1)  # class k is called order[k]
    renamed = replace(lesson, y=order[lesson.y], teacher=lesson.teacher[:, np.argsort(order)])
    _assert_same(
        estimator,
        _answers(estimator, lesson),
        _answers(estimator, renamed)[:, order],
        "other names of the classes change the student",
    )


def check_silent_rows(estimator: Any, lesson: _Lesson) -> None:
    """Where the teacher is silent (NaN), the label speaks alone."""
    assert lesson.teacher is not None
    silent = replace(lesson, teacher=np.full_like(lesson.teacher, np.nan))
    _assert_same(
        estimator,
        _answers(estimator, silent),
        _answers(estimator, replace(lesson, teacher=None)),
        "a teacher that is silent on every row differs from no teacher",
    )
    some = lesson.teacher.copy()
    some[::2] = np.nan
    partly = _answers(estimator, replace(lesson, teacher=some))
    heard = np.abs(partly - _answers(estimator, silent)).max()
    assert heard > _MATTERS / 10, (
        f"{_name(estimator)}: a teacher that speaks for every second row is not heard at all"
    )


def check_repeated_rows_are_weights(estimator: Any, lesson: _Lesson) -> None:
    """A row given twice is a row of twice the weight, teacher and all."""
    times = np.random.default_rng(2).integers(1, 4, size=len(lesson.y))
    repeated = lesson.take(np.repeat(np.arange(len(lesson.y)), times))
    weighted = replace(lesson, sample_weight=times.astype(float))
    _assert_same(
        estimator,
        _answers(estimator, repeated, at=lesson.X),
        _answers(estimator, weighted),
        "repeated rows differ from rows with sample_weight",
    )


def check_errors(estimator: Any, lesson: _Lesson) -> None:
    """Wrong teacher outputs and parameters raise ValueErrors that name the argument."""
    assert lesson.teacher is not None
    for what, teacher in _wrong_teachers(lesson).items():
        _assert_raises(estimator, replace(lesson, teacher=teacher), lesson.argument, what)
    for wrong in (-0.1, 1.1, np.nan):
        _assert_raises(estimator, lesson, "imitation", f"imitation={wrong}", imitation=wrong)


_CHECKS: tuple[Callable[[Any, _Lesson], None], ...] = (
    check_teacher_matters,
    check_imitation_zero_ignores_teacher,
    check_no_teacher_is_label_learning,
    check_row_order,
    check_class_names,
    check_silent_rows,
    check_repeated_rows_are_weights,
    check_errors,
)


def _classification(n_classes: int) -> _Lesson:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.concatenate([np.arange(n_classes)] * 3 + [rng.integers(n_classes, size=60)])[:60]
    teacher = softmax(2 * X @ rng.normal(size=(3, n_classes)), axis=1)
    return _Lesson(X, y, teacher, argument="teacher_proba")


def _regression() -> _Lesson:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=60)
    teacher = X @ [1.0, 1.0, 0.0] + 1 + 0.3 * rng.normal(size=60)
    return _Lesson(X, y, teacher, argument="teacher_prediction")


def _opposite(lesson: _Lesson) -> _Lesson:
    """Return the lesson of a teacher who says something else."""
    assert lesson.teacher is not None
    says = np.roll(lesson.teacher, 1, axis=1) if lesson.teacher.ndim == 2 else -lesson.teacher
    return replace(lesson, teacher=says)


def _fitted(estimator: Any, lesson: _Lesson, parameters: dict[str, Any]) -> Any:
    student = clone(estimator).set_params(**parameters)
    teacher = {} if lesson.teacher is None else {lesson.argument: lesson.teacher}
    return student.fit(lesson.X, lesson.y, sample_weight=lesson.sample_weight, **teacher)


def _answers(
    estimator: Any, lesson: _Lesson, at: NDArray[Any] | None = None, **parameters: Any
) -> NDArray[np.float64]:
    """Fit a fresh student and return its predictions."""
    student = _fitted(estimator, lesson, parameters)
    X = lesson.X if at is None else at
    return np.asarray(student.predict_proba(X) if is_classifier(student) else student.predict(X))


def _wrong_teachers(lesson: _Lesson) -> dict[str, NDArray[Any]]:
    """Return outputs that no student may accept, by what is wrong with them."""
    assert lesson.teacher is not None
    infinite = lesson.teacher.copy()
    infinite[3] = np.inf
    wrong = {"a row too few": lesson.teacher[:-1], "infinite answers": infinite}
    if lesson.argument == "teacher_proba":
        half, negative, unnormalised = (lesson.teacher.copy() for _ in range(3))
        half[3, 0] = np.nan
        negative[3, :2] = [-0.5, 1.5]
        unnormalised[3] *= 1.1
        wrong |= {
            "a row that is half NaN": half,
            "a negative probability": negative,
            "a row that does not sum to 1": unnormalised,
            "a column too many": np.column_stack([lesson.teacher, np.zeros(len(lesson.y))]),
        }
    return wrong


def _assert_raises(
    estimator: Any, lesson: _Lesson, argument: str, what: str, **parameters: Any
) -> None:
    student = clone(estimator).set_params(**parameters)
    before = set(vars(student))
    try:
        student.fit(lesson.X, lesson.y, **{lesson.argument: lesson.teacher})
    except ValueError as error:
        assert argument in str(error), (
            f"{_name(estimator)}: the error for {what} does not name {argument}: {error}"
        )
        left = set(vars(student)) - before
        assert not left, f"{_name(estimator)}: a failed fit ({what}) left {sorted(left)} behind"
        return
    raise AssertionError(f"{_name(estimator)}: fit accepts {what} without a ValueError")


def _assert_same(
    estimator: Any, one: NDArray[np.float64], other: NDArray[np.float64], otherwise: str
) -> None:
    difference = np.abs(one - other).max()
    assert difference < _SAME, (
        f"{_name(estimator)}: {otherwise}: predictions differ by {difference:.1e}"
    )


def _name(estimator: Any) -> str:
    return type(estimator).__name__
