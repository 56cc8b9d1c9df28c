"""Properties of every student that is trained with a teacher."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from sklearn_distill.checks._data import (
    MIN_EFFECT,
    CheckData,
    assert_raises,
    assert_same,
    class_name,
    fit_and_predict,
    fit_clone,
    with_opposite_teacher,
)
from sklearn_distill.exceptions import TeacherMissingWarning


def check_teacher_matters(estimator: Any, data: CheckData) -> None:
    """Changing only the teacher changes the student."""
    for imitation in (0.5, 1.0):
        moved = _teacher_effect(estimator, data, imitation=imitation)
        assert moved > MIN_EFFECT, (
            f"{class_name(estimator)}: another {data.teacher_param} at imitation={imitation} moves "
            f"no prediction by more than {moved:.1e}: the student ignores its teacher"
        )


def check_imitation_zero_ignores_teacher(estimator: Any, data: CheckData) -> None:
    """With imitation=0 and every sample labelled, the teacher is ignored."""
    with_teacher = fit_and_predict(estimator, data, imitation=0.0)
    without = fit_and_predict(estimator, replace(data, teacher=None), imitation=0.0)
    assert_same(estimator, with_teacher, without, "with imitation=0, a teacher changes the student")


def check_no_teacher_is_label_learning(estimator: Any, data: CheckData) -> None:
    """Without a teacher, imitation has no effect: labels get the full weight."""
    labels_only = replace(data, teacher=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TeacherMissingWarning)  # see check_forgotten_teacher
        low, high = (fit_and_predict(estimator, labels_only, imitation=lam) for lam in (0.1, 0.9))
    assert_same(estimator, low, high, "without a teacher, imitation changes the student")


def check_row_order(estimator: Any, data: CheckData) -> None:
    """The order of the samples has no effect if teacher rows are permuted with them."""
    order = np.random.default_rng(1).permutation(len(data.y))
    assert_same(
        estimator,
        fit_and_predict(estimator, data),
        fit_and_predict(estimator, data.take(order), X_test=data.X),
        "permuted rows change the student",
    )


def check_class_names(estimator: Any, data: CheckData) -> None:
    """The names of the classes have no effect if teacher columns are permuted with them."""
    if not is_classifier(estimator) or data.teacher is None:
        return
    order = np.roll(np.arange(data.teacher.shape[1]), 1)  # class k is called order[k]
    renamed = replace(data, y=order[data.y], teacher=data.teacher[:, np.argsort(order)])
    assert_same(
        estimator,
        fit_and_predict(estimator, data),
        fit_and_predict(estimator, renamed)[:, order],
        "other names of the classes change the student",
    )


def check_missing_predictions(estimator: Any, data: CheckData) -> None:
    """Where the teacher's prediction is missing (NaN), only the label is used."""
    assert data.teacher is not None
    missing = replace(data, teacher=np.full_like(data.teacher, np.nan))
    without = fit_and_predict(estimator, replace(data, teacher=None), imitation=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TeacherMissingWarning)  # see check_forgotten_teacher
        all_missing = fit_and_predict(estimator, missing, imitation=0.5)
    assert_same(
        estimator,
        all_missing,
        without,
        "a teacher whose predictions are all missing differs from no teacher",
    )
    half = data.teacher.copy()
    half[::2] = np.nan
    partly = fit_and_predict(estimator, replace(data, teacher=half), imitation=0.5)
    effect = np.abs(partly - without).max()
    assert effect > MIN_EFFECT / 10, (  # half of the teacher, and labels for the rest
        f"{class_name(estimator)}: a teacher with predictions for half of the samples is ignored"
    )


def check_forgotten_teacher(estimator: Any, data: CheckData) -> None:
    """Without a teacher fit warns once, unless imitation=0, which says that this is meant.

    So it does if the teacher is missing in every sample, which is an error at imitation=1.
    """
    labels_only = replace(data, teacher=None)
    missing = replace(data, teacher=np.full_like(data.teacher, np.nan))
    for imitation, given, expected in (
        (0.5, labels_only, 1),
        (1.0, labels_only, 1),
        (0.0, labels_only, 0),
        (0.5, missing, 1),
        (0.5, data, 0),
    ):
        messages = _teacher_missing_warnings(estimator, given, imitation)
        assert len(messages) == expected, (
            f"{class_name(estimator)}: at imitation={imitation}, fit "
            f"{'with' if given is data else 'without'} a teacher issues {len(messages)} warnings "
            f"of class TeacherMissingWarning, not {expected}"
        )
        assert all(data.teacher_param in message for message in messages), (
            f"{class_name(estimator)}: the warning does not name {data.teacher_param}: {messages}"
        )
    what = "a teacher that is missing in every sample at imitation=1"
    assert_raises(estimator, missing, data.teacher_param, what, imitation=1.0)


