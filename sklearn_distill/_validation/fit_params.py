"""How ``fit`` of an estimator calls what it is given."""

from __future__ import annotations

from typing import Any

from sklearn import get_config
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.utils.validation import has_fit_parameter

_ONE_ESTIMATOR_AN_OUTPUT = (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)


def fit_param_name(estimator: Any, name: str) -> str | None:
    """Return how ``fit`` calls an argument: itself, ``step__name`` of a pipeline, or None.

    Multi-output estimators hand row weights on to the estimator of each output; nothing else has
    one meaning for all outputs.
    """
    if isinstance(estimator, _ONE_ESTIMATOR_AN_OUTPUT):
        inner = getattr(estimator, "estimator", None) or estimator.base_estimator
        return fit_param_name(inner, name) if name == "sample_weight" else None
    steps = getattr(estimator, "steps", None)
    if not steps:
        return name if has_fit_parameter(estimator, name) else None
    argument = fit_param_name(steps[-1][1], name)
    if argument is None or get_config()["enable_metadata_routing"]:  # routing knows no prefixes
        return argument
    return f"{steps[-1][0]}__{argument}"
