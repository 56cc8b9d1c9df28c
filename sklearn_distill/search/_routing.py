"""Which of fit's parameters go to the splitter."""

from __future__ import annotations

from typing import Any

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing


def router_of(search: Any) -> MetadataRouter:
    """Return a router from fit to the estimator itself and to the splitter's split."""
    to_split = MethodMapping().add(caller="fit", callee="split")
    router = MetadataRouter(owner=search).add_self_request(search)
    return router.add(splitter=search.cv, method_mapping=to_split)


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
