"""What a network is to learn of classes: losses, and the tables that they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation import read_lesson
from sklearn_distill.losses.torch_tangent import MixtureLoss, answer_table
from sklearn_distill.losses.torch_twin import SoftTargetLoss, Terms, target_table
from sklearn_distill.students._lesson import Lesson, Setting
from sklearn_distill.students._neural_lesson import NeuralLesson
from sklearn_distill.targets import TargetMixture


def fixed_lesson(lesson: Lesson, setting: Setting) -> NeuralLesson:
    """Return the lesson at fixed λ and T: labels and teachers are mixed once."""
    targets = lesson.mixture(setting).targets()
    return _neural(lesson, SoftTargetLoss.of(targets), target_table(targets))


def moving_lesson(lesson: Lesson, setting: Setting) -> NeuralLesson:
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
    return _neural(lesson, loss, answer_table(lesson.labels, teachers, lesson.weight))


def stream_lesson(n_classes: int, setting: Setting) -> NeuralLesson:
    """Return the lesson of rows that come batch by batch: losses without tables."""
    nothing = np.empty((0, 0))
    return NeuralLesson(
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
    setting : Setting
        λ, T and the form of the loss.
    """

    classes: NDArray[Any]
    setting: Setting

    def __call__(self, y: NDArray[Any], says: FloatArray, weight: FloatArray) -> FloatArray:
        """Return rows of the table of the stream's loss."""
        _, labels, teachers = read_lesson(y, len(weight), self.classes, says, None)
        mixture = self.setting.mixture(labels, teachers, weight)
        return target_table(mixture.targets(), _terms(self.setting))


def _terms(setting: Setting) -> Terms:
    """Return the terms that the loss of any mini-batch may have."""
    label = (1.0, None)
    teacher = (setting.temperature if setting.soften_student else 1.0, setting.regularizer)
    return [label] if teacher == label else [label, teacher]


def _neural(lesson: Lesson, loss: SoftTargetLoss | MixtureLoss, table: FloatArray) -> NeuralLesson:
    """Return loss and table, with those of the labels alone for validation."""
    alone = TargetMixture(lesson.labels, None, lesson.weight, imitation=0.0).targets()
    return NeuralLesson(
        loss,
        table,
        SoftTargetLoss.of(alone),
        target_table(alone),
        lesson.labels.present,
        lesson.labels.codes,
        n_outputs=len(lesson.classes),
    )
