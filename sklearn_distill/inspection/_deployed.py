"""What would be deployed of a fitted model: the part that predicts, without what trained it."""

from __future__ import annotations

import pickle
from copy import copy
from io import BytesIO
from typing import Any

from sklearn_distill._typing import MatrixLike
from sklearn_distill.students import DistilledNeuralClassifier, DistilledNeuralRegressor

_NETWORKS = (DistilledNeuralClassifier, DistilledNeuralRegressor)


def deployed(model: Any) -> Any:
    """Return the part of a fitted model that predicts.

    Of a teacher-student estimator this is the student, of generations the one that predicts, of a
    search the best estimator, of a network the network without its live teacher.

    Parameters
    ----------
    model : object
        A fitted model.

    Returns
    -------
    object
        The part; the model itself if it is of another kind.
    """
    for attribute in ("best_estimator_", "student_"):
        if hasattr(model, attribute):
            return deployed(getattr(model, attribute))
    if isinstance(model, _NETWORKS) and model.teacher is not None:
        network = copy(model)
        network.teacher = None
        return network
    # many estimators have an estimator_, few of which predict alone
    return deployed(model.estimator_) if hasattr(model, "best_generation_") else model


def deployed_with_features(model: Any, X: MatrixLike) -> tuple[Any, MatrixLike]:
    """Return the part of a fitted model that predicts, and its features.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : array-like
        Samples with the features of the model.

    Returns
    -------
    part : estimator
        As :func:`deployed`; in a copy of a pipeline, its last step is replaced.
    X : array-like
        The samples with the features of this part.
    """
    if hasattr(model, "best_estimator_"):
        return deployed_with_features(model.best_estimator_, X)
    if hasattr(model, "student_"):
        return deployed_with_features(model.student_, model.student_features(X))
    if hasattr(model, "best_generation_"):
        return deployed_with_features(model.estimator_, X)
    return _deployed_pipeline(model), X


def _deployed_pipeline(model: Any) -> Any:
    """Replace the last step by its part that predicts, if both use the same features."""
    steps = getattr(model, "steps", None)
    if not steps:
        return model
    name, last = steps[-1]
    part = _deployed_pipeline(deployed(last))
    # a step with privileged features also selects the student's: the pipeline cannot do without
    if part is last or _n_features(part) != _n_features(last):
        return model
    shortened = copy(model)
    shortened.steps = [*steps[:-1], (name, part)]
    return shortened


def _n_features(model: Any) -> int | None:
    return getattr(model, "n_features_in_", None)


def deployed_pickle(model: object) -> bytes:
    """Pickle a fitted model, and in it each model as what is deployed of it.

    Parameters
    ----------
    model : object
        A fitted model.

    Returns
    -------
    bytes
        The pickle.
    """
    buffer = BytesIO()
    _DeployedPickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(deployed(model))
    return buffer.getvalue()


class _DeployedPickler(pickle.Pickler):
    """Replace the models inside a model, such as the steps of a pipeline."""

    def reducer_override(self, obj: Any) -> Any:
        part = deployed(obj)
        return NotImplemented if part is obj else (_unchanged, (part,))


def _unchanged(part: Any) -> Any:
    return part
