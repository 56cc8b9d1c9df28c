"""Prediction-powered fits: labels decide the optimum, unlabelled rows reduce its variance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.numbers import list_values
from sklearn_distill.targets import Labels, PartialTeachers, SoftTargets, Teachers

_ROUNDING = 1e-12  # of a sum of positive and negative targets, relative to the total


class NoDebiasedMinimumError(ValueError):
    """The debiased objective is unbounded: a smaller ρ may have a minimum."""


def debias_conflict(student: Any) -> str | None:
    """Return why the parameters of the loss allow no debiased form, and what to do; None if fine.

    It is convex and unbiased at T' = 1, without regulariser and class weights, and has a minimum
    only with a penalty.
    """
    if student.temperature != 1 and student.soften_student:
        return (
            f"temperature={student.temperature}: the teacher's term is subtracted in labelled "
            "rows, which is convex only if the student is not divided by T; set temperature=1 or "
            "soften_student=False"
        )
    if student.regularizer is not None:
        return (
            f"regularizer={student.regularizer!r}: the regulariser would be subtracted in "
            "labelled rows; set regularizer=None"
        )
    if student.class_weight is not None:
        return (
            f"class_weight={student.class_weight!r}: a labelled row would have the weight of its "
            "label, and the term that is subtracted those of the predicted classes; set "
            "class_weight=None"
        )
    if np.isinf(student.C):
        return "C=inf: without a penalty the objective may have no minimum; set a finite C"
    return None


def check_debias_params(student: Any) -> None:
    """Require parameters of the loss that allow the debiased form."""
    conflict = debias_conflict(student)
    if conflict is not None:
        raise ValueError(f"debias={student.debias} with {conflict}, or debias=None")


def debiased_weights(
    weight: FloatArray, labels: Labels, teachers: Teachers | PartialTeachers | None, rho: float
) -> FloatArray:
    r"""Return the weights of all rows; the total of the unlabelled ones is ρ times the labelled.

    .. math::

        s_u ← s_u\,ρ\,\frac{Σ_{i ∈ L} s_i}{Σ_{i ∈ U} s_i}

    with L the labelled rows that have a prediction, and U the rows without a label.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Sample weights s.
    labels : Labels
        The labels, some of which are missing.
    teachers : Teachers, PartialTeachers or None
        The teacher's predictions.
    rho : float
        ρ in [0, 1].

    Returns
    -------
    ndarray of shape (n_rows,)
        New weights.

    Raises
    ------
    ValueError
        If a class is unknown in a prediction, the teacher is trusted more in some rows, or labelled
        rows with a prediction or rows without a label are lacking.

    Examples
    --------
    >>> labels = Labels(np.array([0, 1, -1]), 2)
    >>> teachers = Teachers(np.zeros((1, 2, 3)))
    >>> debiased_weights(np.array([1.0, 1.0, 5.0]), labels, teachers, 0.5)
    array([1., 1., 1.])
    """
    if isinstance(teachers, PartialTeachers):
        raise ValueError(
            f"debias={rho} needs predictions for all classes, and teacher_proba leaves some "
            "unknown: pass all of them, or set debias=None"
        )
    if teachers is not None and teachers.trust is not None:
        raise ValueError(
            f"debias={rho} takes no teacher_weight, since the same teacher is subtracted in "
            "labelled rows and added in the others: leave it out, or set debias=None"
        )
    taught = np.zeros(len(weight), dtype=bool) if teachers is None else teachers.teacher_mask
    both = float(weight[labels.present & taught].sum())
    unlabelled = ~labels.present
    total = float(weight[unlabelled].sum())
    if not both or not total:
        lacking = "no row without a label" if both else "no labelled row with a prediction"
        raise ValueError(
            f"debias={rho} compares the teacher's predictions in labelled and unlabelled rows, "
            f"and there is {lacking}: pass both, or set debias=None"
        )
    return np.where(unlabelled, weight * (rho * both / total), weight)


def check_debiased_mass(soft_targets: SoftTargets, classes: NDArray[Any], rho: float) -> None:
    r"""Require a positive mass of each class, without which its intercept has no optimum.

    With the means of labels and predictions in the labelled rows L and the others U, it is

    .. math:: \bar y_k + ρ\,(\bar q_{U,k} - \bar q_{L,k}) > 0.

    Parameters
    ----------
    soft_targets : SoftTargets
        Targets of all rows, some of which are negative.
    classes : ndarray of shape (n_classes,)
        Class labels.
    rho : float
        ρ, for the message.

    Raises
    ------
    NoDebiasedMinimumError
        If the mass of a class that occurs in labels or predictions is not positive.
    """
    mass = soft_targets.class_mass()
    occurs = np.any(soft_targets.dense_linear(slice(None)) != 0, axis=1)
    lacking = occurs & (mass <= _ROUNDING * mass.sum())
    if lacking.any():
        raise NoDebiasedMinimumError(
            f"debias={rho} has no minimum: the teacher predicts the classes "
            f"{list_values(classes[lacking])} more often in labelled rows than in the others, by "
            "as much as the labels have of them; set a smaller debias, or None"
        )
