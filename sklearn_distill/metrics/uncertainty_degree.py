"""The degree of uncertainty: the squared distance of probabilities from certainty."""

from __future__ import annotations

from numpy.typing import ArrayLike

from sklearn_distill._validation.probabilities import only_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import row_brier, weighted_mean


def uncertainty_degree(
    y_true: ArrayLike | None = None,
    y_proba: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean squared distance of the probabilities from their predicted class.

    ``unc = mean_i ½ ‖p_i − onehot(argmax_k p_ik)‖²``

    For two classes this is ``mean_i (p_i − [p_i > ½])²``, Biryukova's degree of uncertainty. It
    does not depend on the labels: a model that is always certain has 0, right or wrong.

    Parameters
    ----------
    y_true : array-like, default=None
        Ignored; present so that :func:`sklearn.metrics.make_scorer` can call the metric. Omit it
        in a direct call: ``uncertainty_degree(y_proba)``.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities; one dimension is P(second class) of a binary problem.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of the mean.

    Returns
    -------
    float
        Between 0 (certain) and ½ (1 − 1/n_classes) (uniform).

    Raises
    ------
    ValueError
        If probabilities or weights are invalid; the message names the first invalid row.

    See Also
    --------
    max_min_gap : The gap between the most and the least probable class.

    References
    ----------
    Biryukova, "Knowledge distillation on the example of binary classification", degree of
    uncertainty; the form for several classes is this package's.

    Examples
    --------
    >>> from sklearn_distill.metrics import uncertainty_degree
    >>> round(uncertainty_degree([[0.9, 0.1], [0.3, 0.7]]), 3)
    0.05

    As a scorer for which lower is better:

    >>> from sklearn.metrics import make_scorer
    >>> scorer = make_scorer(
    ...     uncertainty_degree, greater_is_better=False, response_method="predict_proba"
    ... )
    """
    p = only_proba(y_true, y_proba)
    s = check_sample_weight(sample_weight, len(p))
    return weighted_mean(0.5 * row_brier(p.argmax(axis=1), p), s)
