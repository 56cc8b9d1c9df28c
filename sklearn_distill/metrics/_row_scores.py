"""The metrics before the mean: one number per sample, which the bootstrap resamples."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from sklearn_distill._typing import FloatArray, IntArray


def weighted_mean(values: FloatArray, s: FloatArray) -> float:
    """Return Σ_i s_i values_i / Σ_i s_i; samples of weight 0 are ignored, even infinite values.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        One number per sample.
    s : ndarray of shape (n_samples,)
        Sample weights, not negative.

    Returns
    -------
    float
        The weighted mean.
    """
    weighted = s > 0  # 0 · inf would be NaN
    return float(np.average(values[weighted], weights=s[weighted]))


def row_correct(k: IntArray, p: FloatArray) -> FloatArray:
    """Return [argmax_j p_ij = k_i] for each sample; the first of tied classes is the prediction.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        The column of each sample's true class.
    p : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    Returns
    -------
    ndarray of shape (n_samples,)
        1.0 where the prediction is right, else 0.0.
    """
    correct: FloatArray = (p.argmax(axis=1) == k).astype(np.float64)
    return correct


def row_cross_entropy(s: FloatArray, p: FloatArray) -> FloatArray:
    """Return −Σ_k s_ik log p_ik for each sample, with 0 log 0 = 0.

    Parameters
    ----------
    s, p : ndarray of shape (n_samples, n_classes)
        True probabilities s and predicted probabilities p.

    Returns
    -------
    ndarray of shape (n_samples,)
        Cross-entropy in nats; inf where p is 0 and s is not.
    """
    return np.asarray(-xlogy(s, p).sum(axis=1), dtype=np.float64)


def row_brier(k: IntArray, p: FloatArray) -> FloatArray:
    """Return ‖p_i − onehot(k_i)‖² for each sample, between 0 and 2.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        A column number for each sample.
    p : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    Returns
    -------
    ndarray of shape (n_samples,)
        Squared distances of the probabilities from the one-hot labels.
    """
    residual = p - one_hot(k, p.shape[1])
    distance: FloatArray = (residual * residual).sum(axis=1)
    return distance


def one_hot(k: IntArray, n_classes: int) -> FloatArray:
    """Return rows with a 1 in column k_i and 0 elsewhere.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        A column number for each sample.
    n_classes : int
        Number of columns.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        One-hot labels.
    """
    y = np.zeros((len(k), n_classes))
    y[np.arange(len(k)), k] = 1.0
    return y
