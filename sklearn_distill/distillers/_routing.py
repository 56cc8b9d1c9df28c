"""Which of fit's parameters go to the teacher, if there is one, to the student and the splitter."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sklearn_distill.teachers.fit_arguments import fit_argument

Params = dict[str, Any]


def router_of(distiller: Any) -> MetadataRouter:
    """Return a router from fit to the teacher's fit, the student's fit and the splitter's split."""
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    router = MetadataRouter(owner=distiller).add_self_request(distiller)
    for part in parts_of(distiller):
        router.add(**{part: getattr(distiller, part)}, method_mapping=to_fit)
    return router.add(splitter=distiller.cv, method_mapping=to_split)


def parts_of(distiller: Any) -> list[str]:
    """Return the parameters that are estimators to fit."""
    return [part for part in ("teacher", "student") if hasattr(distiller, part)]


@dataclass(frozen=True)
class Routed:
    """The parameters of the teacher's fit, the student's fit and the splitter's split."""

    teacher: Params = field(default_factory=dict)
    student: Params = field(default_factory=dict)
    splitter: Params = field(default_factory=dict)


def routed(distiller: Any, sample_weight: Any, fit_params: Params) -> Routed:
    """Return whose the parameters of fit are.

    Without metadata routing ``teacher__name`` and ``student__name`` say where a parameter goes,
    ``groups`` goes to the splitter, and ``sample_weight`` to whoever takes it.
    """
    if get_config()["enable_metadata_routing"]:
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        way = process_routing(distiller, "fit", **weight, **fit_params)
        to_fit = {part: way[part]["fit"] for part in parts_of(distiller)}
        return Routed(**to_fit, splitter=way["splitter"]["split"])
    params = _by_prefix(fit_params, parts_of(distiller))
    if sample_weight is not None:
        if hasattr(distiller, "teacher"):
            params.teacher.update(_teacher_weight(distiller, sample_weight))
        params.student.update(_student_weight(distiller, sample_weight))
    return params


def _by_prefix(fit_params: Params, parts: list[str]) -> Routed:
    params = Routed()
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
    name = fit_argument(distiller.teacher, "sample_weight")
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
    name = fit_argument(distiller.student, "sample_weight")
    if name is None:
        raise ValueError(
            f"student {type(distiller.student).__name__} takes no sample_weight: leave it out or "
            "take another student"
        )
    return {name: sample_weight}
