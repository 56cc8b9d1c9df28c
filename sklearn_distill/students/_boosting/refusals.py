"""Errors for parameters that a student sets itself, or that depend on labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_distill._validation.numbers import list_values

WEIGHTS = (
    "its labels are not those of y, on which such weights depend; pass class_weight= to the "
    "student, or sample_weight= to fit"
)
NO_CLASSES = "a regression has no classes, whose weights it would set; leave it out"
OBJECTIVE = "the student has its own objective, the cross-entropy; leave it out"

_VALIDATION = "pass X_val=, y_val= and sample_weight_val="
_START = "the scores start at the best constant; init_model= or xgb_model= continues a model"
_OURS = {
    "eval_set": _VALIDATION,
    "eval_names": _VALIDATION,
    "eval_sample_weight": _VALIDATION,
    "sample_weight_eval_set": _VALIDATION,
    "eval_class_weight": _VALIDATION,
    "eval_init_score": _VALIDATION,
    "base_margin_eval_set": _VALIDATION,
    "eval_X": _VALIDATION,
    "eval_y": _VALIDATION,
    "eval_metric": "the metric is the cross-entropy of the validation rows",
    "init_score": _START,
    "base_margin": _START,
    "baseline": _START,
}


def refuse_params(params: Mapping[str, Any], neutral: Mapping[str, Any], why: str) -> None:
    """Require that parameters of a library have a value without effect.

    Parameters
    ----------
    params : mapping
        All parameters of the library's model.
    neutral : mapping
        For each refused parameter, a tuple of the values that are allowed.
    why : str
        What to do instead, for the message.

    Raises
    ------
    ValueError
        If a parameter has another value; the message names it.
    """
    for name, allowed in neutral.items():
        value = params.get(name, allowed[0])
        if not any(value is one or value == one for one in allowed):
            raise ValueError(f"estimator has {name}={value!r}: {why}")


def refuse_own_loss(name: str, loss: Any) -> None:
    """Raise a ValueError if a regressor's loss has no name: it may ignore the weights."""
    if loss is not None and not isinstance(loss, str):
        raise ValueError(
            f"estimator has {name}={loss!r}, which may ignore the weights of the two targets of a "
            "row: pass the name of one of the library's own losses"
        )


def refuse_fit_params(
    fit_params: Mapping[str, Any], accepted: Any = None, *, takes_metric: bool = False
) -> None:
    """Refuse parameters of ``fit`` that the student sets itself, or that the library lacks.

    Parameters
    ----------
    fit_params : mapping
        Further parameters of ``fit``.
    accepted : collection of str or None
        Names that the library takes; None for no check.
    takes_metric : bool, default=False
        Whether the library may have an ``eval_metric`` of the user.

    Raises
    ------
    TypeError
        If there is such a parameter; the message names it.
    """
    for name in fit_params:
        if name in _OURS and not (takes_metric and name == "eval_metric"):
            raise TypeError(f"fit got {name}=: {_OURS[name]}")
        if accepted is not None and name not in accepted:
            raise TypeError(
                f"fit got an unexpected keyword argument {name!r}; the library takes "
                f"{list_values(np.array(sorted(accepted)))}"
                if len(accepted)
                else f"fit got an unexpected keyword argument {name!r}"
            )
