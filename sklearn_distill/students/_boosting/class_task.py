"""From labels, teachers and weights to what a boosting library is to fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_distill._typing import CheckedX, FloatArray, IntArray, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import take_any_rows
from sklearn_distill._validation.labels import check_labels
from sklearn_distill._validation.splits import hold_out, taught_strata
from sklearn_distill.losses import ScoreLoss
from sklearn_distill.students._boosting.library import HeldOut
from sklearn_distill.students._boosting.validation_set import read_validation_set
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import Labels, TargetMixture


def training_loss(
    targets: TrainingTargets, loss_params: LossParams, rows: IntArray | None, *, weighted: bool
) -> ScoreLoss:
    """Return the loss of the training rows.

    Parameters
    ----------
    targets : TrainingTargets
        Labels, teachers and weights of rows of positive weight.
    loss_params : LossParams
        λ, T and the form of the loss.
    rows : ndarray of int or None
        The training rows; None for all.
    weighted : bool
        Whether any weights were given: without them a library gets none.

    Returns
    -------
    ScoreLoss
        The loss; the targets can be forgotten.
    """
    # class weights are those of all rows, the validation rows included
    return _loss_of_rows(targets.mixture(loss_params), targets.weight, rows, weighted=weighted)


def held_out_rows(targets: TrainingTargets, fraction: float, seed: Any) -> tuple[IntArray, ...]:
    """Split the rows into training and validation rows.

    Validation rows have a label if any row has one; they have the class proportions of the labels,
    or, without any label and if each has rows enough, of the teacher's most probable classes.

    Parameters
    ----------
    targets : TrainingTargets
        Labels and teachers.
    fraction : float
        Share of the (labelled) rows in the validation set.
    seed : int, RandomState or None
        Seed of the split.

    Returns
    -------
    train, validation : ndarray of int
        Row numbers in ascending order.
    """
    labels = targets.labels
    if labels.present.any():
        return hold_out(labels.present, fraction, labels.codes, seed)
    assert targets.teachers is not None  # each row has a label or a prediction
    most_probable = targets.teachers.soften(1.0).argmax(axis=0)
    strata = taught_strata(most_probable, fraction)
    return hold_out(np.ones(len(most_probable), dtype=bool), fraction, strata, seed)


def hold_out_of_training(
    X: CheckedX, targets: TrainingTargets, loss_params: LossParams, rows: IntArray, weighted: bool
) -> HeldOut:
    """Return validation rows that were taken out of the training rows.

    The metric is the cross-entropy of the labels or, in rows without a label, the teacher's term.
    """
    mixture = targets.mixture(replace(loss_params, imitation=0.0))
    loss = _loss_of_rows(mixture, targets.weight, rows, weighted=weighted)
    return HeldOut(take_any_rows(X, rows), loss)


def read_held_out(
    estimator: Any, X: MatrixLike, X_val: Any, y_val: TargetLike, sample_weight_val: Any
) -> HeldOut | None:
    """Check ``X_val``, ``y_val`` and ``sample_weight_val``; None without them.

    Parameters
    ----------
    estimator : estimator
        The student, with ``classes_``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features of the training rows.
    X_val, y_val, sample_weight_val : array-like or None
        Arguments of ``fit``.

    Returns
    -------
    HeldOut or None
        The rows of positive weight, with the cross-entropy of their labels.

    Raises
    ------
    ValueError
        If one of them is missing or wrong.
    """

    def read_labels(y_val: Any, n_rows: int) -> Labels:
        _, labels = check_labels(y_val, n_rows, estimator.classes_, None)
        if not labels.present.all():
            raise ValueError(
                f"row {int(np.argmin(labels.present))} of y_val has no label: the validation loss "
                "needs one for each row"
            )
        return labels

    held_out = read_validation_set(estimator, X, X_val, y_val, sample_weight_val, read_labels)
    if held_out is None:
        return None
    samples, labels, s, rows = held_out
    mixture = TargetMixture(labels, None, s, imitation=0.0)
    loss = _loss_of_rows(mixture, s, rows, weighted=sample_weight_val is not None)
    return HeldOut(samples, loss)


def _loss_of_rows(
    mixture: TargetMixture, weight: FloatArray, rows: IntArray | None, *, weighted: bool
) -> ScoreLoss:
    if rows is not None:
        teachers = None if mixture.teachers is None else mixture.teachers.take(rows)
        labels = Labels(mixture.labels.codes[rows], mixture.labels.n_classes)
        mixture = replace(mixture, labels=labels, teachers=teachers, weight=mixture.weight[rows])
        weight = weight[rows]
    return ScoreLoss(mixture.targets(), weight if weighted else None)
