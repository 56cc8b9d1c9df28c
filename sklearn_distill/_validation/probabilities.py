"""Check the predicted class probabilities that are passed to a metric or a report."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.numbers import as_floats, check_nonnegative, refuse_rows

# How far a row's sum may be from 1: probabilities printed with three digits are accepted.
SUM_TOLERANCE = 1e-3


def check_proba(y_proba: ArrayLike, name: str = "y_proba") -> FloatArray:
    """Check probabilities and return one column per class.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Probabilities; one dimension means binary, P(second class), which is what
        :func:`sklearn.metrics.make_scorer` passes.
    name : str
        The argument's name, for messages.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The same numbers in float64, not renormalised.

    Raises
    ------
    ValueError
        If the shape is wrong, or a row is not finite, negative, or its sum is farther than 1e-3
        from 1; the message names the argument and the first bad row.
    """
    p = as_floats(y_proba, name)
    if p.ndim not in (1, 2) or p.size == 0:
        raise ValueError(
            f"{name} has shape {p.shape}; pass at least one row of shape (n_samples, n_classes), "
            "or (n_samples,) for the probability of the second of two classes."
        )
    check_nonnegative(p, name)
    if p.ndim == 1:
        return _both_columns(p, name)
    total = p.sum(axis=1)
    advice = f"pass probabilities whose rows sum to 1 within {SUM_TOLERANCE:g}"
    refuse_rows(np.abs(total - 1) > SUM_TOLERANCE, name, total, "sums to", advice)
    return p


def _both_columns(p: FloatArray, name: str) -> FloatArray:
    # the tolerance as for rows, and 0 instead of a negative 1 − p within it
    advice = "pass probabilities of the second class, between 0 and 1, or one column per class"
    refuse_rows(p > 1 + SUM_TOLERANCE, name, p, "is", advice)
    return np.column_stack([np.maximum(1 - p, 0), p])


def only_proba(y_true: ArrayLike | None, y_proba: ArrayLike | None) -> FloatArray:
    """Return the probabilities of a metric that needs no labels.

    It is called as ``metric(y_proba)`` by users, and as ``metric(y_true, y_proba)`` by the scorers
    of :func:`sklearn.metrics.make_scorer`.

    Parameters
    ----------
    y_true : array-like or None
        The first argument: the probabilities if `y_proba` is None, else ignored.
    y_proba : array-like or None
        The second argument: the probabilities, if a scorer passes them.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The checked probabilities.
    """
    proba = y_true if y_proba is None else y_proba
    if proba is None:
        raise ValueError("y_proba is missing; pass probabilities, as predict_proba returns them.")
    return check_proba(proba)
