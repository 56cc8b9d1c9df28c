"""The gap between the probabilities of the most and the least probable class."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._validation.probabilities import only_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import weighted_mean


@overload
def max_min_gap(
    y_true: ArrayLike | None = ...,
    y_proba: ArrayLike | None = ...,
    *,
    return_std: Literal[False] = ...,
    sample_weight: ArrayLike | None = ...,
) -> float: ...
@overload
def max_min_gap(
    y_true: ArrayLike | None = ...,
    y_proba: ArrayLike | None = ...,
    *,
    return_std: Literal[True],
    sample_weight: ArrayLike | None = ...,
) -> tuple[float, float]: ...
def max_min_gap(
    y_true: ArrayLike | None = None,
    y_proba: ArrayLike | None = None,
    *,
    return_std: bool = False,
    sample_weight: ArrayLike | None = None,
) -> float | tuple[float, float]:
    """Compute the mean gap between the largest and the smallest probability.

    ``L_maxmin = mean_i (max_k p_ik − min_k p_ik)``

    Parameters
    ----------
    y_true : array-like, default=None
        Ignored; present so that :func:`sklearn.metrics.make_scorer` can call the metric. Omit it
        in a direct call: ``max_min_gap(y_proba)``.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities; one dimension is P(second class) of a binary problem.
    return_std : bool, default=False
        Whether to also return the standard deviation over the samples (ddof 0; the ± of the
        paper).
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights of the mean and of the standard deviation.

    Returns
    -------
    gap : float
        Between 0 (uniform) and 1 (one class is certain for every sample).
    std : float
        Standard deviation of the gap; only returned with ``return_std=True``.

    Raises
    ------
    ValueError
        If probabilities or weights are invalid; the message names the first invalid row.

    See Also
    --------
    uncertainty_degree : The squared distance from certainty.

    References
    ----------
    Grabovoy and Strijov, "Probabilistic interpretation of the distillation problem",
    Automation and Remote Control, 2022.

    Examples
    --------
    >>> from sklearn_distill.metrics import max_min_gap
    >>> gap, std = max_min_gap([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3]], return_std=True)
    >>> round(gap, 3), round(std, 3)
    (0.35, 0.25)
    """
    p = only_proba(y_true, y_proba)
    s = check_sample_weight(sample_weight, len(p))
    gaps = p.max(axis=1) - p.min(axis=1)
    gap = weighted_mean(gaps, s)
    if not return_std:
        return gap
    return gap, float(np.sqrt(weighted_mean((gaps - gap) ** 2, s)))
