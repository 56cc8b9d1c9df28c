"""scikit-learn's HistGradientBoostingClassifier and HistGradientBoostingRegressor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from sklearn_distill._validation.hist_gradient_boosting import (
    fit_hist_gradient_boosting,
    fit_hist_gradient_regression,
)
from sklearn_distill.students._boosting.library import (
    ClassificationTask,
    RegressionTask,
)
from sklearn_distill.students._boosting.refusals import (
    OBJECTIVE,
    WEIGHTS,
    refuse_fit_params,
    refuse_params,
)

HistGradientBoosting: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor
_AUTO_ROWS = 10_000  # early_stopping="auto" stops early above this number of rows


def check_classifier(
    estimator: HistGradientBoostingClassifier, fit_params: Mapping[str, Any]
) -> None:
    """Raise for parameters that depend on labels, and for ``warm_start``."""
    params = estimator.get_params(deep=False)
    refuse_params(params, {"class_weight": (None,)}, WEIGHTS)
    refuse_params(params, {"loss": ("log_loss",)}, OBJECTIVE)
    _refuse_void_params(params, "the cross-entropy")
    refuse_fit_params(fit_params, ())


def validation_fraction(
    estimator: HistGradientBoosting, n_rows: int, fit_params: Mapping[str, Any]
) -> float | None:
    """Return the share of the rows to hold out; None also where the training loss is watched."""
    fraction: float | None = estimator.validation_fraction
    return fraction if _stops_early(estimator, n_rows) else None


def fit_classifier(estimator: HistGradientBoostingClassifier, task: ClassificationTask) -> Any:
    """Return a plain fitted HistGradientBoostingClassifier."""
    held_out = task.held_out
    _check_can_stop(estimator, held_out)
    return fit_hist_gradient_boosting(
        estimator,
        task.X,
        task.loss,
        task.classes,
        None if held_out is None else (held_out.X, held_out.loss.mean),
        early_stopping=held_out is not None or _stops_early(estimator, task.loss.n_rows),
    )


def check_regressor(
    estimator: HistGradientBoostingRegressor, fit_params: Mapping[str, Any]
) -> None:
    """Raise for ``warm_start`` and ``scoring``."""
    _refuse_void_params(estimator.get_params(deep=False), "the loss")
    refuse_fit_params(fit_params, ())


def has_squared_error(estimator: HistGradientBoostingRegressor) -> bool:
    """Return whether it has the default loss."""
    return bool(estimator.loss == "squared_error")


def fit_regressor(estimator: HistGradientBoostingRegressor, task: RegressionTask) -> Any:
    """Return a plain fitted HistGradientBoostingRegressor."""
    held_out = task.held_out
    _check_can_stop(estimator, held_out)
    return fit_hist_gradient_regression(
        estimator,
        (task.train.X, task.train.y, task.train.weight),
        None if held_out is None else (held_out.X, held_out.y, held_out.weight),
        early_stopping=held_out is not None or _stops_early(estimator, task.n_rows),
    )


def _refuse_void_params(params: Mapping[str, Any], watched: str) -> None:
    refuse_params(params, {"warm_start": (False,)}, "each fit starts anew; leave it out")
    refuse_params(
        params,
        {"scoring": ("loss",)},
        f"early stopping watches {watched} of the validation rows; leave it out",
    )


def _check_can_stop(estimator: HistGradientBoosting, held_out: object) -> None:
    if held_out is not None and estimator.early_stopping is False:
        raise ValueError(
            "X_val and y_val are given, but estimator has early_stopping=False: set it to True"
        )


def _stops_early(estimator: HistGradientBoosting, n_rows: int) -> bool:
    if estimator.early_stopping == "auto":
        return n_rows > _AUTO_ROWS
    return bool(estimator.early_stopping)
