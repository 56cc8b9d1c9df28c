"""What a network is to learn of classes: losses, and the tables that they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill.nets.losses import SoftTargetLoss, Terms, target_table
from sklearn_distill.nets.mixture_loss import MixtureLoss, mixture_table
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import TargetMixture


def static_targets(lesson: TrainingTargets, setting: LossParams) -> NeuralTargets:
    """Return the lesson at fixed λ and T: labels and teachers are mixed once."""
    targets = lesson.mixture(setting).targets()
    return _neural(lesson, SoftTargetLoss.of(targets), target_table(targets))


def tunable_targets(lesson: TrainingTargets, setting: LossParams) -> NeuralTargets:
    """Return the lesson of a training that moves λ and T, and mixes at each step.

    It has a teacher.
    """
    teachers = lesson.teachers
    assert teachers is not None
    loss = MixtureLoss(
        lesson.labels.n_classes,
        len(teachers.logits),
        soften_student=setting.soften_student,
        t_squared=setting.t_squared,
        regularizer=setting.regularizer,
    )
    return _neural(lesson, loss, mixture_table(lesson.labels, teachers, lesson.weight))


def streaming_targets(n_classes: int, setting: LossParams) -> NeuralTargets:
    """Return the lesson of rows that come batch by batch: losses without tables."""
    nothing = np.empty((0, 0))
    return NeuralTargets(
        SoftTargetLoss(_terms(setting), n_classes),
        nothing,
        SoftTargetLoss([(1.0, None)], n_classes),
        nothing,
        np.empty(0, dtype=bool),
        strata=None,
        n_outputs=n_classes,
    )


@dataclass(frozen=True)
class BatchTable:
    """Make the table of a mini-batch out of its labels, teacher rows and weights.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.
    setting : LossParams
        λ, T and the form of the loss.
    """

    classes: NDArray[Any]
    setting: LossParams

    def __call__(self, y: NDArray[Any], says: FloatArray, weight: FloatArray) -> FloatArray:
        """Return rows of the table of the stream's loss."""
        _, labels, teachers = check_class_targets(y, len(weight), self.classes, says, None)
        mixture = self.setting.mixture(labels, teachers, weight)
        return target_table(mixture.targets(), _terms(self.setting))


def _terms(setting: LossParams) -> Terms:
    """Return the terms that the loss of any mini-batch may have."""
    label = (1.0, None)
    teacher = (setting.temperature if setting.soften_student else 1.0, setting.regularizer)
    return [label] if teacher == label else [label, teacher]


def _neural(
    lesson: TrainingTargets, loss: SoftTargetLoss | MixtureLoss, table: FloatArray
) -> NeuralTargets:
    """Return loss and table, with those of the labels alone for validation."""
    alone = TargetMixture(lesson.labels, None, lesson.weight, imitation=0.0).targets()
    return NeuralTargets(
        loss,
        table,
        SoftTargetLoss.of(alone),
        target_table(alone),
        lesson.labels.present,
        lesson.labels.codes,
        n_outputs=len(lesson.classes),
    )
