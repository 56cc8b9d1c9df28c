"""The fidelity score: how often student and teacher predict the same class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import row_correct, weighted_mean


def fidelity_score(
    y_teacher: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the share of samples for which student and teacher predict the same class.

    ``fidelity = mean_i [argmax_k q_ik = argmax_k p_ik]``, the first class where some tie

    It compares predicted classes, not probabilities (as :func:`cross_entropy_from_proba` does),
    and does not depend on the labels: a student may agree with a wrong teacher.

    Parameters
    ----------
    y_teacher : array-like of shape (n_samples, n_classes) or (n_samples,)
        The teacher's probabilities q, or its predicted labels. One dimension is read as
        P(second class) if it is of a floating type and contains a fraction, else as labels.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        The student's probabilities p; one dimension is P(second class) of a binary problem.
    labels : array-like of shape (n_classes,), default=None
        Only used if `y_teacher` contains labels: the class of each column of `y_proba`; None takes
        the sorted labels of `y_teacher`, which must then contain every class.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of the mean.

    Returns
    -------
    float
        Between 0 and 1; 1 means that student and teacher always agree.

    Raises
    ------
    ValueError
        If labels, probabilities or weights are invalid (the message names the first invalid row),
        or if student and teacher differ in the number of rows or classes.

    References
    ----------
    Stanton, Izmailov, Kirichenko, Alemi and Wilson, "Does knowledge distillation really work?",
    NeurIPS 2021, average top-1 agreement.

    Examples
    --------
    >>> from sklearn_distill.metrics import fidelity_score
    >>> fidelity_score([[0.9, 0.1], [0.2, 0.8]], [[0.6, 0.4], [0.7, 0.3]])
    0.5
    >>> fidelity_score(["cat", "dog"], [0.1, 0.7])
    1.0
    """
    p = check_proba(y_proba)
    k = _teacher_classes(y_teacher, labels, p.shape[1])
    check_same_length("y_teacher", len(k), "y_proba", len(p))
    return weighted_mean(row_correct(k, p), check_sample_weight(sample_weight, len(p)))


def _teacher_classes(y_teacher: ArrayLike, labels: ArrayLike | None, n_classes: int) -> IntArray:
    array = np.asarray(y_teacher)
    # labels may be the floats 0.0 and 1.0 too, so only a fraction marks probabilities
    if array.ndim == 1 and not _has_fractions(array):
        return class_index(y_teacher, labels, n_classes, "y_teacher")
    q = check_proba(y_teacher, "y_teacher")
    if q.shape[1] != n_classes:
        raise ValueError(
            f"y_teacher has {q.shape[1]} classes and y_proba has {n_classes}; "
            "pass the same classes in the same order for both."
        )
    k: IntArray = q.argmax(axis=1)
    return k


def _has_fractions(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and bool((array % 1 != 0).any())
