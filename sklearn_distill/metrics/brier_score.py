"""The Brier score: the squared error of predicted probabilities."""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import row_brier, weighted_mean


def brier_score(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    scale_by_half: bool | Literal["auto"] = "auto",
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean squared distance of the probabilities from the labels.

    ``BS = h · mean_i Σ_k (p_ik − [y_i = k])²``, h = ½ for two classes and 1 for more

    :func:`sklearn.metrics.brier_score_loss` returns the same number, for more than two classes
    from scikit-learn 1.7 on; this function also supports 1.6 and any order of `labels`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels, numbers or strings.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities; one dimension is P(second class) of a binary problem.
    labels : array-like of shape (n_classes,), default=None
        The class of each column, as ``estimator.classes_``; None takes the sorted labels of
        `y_true`, which must then contain every class.
    scale_by_half : bool or "auto", default="auto"
        Whether h = ½, so that the score lies in [0, 1] and not in [0, 2]; "auto" is True for
        two classes only.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of the mean.

    Returns
    -------
    float
        Between 0 and 2h; lower is better.

    Raises
    ------
    ValueError
        If labels, probabilities or weights are invalid; the message names the first invalid row.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78, 1950, which has h = 1.

    Examples
    --------
    >>> from sklearn_distill.metrics import brier_score
    >>> round(brier_score([0, 1], [0.2, 0.6]), 3)
    0.1
    >>> round(brier_score(["a", "b", "c"], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]]), 3)
    0.147
    """
    p = check_proba(y_proba)
    k = class_index(y_true, labels, p.shape[1])
    check_same_length("y_true", len(k), "y_proba", len(p))
    s = check_sample_weight(sample_weight, len(p))
    return brier_scale(scale_by_half, p.shape[1]) * weighted_mean(row_brier(k, p), s)


def brier_scale(scale_by_half: bool | Literal["auto"], n_classes: int) -> float:
    """Return the factor h of the Brier score.

    Parameters
    ----------
    scale_by_half : bool or "auto"
        "auto" is True for two classes only.
    n_classes : int
        Number of columns of the probabilities.

    Returns
    -------
    float
        ½ or 1.
    """
    if scale_by_half not in (True, False, "auto"):
        raise ValueError(f"scale_by_half={scale_by_half!r}; pass True, False or 'auto'.")
    # one class or two: sklearn.metrics.brier_score_loss halves for these too
    halve = n_classes <= 2 if scale_by_half == "auto" else scale_by_half
    return 0.5 if halve else 1.0
