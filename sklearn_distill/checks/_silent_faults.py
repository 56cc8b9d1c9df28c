"""Properties of predictions that were mixed up: rows in another order, names, shuffled predictions.

Each would otherwise train a wrong student without any error.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import has_fit_parameter

from sklearn_distill.checks._data import (
    CheckData,
    assert_raises,
    assert_same,
    class_name,
    fit_and_predict,
    in_pandas,
    labelled_by_regressor,
    labelled_by_teacher,
)
from sklearn_distill.exceptions import ImplausibleTeacherWarning


def check_index_order(estimator: Any, data: CheckData) -> None:
    """A pandas teacher is read by position, and refused if its index has X's in another order."""
    assert data.teacher is not None
    names = [f"row {i}" for i in range(len(data.y))]
    X = pd.DataFrame(data.X, index=names, columns=[f"x{j}" for j in range(data.X.shape[1])])
    teacher = in_pandas(data).set_axis(names)
    framed = replace(data, X=X, teacher=teacher)
    assert_same(
        estimator,
        fit_and_predict(estimator, framed),
        fit_and_predict(estimator, data),
        "a teacher with the index of X differs from one in an array",
    )
    reversed_rows = replace(framed, teacher=teacher.iloc[::-1])
    what = "a teacher whose index is that of X in another order"
    assert_raises(estimator, reversed_rows, data.teacher_param, what)


def check_series_name(estimator: Any, data: CheckData) -> None:
    """One dimension is the class that it is named after, and the second of two without a name."""
    if not is_classifier(estimator) or data.teacher is None or data.teacher.shape[1] != 2:
        return
    expected = fit_and_predict(estimator, data)
    for column, name in ((1, None), *enumerate(np.unique(data.y).tolist())):
        series = pd.Series(data.teacher[:, column], name=name)
        assert_same(
            estimator,
            fit_and_predict(estimator, replace(data, teacher=series)),
            expected,
            f"a Series named {name!r} differs from the array of both columns",
        )
    unknown = replace(data, teacher=pd.Series(data.teacher[:, 1], name="no class"))
    what = "a Series whose name is no class"
    assert_raises(estimator, unknown, data.teacher_param, what)


def check_implausible_teacher(estimator: Any, data: CheckData) -> None:
    """A teacher of another order, sign or scale gives one warning, and a right one none."""
    if data.teacher is None:
        return
    cases = _classifier_teachers if is_classifier(estimator) else _regressor_teachers
    for what, given, n_expected in cases(estimator, data):
        messages = _implausible_warnings(estimator, given)
        assert len(messages) == n_expected, (
            f"{class_name(estimator)}: with {what} fit issues {len(messages)} warnings of class "
            f"ImplausibleTeacherWarning, not {n_expected}"
        )
        assert all(given.teacher_param in message for message in messages), (
            f"{class_name(estimator)}: the warning of {what} does not name {given.teacher_param}: "
            f"{messages}"
        )


def _classifier_teachers(estimator: Any, data: CheckData) -> Iterator[tuple[str, CheckData, int]]:
    """Yield what teachers of a classifier are, their data, and how many warnings they give."""
    right = labelled_by_teacher(n_classes=data.teacher.shape[1])
    teacher: NDArray[Any] = np.asarray(right.teacher)
    yield from _right_or_shuffled(right)
    yield "exchanged columns", replace(right, teacher=np.roll(teacher, 1, axis=1)), 1
    if has_fit_parameter(estimator, "teacher_logits"):
        yield "probabilities as logits", replace(right, teacher_param="teacher_logits"), 1


def _regressor_teachers(_: Any, data: CheckData) -> Iterator[tuple[str, CheckData, int]]:
    """Yield what teachers of a regressor are, their data, and how many warnings they give."""
    right = labelled_by_regressor()
    yield from _right_or_shuffled(right)
    yield "the opposite sign", replace(right, teacher=-right.teacher), 1


def _right_or_shuffled(right: CheckData) -> Iterator[tuple[str, CheckData, int]]:
    shuffled = np.random.default_rng(3).permutation(len(right.teacher))
    yield "a teacher's own labels", right, 0
    yield "shuffled rows", replace(right, teacher=right.teacher[shuffled]), 1


def _implausible_warnings(estimator: Any, data: CheckData) -> list[str]:
    """Return the messages of the warnings of an implausible teacher in one fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ImplausibleTeacherWarning)
        clone(estimator).fit(data.X, data.y, **{data.teacher_param: data.teacher})
    return [
        str(one.message) for one in caught if issubclass(one.category, ImplausibleTeacherWarning)
    ]
