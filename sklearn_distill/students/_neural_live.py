"""The live teacher of a neural student: it predicts all rows once, or each mini-batch."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from sklearn_distill._typing import TeacherLike
from sklearn_distill.nets._inputs import (
    Inputs,
    ItemRows,
    ModelInput,
    first_rows,
    map_tensors,
    try_with_floats,
)
from sklearn_distill.nets._live_teacher import (
    EstimatorTeacher,
    Kind,
    LiveTeacher,
    ModuleTeacher,
    PredictFromFloats,
    kind_of_outputs,
    name_teacher_in_errors,
    predict_batch,
)
from sklearn_distill.nets._net import autocast
from sklearn_distill.nets.device import resolve_device
from sklearn_distill.students._neural_network import random_stream
from sklearn_distill.students._neural_params import NeuralParams
from sklearn_distill.students._output_units import OutputUnits

N_ROWS_AT_ONCE = 1024  # rows at a time, as in prediction


@dataclass(frozen=True)
class LivePredictions:
    """A live teacher, and its outputs for the rows that it predicted first.

    Parameters
    ----------
    predict : callable
        Function from features to outputs.
    outputs : ndarray of shape (n_rows,) or (n_rows, n_columns)
        Its outputs for the rows of X as they are, or for the first item of a Dataset.
    kind : {"logits", "probabilities", "predictions"}
        What the outputs are.
    columns : list or None, default=None
        Classes of an estimator, in the order of its columns.
    """

    predict: Any
    outputs: NDArray[Any]
    kind: Kind
    columns: list[Any] | None = None

    def class_params(self) -> tuple[TeacherLike, TeacherLike]:
        """Return the outputs as ``teacher_proba`` and ``teacher_logits``, one of which is None."""
        values: Any = self.outputs
        if self.columns is not None:
            if values.ndim == 1:  # the decision function of two classes
                values = np.column_stack([np.zeros(len(values)), values])
            values = pd.DataFrame(values, columns=self.columns)
        return (values, None) if self.kind == "probabilities" else (None, values)

    def live(
        self,
        n_outputs: int,
        classes: NDArray[Any] | None = None,
        *,
        units: OutputUnits | None = None,
    ) -> LiveTeacher:
        """Return what predicts each mini-batch.

        Columns are in the order of the classes, numbers in the units of the network.
        """
        order = None
        if self.columns is not None and classes is not None:
            order = [self.columns.index(label) for label in classes.tolist()]
        scaling = None if units is None else (units.center, units.scale)
        return LiveTeacher(self.predict, n_outputs, self.kind, order, scaling)


def predict_live(estimator: NeuralParams, features: ModelInput | Inputs) -> LivePredictions:
    """Predict rows as they are, without augmentation, by the teacher of a student.

    Parameters
    ----------
    estimator : DistilledNeuralClassifier or DistilledNeuralRegressor
        The student, with a ``teacher``.
    features : Tensor of shape (n_rows, ...), dict of Tensor, or Inputs
        The rows.

    Returns
    -------
    LivePredictions
        The teacher and its outputs.

    Raises
    ------
    TypeError
        If the teacher is an estimator that ``clone`` would unfit, or cannot predict.
    ValueError
        If its outputs are not one finite prediction for each row.
    """
    device = _device(estimator)
    by_class = is_classifier(estimator)
    predict, kind, columns = _read_teacher(estimator, device, by_class)
    # the teacher may draw from torch's generator, which must not change
    with name_teacher_in_errors(), random_stream(0):
        predict = _reading(predict, features, device, estimator._dtype)
        batches = [predict_batch(predict, _on(device, x)).cpu().numpy() for x in _batches(features)]
        outputs = np.concatenate(batches).astype(np.float64)
        if outputs.ndim not in (1, 2):
            raise ValueError(
                f"it returned shape {outputs.shape}: it must return (n_rows, n_classes) or, for a "
                "regressor, (n_rows,) or (n_rows, n_outputs)"
            )
        return LivePredictions(predict, outputs, kind or kind_of_outputs(outputs), columns)


def _batches(features: ModelInput | Inputs) -> Iterable[ModelInput]:
    """Return rows in mini-batches; a dict of tensors is one already."""
    if isinstance(features, ItemRows):
        features = features.for_prediction()
    if isinstance(features, Inputs):
        return features.batches(torch.arange(len(features)).split(N_ROWS_AT_ONCE))
    return [features] if isinstance(features, dict) else features.split(N_ROWS_AT_ONCE)


def _on(device: torch.device, x: ModelInput) -> ModelInput:
    moved: ModelInput = map_tensors(lambda part: part.to(device), x)
    return moved


def _reading(
    predict: Any, features: ModelInput | Inputs, device: torch.device, dtype: torch.dtype
) -> Any:
    """Return the teacher's function; of integers as floats, if it cannot read them."""
    if isinstance(features, Tensor) and features.is_floating_point():
        return predict
    few = _on(device, first_rows(features, 2))
    if isinstance(few, dict) or few.is_floating_point():
        return predict

    def tried(teacher: Any) -> Any:
        predict_batch(teacher, few)
        return teacher

    return try_with_floats(tried, predict, lambda teacher: PredictFromFloats(teacher, dtype))


def _read_teacher(
    estimator: NeuralParams, device: torch.device, by_class: bool
) -> tuple[Any, Kind | None, list[Any] | None]:
    """Return the teacher's function, what it returns (None if not known), and its classes."""
    teacher = estimator.teacher
    fixed: Kind | None = None if by_class else "predictions"
    if isinstance(teacher, nn.Module):
        return ModuleTeacher(teacher, device, _autocast(estimator, device)), fixed, None
    if isinstance(teacher, FrozenEstimator):
        return _read_estimator(estimator, teacher, by_class)
    if hasattr(teacher, "get_params") and not inspect.isclass(teacher):
        raise TypeError(
            f"teacher={teacher!r} is an estimator, which clone would unfit in a search or a "
            "cross-validation: pass sklearn.frozen.FrozenEstimator(teacher), fitted"
        )
    if not callable(teacher) or inspect.isclass(teacher):
        raise TypeError(
            f"teacher={teacher!r} cannot predict: pass a torch module, a function from features "
            "to predictions, or a fitted estimator in sklearn.frozen.FrozenEstimator"
        )
    return teacher, fixed, None


def _read_estimator(
    estimator: NeuralParams, teacher: FrozenEstimator, by_class: bool
) -> tuple[EstimatorTeacher, Kind, list[Any] | None]:
    check_is_fitted(teacher)
    names = getattr(estimator, "feature_names_in_", None)
    if not hasattr(teacher, "feature_names_in_"):
        names = None  # fitted without names, scikit-learn would warn of them
    if not by_class:
        return EstimatorTeacher(teacher, "predict", names), "predictions", None
    for method, kind in (("predict_proba", "probabilities"), ("decision_function", "logits")):
        if hasattr(teacher, method):
            columns = np.asarray(teacher.classes_).tolist()
            return EstimatorTeacher(teacher, method, names), kind, columns  # type: ignore[return-value]
    raise TypeError(
        f"teacher={teacher!r} has neither predict_proba nor decision_function: pass a classifier "
        "that has one"
    )


def _device(estimator: NeuralParams) -> torch.device:
    if estimator.accelerator is not None:
        return torch.device(estimator.accelerator.device)
    return resolve_device(estimator.device)


def _autocast(estimator: NeuralParams, device: torch.device) -> Any:
    """Return the function that returns the context in which the student computes."""
    if estimator.accelerator is not None:
        return estimator.accelerator.autocast
    return lambda: autocast(estimator.precision, device.type)
