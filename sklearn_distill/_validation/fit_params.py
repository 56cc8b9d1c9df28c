"""Names of the parameters of an estimator's ``fit``, and of those that a missing teacher voids."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sklearn import get_config
from sklearn.base import clone
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.utils.validation import has_fit_parameter

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

TEACHER_PARAMS = ("teacher_proba", "teacher_logits", "teacher_prediction")

_ONE_ESTIMATOR_PER_OUTPUT = (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)


def fit_param_name(estimator: BaseEstimator, name: str) -> str | None:
    """Return the name under which ``fit`` takes a parameter: ``name``, ``step__name`` or None.

    The prefix is that of a pipeline's last step; None means that ``fit`` does not take it.
    """
    if isinstance(estimator, _ONE_ESTIMATOR_PER_OUTPUT):
        # their fit passes **fit_params on; only sample weights mean the same for every output
        inner = getattr(estimator, "estimator", None) or estimator.base_estimator
        return fit_param_name(inner, name) if name == "sample_weight" else None
    steps = getattr(estimator, "steps", None)  # of any Pipeline, scikit-learn's or imblearn's
    if not steps:
        return name if has_fit_parameter(estimator, name) else None
    last_step, last_estimator = steps[-1]
    param = fit_param_name(last_estimator, name)
    if param is None or get_config()["enable_metadata_routing"]:  # routing uses no prefixes
        return param
    return f"{last_step}__{param}"


def teacher_params(estimator: BaseEstimator) -> list[str]:
    """Return the names under which ``fit`` takes a teacher's predictions; none of other models."""
    names = [fit_param_name(estimator, name) for name in TEACHER_PARAMS]
    return [name for name in names if name is not None]


def student_param_name(estimator: BaseEstimator, name: str) -> str | None:
    """Return the name of a student's constructor parameter, as in :func:`fit_param_name`."""
    steps = getattr(estimator, "steps", None)
    if not steps:
        return name if name in estimator.get_params(deep=False) else None
    last_step, last_estimator = steps[-1]
    param = student_param_name(last_estimator, name)
    return None if param is None else f"{last_step}__{param}"


def has_live_teacher(student: BaseEstimator) -> bool:
    """Return whether a network has a live teacher, and needs no predictions in ``fit``."""
    name = student_param_name(student, "teacher")
    return name is not None and student.get_params().get(name) is not None


def clone_without_teacher(estimator: BaseEstimator, fit_params: Collection[str]) -> Any:
    """Return a clone to fit on labels alone; a student's λ is 0, which says that this is meant.

    Parameters
    ----------
    estimator : estimator
        Any model. If it is a student, or a pipeline that ends in one, λ is set to 0, the debiased
        form, which needs a teacher, is left, and a search over λ, T and C is restricted to C, one
        over λ, α and the noise ratio to the last two.
    fit_params : collection of str
        Names of the further parameters of its ``fit``; with a teacher's predictions among them,
        or a live teacher of its own, the student is cloned as it is.

    Returns
    -------
    estimator
        The unfitted clone.

    Examples
    --------
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> clone_without_teacher(DistilledLogisticRegression(), ["sample_weight"]).imitation
    0.0
    >>> clone_without_teacher(DistilledLogisticRegression(), ["teacher_proba"]).imitation
    0.5
    """
    cloned = clone(estimator)
    takes = set(teacher_params(cloned))
    if takes and not takes & set(fit_params) and not has_live_teacher(cloned):
        cloned.set_params(**_params_of_baseline(cloned))
    return cloned


def _params_of_baseline(student: BaseEstimator) -> dict[str, Any]:
    grid = student_param_name(student, "imitations")  # of a search
    if grid is not None:
        return {grid: [0.0]}
    params = student.get_params()
    imitation = student_param_name(student, "imitation")
    if imitation is None or imitation not in params:  # a frozen pipeline has steps, not their λ
        return {}
    searched = student_param_name(student, "metaparameters")
    if searched is not None and "C" in params[searched]:
        return {imitation: 0.0, searched: "C"}
    debias = student_param_name(student, "debias")
    return {imitation: 0.0} if debias is None else {imitation: 0.0, debias: None}
