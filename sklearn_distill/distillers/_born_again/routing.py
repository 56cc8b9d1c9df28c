"""Which of fit's parameters go to each generation's fit and to the splitter."""

from __future__ import annotations

from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from sklearn_distill.teachers.errors import name_of
from sklearn_distill.teachers.fit_arguments import fit_argument

Params = dict[str, Any]


def router_of(distiller: Any) -> MetadataRouter:
    """Return a router from fit to the student's fit and the splitter's split."""
    to_fit = MethodMapping().add(caller="fit", callee="fit")
    to_split = MethodMapping().add(caller="fit", callee="split")
    return (
        MetadataRouter(owner=distiller)
        .add_self_request(distiller)
        .add(student=distiller.student, method_mapping=to_fit)
        .add(splitter=distiller.cv, method_mapping=to_split)
    )


def routed(distiller: Any, sample_weight: Any, fit_params: Params) -> tuple[Params, Params]:
    """Return the parameters of the student's fit and those of the splitter's split.

    Without metadata routing ``student__name`` goes to the student and ``groups`` to the splitter.
    """
    weight = {} if sample_weight is None else {"sample_weight": sample_weight}
    if get_config()["enable_metadata_routing"]:
        way = process_routing(distiller, "fit", **weight, **fit_params)
        return way["student"]["fit"], way["splitter"]["split"]
    student, splitter = _by_prefix(fit_params)
    if weight:
        student[_weight_argument(distiller.student)] = sample_weight
    return student, splitter


def _by_prefix(fit_params: Params) -> tuple[Params, Params]:
    student, splitter = {}, {}
    for name, value in fit_params.items():
        part, _, inner = name.partition("__")
        if inner and part == "student":
            student[inner] = value
        elif name == "groups":
            splitter[name] = value
        else:
            raise TypeError(
                f"fit got an unexpected argument {name!r}: say student__{name}, or enable metadata "
                "routing"
            )
    return student, splitter


def _weight_argument(student: Any) -> str:
    name = fit_argument(student, "sample_weight")
    if name is None:
        raise ValueError(
            f"student {name_of(student)} takes no sample_weight: leave it out or take another "
            "student"
        )
    return name
