"""What would be deployed of a fitted model: the part that predicts, without what trained it."""

from __future__ import annotations

from copy import copy
from typing import Any


def deployed_part(model: Any) -> Any:
    """Return the model inside a fitted model that it predicts with.

    Parameters
    ----------
    model : object
        A fitted model.

    Returns
    -------
    object or None
        Of a teacher-student estimator the student, of generations the one that predicts, of a
        search the best estimator, of a network with a live teacher a copy without it; None if the
        model predicts by itself.
    """
    for attribute in ("best_estimator_", "student_"):
        if hasattr(model, attribute):
            return getattr(model, attribute)
    if getattr(model, "teacher", None) is not None and hasattr(model, "net_"):
        network = copy(model)
        network.teacher = None
        return network
    # many estimators have an estimator_, few of which predict alone
    return model.estimator_ if hasattr(model, "best_generation_") else None


def deployed(model: Any) -> Any:
    """Return the innermost part of a fitted model that predicts; the model itself without any.

    Parameters
    ----------
    model : object
        A fitted model.

    Returns
    -------
    object
        See :func:`deployed_part`.
    """
    while (part := deployed_part(model)) is not None:
        model = part
    return model
