"""Scorers for searches and cross-validation: by the labels that are there, or by a teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.metrics import get_scorer_names as sklearn_scorer_names

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.numbers import shorten
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import (
    one_hot,
    row_correct,
    row_cross_entropy,
    weighted_mean,
)
from sklearn_distill.metrics._scorer import (
    LabelledRowsScorer,
    LabelProbaScorer,
    LabelScore,
    RowLoss,
    Scorer,
    TeacherPredictionScorer,
    TeacherProbaScorer,
)
from sklearn_distill.metrics.brier_score import brier_scale, brier_score
from sklearn_distill.metrics.calibration_error import expected_calibration_error

C = TypeVar("C", bound=Callable[..., float])


@overload
def get_scorer(scoring: str) -> Scorer: ...


@overload
def get_scorer(scoring: C) -> C: ...


def get_scorer(scoring: Any) -> Any:
    """Return a scorer by its name, for searches over missing or soft labels.

    It is used as scikit-learn's scorers, ``scorer(estimator, X, y=None, *, sample_weight=None)``;
    the larger, the better. scikit-learn's tools take the object (they reject names that are not
    their own), this package's take the name as well.

    **By labels.** Each name of :func:`sklearn.metrics.get_scorer_names` gives the same score, over
    the samples that have a label: where it is NaN, None, pd.NA or masked, a sample is left out.
    "neg_log_loss", "neg_brier_score" and "neg_expected_calibration_error" take the classes from
    ``estimator.classes_``, and not from `y`, so that a fold without a rare class is scored. A class
    that the estimator was not fitted on has probability 0, and a probability of 0 counts as the
    machine epsilon in the logarithm, as in :func:`sklearn.metrics.log_loss`.

    **By a teacher.** With the teacher's probabilities q (or soft labels) and the predicted p, these
    are minus the mean over the samples with a prediction of

    ============================== =============================================
    "neg_teacher_cross_entropy"    ``−Σ_k q_k log p_k``
    "neg_teacher_kl_divergence"    ``Σ_k q_k (log q_k − log p_k)``
    "neg_teacher_brier_score"      ``h Σ_k (q_k − p_k)²``, h = ½ for two classes
    ============================== =============================================

    They need no `y`, and get q as ``teacher_proba``, in all formats of a student's ``fit``. With
    metadata routing, ``sklearn.set_config(enable_metadata_routing=True)``, a search slices and
    passes it without a request;
    ``set_score_request(teacher_proba="reference_proba")`` lets another table than the student's
    judge. "neg_teacher_root_mean_squared_error" and "neg_teacher_mean_absolute_error" judge a
    regressor by ``teacher_prediction``.

    **Several labels.** If each column of y is a label, the scores of probabilities are those of two
    classes over all entries of y that are not missing; without missing ones their means are also
    the means over the labels. "label_accuracy" is the share of entries that are right, 1 minus the
    Hamming loss. scikit-learn's scores of predicted labels, such as "accuracy" (all labels of a
    sample are right), "f1_macro" and "f1_micro", leave out samples with a missing entry.

    Parameters
    ----------
    scoring : str or callable
        One of :func:`get_scorer_names`; a callable is returned as it is.

    Returns
    -------
    callable
        A new scorer, with ``set_score_request``.

    Raises
    ------
    ValueError
        If the name is unknown. The scorer raises one if no sample to score has a label, or a
        prediction of the teacher, if it is given no teacher, or predictions are invalid.

    See Also
    --------
    sklearn_distill.model_selection.LabeledKFold : Folds whose test samples have a label.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_distill.metrics import get_scorer
    >>> model = LogisticRegression().fit([[0], [1], [2], [3]], ["a", "b", "a", "b"])
    >>> round(get_scorer("neg_log_loss")(model, [[1], [2]], ["b", None]), 3)
    -0.813
    >>> scorer = get_scorer("neg_teacher_kl_divergence")
    >>> round(scorer(model, [[1], [2]], teacher_proba=[[0.5, 0.5], [0.4, 0.6]]), 4)
    -0.0051
    """
    if callable(scoring):
        return scoring
    if scoring in _BY_LABELS:
        return LabelProbaScorer(scoring, _BY_LABELS[scoring])
    if scoring in _BY_TEACHER:
        return TeacherProbaScorer(scoring, _BY_TEACHER[scoring])
    if scoring in _BY_PREDICTION:
        return TeacherPredictionScorer(scoring, _BY_PREDICTION[scoring])
    if scoring in sklearn_scorer_names():
        return LabelledRowsScorer(scoring)
    raise ValueError(
        f"scoring={shorten(scoring)} is no scorer: pass one of scikit-learn's names or of "
        f"{sorted(_OWN_NAMES)}"
    )


def get_scorer_names() -> list[str]:
    """Return the names that :func:`get_scorer` and this package's searches take.

    Returns
    -------
    list of str
        scikit-learn's names and this package's, in alphabetical order.

    Examples
    --------
    >>> from sklearn_distill.metrics import get_scorer_names
    >>> [name for name in get_scorer_names() if "teacher" in name][:2]
    ['neg_teacher_brier_score', 'neg_teacher_cross_entropy']
    """
    return sorted({*sklearn_scorer_names(), *_OWN_NAMES})


def _neg_log_loss(
    y: list[Any], p: FloatArray, classes: list[Any], sample_weight: ArrayLike | None
) -> float:
    k = class_index(y, classes, len(classes))
    s = check_sample_weight(sample_weight, len(k))
    return -weighted_mean(_cross_entropy(one_hot(k, len(classes)), p), s)


def _neg_brier_score(
    y: list[Any], p: FloatArray, classes: list[Any], sample_weight: ArrayLike | None
) -> float:
    return -brier_score(y, p, labels=classes, sample_weight=sample_weight)


def _neg_calibration_error(
    y: list[Any], p: FloatArray, classes: list[Any], sample_weight: ArrayLike | None
) -> float:
    return -expected_calibration_error(y, p, labels=classes, sample_weight=sample_weight)


def _label_accuracy(
    y: list[Any], p: FloatArray, classes: list[Any], sample_weight: ArrayLike | None
) -> float:
    k = class_index(y, classes, len(classes))
    return weighted_mean(row_correct(k, p), check_sample_weight(sample_weight, len(k)))


def _cross_entropy(q: FloatArray, p: FloatArray) -> FloatArray:
    # the epsilon of the predictions' own type, as in scikit-learn's log_loss
    eps = np.finfo(p.dtype if p.dtype.kind == "f" else np.float64).eps
    clipped: FloatArray = np.maximum(check_proba(p), eps)
    return row_cross_entropy(q, clipped)


def _kl_divergence(q: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(_cross_entropy(q, p) + xlogy(q, q).sum(axis=1))


def _squared_distance(q: FloatArray, p: FloatArray) -> FloatArray:
    squares = ((q - check_proba(p)) ** 2).sum(axis=1)
    return np.asarray(brier_scale("auto", q.shape[1]) * squares)


_BY_LABELS: dict[str, LabelScore] = {
    "label_accuracy": _label_accuracy,
    "neg_brier_score": _neg_brier_score,
    "neg_expected_calibration_error": _neg_calibration_error,
    "neg_log_loss": _neg_log_loss,
}
_BY_TEACHER: dict[str, RowLoss] = {
    "neg_teacher_brier_score": _squared_distance,
    "neg_teacher_cross_entropy": _cross_entropy,
    "neg_teacher_kl_divergence": _kl_divergence,
}
_BY_PREDICTION = {
    "neg_teacher_mean_absolute_error": "neg_mean_absolute_error",
    "neg_teacher_root_mean_squared_error": "neg_root_mean_squared_error",
}
_OWN_NAMES = (*_BY_LABELS, *_BY_TEACHER, *_BY_PREDICTION)
