"""Run all checks on an estimator, in one call or as separate pytest cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from sklearn.base import clone, is_classifier

from sklearn_distill.checks import _inputs, _properties, _silent_faults
from sklearn_distill.checks._data import class_name, classification, regression

CHECKS: tuple[Callable[..., None], ...] = (
    _inputs.check_read_only,  # first: a fit that writes into its data would change the others
    _properties.check_teacher_matters,
    _properties.check_imitation_zero_ignores_teacher,
    _properties.check_no_teacher_is_label_learning,
    _properties.check_row_order,
    _properties.check_class_names,
    _properties.check_missing_predictions,
    _properties.check_forgotten_teacher,
    _properties.check_repeated_rows_are_weights,
    _properties.check_t_squared,
    _properties.check_errors,
    _inputs.check_float32,
    _inputs.check_containers,
    _inputs.check_copies,
    _silent_faults.check_index_order,
    _silent_faults.check_series_name,
    _silent_faults.check_implausible_teacher,
)


def check_distiller(estimator: Any) -> None:
    """Check that an estimator learns from its teacher as a student of this package does.

    A clone is fitted for each check. Properties of the training: changing only the teacher changes
    the student; ``imitation=0`` ignores the teacher; without a teacher, any other ``imitation``
    gives one :class:`~sklearn_distill.TeacherMissingWarning`; the order of the samples and the
    names of the classes have no effect; a sample whose teacher prediction is missing is trained on
    its label only; a repeated sample equals a sample of twice the weight; with ``t_squared``, if
    there is such a parameter, the teacher keeps its influence at a high temperature. Input: wrong
    teacher predictions and parameters raise a ValueError that names the argument and leaves no
    fitted attribute, as does a teacher that is missing in every sample at ``imitation=1``; a list,
    a pandas or polars frame and a memory map are read as the equal array; float32 agrees with
    float64 to single precision; read-only arrays are accepted, and no argument is written into.
    Predictions that were mixed up: a pandas index that lists the samples of X in another order is
    a ValueError; a Series is the class that it is named after; shuffled rows, exchanged columns and
    probabilities passed as logits, and of a regressor shuffled rows and the opposite sign, give one
    :class:`~sklearn_distill.ImplausibleTeacherWarning`.
    Copies: a pickled, deep copied, or cloned and refitted student predicts the same.

    Parameters
    ----------
    estimator : estimator
        A classifier whose ``fit`` takes ``teacher_proba``, or a regressor whose ``fit`` takes
        ``teacher_prediction``, with a parameter ``imitation``.

    Raises
    ------
    AssertionError
        If a property does not hold; the message names it and the deviation.

    See Also
    --------
    parametrize_with_distiller_checks : Each check as a separate pytest case.

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
    """Parametrize a pytest function of (estimator, check), one case per check.

    Parameters
    ----------
    estimators : iterable of estimators
        Estimators that :func:`check_distiller` accepts.
    expected_failed_checks : callable or None, default=None
        Function of an estimator that returns {name of a check: reason}. These checks are marked
        ``xfail`` with ``strict=True``: one that passes is reported as a failure.

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
                name, data = check.func.__name__, check.keywords["data"]
                reason = excused.get(name)
                marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
                label = f"{class_name(estimator)}-{name}-{data.name}"
                yield pytest.param(prepared(estimator), check, id=label, marks=marks)

    return pytest.mark.parametrize(("estimator", "check"), list(cases()))


def prepared(estimator: Any) -> Any:
    """Return a clone with a tolerance that is small enough for comparisons."""
    estimator = clone(estimator)
    if "tol" in estimator.get_params():
        estimator.set_params(tol=1e-9)
    return estimator


def checks_of(estimator: Any) -> Iterator[partial[None]]:
    """Yield every check with the data for this kind of estimator; each takes the estimator."""
    data_sets = (
        [classification(n_classes=2), classification(n_classes=3)]
        if is_classifier(estimator)
        else [regression()]
    )
    for data in data_sets:
        for check in CHECKS:
            yield partial(check, data=data)
