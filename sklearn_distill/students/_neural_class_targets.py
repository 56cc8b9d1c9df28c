"""The targets of a neural classifier: its losses, and the tables that they read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.plausible_teacher import check_plausible_teacher
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill.nets._custom_loss import CustomLoss, custom_table
from sklearn_distill.nets.losses import SoftTargetLoss, Terms, target_table
from sklearn_distill.nets.mixture_loss import MixtureLoss, mixture_table
from sklearn_distill.nets.partial_mixture_loss import PartialMixtureLoss, partial_mixture_table
from sklearn_distill.nets.sparse_losses import SparseTargetLoss, label_targets, sparse_table
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.students._stream_teacher import TeacherObserver
from sklearn_distill.targets import (
    Labels,
    PartialTeachers,
    SoftTargets,
    SparseLinear,
    TargetMixture,
    Teachers,
    label_weights,
)
from sklearn_distill.targets.labels import MISSING

TargetLoss: TypeAlias = SoftTargetLoss | SparseTargetLoss


def static_targets(
    targets: TrainingTargets, loss_params: LossParams, label_smoothing: float = 0.0
) -> NeuralTargets:
    """Return targets at fixed λ and T: labels and teachers are mixed once, before training."""
    mixture = targets.mixture(loss_params)
    soft_targets = smooth_labels(mixture, mixture.targets(), label_smoothing)
    codes = np.where(targets.labels.present, targets.labels.codes, 0)
    loss, table = loss_and_table(soft_targets)
    return replace(
        validated_targets(targets, loss_params, loss, table),
        parts=np.column_stack([codes, mixture.loss_parts()]),
        label_smoothing=label_smoothing,
    )


def loss_and_table(targets: SoftTargets) -> tuple[TargetLoss, FloatArray]:
    """Return the loss of targets and the table that it reads, of the entries of sparse ones."""
    if isinstance(targets.linear, SparseLinear):
        return SparseTargetLoss.of(targets), sparse_table(targets)
    return SoftTargetLoss.of(targets), target_table(targets)


def smooth_labels(
    mixture: TargetMixture, soft_targets: SoftTargets, label_smoothing: float
) -> SoftTargets:
    """Return targets in which the share ε of each label's weight is divided among all classes."""
    if not label_smoothing:
        return soft_targets
    weight = mixture.loss_parts()[:, 0]
    if isinstance(soft_targets.linear, SparseLinear):
        entries = mixture.labels.sparse_one_hot(-label_smoothing * weight)
        even = label_smoothing / mixture.labels.n_classes * weight
        return replace(soft_targets, linear=soft_targets.linear.plus(entries, even))
    moved = weight / mixture.labels.n_classes - mixture.labels.one_hot(weight)
    return replace(soft_targets, linear=soft_targets.linear + label_smoothing * moved)


def custom_targets(
    targets: TrainingTargets,
    loss_params: LossParams,
    distillation_loss: Any,
    label_smoothing: float,
) -> NeuralTargets:
    """Return targets for a teacher's term that is a function of the user."""
    _check_complete(targets, "distillation_loss")
    mixture = targets.mixture(loss_params)
    parts, labels = mixture.loss_parts(), targets.labels
    logits = np.full((labels.n_classes, len(parts)), np.nan)
    if isinstance(targets.teachers, Teachers):
        T = loss_params.temperature
        several = len(targets.teachers.logits) > 1
        # of several teachers the mean of their softened predictions, as in the built-in term
        with np.errstate(divide="ignore"):
            soft = T * np.log(targets.teachers.soften(T)) if several else None
        logits = targets.teachers.logits[0] if soft is None else soft
        logits = np.where(targets.teachers.teacher_mask, logits, np.nan)
    weight = label_weights(targets.sample_weight, targets.weight_by_class, labels)
    codes = np.where(labels.present, labels.codes, -1)
    loss = CustomLoss(
        distillation_loss,
        labels.n_classes,
        loss_params.temperature,
        loss_params.imitation,
        label_smoothing,
    )
    table = custom_table(logits.T, codes, parts[:, [0, 2]], weight)
    return validated_targets(targets, loss_params, loss, table)


def tunable_targets(targets: TrainingTargets, loss_params: LossParams) -> NeuralTargets:
    """Return targets for a training that changes λ and T: they are mixed anew at each step.

    They must include a teacher.
    """
    teachers = targets.teachers
    assert teachers is not None
    if isinstance(teachers, PartialTeachers) and teachers.is_sparse:
        raise ValueError(
            "metaparameter_optimizer needs a dense teacher_proba, of which unknown classes are "
            "NaN: pass an array, or leave out metaparameter_optimizer"
        )
    kind = MixtureLoss if isinstance(teachers, Teachers) else PartialMixtureLoss
    loss = kind(
        targets.labels.n_classes,
        teachers.n_teachers,
        soften_student=loss_params.soften_student,
        t_squared=loss_params.t_squared,
        regularizer=loss_params.regularizer,
        class_weight=targets.weight_by_class,
    )
    weight = label_weights(targets.sample_weight, targets.weight_by_class, targets.labels)
    if isinstance(teachers, PartialTeachers):
        table = partial_mixture_table(targets.labels, teachers, weight)
    else:
        table = mixture_table(targets.labels, teachers, weight)
    return _validated_by_labels(targets, loss, table)


