"""A teacher that predicts the very mini-batches that the student sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets._inputs import (
    ModelInput,
    call_network,
    map_tensors,
    n_rows_of,
    tensors_of,
)

Kind = Literal["logits", "probabilities", "predictions"]
SUMS_TO_ONE = 1e-3
LEAST_LOGIT = -1e4  # below the greatest: e^-1e4 is 0, and unlike −inf, 0 times it is 0


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Set a module to evaluation mode; restore the mode of each of its parts afterwards.

    Parameters
    ----------
    module : Module
        The module.
    """
    in_training = [part for part in module.modules() if part.training]
    if in_training:
        module.eval()
    try:
        yield
    finally:
        for part in in_training:
            part.training = True


class ModuleTeacher:
    """Predictions of a torch module in evaluation mode, whose state does not change.

    Parameters
    ----------
    module : Module
        The teacher. If it is on another device, a copy of it predicts.
    device : torch.device
        Device of the features.
    autocast : callable
        Returns the context of mixed precision, in which the student computes, too.
    """

    def __init__(
        self,
        module: nn.Module,
        device: torch.device,
        autocast: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        device = torch.empty(0, device=device).device  # "cuda" with its number
        tensors = list(chain(module.parameters(), module.buffers()))
        if any(tensor.device != device for tensor in tensors):
            module = deepcopy(module).to(device)
        self.module = module
        self.autocast = autocast
        self.dtype = next((p.dtype for p in tensors if p.is_floating_point()), None)

    def __call__(self, features: ModelInput) -> Any:
        """Return the outputs of a mini-batch."""
        x = map_tensors(self._in_precision, features)
        with evaluating(self.module), self.autocast():
            return call_network(self.module, x)

    def _in_precision(self, part: Tensor) -> Tensor:
        return part.to(self.dtype) if self.dtype and part.is_floating_point() else part


class PredictFromFloats:
    """A teacher that reads floats, for features that are integers.

    Parameters
    ----------
    predict : callable
        Function from features to the teacher's outputs.
    dtype : torch.dtype
        Type of the floats.
    """

    def __init__(self, predict: Callable[[Any], Any], dtype: torch.dtype) -> None:
        self.predict = predict
        self.dtype = dtype

    def __call__(self, features: Tensor) -> Any:
        """Return the outputs of a mini-batch."""
        return self.predict(features.to(self.dtype))


class EstimatorTeacher:
    """Predictions of a fitted estimator, for features as an array on the CPU.

    Parameters
    ----------
    estimator : estimator
        The teacher.
    method : {"predict_proba", "decision_function", "predict"}
        Its method.
    feature_names : sequence of str or None
        Names of the features, for an estimator that was fitted on a table with names.
    """

    def __init__(
        self, estimator: Any, method: str, feature_names: Sequence[str] | None = None
    ) -> None:
        self.method = getattr(estimator, method)
        self.feature_names = feature_names

    def __call__(self, features: ModelInput) -> Any:
        """Return the outputs of a mini-batch."""
        if isinstance(features, dict):
            raise TypeError(
                f"teacher is an estimator, which reads an array, but X has the inputs "
                f"{list(features)}: pass a function of a dict of tensors"
            )
        X: Any = features.detach().cpu().numpy()
        if self.feature_names is not None:
            X = pd.DataFrame(X, columns=list(self.feature_names))
        return self.method(X)


@dataclass
class LiveTeacher:
    """A teacher's predictions for the features of a mini-batch, as the losses read them.

    Parameters
    ----------
    predict : callable
        Function from features to the teacher's outputs.
    n_outputs : int
        Number of classes K or of outputs.
    kind : {"logits", "probabilities", "predictions"}
        What the outputs are; "predictions" are those of a regressor.
    order : list of int or None, default=None
        Position of each class among the columns; None if these are in the order of the classes.
    units : tuple of ndarray of shape (n_outputs,) or None, default=None
        Centre and scale that are removed from the predictions of a regressor.
    """

    predict: Callable[[Any], Any]
    n_outputs: int
    kind: Kind
    order: list[int] | None = None
    units: tuple[FloatArray, FloatArray] | None = None

    def __call__(self, features: Any) -> Tensor:
        """Return logits or predictions, without a graph.

        Parameters
        ----------
        features : Tensor of shape (n_rows, ...) or dict of Tensor
            Features of the mini-batch, augmented.

        Returns
        -------
        Tensor of shape (n_rows, n_outputs)
            The predictions, on the device of the features.

        Raises
        ------
        ValueError
            If there is not one finite prediction for each row and output.
        """
        values = predict_batch(self.predict, features)
        if self.kind == "predictions":
            return self._in_units(self._columns(values.reshape(len(values), -1)))
        if self.n_outputs == 2 and values.reshape(len(values), -1).shape[1] == 1:
            second = values.reshape(-1)
            first = 1 - second if self.kind == "probabilities" else torch.zeros_like(second)
            values = torch.stack([first, second], 1)
        logits = self._columns(values)
        if self.order is not None:
            logits = logits[:, self.order]
        if self.kind == "probabilities":
            logits = logits.log()
        return logits.clamp(min=logits.amax(1, keepdim=True) + LEAST_LOGIT)

    def _in_units(self, values: Tensor) -> Tensor:
        if self.units is None:
            return values
        # in double precision, as a small deviation from a large centre
        center, scale = (torch.as_tensor(u, device=values.device) for u in self.units)
        return ((values.double() - center) / scale).to(values.dtype)

    def _columns(self, values: Tensor) -> Tensor:
        if values.ndim != 2 or values.shape[1] != self.n_outputs:
            raise ValueError(
                f"teacher returned {self.kind} of shape {tuple(values.shape)}: it must return "
                f"{(len(values), self.n_outputs)}"
            )
        return values


@contextmanager
def name_teacher_in_errors() -> Iterator[None]:
    """Say that the predictions of an error are those of the parameter ``teacher``."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note("raised for the predictions of the parameter teacher")
        raise


def predict_batch(predict: Callable[[Any], Any], features: ModelInput) -> Tensor:
    """Return a teacher's outputs for a mini-batch.

    Parameters
    ----------
    predict : callable
        Function from features to outputs.
    features : Tensor of shape (n_rows, ...) or dict of Tensor
        Features, which the teacher must not change.

    Returns
    -------
    Tensor of shape (n_rows,) or (n_rows, ...)
        The outputs without a graph, on the device of the features.

    Raises
    ------
    TypeError
        If the outputs are neither a tensor nor an array of numbers.
    ValueError
        If they are not one for each row, are NaN, or the teacher changes the features.
    """
    parts, n_rows = tensors_of(features), n_rows_of(features)
    versions = [part._version for part in parts]
    with torch.inference_mode():
        outputs = predict(features)
    if [part._version for part in parts] != versions:
        raise ValueError(
            "teacher changes its features in place, which the student sees, too: let it work on a "
            "copy, as x = x.clone(), or without inplace=True in its first layer"
        )
    values = _as_tensor(outputs, parts[0].device)
    if values.shape[:1] != (n_rows,):
        raise ValueError(
            f"teacher returned {type(outputs).__name__} of shape {tuple(values.shape)} for "
            f"{n_rows} rows: it must return one prediction for each row"
        )
    missing = values.isnan()
    if missing.any():
        row = int(missing.reshape(len(values), -1).any(1).nonzero()[0])
        raise ValueError(f"teacher returned NaN for row {row} of a mini-batch of {len(values)}")
    return values


def _as_tensor(outputs: Any, device: torch.device) -> Tensor:
    if isinstance(outputs, Tensor):
        # a tensor of the inference mode cannot be part of a loss: a copy can
        values = outputs.detach().to(device).clone()
    else:
        if (
            not isinstance(outputs, (np.ndarray, list))
            or np.asarray(outputs).dtype.kind not in "fiu"
        ):
            raise TypeError(
                f"teacher returned a {type(outputs).__name__}: it must return a tensor or an array "
                "of logits, probabilities or, for a regressor, predictions, columns in the order "
                "of classes_; wrap it, as in teacher=lambda x: network(x).logits"
            )
        values = torch.as_tensor(np.asarray(outputs, dtype=np.float64), device=device)
    # half precision is that of the teacher's arithmetic, not of the loss
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def kind_of_outputs(outputs: NDArray[Any]) -> Kind:
    """Return whether outputs of a classifier are logits or probabilities.

    Parameters
    ----------
    outputs : ndarray of shape (n_rows,) or (n_rows, n_columns)
        Outputs of some rows.

    Returns
    -------
    {"logits", "probabilities"}
        Probabilities if no number is negative and every row sums to 1.

    Raises
    ------
    ValueError
        If it is one number for each row, and these look like probabilities.

    Examples
    --------
    >>> kind_of_outputs(np.array([[0.25, 0.75]])), kind_of_outputs(np.array([[-1.0, 2.0]]))
    ('probabilities', 'logits')
    """
    if outputs.ndim == 1 or outputs.shape[1] == 1:
        if outputs.min() >= 0 and outputs.max() <= 1 and np.ptp(outputs) > 0.8:
            raise ValueError(
                "teacher returned one number in [0, 1] for each row, which would be read as the "
                "log-odds of the second class: return these, or the probabilities of both classes"
            )
        return "logits"
    sums: FloatArray = outputs.sum(axis=1)
    is_proba = outputs.min() >= 0 and np.abs(sums - 1).max() < SUMS_TO_ONE
    return "probabilities" if is_proba else "logits"
