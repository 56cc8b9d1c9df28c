"""The last step of a pipeline."""

from __future__ import annotations

from typing import Any


def last_step(estimator: Any) -> Any:
    """Return the estimator itself, or the last step of a pipeline, however deeply nested."""
    steps = getattr(estimator, "steps", None)  # of any Pipeline, scikit-learn's or imblearn's
    return last_step(steps[-1][1]) if steps else estimator


def replace_last_step(estimator: Any, last: Any) -> Any:
    """Return ``last``, or a pipeline with the other steps of the estimator if that is one."""
    steps = getattr(estimator, "steps", None)
    if not steps:
        return last
    name, inner = steps[-1]
    params = estimator.get_params(deep=False)
    params["steps"] = [*steps[:-1], (name, replace_last_step(inner, last))]
    return type(estimator)(**params)
