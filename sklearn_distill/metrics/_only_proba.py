"""The call of metrics that look at the probabilities alone."""

from __future__ import annotations

from numpy.typing import ArrayLike

from sklearn_distill.metrics._checks import FloatArray, check_proba


def only_proba(y_true: ArrayLike | None, y_proba: ArrayLike | None) -> FloatArray:
    """Return the probabilities of ``metric(y_proba)`` or of a scorer's ``metric(y_true, y_proba)``.

    Parameters
    ----------
    y_true : array-like or None
        The probabilities where `y_proba` is None, else ignored.
    y_proba : array-like or None
        The probabilities.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The checked probabilities.
    """
    proba = y_true if y_proba is None else y_proba
    if proba is None:
        raise ValueError("y_proba is missing; pass probabilities, as predict_proba gives them.")
    return check_proba(proba)