def _check_complete(targets: TrainingTargets, param: str) -> None:
    """Require predictions for all classes."""
    if isinstance(targets.teachers, PartialTeachers):
        raise ValueError(
            f"{param} needs predictions for all classes, but teacher_proba leaves some unknown: "
            f"leave out {param}, or pass an array with partial='spread'"
        )


def streaming_targets(n_classes: int, loss_params: LossParams) -> NeuralTargets:
    """Return the losses for rows that are read batch by batch; their tables are empty."""
    empty = np.empty((0, 0))
    return NeuralTargets(
        SoftTargetLoss(loss_terms(loss_params), n_classes),
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
    label_smoothing : float, default=0.0
        Share of the label's term that all classes have alike.
    """

    classes: NDArray[Any]
    loss_params: LossParams
    label_smoothing: float = 0.0

    def __call__(
        self, y: NDArray[Any], teacher_proba: FloatArray, weight: FloatArray
    ) -> FloatArray:
        """Return the rows of the table of the loss of :func:`streaming_targets`, and labels.

        The last columns are for the observer.
        """
        _, labels, teachers = check_class_targets(
            y, len(weight), self.classes, teacher_proba, None, weight == 0
        )
        mixture = self.loss_params.mixture(labels, teachers, weight)
        # the same columns for every mini-batch, even if all its labels or predictions are missing
        soft_targets = smooth_labels(mixture, mixture.targets(), self.label_smoothing)
        table = target_table(soft_targets, loss_terms(self.loss_params))
        return np.column_stack([table, _observed(labels, teachers, weight)])

    def observer(self) -> TeacherObserver:
        """Return what reads the last columns of the tables."""
        return TeacherObserver(
            1 + len(self.classes), self.loss_params.imitation, partial(_judge, self.classes)
        )


def _observed(
    labels: Labels, teachers: Teachers | PartialTeachers | None, weight: FloatArray
) -> FloatArray:
    """Return the columns for :class:`TeacherObserver`: class number, mean probabilities."""
    codes = np.where(weight > 0, labels.codes, MISSING)
    if teachers is None:
        return np.column_stack([codes, np.full((len(codes), labels.n_classes), np.nan)])
    proba = np.where(teachers.teacher_mask, teachers.soften(1.0), np.nan)
    return np.column_stack([codes, proba.T])


def _judge(classes: NDArray[Any], rows: FloatArray) -> None:
    """Warn if the teacher is implausible, by the columns of :func:`_observed`."""
    with np.errstate(divide="ignore"):  # log(0) is -inf: exactly no probability
        judge_logits(classes, np.column_stack([rows[:, :1], np.log(rows[:, 1:])]))


def judge_logits(classes: NDArray[Any], rows: FloatArray, name: str | None = None) -> None:
    """Warn if the teacher is implausible, by its class numbers, then its logits."""
    logits = np.ascontiguousarray(rows[:, 1:].T)[None]
    labels = Labels(rows[:, 0].astype(np.intp), len(classes))
    check_plausible_teacher(classes, labels, Teachers(logits), is_proba=True, name=name)


def loss_terms(loss_params: LossParams) -> Terms:
    """Return the log-partition terms of the loss of any mini-batch."""
    label = (1.0, None)
    temperature = loss_params.temperature if loss_params.soften_student else 1.0
    teacher = (temperature, loss_params.regularizer)
    # if the teacher's term has the same log-partition function, their weights add up
    return [label] if teacher == label else [label, teacher]


def validated_targets(
    targets: TrainingTargets, loss_params: LossParams, loss: Any, table: FloatArray
) -> NeuralTargets:
    """Add what validates: the labels alone or, without any, the teacher's term."""
    by_labels = _validated_by_labels(targets, loss, table)
    if targets.labels.present.any() or targets.teachers is None:
        return by_labels
    # the teacher's term, whose scale and regulariser do not matter to the best epoch
    term = replace(loss_params, imitation=0.0, t_squared=False, regularizer=None)
    taught = targets.mixture(term).targets()
    return replace(
        by_labels,
        can_validate=np.ones(len(table), dtype=bool),
        strata=targets.teachers.most_probable(),
        taught=loss_and_table(taught),
    )


def _validated_by_labels(
    targets: TrainingTargets,
    loss: TargetLoss | MixtureLoss | CustomLoss,
    table: FloatArray,
) -> NeuralTargets:
    """Add the loss and the table of the labels alone, for validation."""
    if isinstance(loss, SparseTargetLoss):
        of_labels = label_targets(targets.labels, targets.weight)
    else:
        of_labels = TargetMixture(targets.labels, None, targets.weight, imitation=0.0).targets()
    label_loss, label_table = loss_and_table(of_labels)
    return NeuralTargets(
        loss,
        table,
        label_loss,
        label_table,
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
