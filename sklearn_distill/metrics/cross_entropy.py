"""The cross-entropy of predicted with true probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import row_cross_entropy, weighted_mean


def cross_entropy_from_proba(
    true_proba: ArrayLike,
    y_proba: ArrayLike,
    *,
    eps: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean cross-entropy of the predicted with the true probabilities.

    ``L_real = −mean_i Σ_k s_ik log p_ik``, with ``0 log 0 = 0``

    Its minimum over p is the entropy of `true_proba`, at p = s. With one-hot `true_proba` it is
    :func:`sklearn.metrics.log_loss`.

    Parameters
    ----------
    true_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        True probabilities s, or a teacher's; one dimension is P(second class) of two.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities p, columns in the same order.
    eps : float, default=0
        Smallest value of p in the logarithm, 0 ≤ eps < 1. At 0 the result is inf if p is 0 for a
        class with s > 0, as in the definition; :func:`~sklearn.metrics.log_loss` uses
        ``numpy.finfo(float).eps``.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of the mean.

    Returns
    -------
    float
        Cross-entropy in nats, 0 or more, possibly inf; lower is better.

    Raises
    ------
    ValueError
        If probabilities or weights are invalid (the message names the first invalid row), or the
        shapes differ.

    References
    ----------
    Grabovoy and Strijov, "Probabilistic interpretation of the distillation problem",
    Automation and Remote Control, 2022, L_real of the synthetic experiment.

    Examples
    --------
    >>> from sklearn_distill.metrics import cross_entropy_from_proba
    >>> round(cross_entropy_from_proba([[0.5, 0.5]], [[0.8, 0.2]]), 4)
    0.9163

    As a scorer, called with probabilities as the target, ``scorer(student, X, true_proba)``:

    >>> from sklearn.metrics import make_scorer
    >>> scorer = make_scorer(
    ...     cross_entropy_from_proba, greater_is_better=False, response_method="predict_proba"
    ... )
    """
    s = check_proba(true_proba, "true_proba")
    p = check_proba(y_proba, "y_proba")
    check_same_length("true_proba", len(s), "y_proba", len(p))
    if s.shape != p.shape:
        raise ValueError(
            f"true_proba has {s.shape[1]} classes and y_proba has {p.shape[1]}; "
            "pass the same classes in the same order for both."
        )
    if not 0 <= eps < 1:
        raise ValueError(f"eps={eps!r}; pass a number with 0 ≤ eps < 1.")
    weights = check_sample_weight(sample_weight, len(p))
    return weighted_mean(row_cross_entropy(s, np.maximum(p, eps)), weights)
