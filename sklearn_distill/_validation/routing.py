"""Metadata routing: which parameters of ``fit`` go to teacher, student and splitter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import take_params
from sklearn_distill._validation.user_warning import warn_user

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from sklearn_distill._typing import ArrayLike, IntArray

Params: TypeAlias = dict[str, Any]  # keyword arguments of fit or split
_PREDICTIONS = ("teacher_proba", "teacher_logits", "teacher_prediction")


def make_router(estimator: BaseEstimator) -> MetadataRouter:
    """Return the router of the metadata that an estimator's ``fit`` takes.

    Parameters
    ----------
    estimator : estimator
        An estimator with a parameter ``cv`` and, if it has nested estimators, ``teacher`` or
        ``student``.

    Returns
    -------
    MetadataRouter
        Routes metadata of ``fit`` to the estimator itself, to the ``fit`` of teacher and student,
        and to the ``split`` of the splitter.
    """
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    router = MetadataRouter(owner=estimator).add_self_request(estimator)
    for name in nested_estimators(estimator):
        router.add(**{name: getattr(estimator, name)}, method_mapping=to_fit)
    return router.add(splitter=estimator.cv, method_mapping=to_split)


def nested_estimators(estimator: BaseEstimator) -> list[str]:
    """Return the names of the parameters that are estimators to fit."""
    return [name for name in ("teacher", "student") if hasattr(estimator, name)]


@dataclass(frozen=True)
class RoutedParams:
    """The parameters of the teacher's fit, the student's fit and the splitter's split."""

    teacher: Params = field(default_factory=dict)
    student: Params = field(default_factory=dict)
    splitter: Params = field(default_factory=dict)

    def take(self, rows: IntArray, n_rows: int) -> RoutedParams:
        """Return the entries of some of ``n_rows`` rows, and other values unchanged."""
        each = (self.teacher, self.student, self.splitter)
        return RoutedParams(*(take_params(params, rows, n_rows) for params in each))


def route_fit_params(
    distiller: BaseEstimator, sample_weight: ArrayLike | None, fit_params: Params
) -> RoutedParams:
    """Distribute the parameters of ``fit`` over teacher, student and splitter.

    Without metadata routing the prefix is ``teacher__`` or ``student__``, ``groups`` is passed to
    the splitter, and ``sample_weight`` to each estimator whose fit takes it.
    """
    if get_config()["enable_metadata_routing"]:
        # process_routing raises an error for metadata that is not requested, even if it is None
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        params_of = process_routing(distiller, "fit", **weight, **fit_params)
        to_fit = {name: params_of[name]["fit"] for name in nested_estimators(distiller)}
        return RoutedParams(**to_fit, splitter=params_of["splitter"]["split"])
    params = _split_by_prefix(distiller, fit_params)
    if sample_weight is not None:
        if hasattr(distiller, "teacher"):
            params.teacher.update(_teacher_weight(distiller.teacher, distiller.cv, sample_weight))
        params.student.update(_student_weight(distiller.student, sample_weight))
    return params


def refuse_predictions(distiller: BaseEstimator, student_params: Params) -> None:
    """Refuse a teacher's predictions for an estimator that makes them itself.

    Parameters
    ----------
    distiller : estimator
        The estimator that fits teacher and student, for the message.
    student_params : dict
        Parameters of the student's fit.

    Raises
    ------
    TypeError
        If one of them holds predictions.
    """
    for name in student_params:
        if name.rpartition("__")[2] in _PREDICTIONS:
            raise TypeError(
                f"{type(distiller).__name__} makes the teacher's predictions itself and takes no "
                f"{name}: leave it out, or fit the student alone on the predictions that you have"
            )


def _split_by_prefix(owner: BaseEstimator, fit_params: Params) -> RoutedParams:
    params, estimators = RoutedParams(), nested_estimators(owner)
    for name, value in fit_params.items():
        estimator, _, param = name.partition("__")
        if param and estimator in estimators:
            getattr(params, estimator)[param] = value
        elif name == "groups":
            params.splitter[name] = value
        else:
            refuse_predictions(owner, {name: value})
            prefixed = " or ".join(f"{estimator}__{name}" for estimator in estimators)
            raise_unrouted(owner, name, f"pass {prefixed}")
    return params


def _teacher_weight(teacher: BaseEstimator, cv: Any, sample_weight: ArrayLike) -> Params:
    if isinstance(cv, str):  # "prefit": the teacher is not fitted here
        return {}
    name = fit_param_name(teacher, "sample_weight")
    if name is None:
        warn_user(
            f"teacher {type(teacher).__name__} takes no sample_weight and counts every row once; "
            "the weights are passed to the student only",
        )
        return {}
    return {name: sample_weight}


def _student_weight(student: BaseEstimator, sample_weight: ArrayLike) -> Params:
    name = fit_param_name(student, "sample_weight")
    if name is None:
        raise ValueError(
            f"student {type(student).__name__} takes no sample_weight: leave it out or "
            "take another student"
        )
    return {name: sample_weight}


def split_params(search: BaseEstimator, params: Params) -> Params:
    """Return the parameters of the splitter's ``split``; without routing only ``groups``."""
    if get_config()["enable_metadata_routing"]:
        return dict(process_routing(search, "fit", **params)["splitter"]["split"])
    unknown = sorted(set(params) - {"groups"})
    if unknown:
        given = "teacher_proba, teacher_logits, teacher_weight"
        if not is_classifier(search):
            given = "teacher_prediction, teacher_std, teacher_weight"
        raise_unrouted(search, unknown[0], f"fit takes {given} and, for the splitter, groups")
    return params


def raise_unrouted(owner: BaseEstimator, name: str, advice: str) -> NoReturn:
    """Raise scikit-learn's error for an unknown parameter of ``fit`` without metadata routing."""
    raise ValueError(
        f"Passing extra keyword arguments to {type(owner).__name__}.fit is only supported if "
        "enable_metadata_routing=True, which you can set using `sklearn.set_config`. Extra "
        f"parameters passed are: {{{name!r}}}. Without it, {advice}"
    )
