"""Names of the parameters of an estimator's ``fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn import get_config
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.utils.validation import has_fit_parameter

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

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
