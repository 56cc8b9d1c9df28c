"""The metrics before the mean: one number per row, which the bootstrap resamples."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from sklearn_distill._typing import FloatArray, IntArray


def weighted_mean(values: FloatArray, s: FloatArray) -> float:
    """Return Σ_i s_i values_i / Σ_i s_i; a row of weight 0 does not count even if infinite.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        One number per row.
    s : ndarray of shape (n_samples,)
        Row weights.

    Returns
    -------
    float
        The mean.
    """
    counts = s > 0
    return float(np.average(values[counts], weights=s[counts]))


def row_correct(k: IntArray, p: FloatArray) -> FloatArray:
    """Return [argmax_j p_ij = k_i] for each row; the first of tied classes is the answer.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        The column of the true class.
    p : ndarray of shape (n_samples, n_classes)
        Probabilities.

    Returns
    -------
    ndarray of shape (n_samples,)
        1.0 where the answer is right, else 0.0.
    """
    right: FloatArray = (p.argmax(axis=1) == k).astype(np.float64)
    return right


def row_cross_entropy(s: FloatArray, p: FloatArray) -> FloatArray:
    """Return −Σ_k s_ik log p_ik for each row, 0 log 0 = 0.

    Parameters
    ----------
    s, p : ndarray of shape (n_samples, n_classes)
        True and predicted probabilities.

    Returns
    -------
    ndarray of shape (n_samples,)
        Nats; inf where p is 0 and s is not.
    """
    return np.asarray(-xlogy(s, p).sum(axis=1), dtype=np.float64)


def row_brier(k: IntArray, p: FloatArray) -> FloatArray:
    """Return ‖p_i − onehot(k_i)‖² for each row, between 0 and 2.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        A column for each row.
    p : ndarray of shape (n_samples, n_classes)
        Probabilities.

    Returns
    -------
    ndarray of shape (n_samples,)
        Squared distances.
    """
    residual = p - one_hot(k, p.shape[1])
    distance: FloatArray = (residual * residual).sum(axis=1)
    return distance


def one_hot(k: IntArray, n_classes: int) -> FloatArray:
    """Return rows with a 1 in column k_i and 0 elsewhere.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        A column for each row.
    n_classes : int
        The number of columns.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The indicators.
    """
    rows = np.zeros((len(k), n_classes))
    rows[np.arange(len(k)), k] = 1.0
    return rows
