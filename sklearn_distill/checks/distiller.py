"""Run all checks on an estimator, at once or as tests of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from sklearn.base import clone, is_classifier

from sklearn_distill.checks import _inputs, _properties
from sklearn_distill.checks._data import class_name, classification, regression

CHECKS: tuple[Callable[..., None], ...] = (
    _inputs.check_read_only,  # before what it would spoil
    _properties.check_teacher_matters,
    _properties.check_imitation_zero_ignores_teacher,
    _properties.check_no_teacher_is_label_learning,
    _properties.check_row_order,
    _properties.check_class_names,
    _properties.check_silent_rows,
    _properties.check_repeated_rows_are_weights,
    _properties.check_t_squared,
    _properties.check_errors,
    _inputs.check_float32,
    _inputs.check_containers,
    _inputs.check_copies,
)


def check_distiller(estimator: Any) -> None:
    """Check that a student learns from its teacher, and from nothing else that it should not.

    A fresh clone is fitted for each check. Laws: changing only the teacher changes the student;
    ``imitation=0`` ignores the teacher; the order of rows and the names of classes say nothing; a
    teacher that is silent on a row is as good as none there; a repeated row is a row of twice the
    weight; with ``t_squared``, where there is such a parameter, a teacher keeps its influence at a
    high temperature. Input: wrong teacher outputs and parameters raise ValueErrors that name the
    argument and leave nothing half-fitted; a list, a pandas or polars frame and a memory map say
    what an array says; float32 gives nearly what float64 gives; read-only arrays are taken, and
    no array is written into. Copies: pickled, deep copied or cloned and fitted again, a student
    stays the same.

    Parameters
    ----------
    estimator : estimator
        A classifier whose ``fit`` takes ``teacher_proba``, or a regressor whose ``fit`` takes
        ``teacher_prediction``, with a parameter ``imitation``.

    Raises
    ------
    AssertionError
        If a law does not hold; the message says which and by how much.

    See Also
    --------
    parametrize_with_distiller_checks : Each check as a test of its own.

    Examples
    --------
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> from sklearn_distill.checks import check_distiller
    >>> check_distiller(DistilledLogisticRegression())
    """
    for check in checks_of(estimator):
        check(prepared(estimator))


def parametrize_with_distiller_checks(
    estimators: Iterable[Any],
    *,
    expected_failed_checks: Callable[[Any], dict[str, str]] | None = None,
) -> Any:
    """Decorate a pytest function of (estimator, check) so that each check is a test of its own.

    Parameters
    ----------
    estimators : iterable of estimators
        As :func:`check_distiller` takes them.
    expected_failed_checks : callable or None, default=None
        Takes an estimator and returns {name of a check: why it fails}; those are marked
        ``xfail``, strictly: a check that passes after all is a failure.

    Returns
    -------
    decorator
        A ``pytest.mark.parametrize``.

    Examples
    --------
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> from sklearn_distill.checks import parametrize_with_distiller_checks
    >>> @parametrize_with_distiller_checks([DistilledLogisticRegression()])
    ... def test_student(estimator, check):
    ...     check(estimator)
    """
    import pytest

    def cases() -> Iterator[Any]:
        for estimator in estimators:
            excused = expected_failed_checks(estimator) if expected_failed_checks else {}
            for check in checks_of(estimator):
                name, lesson = check.func.__name__, check.keywords["lesson"]
                reason = excused.get(name)
                marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
                label = f"{class_name(estimator)}-{name}-{lesson.name}"
                yield pytest.param(prepared(estimator), check, id=label, marks=marks)

    return pytest.mark.parametrize(("estimator", "check"), list(cases()))


def prepared(estimator: Any) -> Any:
    """Return a clone that is fitted closely enough for comparisons."""
    estimator = clone(estimator)
    if "tol" in estimator.get_params():
        estimator.set_params(tol=1e-9)
    return estimator


def checks_of(estimator: Any) -> Iterator[partial[None]]:
    """Yield every check with the data for this kind of estimator; each takes the estimator."""
    lessons = (
        [classification(n_classes=2), classification(n_classes=3)]
        if is_classifier(estimator)
        else [regression()]
    )
    for lesson in lessons:
        for check in CHECKS:
            yield partial(check, lesson=lesson)
