"""Squared error of probabilities."""

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
    """Average the squared distance of the probabilities from the label.

    ``BS = h · mean_i Σ_k (p_ik − [y_i = k])²``, h = ½ for two classes and 1 for more

    :func:`sklearn.metrics.brier_score_loss` gives the same number, for more than two classes
    from scikit-learn 1.7 on; this one serves 1.6 too and any order of `labels`.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels, numbers or strings.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities; one dimension means P(second class) of a binary problem.
    labels : array-like of shape (n_classes,), default=None
        The class of each column, as ``estimator.classes_``; None takes the sorted labels of
        `y_true`, which must then hold every class.
    scale_by_half : bool or "auto", default="auto"
        Whether h = ½, so that the score lies in [0, 1] and not in [0, 2]; "auto" is True for
        two classes alone.
    sample_weight : array-like of shape (n_samples,), default=None
        Row weights of the mean.

    Returns
    -------
    float
        Between 0 and 2h; lower is better.

    Raises
    ------
    ValueError
        If labels, probabilities or weights are not what their names say; names the first bad
        row.

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
    """Return h of the formula.

    Parameters
    ----------
    scale_by_half : bool or "auto"
        "auto" is True for two classes alone.
    n_classes : int
        The number of columns.

    Returns
    -------
    float
        ½ or 1.
    """
    if scale_by_half not in (True, False, "auto"):
        raise ValueError(f"scale_by_half={scale_by_half!r}; pass True, False or 'auto'.")
    halve = n_classes <= 2 if scale_by_half == "auto" else scale_by_half
    return 0.5 if halve else 1.0
