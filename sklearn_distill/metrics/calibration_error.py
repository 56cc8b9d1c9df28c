"""The expected calibration error: the distance between confidence and accuracy."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.class_index import class_index
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.probabilities import check_proba
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import row_correct


def expected_calibration_error(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    n_bins: int = 15,
    strategy: Literal["uniform", "quantile"] = "uniform",
    norm: Literal["l1", "l2", "max"] = "l1",
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the mean distance of confidence and accuracy over bins of confidence.

    ``ECE = Σ_m |B_m|/n · |acc(B_m) − conf(B_m)|``

    B_m contains the samples whose confidence, the probability of the most probable class, lies in
    bin m; acc is their accuracy and conf their mean confidence. This is the top-label definition:
    in a binary problem too the confidence is max(p, 1 − p), whereas
    :func:`sklearn.calibration.calibration_curve` bins P(positive class).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels, numbers or strings.
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Predicted probabilities; one dimension is P(second class) of a binary problem.
    n_bins : int, default=15
        Number of bins, 1 or more. The estimate has a positive bias that grows with it: a
        perfectly calibrated model has about √(2 p (1−p) n_bins / (π n)) and not 0.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins ((m−1)/n_bins, m/n_bins], as in the reference, or bins of about equal weight: samples
        of equal confidence are in one bin, that of the middle of their weight.
    norm : {"l1", "l2", "max"}, default="l1"
        The formula above; the root of the weighted mean of the squared gaps; or the largest gap
        (the reference's maximum calibration error).
    labels : array-like of shape (n_classes,), default=None
        The class of each column, as ``estimator.classes_``; None takes the sorted labels of
        `y_true`, which must then contain every class.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights, in place of the counts ``|B_m|`` and n.

    Returns
    -------
    float
        Between 0 (calibrated) and 1; lower is better.

    Raises
    ------
    ValueError
        If labels, probabilities or weights are invalid (the message names the first invalid row),
        or an option is not one of those listed.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017,
    eq. (3).

    Examples
    --------
    >>> from sklearn_distill.metrics import expected_calibration_error
    >>> y_true, y_proba = ["a", "a", "b", "b"], [[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.4, 0.6]]
    >>> round(expected_calibration_error(y_true, y_proba, n_bins=5), 4)
    0.2
    """
    _check_options(n_bins, strategy, norm)
    p = check_proba(y_proba)
    k = class_index(y_true, labels, p.shape[1])
    check_same_length("y_true", len(k), "y_proba", len(p))
    s = check_sample_weight(sample_weight, len(p))
    confidence = p.max(axis=1)
    bins = _bins(confidence, s, n_bins, strategy)
    mass: FloatArray = np.bincount(bins, s, n_bins).astype(np.float64)
    gap = np.bincount(bins, s * (row_correct(k, p) - confidence), n_bins)
    filled = mass > 0  # an empty bin has no accuracy
    return _norm(np.abs(gap[filled]) / mass[filled], mass[filled], norm)


def _bins(confidence: FloatArray, s: FloatArray, n_bins: int, strategy: str) -> IntArray:
    if strategy == "uniform":
        edges = np.linspace(0, 1, n_bins + 1)[1:-1]
        return np.searchsorted(edges, confidence, side="left")  # right-closed, as in the reference
    _, tie = np.unique(confidence, return_inverse=True)
    mass = np.bincount(tie, s)
    below = np.cumsum(mass)
    middle = n_bins * (below - mass / 2) // below[-1]
    # ties of weight 0 after the last weighted one would come after the last bin
    bins: IntArray = np.minimum(middle, n_bins - 1).astype(np.intp)[tie]
    return bins


def _norm(gaps: FloatArray, mass: FloatArray, norm: str) -> float:
    if norm == "max":
        return float(gaps.max())
    power = 1 if norm == "l1" else 2
    return float(np.average(gaps**power, weights=mass) ** (1 / power))


def _check_options(n_bins: int, strategy: str, norm: str) -> None:
    if n_bins < 1 or n_bins != int(n_bins):
        raise ValueError(f"n_bins={n_bins!r}; pass a whole number, 1 or more.")
    if strategy not in ("uniform", "quantile"):
        raise ValueError(f"strategy={strategy!r}; pass 'uniform' or 'quantile'.")
    if norm not in ("l1", "l2", "max"):
        raise ValueError(f"norm={norm!r}; pass 'l1', 'l2' or 'max'.")
