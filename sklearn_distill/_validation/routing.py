"""Metadata routing: which parameters of ``fit`` go to teacher, student and splitter."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sklearn_distill._validation.fit_params import fit_param_name

Params = dict[str, Any]


def make_router(estimator: Any) -> MetadataRouter:
    """Return a router from fit to the estimator itself, its teacher, its student and its splitter.

    Parameters
    ----------
    estimator : estimator
        It has ``cv``, and a ``teacher`` and a ``student`` or neither of them.

    Returns
    -------
    MetadataRouter
        From ``fit`` to the ``fit`` of teacher and student and the ``split`` of the splitter.
    """
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    router = MetadataRouter(owner=estimator).add_self_request(estimator)
    for name in nested_estimators(estimator):
        router.add(**{name: getattr(estimator, name)}, method_mapping=to_fit)
    return router.add(splitter=estimator.cv, method_mapping=to_split)


def nested_estimators(estimator: Any) -> list[str]:
    """Return the parameters that are estimators to fit."""
    return [name for name in ("teacher", "student") if hasattr(estimator, name)]


@dataclass(frozen=True)
class RoutedParams:
    """The parameters of the teacher's fit, the student's fit and the splitter's split."""

    teacher: Params = field(default_factory=dict)
    student: Params = field(default_factory=dict)
    splitter: Params = field(default_factory=dict)


def route_fit_params(distiller: Any, sample_weight: Any, fit_params: Params) -> RoutedParams:
    """Distribute the parameters of ``fit`` over teacher, student and splitter.

    Without metadata routing the prefixes ``teacher__`` and ``student__`` name the receiver,
    ``groups`` goes to the splitter, and ``sample_weight`` to each estimator whose fit takes it.
    """
    if get_config()["enable_metadata_routing"]:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        params_of = process_routing(distiller, "fit", **weight, **fit_params)
        to_fit = {name: params_of[name]["fit"] for name in nested_estimators(distiller)}
        return RoutedParams(**to_fit, splitter=params_of["splitter"]["split"])
    params = _by_prefix(fit_params, nested_estimators(distiller))
    if sample_weight is not None:
        if hasattr(distiller, "teacher"):
            params.teacher.update(_teacher_weight(distiller, sample_weight))
        params.student.update(_student_weight(distiller, sample_weight))
    return params


def _by_prefix(fit_params: Params, parts: list[str]) -> RoutedParams:
    params = RoutedParams()
    for name, value in fit_params.items():
        part, _, inner = name.partition("__")
        if inner and part in parts:
            getattr(params, part)[inner] = value
        elif name == "groups":
            params.splitter[name] = value
        else:
            known = " or ".join(f"{part}__{name}" for part in parts)
            raise TypeError(
                f"fit got an unexpected argument {name!r}: say {known}, or enable metadata routing"
            )
    return params


def _teacher_weight(distiller: Any, sample_weight: Any) -> Params:
    if isinstance(distiller.cv, str):  # "prefit": it is not fitted here
        return {}
    name = fit_param_name(distiller.teacher, "sample_weight")
    if name is None:
        warnings.warn(
            f"teacher {type(distiller.teacher).__name__} takes no sample_weight and counts every "
            "row once; the weights go to the student alone",
            UserWarning,
            stacklevel=2,
        )
        return {}
    return {name: sample_weight}


def _student_weight(distiller: Any, sample_weight: Any) -> Params:
    name = fit_param_name(distiller.student, "sample_weight")
    if name is None:
        raise ValueError(
            f"student {type(distiller.student).__name__} takes no sample_weight: leave it out or "
            "take another student"
        )
    return {name: sample_weight}


def split_params(search: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the splitter's split; without routing that can be ``groups``."""
    if get_config()["enable_metadata_routing"]:
        return dict(process_routing(search, "fit", **params)["splitter"]["split"])
    unknown = sorted(set(params) - {"groups"})
    if unknown:
        raise TypeError(
            f"fit got an unexpected argument {unknown[0]!r}: without metadata routing it takes "
            "teacher_proba, teacher_logits and, for the splitter, groups"
        )
    return params
