"""The targets of a network with several labels: those of a student of two classes for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_distill._typing import ArrayLike, BoolArray, FloatArray, TargetLike, TeacherLike
from sklearn_distill._validation.label_matrix import LabelData, column_of, naming_label
from sklearn_distill.nets._multi_label_loss import MultiLabelLoss
from sklearn_distill.nets.losses import SoftTargetLoss, target_table
from sklearn_distill.students._neural_class_targets import (
    custom_targets,
    loss_terms,
    smooth_labels,
)
from sklearn_distill.students._neural_targets import NeuralTargets
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import TargetMixture, mean_one

BINARY = np.array([0, 1])


@dataclass(frozen=True)
class _BinaryParams:
    """What reading the targets of one label needs of the student."""

    class_weight: Any
    classes: Any = None


@dataclass(frozen=True)
class MultiLabelTargets:
    """Labels, teacher's predictions and weights of all labels.

    Parameters
    ----------
    labels : ndarray of shape (n_rows, n_labels)
        Labels, NaN where they are missing.
    columns : sequence of TrainingTargets
        The targets of each label; entries with neither a label nor a prediction have weight 0.
    taught : ndarray of bool of shape (n_rows,)
        Rows with a prediction.
    weight : ndarray of shape (n_rows,)
        Weights of the rows, with mean 1.
    """

    labels: FloatArray
    columns: Sequence[TrainingTargets]
    taught: BoolArray
    weight: FloatArray

    @classmethod
    def read(
        cls,
        y: TargetLike,
        n_rows: int,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_weight: ArrayLike | None,
        class_weight: Any,
    ) -> tuple[MultiLabelTargets, FloatArray]:
        """Check the arguments of ``fit``; return the targets of rows of positive weight.

        The second value are the weights of all rows, as they were passed.
        """
        data = LabelData.read(
            y, n_rows, sample_weight, teacher_proba, teacher_logits, teacher_weight
        )
        rows = np.flatnonzero(data.weight)
        labels, present, weight = data.labels[rows], data.present[rows], mean_one(data.weight[rows])
        teacher = None if data.teacher is None else data.teacher[rows]
        trust = None if data.teacher_weight is None else data.teacher_weight[rows]
        columns = []
        for label in range(labels.shape[1]):
            predictions = column_of(teacher, label, is_proba=teacher_proba is not None)
            with naming_label(label):
                column = TrainingTargets.read(
                    _BinaryParams(class_weight),
                    len(rows),
                    labels[:, label],
                    weight * present[:, label],
                    predictions if teacher_proba is not None else None,
                    predictions if teacher_proba is None else None,
                    BINARY,
                    teacher_weight=trust,
                    allow_zero_weight=True,
                )
                column.warn_if_implausible(teacher_proba)
            columns.append(column)
        taught = np.zeros(len(rows), dtype=bool)
        for column in columns:
            if column.teachers is not None:
                taught |= column.teachers.teacher_mask
        return cls(labels, columns, taught, weight), data.weight

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.columns)


def multi_label_targets(
    targets: MultiLabelTargets,
    loss_params: LossParams,
    distillation_loss: Any = None,
    label_smoothing: float = 0.0,
) -> NeuralTargets:
    """Return the tables of all labels side by side, and the sum of their losses."""
    if distillation_loss is None:
        terms = loss_terms(loss_params)
        loss: Any = SoftTargetLoss(terms, 2)
        tables = [_mixed(column, loss_params, label_smoothing) for column in targets.columns]
    else:
        made = [
            custom_targets(column, loss_params, distillation_loss, label_smoothing)
            for column in targets.columns
        ]
        loss, tables = made[0].loss, [column.table for column in made]
    labelled: BoolArray = ~np.isnan(targets.labels)
    can_validate: BoolArray = np.asarray(labelled.any(axis=1) | ~labelled.any())
    return NeuralTargets(
        MultiLabelLoss(loss, targets.n_labels),
        np.hstack(tables),
        MultiLabelLoss(SoftTargetLoss([(1.0, None)], 2), targets.n_labels),
        np.hstack([_of_labels(column) for column in targets.columns]),
        can_validate,
        strata=None,
        n_outputs=targets.n_labels,
        n_labels=targets.n_labels,
        labels=as_integers(targets.labels),
        taught=None if labelled.any() else _taught(targets, loss_params),
    )


def label_table(labels: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the table of the labels alone, with row weights, for validation."""
    columns = [
        TrainingTargets.read(
            _BinaryParams(None),
            len(labels),
            column,
            weight * ~np.isnan(column),
            None,
            None,
            BINARY,
            allow_zero_weight=True,
        )
        for column in labels.T
    ]
    return np.hstack([_of_labels(column) for column in columns])


def as_integers(labels: FloatArray) -> Any:
    """Return labels none of which is missing as integers, which scikit-learn's scorers need."""
    return labels if np.isnan(labels).any() else labels.astype(np.int64)


def _mixed(column: TrainingTargets, loss_params: LossParams, label_smoothing: float) -> FloatArray:
    mixture = column.mixture(loss_params)
    soft_targets = smooth_labels(mixture, mixture.targets(), label_smoothing)
    # the same columns for every label, even if all its labels or predictions are missing
    return target_table(soft_targets, loss_terms(loss_params))


def _of_labels(column: TrainingTargets) -> FloatArray:
    mixture = TargetMixture(column.labels, None, column.row_weight, imitation=0.0)
    return target_table(mixture.targets(), [(1.0, None)])


def _taught(targets: MultiLabelTargets, loss_params: LossParams) -> tuple[Any, FloatArray]:
    """Return the teacher's term, whose scale and regulariser do not matter to the best epoch."""
    term = replace(loss_params, imitation=1.0, t_squared=False, regularizer=None)
    tables = [_mixed(column, term, 0.0) for column in targets.columns]
    return MultiLabelLoss(SoftTargetLoss(loss_terms(term), 2), targets.n_labels), np.hstack(tables)
