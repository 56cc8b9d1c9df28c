"""The targets of a neural regressor: its losses, and the tables that they read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.absent_rows import blank_absent
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill._validation.targets import OutputColumns, check_regression_target_available
from sklearn_distill.nets._custom_loss import CustomSquaredLoss
from sklearn_distill.nets._live_loss import LiveSquaredLoss
from sklearn_distill.nets._loader import Observer
from sklearn_distill.nets.losses import SquaredLoss
from sklearn_distill.students._neural_live_targets import LiveObserver
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._output_units import OutputUnits, in_units
from sklearn_distill.students._stream_teacher import TeacherObserver
from sklearn_distill.targets import RegressionMixture


def regression_targets(
    labels: OutputColumns | None,
    predictions: OutputColumns | None,
    weight: FloatArray,
    imitation: float,
    *,
    trust: FloatArray | None = None,
    live: bool = False,
    distillation_loss: Any = None,
) -> NeuralTargets:
    """Return the mixture of labels and predictions, and for validation the labels alone, if any.

    With ``live``, the table lacks the predictions: those of each mini-batch follow. A
    ``distillation_loss`` replaces the distance to the predictions. ``trust`` are the weights of the
    predictions beside a label.
    """
    mixture = RegressionMixture.of(labels, predictions, imitation, trust=trust)
    target, _ = mixture.mean()
    y, by_labels = np.where(mixture.labelled[:, None], mixture.labels, 0.0), mixture.labelled.any()
    table = np.column_stack([target, weight])
    made = NeuralTargets(
        SquaredLoss(),
        table,
        SquaredLoss(),
        np.column_stack([y, weight]),
        mixture.labelled if by_labels else ~mixture.labelled,
        strata=None,
        n_outputs=target.shape[1],
        taught=None if by_labels else (SquaredLoss(), table),
    )
    of_label, of_prediction = mixture.term_weights()
    t = np.where(mixture.taught[:, None], mixture.predictions, 0.0)
    m = made.n_outputs
    if distillation_loss is not None:
        weights = np.column_stack([weight * of_label, weight * of_prediction, weight])
        table = np.column_stack([t, y, mixture.labelled, weights])
        loss: Any = CustomSquaredLoss(distillation_loss, imitation)
        return replace(made, loss=loss, table=table[:, m:] if live else table)
    parts = np.column_stack([y, t, weight * mixture.labelled, weight * of_prediction])
    if not live:
        return replace(made, parts=parts)
    table = np.column_stack([of_label[:, None] * y, of_prediction, weight])
    parts = np.delete(parts, np.s_[m : 2 * m], axis=1)
    return replace(made, loss=LiveSquaredLoss(), table=table, parts=parts)


@dataclass(frozen=True)
class RegressionBatchTable:
    """Function from the labels, predictions and weights of a mini-batch to its table.

    The last columns are for the observer.

    Parameters
    ----------
    n_outputs : int
        Number of outputs.
    imitation : float
        λ in [0, 1].
    live : bool, default=False
        Whether a live teacher makes the predictions, and those of the items are missing.
    units : OutputUnits or None, default=None
        Units in which the network learns, those of the fit that a warm start continues.
    """

    n_outputs: int
    imitation: float
    live: bool = False
    units: OutputUnits | None = None

    def __call__(
        self, y: NDArray[Any], teacher_prediction: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """Return the rows of the loss's table, and the columns to observe."""
        missing = np.full(self.n_outputs, np.nan)
        rows = [missing if label is None else np.atleast_1d(label) for label in y]
        labels: OutputColumns = np.array(rows, dtype=np.float64)
        predictions = np.asarray(teacher_prediction.reshape(labels.shape), dtype=np.float64)
        absent = weight == 0
        labels = in_units(blank_absent(labels, absent), self.units)
        if self.live:
            any_prediction = np.zeros_like(labels)  # each row will have one
            made = regression_targets(labels, any_prediction, weight, self.imitation, live=True)
            return np.column_stack([made.table, labels])
        predictions = in_units(blank_absent(predictions, absent), self.units)
        check_regression_target_available(labels, predictions, absent)
        table = regression_targets(labels, predictions, weight, self.imitation).table
        return np.column_stack([table, labels, predictions])

    def observer(self) -> Observer:
        """Return what reads the last columns of the tables."""
        if self.live:
            return LiveObserver(self.n_outputs, _judge)
        return TeacherObserver(2 * self.n_outputs, self.imitation, _judge)


def _judge(rows: FloatArray) -> None:
    """Warn if the teacher is implausible, by rows of labels and predictions."""
    labels, predictions = np.hsplit(rows, 2)
    check_plausible_prediction(labels, predictions)
