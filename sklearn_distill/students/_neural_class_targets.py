"""The targets of a neural classifier: its losses, and the tables that they read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill.nets.losses import SoftTargetLoss, Terms, target_table
from sklearn_distill.nets.mixture_loss import MixtureLoss, mixture_table
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import Labels, TargetMixture, label_weights


def static_targets(targets: TrainingTargets, loss_params: LossParams) -> NeuralTargets:
    """Return targets at fixed λ and T: labels and teachers are mixed once, before training."""
    mixture = targets.mixture(loss_params)
    soft_targets = mixture.targets()
    codes = np.where(targets.labels.present, targets.labels.codes, 0)
    parts = np.column_stack([codes, mixture.loss_parts()])
    table = target_table(soft_targets)
    return replace(_neural_targets(targets, SoftTargetLoss.of(soft_targets), table), parts=parts)


def tunable_targets(targets: TrainingTargets, loss_params: LossParams) -> NeuralTargets:
    """Return targets for a training that changes λ and T: they are mixed anew at each step.

    They must include a teacher.
    """
    teachers = targets.teachers
    assert teachers is not None
    loss = MixtureLoss(
        targets.labels.n_classes,
        len(teachers.logits),
        soften_student=loss_params.soften_student,
        t_squared=loss_params.t_squared,
        regularizer=loss_params.regularizer,
        class_weight=targets.weight_by_class,
    )
    weight = label_weights(targets.sample_weight, targets.weight_by_class, targets.labels)
    return _neural_targets(targets, loss, mixture_table(targets.labels, teachers, weight))


def streaming_targets(n_classes: int, loss_params: LossParams) -> NeuralTargets:
    """Return the losses for rows that are read batch by batch; their tables are empty."""
    empty = np.empty((0, 0))
    return NeuralTargets(
        SoftTargetLoss(_terms(loss_params), n_classes),
        empty,
        SoftTargetLoss([(1.0, None)], n_classes),
        empty,
        np.empty(0, dtype=bool),
        strata=None,
        n_outputs=n_classes,
    )


@dataclass(frozen=True)
class BatchTable:
    """Function from the labels, teacher's probabilities and weights of a mini-batch to its table.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels, in the order of the columns of the teacher's probabilities.
    loss_params : LossParams
        λ, T and the form of the loss.
    """

    classes: NDArray[Any]
    loss_params: LossParams

    def __call__(
        self, y: NDArray[Any], teacher_proba: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """Return the rows of the table of the loss of :func:`streaming_targets`."""
        _, labels, teachers = check_class_targets(
            y, len(weight), self.classes, teacher_proba, None, weight == 0
        )
        mixture = self.loss_params.mixture(labels, teachers, weight)
        # the same columns for every mini-batch, even if all its labels or predictions are missing
        return target_table(mixture.targets(), _terms(self.loss_params))


def _terms(loss_params: LossParams) -> Terms:
    """Return the log-partition terms of the loss of any mini-batch."""
    label = (1.0, None)
    temperature = loss_params.temperature if loss_params.soften_student else 1.0
    teacher = (temperature, loss_params.regularizer)
    # if the teacher's term has the same log-partition function, their weights add up
    return [label] if teacher == label else [label, teacher]


def _neural_targets(
    targets: TrainingTargets, loss: SoftTargetLoss | MixtureLoss, table: FloatArray
) -> NeuralTargets:
    """Add the loss and the table of the labels alone, for validation."""
    label_targets = TargetMixture(targets.labels, None, targets.weight, imitation=0.0).targets()
    return NeuralTargets(
        loss,
        table,
        SoftTargetLoss.of(label_targets),
        target_table(label_targets),
        targets.labels.present,
        targets.labels.codes,
        n_outputs=len(targets.classes),
        labels=labels_of_codes(targets.labels, targets.classes),
    )


def labels_of_codes(labels: Labels, classes: NDArray[Any]) -> NDArray[Any]:
    """Return labels as the user passed them, None where they are missing."""
    if labels.present.all():
        return np.asarray(classes[labels.codes])
    decoded = np.full(len(labels.present), None, dtype=object)
    decoded[labels.present] = classes[labels.codes[labels.present]]
    return decoded
