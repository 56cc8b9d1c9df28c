"""scikit-learn's HistGradientBoostingClassifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier

from sklearn_distill._validation.hist_gradient_boosting import fit_hist_gradient_boosting
from sklearn_distill.students._boosting.library import (
    OBJECTIVE,
    WEIGHTS,
    BoostingTask,
    refuse_fit_params,
    refuse_params,
)

_AUTO_ROWS = 10_000  # early_stopping="auto" stops early above this number of rows


def check_parameters(
    estimator: HistGradientBoostingClassifier, fit_params: Mapping[str, Any]
) -> None:
    """Raise for parameters that depend on labels, and for ``warm_start``."""
    params = estimator.get_params(deep=False)
    refuse_params(params, {"class_weight": (None,)}, WEIGHTS)
    refuse_params(params, {"loss": ("log_loss",)}, OBJECTIVE)
    refuse_params(params, {"warm_start": (False,)}, "each fit starts anew; leave it out")
    refuse_params(
        params,
        {"scoring": ("loss",)},
        "early stopping watches the cross-entropy of the validation rows; leave it out",
    )
    refuse_fit_params(fit_params, ())


def validation_fraction(
    estimator: HistGradientBoostingClassifier, n_rows: int, fit_params: Mapping[str, Any]
) -> float | None:
    """Return the share of the rows to hold out; None also where the training loss is watched."""
    fraction: float | None = estimator.validation_fraction
    return fraction if _stops_early(estimator, n_rows) else None


def fit_task(estimator: HistGradientBoostingClassifier, task: BoostingTask) -> Any:
    """Return a plain fitted HistGradientBoostingClassifier."""
    held_out = task.held_out
    if held_out is not None and estimator.early_stopping is False:
        raise ValueError(
            "X_val and y_val are given, but estimator has early_stopping=False: set it to True"
        )
    return fit_hist_gradient_boosting(
        estimator,
        task.X,
        task.loss,
        task.classes,
        None if held_out is None else (held_out.X, held_out.loss.mean),
        early_stopping=held_out is not None or _stops_early(estimator, task.loss.n_rows),
    )


def _stops_early(estimator: HistGradientBoostingClassifier, n_rows: int) -> bool:
    if estimator.early_stopping == "auto":
        return n_rows > _AUTO_ROWS
    return bool(estimator.early_stopping)
