"""Probabilities of scores at temperature 1, without rounding the small ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

__all__ = ["log_probabilities", "probabilities"]


def probabilities(scores: NDArray[Any]) -> NDArray[Any]:
    r"""Return the softmax of scores; of two classes from their log-odds s alone.

    .. math:: p = \Big(\frac1{1 + e^{s}}, \frac{e^{s}}{1 + e^{s}}\Big)

    1 − p would round a small probability.

    Parameters
    ----------
    scores : ndarray of float of shape (n_rows,) or (n_rows, n_classes)
        Log-odds of the second of two classes, or one score for each class.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Probabilities in the type of the scores, which are unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities(np.array([0.0, np.inf]))
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    if scores.ndim == 2:
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return np.asarray(p)
    p = np.empty((len(scores), 2), dtype=scores.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # e^s = ∞, and its product with 0
        odds = np.exp(scores)
        first = odds + 1
        np.divide(1, first, out=first)  # contiguous, where the columns of p are not
        p[:, 0] = first
        np.multiply(odds, first, out=p[:, 1])
    if odds.max(initial=0) == np.inf:
        p[odds == np.inf, 1] = 1
    return p


def log_probabilities(scores: NDArray[Any]) -> NDArray[Any]:
    """Return the logarithms of :func:`probabilities`, computed directly from the scores.

    Parameters
    ----------
    scores : ndarray of float of shape (n_rows,) or (n_rows, n_classes)
        Log-odds of the second of two classes, or one score for each class.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
        Log-probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> log_probabilities(np.array([1000.0]))[0, 0].item()
    -1000.0
    """
    if scores.ndim == 2:
        return np.asarray(log_softmax(scores, axis=1))
    return np.stack([log_expit(-scores), log_expit(scores)], axis=1)