def check_repeated_rows_are_weights(estimator: Any, data: CheckData) -> None:
    """Repeating a sample and its teacher row equals a sample weight."""
    times = np.random.default_rng(2).integers(1, 4, size=len(data.y))
    repeated = data.take(np.repeat(np.arange(len(data.y)), times))
    weighted = replace(data, sample_weight=times.astype(float))
    assert_same(
        estimator,
        fit_and_predict(estimator, repeated, X_test=data.X),
        fit_and_predict(estimator, weighted),
        "repeated rows differ from rows with sample_weight",
    )


def check_errors(estimator: Any, data: CheckData) -> None:
    """Wrong teacher outputs and parameters raise ValueErrors that name the argument."""
    assert data.teacher is not None
    for what, teacher in _wrong_teachers(data).items():
        assert_raises(estimator, replace(data, teacher=teacher), data.teacher_param, what)
    for wrong in (-0.1, 1.1, np.nan):
        assert_raises(estimator, data, "imitation", f"imitation={wrong}", imitation=wrong)


def check_t_squared(estimator: Any, data: CheckData) -> None:
    """With τ = T² a teacher keeps its influence at a high temperature; at T = 1 τ has no effect.

    Gradients of the softened cross-entropy shrink as 1/T² (Hinton, Vinyals and Dean 2015).
    """
    if "t_squared" not in estimator.get_params():
        return
    softened = clone(estimator).set_params(soften_student=True)
    plain = fit_and_predict(softened, data, temperature=1.0, t_squared=False)
    squared = fit_and_predict(softened, data, temperature=1.0, t_squared=True)
    assert_same(estimator, plain, squared, "t_squared changes the student at temperature 1")
    unscaled, scaled = (
        _teacher_effect(softened, data, temperature=10.0, t_squared=option)
        for option in (False, True)
    )
    assert scaled > max(MIN_EFFECT, 2 * unscaled), (
        f"{class_name(estimator)}: at temperature 10 another teacher moves a prediction by "
        f"{scaled:.1e} with t_squared and by {unscaled:.1e} without: the teacher's term is not "
        "multiplied by T²"
    )


def _teacher_effect(estimator: Any, data: CheckData, **parameters: Any) -> float:
    """Return the largest change of a prediction under another teacher."""
    original = fit_and_predict(estimator, data, **parameters)
    changed = fit_and_predict(estimator, with_opposite_teacher(data), **parameters)
    return float(np.abs(original - changed).max())


def _teacher_missing_warnings(estimator: Any, data: CheckData, imitation: float) -> list[str]:
    """Return the messages of the warnings of a missing teacher in one fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TeacherMissingWarning)
        fit_clone(estimator, data, imitation=imitation)
    return [str(one.message) for one in caught if issubclass(one.category, TeacherMissingWarning)]


def _wrong_teachers(data: CheckData) -> dict[str, NDArray[Any]]:
    """Return teacher predictions that every student must reject, by their fault."""
    assert data.teacher is not None
    infinite = data.teacher.copy()
    infinite[3] = np.inf
    wrong = {"a row too few": data.teacher[:-1], "infinite predictions": infinite}
    if data.teacher_param == "teacher_proba":
        half, negative, unnormalised = (data.teacher.copy() for _ in range(3))
        half[3, :2] = [np.nan, 1.5]  # the students that read NaN as unknown refuse this one
        negative[3, :2] = [-0.5, 1.5]
        unnormalised[3] *= 1.1
        wrong |= {
            "a row that is half NaN, and above 1 in the other half": half,
            "a negative probability": negative,
            "a row that does not sum to 1": unnormalised,
            "a column too many": np.column_stack([data.teacher, np.zeros(len(data.y))]),
        }
    return wrong
