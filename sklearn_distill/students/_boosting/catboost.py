"""CatBoost's CatBoostRegressor, and CatBoostClassifier of two classes that is not softened.

It calls an objective in Python row by row, which takes 15 times as long; its own cross-entropy
takes a probability as the label, at temperature 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses import ScoreLoss
from sklearn_distill.students._boosting.library import (
    VALIDATION_FRACTION,
    ClassificationTask,
    RegressionTask,
    unfitted_copy,
)
from sklearn_distill.students._boosting.refusals import (
    OBJECTIVE,
    WEIGHTS,
    refuse_fit_params,
    refuse_own_loss,
    refuse_params,
)

_WEIGHT_PARAMS = {
    "class_weights": (None,),
    "auto_class_weights": (None, "None"),
    "scale_pos_weight": (None, 1),
}
_OBJECTIVE_PARAMS = {"loss_function": (None, "Logloss", "CrossEntropy"), "objective": (None,)}
_LABEL_PARAMS = dict.fromkeys(("target_border", "class_names", "classes_count"), (None,))
_METRIC = "the metric is the cross-entropy; leave it out"
_EARLY_STOPPING_PARAMS = ("early_stopping_rounds", "od_wait", "od_type", "od_pval")
_VERBOSITY = ("verbose", "verbose_eval", "silent", "logging_level", "metric_period")


def check_classifier(estimator: Any, fit_params: Mapping[str, Any]) -> None:
    """Raise for parameters that depend on labels, for objectives and metrics."""
    params = estimator.get_params()
    refuse_params(params, _WEIGHT_PARAMS, WEIGHTS)
    refuse_params(params, _OBJECTIVE_PARAMS, OBJECTIVE)
    refuse_params(params, _LABEL_PARAMS, "the targets are probabilities; leave it out")
    refuse_params(params, {"eval_metric": (None, "Logloss", "CrossEntropy")}, _METRIC)
    refuse_fit_params(fit_params)


def validation_fraction(estimator: Any, n_rows: int, fit_params: Mapping[str, Any]) -> float | None:
    """Return 0.1 with a parameter of the overfitting detector."""
    params = estimator.get_params() | dict(fit_params)
    stops = any(params.get(name) is not None for name in _EARLY_STOPPING_PARAMS)
    return VALIDATION_FRACTION if stops else None


def fit_classifier(estimator: Any, task: ClassificationTask) -> Any:
    """Return a plain fitted CatBoostClassifier, which predicts class numbers, not labels."""
    target, weight = _second_class(task.loss)
    validation = None if task.held_out is None else _second_class(task.held_out.loss)
    params = estimator.get_params()
    fit_params, cat_features = _fit_params(params, task.fit_params)

    def fit(model: Any, target: Any, of_validation: Any, **more: Any) -> Any:
        if task.held_out is not None and validation is not None:
            from catboost import Pool

            more["eval_set"] = Pool(
                task.held_out.X, of_validation, weight=validation[1], cat_features=cat_features
            )
        return model.fit(task.X, target, sample_weight=weight, **fit_params, **more)

    if not {"learning_rate", "eta"} & {*params}:
        # the library chooses it for labels, and has a constant for probabilities
        _refuse_gpu(params)
        labels = [None if t is None else t > 0.5 for t in (target, validation and validation[0])]
        probe = fit(unfitted_copy(estimator), *labels, callbacks=[_StopAtOnce()])
        estimator.set_params(learning_rate=probe.get_all_params()["learning_rate"])
    named = {"loss_function", "eval_metric"} & {*params} | {"loss_function"}
    estimator.set_params(**dict.fromkeys(named, "CrossEntropy"))
    return fit(estimator, target, validation and validation[0])


def check_regressor(estimator: Any, fit_params: Mapping[str, Any]) -> None:
    """Raise for what ``fit`` sets itself."""
    refuse_fit_params(fit_params, takes_metric=True)


def has_squared_error(estimator: Any) -> bool:
    """Return whether it has the default loss."""
    params = estimator.get_params()
    losses = [params.get(name) for name in ("loss_function", "objective")]
    for loss in losses:
        refuse_own_loss("loss_function", loss)
    return all(loss in {None, "RMSE"} for loss in losses)


def fit_regressor(estimator: Any, task: RegressionTask) -> Any:
    """Return a fitted CatBoostRegressor."""
    fit_params, cat_features = _fit_params(estimator.get_params(), task.fit_params)
    held_out = task.held_out
    if held_out is not None:
        from catboost import Pool

        fit_params["eval_set"] = Pool(
            held_out.X, held_out.y, weight=held_out.weight, cat_features=cat_features
        )
    return estimator.fit(task.train.X, task.train.y, sample_weight=task.train.weight, **fit_params)


def _fit_params(
    params: Mapping[str, Any], fit_params: Mapping[str, Any]
) -> tuple[dict[str, Any], Any]:
    """Return the parameters of ``fit``, quiet unless the user says so, and the categorical ones."""
    quiet = {} if {*_VERBOSITY} & {*params, *fit_params} else {"verbose": False}
    cat_features = fit_params.get("cat_features", params.get("cat_features"))
    return {**fit_params, **quiet}, cat_features


def _refuse_gpu(params: Mapping[str, Any]) -> None:
    if str(params.get("task_type")).upper() == "GPU":
        raise ValueError(
            "estimator has task_type='GPU' and no learning_rate, which CatBoost chooses for labels "
            "only, and would have to be interrupted for, as it cannot be on a GPU: set the "
            "learning_rate of estimator"
        )


class _StopAtOnce:
    def after_iteration(self, info: Any) -> bool:
        return False


def _second_class(loss: ScoreLoss) -> tuple[FloatArray, FloatArray]:
    """Return the probability of the second class and the weight of each row."""
    mixed = loss.mixed_target()
    if loss.n_classes > 2 or mixed is None:
        what = f"{loss.n_classes} classes" if loss.n_classes > 2 else "a softened student"
        raise ValueError(
            f"CatBoostClassifier cannot be distilled with {what}: its own loss takes probabilities "
            "of two classes at temperature 1. Pass a HistGradientBoostingClassifier, an "
            "LGBMClassifier or an XGBClassifier as estimator, or (for two classes) "
            "soften_student=False"
        )
    if np.ptp(mixed[0][1]) == 0:
        raise ValueError(
            f"each row has the same target, {mixed[0][1][0]:g} for the second class: "
            "CatBoostClassifier needs rows of more than one class"
        )
    return mixed[0][1], mixed[1]
