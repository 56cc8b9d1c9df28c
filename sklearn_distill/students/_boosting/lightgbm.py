"""LightGBM's LGBMClassifier and LGBMRegressor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import CheckedX, FloatArray
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

_WEIGHT_PARAMS = {
    "class_weight": (None,),
    "is_unbalance": (False,),
    "unbalance": (False,),
    "unbalanced_sets": (False,),
    "scale_pos_weight": (1,),
}
_OBJECTIVE_PARAMS = dict.fromkeys(
    ("objective", "objective_type", "app", "application", "loss"), (None,)
)
_SQUARED_ERRORS = (
    None,
    "regression",
    "regression_l2",
    "l2",
    "mean_squared_error",
    "mse",
    "l2_root",
    "root_mean_squared_error",
    "rmse",
)
_METRIC_PARAMS = dict.fromkeys(("metric", "metrics", "metric_types"), (None,))
_BOOSTING_PARAMS = ("boosting_type", "boosting", "boost")
_EARLY_STOPPING_PARAMS = (
    "early_stopping_round",
    "early_stopping_rounds",
    "early_stopping",
    "n_iter_no_change",
)


def check_classifier(estimator: Any, fit_params: Mapping[str, Any]) -> None:
    """Raise for parameters that depend on labels, for objectives and random forests."""
    params = estimator.get_params(deep=False)
    refuse_params(params, _WEIGHT_PARAMS, WEIGHTS)
    refuse_params(params, _OBJECTIVE_PARAMS, OBJECTIVE)
    refuse_params(params, _METRIC_PARAMS, "the metric is the cross-entropy; leave it out")
    refuse_params(params, {"sigmoid": (1,)}, "the scores are logits; leave it out")
    _refuse_forest(params, "SoftTargetClassifier")
    refuse_fit_params(fit_params)


def validation_fraction(estimator: Any, n_rows: int, fit_params: Mapping[str, Any]) -> float | None:
    """Return 0.1 with early stopping as a parameter or a callback."""
    params = estimator.get_params(deep=False)
    by_parameter = any((params.get(name) or 0) > 0 for name in _EARLY_STOPPING_PARAMS)
    names = {type(callback).__name__ for callback in fit_params.get("callbacks") or ()}
    return VALIDATION_FRACTION if by_parameter or "_EarlyStoppingCallback" in names else None


def fit_classifier(estimator: Any, task: ClassificationTask) -> Any:
    """Return a plain fitted LGBMClassifier."""
    from lightgbm import LGBMModel

    params = estimator.get_params(deep=False)
    _set_classes(estimator, task.classes)
    estimator.set_params(metric="None")  # its built-in ones read raw scores as probabilities
    estimator._objective = _objective(task.loss)
    fit_params = dict(task.fit_params)
    fit_params["callbacks"] = [_keep_sampler, *(fit_params.get("callbacks") or ())]
    start = task.loss.start()
    if fit_params.get("init_model") is not None or not params.get("boost_from_average", True):
        start = np.zeros_like(start)  # of an earlier model the trees contain it
    if start.any():
        fit_params["init_score"] = _constant(start, task.loss.n_rows)
    if task.held_out is not None:
        fit_params |= _validation_params(task, start)
    LGBMModel.fit(estimator, task.X, np.zeros(task.loss.n_rows), **fit_params)
    return _make_plain(estimator, params, start)


def _keep_sampler(environment: Any) -> None:
    """Keep the first update from setting the objective to none once more.

    That would draw other columns than the library's own objective does, and fail where no column
    can be split.
    """
    environment.model._Booster__set_objective_to_none = True


# LightGBM reads attributes of a function, which mypy does not know
_keep_sampler.before_iteration = True  # type: ignore[attr-defined]
_keep_sampler.order = 0  # type: ignore[attr-defined]


def _objective(loss: ScoreLoss) -> Callable[..., tuple[FloatArray, FloatArray]]:
    K = loss.n_classes
    factor = K / (K - 1) if K > 2 else 1.0  # the library's own
    gradient, hessian = np.empty((2, loss.n_scores, loss.n_rows), dtype=np.float32)

    def derivatives(y_true: Any, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
        loss.derivatives(by_class(scores), gradient, hessian)
        if factor != 1:
            np.multiply(hessian, factor, out=hessian)
        return _by_row(gradient), _by_row(hessian)

    return derivatives


def _validation_params(task: ClassificationTask, start: FloatArray) -> dict[str, Any]:
    held_out = task.held_out
    assert held_out is not None
    n_rows = held_out.X.shape[0]

    def cross_entropy(y_true: Any, scores: FloatArray) -> tuple[str, float, bool]:
        return "cross_entropy", held_out.loss.mean(by_class(scores)), False

    return {
        **_validation_rows(held_out.X, np.zeros(n_rows)),
        "eval_init_score": [_constant(start, n_rows)] if start.any() else None,
        "eval_metric": cross_entropy,
    }


def check_regressor(estimator: Any, fit_params: Mapping[str, Any]) -> None:
    """Raise for weights of classes and random forests."""
    params = estimator.get_params(deep=False)
    refuse_params(params, _WEIGHT_PARAMS, NO_CLASSES)
    _refuse_forest(params, "SoftTargetRegressor")
    refuse_fit_params(fit_params, takes_metric=True)


def has_squared_error(estimator: Any) -> bool:
    """Return whether the loss is the squared error of the label, not of its root."""
    params = estimator.get_params(deep=False)
    for name in _OBJECTIVE_PARAMS:
        refuse_own_loss(name, params.get(name))
    squared = all(params.get(name) in _SQUARED_ERRORS for name in _OBJECTIVE_PARAMS)
    return squared and not params.get("reg_sqrt")


def fit_regressor(estimator: Any, task: RegressionTask) -> Any:
    """Return a fitted LGBMRegressor."""
    fit_params = dict(task.fit_params)
    if task.held_out is not None:
        fit_params |= _validation_rows(task.held_out.X, task.held_out.y)
        if task.held_out.weight is not None:
            fit_params["eval_sample_weight"] = [task.held_out.weight]
    return estimator.fit(task.train.X, task.train.y, sample_weight=task.train.weight, **fit_params)


def _refuse_forest(params: Mapping[str, Any], instead: str) -> None:
    for name in _BOOSTING_PARAMS:
        if params.get(name) in {"rf", "random_forest"}:
            raise ValueError(
                f"estimator has {name}={params[name]!r}, whose trees do not correct each other: "
                f"pass a RandomForestRegressor to {instead}"
            )


def _validation_rows(X: CheckedX, y: FloatArray) -> dict[str, Any]:
    from lightgbm import LGBMModel

    takes = signature(LGBMModel.fit).parameters  # LightGBM 4.7 deprecates eval_set
    return {"eval_X": X, "eval_y": y} if "eval_X" in takes else {"eval_set": [(X, y)]}


def _by_row(values: FloatArray) -> FloatArray:
    return values[0] if len(values) == 1 else values.T


def _constant(start: FloatArray, n_rows: int) -> FloatArray:
    # in the order in which the library reads it, without a copy
    columns = np.repeat(start, n_rows).reshape(len(start), n_rows)
    return _by_row(columns)


def _set_classes(estimator: Any, classes: NDArray[Any]) -> None:
    """Set what the library's classifier learns from y, before its base class fits the trees."""
    from sklearn.preprocessing import LabelEncoder

    estimator._le = LabelEncoder().fit(classes)
    estimator._classes = classes
    estimator._n_classes = len(classes)
    estimator._class_map = {label: code for code, label in enumerate(classes)}


