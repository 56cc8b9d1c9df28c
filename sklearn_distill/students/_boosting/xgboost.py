"""XGBoost's XGBClassifier and XGBRegressor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses import ScoreLoss
from sklearn_distill.students._boosting.library import (
    VALIDATION_FRACTION,
    ClassificationTask,
    RegressionTask,
    by_class,
)
from sklearn_distill.students._boosting.refusals import (
    NO_CLASSES,
    OBJECTIVE,
    WEIGHTS,
    refuse_fit_params,
    refuse_own_loss,
    refuse_params,
)

_OWN_OBJECTIVES = (None, "binary:logistic", "multi:softprob")
_MIN_VERSION = (3, 2)
_MIN_PRIOR = 1e-7  # the library's start of two classes is a float32 inside (0, 1)


def check_classifier(estimator: Any, fit_params: Mapping[str, Any]) -> None:
    """Raise for parameters that depend on labels, and for objectives."""
    params = estimator.get_params(deep=False)
    refuse_params(params, {"scale_pos_weight": (None, 1)}, WEIGHTS)
    refuse_params(params, {"objective": _OWN_OBJECTIVES}, OBJECTIVE)
    refuse_params(params, {"eval_metric": (None,)}, "the metric is the cross-entropy; leave it out")
    refuse_params(
        params, {"base_score": (None,)}, "the scores start at the best constant; leave it out"
    )
    refuse_fit_params(fit_params)


def validation_fraction(estimator: Any, n_rows: int, fit_params: Mapping[str, Any]) -> float | None:
    """Return 0.1 with early stopping as a parameter or a callback."""
    names = {type(callback).__name__ for callback in estimator.callbacks or ()}
    stops = estimator.early_stopping_rounds is not None or "EarlyStopping" in names
    return VALIDATION_FRACTION if stops else None


def fit_classifier(estimator: Any, task: ClassificationTask) -> Any:
    """Return a plain fitted XGBClassifier, which predicts class numbers instead of labels."""
    from xgboost import __version__

    _check_version(__version__)
    K = len(task.classes)
    if task.loss.n_rows < K:  # it counts the classes among the labels that it is given
        raise ValueError(
            f"X has {task.loss.n_rows} rows to train on, and XGBClassifier needs as many as there "
            f"are classes, {K}: pass more rows, or another estimator"
        )
    # beside a callable the library sets its own objective, which the saved model then has
    estimator.set_params(objective=_objective(task.loss))
    fit_params = {"verbose": False} | dict(task.fit_params)
    if fit_params.get("xgb_model") is None:  # the trees of an earlier model contain its start
        estimator.set_params(base_score=_base_score(task.loss.start()))
    if task.held_out is not None:
        estimator.set_params(
            eval_metric=_cross_entropy(task.held_out.loss), disable_default_eval_metric=True
        )
        fit_params["eval_set"] = [(task.held_out.X, _any_labels(task.held_out.X.shape[0], K))]
    # weights as well, for the quantiles of the features; the objective ignores them
    estimator.fit(
        task.X, _any_labels(task.loss.n_rows, K), sample_weight=task.loss.weight, **fit_params
    )
    estimator.set_params(
        objective="multi:softprob" if K > 2 else "binary:logistic",
        base_score=None,
        eval_metric=None,
    )
    if task.held_out is not None:
        del estimator.kwargs["disable_default_eval_metric"]
        if not estimator.kwargs:
            del estimator.kwargs
    return estimator


def check_regressor(estimator: Any, fit_params: Mapping[str, Any]) -> None:
    """Raise for weights of classes."""
    refuse_params(estimator.get_params(deep=False), {"scale_pos_weight": (None, 1)}, NO_CLASSES)
    refuse_fit_params(fit_params, takes_metric=True)


def has_squared_error(estimator: Any) -> bool:
    """Return whether it has the default loss."""
    refuse_own_loss("objective", estimator.objective)
    return estimator.objective in {None, "reg:squarederror"}


def fit_regressor(estimator: Any, task: RegressionTask) -> Any:
    """Return a fitted XGBRegressor."""
    fit_params = {"verbose": False} | dict(task.fit_params)
    if task.held_out is not None:
        fit_params["eval_set"] = [(task.held_out.X, task.held_out.y)]
        if task.held_out.weight is not None:
            fit_params["sample_weight_eval_set"] = [task.held_out.weight]
    return estimator.fit(task.train.X, task.train.y, sample_weight=task.train.weight, **fit_params)


def _check_version(version: str) -> None:
    """Require the version that starts several classes at their shares, and saves this start."""
    if tuple(map(int, version.split(".")[:2])) < _MIN_VERSION:
        raise ImportError(
            f"DistilledBoostingClassifier needs xgboost 3.2, and {version} is installed: "
            'pip install "sklearn-distill[boosting]"'
        )


def _objective(loss: ScoreLoss) -> Callable[..., tuple[FloatArray, FloatArray]]:
    factor = 2.0 if loss.n_classes > 2 else 1.0  # the library's own
    gradient, hessian = np.empty((2, loss.n_rows, loss.n_scores), dtype=np.float32)

    def derivatives(
        y_true: Any, scores: FloatArray, sample_weight: Any = None
    ) -> tuple[FloatArray, FloatArray]:
        loss.derivatives(by_class(scores), gradient.T, hessian.T)
        if factor != 1:
            np.multiply(hessian, factor, out=hessian)
        return gradient, hessian

    return derivatives


def _cross_entropy(loss: ScoreLoss) -> Callable[..., float]:
    def cross_entropy(y_true: Any, scores: FloatArray) -> float:
        return loss.mean(by_class(scores))

    return cross_entropy


def _base_score(start: FloatArray) -> float | list[float]:
    if len(start) > 1:
        return [float(score) for score in start]
    return float(np.clip(expit(start[0]), _MIN_PRIOR, 1 - _MIN_PRIOR))


def _any_labels(n_rows: int, n_classes: int) -> Any:
    """Return labels that contain every class; only the library's check reads them."""
    return np.arange(n_rows) % n_classes
