"""Conversion of scikit-learn's and the boosting libraries' models by skl2onnx and onnxmltools."""

from __future__ import annotations

from typing import Any

import pandas as pd
import skl2onnx
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline

from sklearn_distill._optional import import_onnx

# opsets that onnxmltools' converters of trees know
OPSETS = {"": 18, "ai.onnx.ml": 3}
_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "raw_scores": [True, False],
    "output_class_labels": [True, False],
}
_NAMES = {"LGBM": "lightgbm", "XGB": "xgboost"}


def convert(plain: Any, rows: NDArray[Any] | pd.DataFrame) -> bytes:
    """Return the ONNX file of a model that does not depend on this package.

    Parameters
    ----------
    plain : estimator
        Fitted model.
    rows : {ndarray of float32, DataFrame}
        Rows whose types and columns the file's inputs have.

    Returns
    -------
    bytes
        The file's content.
    """
    last = plain[-1] if isinstance(plain, Pipeline) else plain
    _register(last)
    # a matrix of probabilities instead of a list of dicts
    options = {id(last): {"zipmap": False}} if is_classifier(last) else None
    written = skl2onnx.to_onnx(plain, rows[:1], options=options, target_opset=OPSETS)
    return bytes(written.SerializeToString())


def _register(model: Any) -> None:
    """Tell skl2onnx how to convert a boosted model, if it does not know."""
    if isinstance(model, OneVsRestClassifier):
        model = model.estimators_[0]
    library = next((name for start, name in _NAMES.items() if _is_of(model, start)), None)
    if library is not None:
        import_onnx("onnxmltools", "to_onnx")
    if library == "lightgbm":
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

        _update(model, convert_lightgbm)
    elif library == "xgboost":
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost

        _update(model, convert_xgboost)
    elif isinstance(model, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        _update(model, _convert_hist_gradient_boosting)
    elif _is_of(model, "CatBoost"):
        raise TypeError(
            "CatBoost writes ONNX itself, of a model whose inputs are one matrix: "
            'to_sklearn(model).save_model(path, format="onnx")'
        )


def _is_of(model: Any, start: str) -> bool:
    return type(model).__name__ in {f"{start}Classifier", f"{start}Regressor"}


def _update(model: Any, converter: Any) -> None:
    classifier = is_classifier(model)
    update_registered_converter(
        type(model),
        f"Sklearn{type(model).__name__}",  # a name under which skl2onnx knows the scikit-learn ones
        calculate_linear_classifier_output_shapes
        if classifier
        else calculate_linear_regressor_output_shapes,
        converter,
        options=_OPTIONS if classifier else None,
    )


class _IntegersForTruths:
    """A container of ONNX nodes that writes truth values as integers, as protobuf requires."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *args: Any, nodes_missing_value_tracks_true: Any = (), **attrs: Any) -> None:
        """Add a node of trees."""
        tracks = [int(track) for track in nodes_missing_value_tracks_true]
        self._container.add_node(*args, nodes_missing_value_tracks_true=tracks, **attrs)


def _convert_hist_gradient_boosting(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.operator_converters.random_forest import (
        convert_sklearn_random_forest_classifier,
        convert_sklearn_random_forest_regressor_converter,
    )

    convert_trees = (
        convert_sklearn_random_forest_classifier
        if is_classifier(operator.raw_operator)
        else convert_sklearn_random_forest_regressor_converter
    )
    convert_trees(scope, operator, _IntegersForTruths(container))