def _make_plain(estimator: Any, params: dict[str, Any], start: FloatArray) -> Any:
    """Replace the objective by the library's own, and fold the start into the trees."""
    booster = estimator.booster_
    K = estimator._n_classes
    name, values = ("multiclass", f"num_class:{K}") if K > 2 else ("binary", "sigmoid:1")
    text = _with_objective(booster.model_to_string(), f"{name} {values}")
    text = _with_start(text, start)
    plain_booster = type(booster)(model_str=text)
    plain_booster.best_iteration = booster.best_iteration
    plain_booster.best_score = booster.best_score
    estimator._Booster = plain_booster
    del estimator.metric
    estimator._other_params.pop("metric", None)
    estimator.set_params(**params)
    estimator._objective = name  # set_params has reset it
    return estimator


def _with_objective(text: str, objective: str) -> str:
    """Return a model's text with another objective in its header."""
    header, trees = text.split("tree_sizes=", 1)
    lines = [line for line in header.splitlines() if not line.startswith("objective=")]
    after = next(k for k, line in enumerate(lines) if line.startswith("max_feature_idx=")) + 1
    lines.insert(after, f"objective={objective}")
    return "\n".join(lines) + "\ntree_sizes=" + trees


def _with_start(text: str, start: FloatArray) -> str:
    """Return a model's text with the start added to the leaves of the first tree of each score."""
    header, rest = text.split("tree_sizes=", 1)
    sizes, rest = rest.split("\n", 1)
    blocks = rest.split("Tree=")
    lengths = sizes.split()
    for k, score in enumerate(start, start=1):
        blocks[k] = "\n".join(_moved(line, float(score)) for line in blocks[k].split("\n"))
        lengths[k - 1] = str(len(("Tree=" + blocks[k]).encode()))
    return f"{header}tree_sizes={' '.join(lengths)}\n" + "Tree=".join(blocks)


def _moved(line: str, by: float) -> str:
    name, _, values = line.partition("=")
    if name not in {"leaf_value", "internal_value", "leaf_const"}:
        return line
    return f"{name}=" + " ".join(repr(float(value) + by) for value in values.split())
