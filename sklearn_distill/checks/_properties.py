"""Laws of learning from a teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from sklearn_distill.checks._data import (
    MATTERS,
    CheckData,
    answers,
    assert_same,
    class_name,
    opposite_of,
)


def check_teacher_matters(estimator: Any, lesson: CheckData) -> None:
    """Changing only the teacher changes the student."""
    for imitation in (0.5, 1.0):
        moved = _moved_by_the_teacher(estimator, lesson, imitation=imitation)
        assert moved > MATTERS, (
            f"{class_name(estimator)}: another {lesson.argument} at imitation={imitation} moves no "
            f"prediction by more than {moved:.1e}: the student does not listen to its teacher"
        )


def check_imitation_zero_ignores_teacher(estimator: Any, lesson: CheckData) -> None:
    """With imitation=0 and every row labelled the teacher is not heard."""
    taught = answers(estimator, lesson, imitation=0.0)
    alone = answers(estimator, replace(lesson, teacher=None), imitation=0.0)
    assert_same(estimator, taught, alone, "with imitation=0, a teacher changes the student")


def check_no_teacher_is_label_learning(estimator: Any, lesson: CheckData) -> None:
    """Without a teacher imitation has no meaning: labels get all the weight."""
    alone = replace(lesson, teacher=None)
    little, much = (answers(estimator, alone, imitation=lam) for lam in (0.1, 0.9))
    assert_same(estimator, little, much, "without a teacher, imitation changes the student")


def check_row_order(estimator: Any, lesson: CheckData) -> None:
    """The order of rows says nothing, and teacher rows follow their samples."""
    order = np.random.default_rng(1).permutation(len(lesson.y))
    assert_same(
        estimator,
        answers(estimator, lesson),
        answers(estimator, lesson.take(order), at=lesson.X),
        "permuted rows change the student",
    )


def check_class_names(estimator: Any, lesson: CheckData) -> None:
    """The names of classes say nothing, and teacher columns follow them."""
    if not is_classifier(estimator) or lesson.teacher is None:
        return
    order = np.roll(np.arange(lesson.teacher.shape[1]), 1)  # class k is called order[k]
    renamed = replace(lesson, y=order[lesson.y], teacher=lesson.teacher[:, np.argsort(order)])
    assert_same(
        estimator,
        answers(estimator, lesson),
        answers(estimator, renamed)[:, order],
        "other names of the classes change the student",
    )


def check_silent_rows(estimator: Any, lesson: CheckData) -> None:
    """Where the teacher is silent (NaN), the label speaks alone."""
    assert lesson.teacher is not None
    silent = replace(lesson, teacher=np.full_like(lesson.teacher, np.nan))
    assert_same(
        estimator,
        answers(estimator, silent),
        answers(estimator, replace(lesson, teacher=None)),
        "a teacher that is silent on every row differs from no teacher",
    )
    some = lesson.teacher.copy()
    some[::2] = np.nan
    partly = answers(estimator, replace(lesson, teacher=some))
    heard = np.abs(partly - answers(estimator, silent)).max()
    assert heard > MATTERS / 10, (
        f"{class_name(estimator)}: a teacher that speaks for every second row is not heard at all"
    )


def check_repeated_rows_are_weights(estimator: Any, lesson: CheckData) -> None:
    """A row given twice is a row of twice the weight, teacher and all."""
    times = np.random.default_rng(2).integers(1, 4, size=len(lesson.y))
    repeated = lesson.take(np.repeat(np.arange(len(lesson.y)), times))
    weighted = replace(lesson, sample_weight=times.astype(float))
    assert_same(
        estimator,
        answers(estimator, repeated, at=lesson.X),
        answers(estimator, weighted),
        "repeated rows differ from rows with sample_weight",
    )


def check_errors(estimator: Any, lesson: CheckData) -> None:
    """Wrong teacher outputs and parameters raise ValueErrors that name the argument."""
    assert lesson.teacher is not None
    for what, teacher in _wrong_teachers(lesson).items():
        _assert_raises(estimator, replace(lesson, teacher=teacher), lesson.argument, what)
    for wrong in (-0.1, 1.1, np.nan):
        _assert_raises(estimator, lesson, "imitation", f"imitation={wrong}", imitation=wrong)


def check_t_squared(estimator: Any, lesson: CheckData) -> None:
    """With τ = T² a teacher keeps its influence at a high temperature; at T = 1 nothing changes.

    Gradients of the softened cross-entropy shrink as 1/T² (Hinton, Vinyals and Dean 2015).
    """
    if "t_squared" not in estimator.get_params():
        return
    softened = clone(estimator).set_params(soften_student=True)
    plain = answers(softened, lesson, temperature=1.0, t_squared=False)
    squared = answers(softened, lesson, temperature=1.0, t_squared=True)
    assert_same(estimator, plain, squared, "t_squared changes the student at temperature 1")
    little, much = (
        _moved_by_the_teacher(softened, lesson, temperature=10.0, t_squared=option)
        for option in (False, True)
    )
    assert much > max(MATTERS, 2 * little), (
        f"{class_name(estimator)}: at temperature 10 another teacher moves a prediction by "
        f"{much:.1e} with t_squared and by {little:.1e} without: the teacher's term is not "
        "multiplied by T²"
    )


def _moved_by_the_teacher(estimator: Any, lesson: CheckData, **parameters: Any) -> float:
    """Return by how much another teacher moves a prediction at most."""
    one = answers(estimator, lesson, **parameters)
    other = answers(estimator, opposite_of(lesson), **parameters)
    return float(np.abs(one - other).max())


def _wrong_teachers(lesson: CheckData) -> dict[str, NDArray[Any]]:
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
    estimator: Any, lesson: CheckData, argument: str, what: str, **parameters: Any
) -> None:
    student = clone(estimator).set_params(**parameters)
    before = set(vars(student))
    try:
        student.fit(lesson.X, lesson.y, **{lesson.argument: lesson.teacher})
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
