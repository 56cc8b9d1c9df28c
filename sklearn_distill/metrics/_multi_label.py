"""Scores of several labels: those of two classes over all labels of all samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_distill._typing import ArrayLike, FloatArray, MatrixLike
from sklearn_distill._validation.label_matrix import (
    check_label_matrix,
    check_teacher_matrix,
    mean_of_teachers,
)
from sklearn_distill._validation.sample_weight import check_sample_weight

# the classes of each label
BINARY: list[Any] = [0, 1]


def has_several_labels(estimator: Any) -> bool:
    """Return whether a fitted classifier predicts several labels."""
    classes = getattr(estimator, "classes_", None)
    return isinstance(classes, list) and all(np.ndim(one) == 1 for one in classes)


def label_probabilities(estimator: Any, X: MatrixLike) -> FloatArray:
    """Return the probability of each label.

    Parameters
    ----------
    estimator : fitted classifier of several labels
        Its ``predict_proba`` returns a matrix, or a list with a matrix of both classes for each
        label, as scikit-learn's forests.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    ndarray of shape (n_samples, n_labels)
        The probabilities.
    """
    predicted = estimator.predict_proba(X)
    if not isinstance(predicted, list):
        return np.asarray(predicted)
    columns = [
        p[:, np.asarray(classes).tolist().index(1)] if 1 in classes else np.zeros(len(p))
        for p, classes in zip(predicted, estimator.classes_, strict=True)
    ]
    return np.column_stack(columns)


def known_entries(
    targets: FloatArray, p: FloatArray, sample_weight: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the targets, the probabilities of both classes and the weights of known entries.

    Parameters
    ----------
    targets : ndarray of shape (n_samples, n_labels)
        Labels or probabilities, NaN where they are missing.
    p : ndarray of shape (n_samples, n_labels)
        Predicted probabilities.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    tuple of ndarray of shape (n_known,), (n_known, 2) and (n_known,)
        One row for each label of each sample that is known.

    Raises
    ------
    ValueError
        If no entry is known, or the shapes differ.
    """
    s = check_sample_weight(sample_weight, len(p))
    if targets.shape != p.shape:
        raise ValueError(
            f"there are {targets.shape[1]} labels to score by, but the estimator predicts "
            f"{p.shape[1]}: give the same labels"
        )
    known = ~np.isnan(targets) & (s > 0)[:, None]
    if not known.any():
        raise ValueError(f"no label or prediction is known in the {len(p)} rows to score")
    weights = np.broadcast_to(s[:, None], p.shape)[known]
    return targets[known], _both_classes(p[known]), weights


def score_by_labels(
    metric: Callable[..., float],
    estimator: Any,
    X: MatrixLike,
    y: Any,
    sample_weight: ArrayLike | None,
) -> float:
    """Return a score of two classes over all known entries.

    Parameters
    ----------
    metric : callable
        ``metric(y, p, classes, sample_weight)``.
    estimator : fitted classifier of several labels
        The estimator.
    X, y : array-like
        Samples, and their labels, entries of which may be missing.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    float
        The score.
    """
    p = label_probabilities(estimator, X)
    labels, both, s = known_entries(check_label_matrix(y, len(p)), p, sample_weight)
    return metric(labels.astype(np.int64).tolist(), both, BINARY, s)


def score_by_teacher(
    row_loss: Callable[[FloatArray, FloatArray], FloatArray],
    estimator: Any,
    X: MatrixLike,
    teacher_proba: Any,
    sample_weight: ArrayLike | None,
) -> float:
    """Return minus the mean over all known entries of a loss of two classes against a teacher.

    Parameters
    ----------
    row_loss : callable
        ``row_loss(q, p)`` of the teacher's and the estimator's probabilities of both classes.
    estimator : fitted classifier of several labels
        The estimator.
    X : array-like
        Samples.
    teacher_proba : array-like, DataFrame or list
        The teacher's probability of each label, in the formats of a student's ``fit``.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the samples.

    Returns
    -------
    float
        The score.
    """
    p = label_probabilities(estimator, X)
    teacher = check_teacher_matrix(teacher_proba, None, None, np.full(p.shape, np.nan))
    assert teacher is not None
    q, both, s = known_entries(mean_of_teachers(teacher), p, sample_weight)
    return -float(np.average(row_loss(_both_classes(q), both), weights=s))


def _both_classes(p: FloatArray) -> FloatArray:
    return np.column_stack([1 - p, p])
