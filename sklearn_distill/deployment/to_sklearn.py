"""A fitted model without this package: students replaced by scikit-learn's estimators."""

from __future__ import annotations

import io
import pickle
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_distill.deployment._deployed_part import deployed_part

__all__ = ["to_sklearn"]

N_LISTED = 3


def to_sklearn(model: Any) -> Any:
    """Return a model with the same predictions that does not need this package.

    Parameters
    ----------
    model : estimator
        A fitted student; an estimator that contains one: a teacher-student pair, generations, a
        search, or a Pipeline, whose steps are converted; or any other estimator, which is returned
        as it is.

    Returns
    -------
    estimator
        Of scikit-learn, or of a boosting library. That of a student of privileged features takes
        the regular features only.

    Raises
    ------
    TypeError
        If scikit-learn has no estimator with these predictions, as for networks: the message names
        the way out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_distill import DistilledLogisticRegression
    >>> X, y = np.array([[1.0], [2.0], [3.0]]), [0, 1, 1]
    >>> model = make_pipeline(StandardScaler(), DistilledLogisticRegression(imitation=0)).fit(X, y)
    >>> to_sklearn(model)[-1]
    LogisticRegression()
    """
    check_is_fitted(model)
    if isinstance(model, Pipeline):
        steps = [(name, _step_to_sklearn(step)) for name, step in model.steps]
        return Pipeline(steps)
    if hasattr(model, "to_sklearn"):
        return model.to_sklearn()
    part = deployed_part(model)
    if part is not None:
        return to_sklearn(part)
    if _is_ours(model):
        instead = "save it by to_onnx" if hasattr(model, "to_onnx") else "save the model itself"
        raise TypeError(
            f"scikit-learn has no estimator with the predictions of {type(model).__name__}: "
            f"{instead}"
        )
    _refuse_inner(model)
    return model


def _is_ours(thing: Any) -> bool:
    return type(thing).__module__.split(".")[0] == __name__.split(".")[0]


def _step_to_sklearn(step: Any) -> Any:
    return step if step is None or isinstance(step, str) else to_sklearn(step)


def _refuse_inner(model: Any) -> None:
    """Raise a TypeError if another package's estimator contains objects of this one."""
    parts = _Parts(io.BytesIO())
    parts.dump(model)
    if parts.ours:
        raise TypeError(
            f"{type(model).__name__} contains {', '.join(sorted(parts.ours)[:N_LISTED])}, which it "
            "predicts with: convert these by themselves, or save the model itself"
        )


class _Parts(pickle.Pickler):
    """A pickler that notes which classes of this package a model consists of."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.ours: set[str] = set()

    def persistent_id(self, obj: Any) -> None:
        if _is_ours(obj):
            self.ours.add(type(obj).__name__)
