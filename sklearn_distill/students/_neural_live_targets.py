"""The targets of a neural classifier whose teacher predicts each mini-batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill.nets._live_loss import LiveSoftTargetLoss
from sklearn_distill.students._neural_class_targets import (
    judge_logits,
    loss_terms,
    smooth_labels,
    streaming_targets,
    validated_targets,
)
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.students._stream_teacher import N_JUDGED
from sklearn_distill.targets import SoftTargets, TargetMixture
from sklearn_distill.targets.labels import MISSING


def live_targets(
    targets: TrainingTargets, loss_params: LossParams, label_smoothing: float = 0.0
) -> NeuralTargets:
    """Return targets whose table lacks the teacher's predictions, which follow batch by batch.

    Those of ``targets`` are of the rows as they are: for validation without a label.
    """
    mixture = targets.mixture(loss_params)
    loss = live_loss(loss_params, mixture.labels.n_classes, targets.weight_by_class)
    table = live_table(mixture, label_smoothing)
    codes = np.where(targets.labels.present, targets.labels.codes, 0)
    return replace(
        validated_targets(targets, loss_params, loss, table),
        parts=np.column_stack([codes, mixture.loss_parts()]),
        label_smoothing=label_smoothing,
    )


def without_predictions(made: NeuralTargets, *, first: bool) -> NeuralTargets:
    """Return targets without the teacher's logits, the first or last columns of their table."""
    K = made.n_outputs
    return replace(made, table=made.table[:, K:] if first else made.table[:, :-K])


def live_loss(
    loss_params: LossParams, n_classes: int, class_weight: FloatArray | None = None
) -> LiveSoftTargetLoss:
    """Return the loss for the rows of :func:`live_table`."""
    return LiveSoftTargetLoss(
        loss_terms(loss_params),
        n_classes,
        temperature=loss_params.temperature,
        student_temperature=loss_params.temperature if loss_params.soften_student else 1.0,
        class_weight=class_weight,
    )


def live_table(mixture: TargetMixture, label_smoothing: float) -> FloatArray:
    """Return linear form and weight of the labels, the teacher's weight, and which lack a label."""
    label, teacher = mixture.term_weights()
    one_hot = SoftTargets(mixture.labels.one_hot(label), ())
    linear = smooth_labels(mixture, one_hot, label_smoothing).dense_linear(slice(None))
    unlabelled = np.where(mixture.labels.present, 0.0, 1.0)
    return np.column_stack([linear.T, label, teacher, unlabelled])


def live_streaming_targets(n_classes: int, loss_params: LossParams) -> NeuralTargets:
    """Return the losses for rows that are read batch by batch; their tables are empty."""
    made = streaming_targets(n_classes, loss_params)
    return replace(made, loss=live_loss(loss_params, n_classes))


@dataclass(frozen=True)
class LiveBatchTable:
    """Function from the labels and weights of a mini-batch to its table, and the class codes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels, in the order of the teacher's columns.
    loss_params : LossParams
        λ, T and the form of the loss.
    label_smoothing : float, default=0.0
        Share of the label's term that all classes have alike.
    """

    classes: NDArray[Any]
    loss_params: LossParams
    label_smoothing: float = 0.0

    def __call__(
        self, y: NDArray[Any], teacher_proba: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """Return the rows of the table, and class numbers as the last column."""
        K = len(self.classes)
        # of any prediction: each row will have one
        proba = np.full((len(weight), K), 1 / K)
        _, labels, teachers = check_class_targets(
            y, len(weight), self.classes, proba, None, weight == 0
        )
        mixture = self.loss_params.mixture(labels, teachers, weight)
        codes = np.where(weight > 0, labels.codes, MISSING)
        return np.column_stack([live_table(mixture, self.label_smoothing), codes])

    def observer(self) -> LiveObserver:
        """Return what reads the last column of the tables, and the predictions."""
        return LiveObserver(1, partial(judge_logits, self.classes, name="teacher"))


class LiveObserver:
    """Notice an implausible live teacher in the first epoch of the training on a Dataset.

    The last columns of a mini-batch's table hold its labels; the teacher's predictions follow.

    Parameters
    ----------
    n_columns : int
        Number of these columns.
    judge : callable
        Function from rows of labels and predictions to None, which warns.
    """

    def __init__(self, n_columns: int, judge: Callable[[FloatArray], None]) -> None:
        self._n_columns = n_columns
        self._judge = judge
        self._labels: FloatArray = np.empty((0, n_columns))
        self._rows: list[FloatArray] = []
        self._is_judged = False

    def __call__(self, table: torch.Tensor) -> torch.Tensor:
        """Return the table that the loss reads; remember the labels of the mini-batch."""
        if not self._is_judged:
            self._labels = table[:, -self._n_columns :].cpu().numpy().astype(np.float64)
        return table[:, : -self._n_columns]

    def see(self, predictions: torch.Tensor) -> None:
        """Remember the teacher's predictions for the mini-batch."""
        if self._is_judged:
            return
        values = predictions.cpu().numpy().astype(np.float64)
        self._rows.append(np.column_stack([self._labels, values]))
        if sum(map(len, self._rows)) >= N_JUDGED:
            self.end_epoch()

    def end_epoch(self) -> None:
        """Judge the teacher by the rows so far, unless it was."""
        if not self._is_judged and self._rows:
            self._judge(np.concatenate(self._rows))
        self._is_judged, self._rows = True, []
