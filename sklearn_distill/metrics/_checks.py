"""Turn what a user passes to a metric into the arrays of its formula, or say what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

SUM_TOLERANCE = 1e-3


def check_proba(y_proba: ArrayLike, name: str = "y_proba") -> FloatArray:
    """Check probabilities and give them one column per class.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,)
        Probabilities; one dimension means binary, P(second class), which is what
        :func:`sklearn.metrics.make_scorer` passes.
    name : str
        What the error messages call the argument.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The same numbers in float64, not renormalised.

    Raises
    ------
    ValueError
        Naming the argument and the first bad row: wrong shape, not finite, negative, or rows
        whose sum is farther than 1e-3 from 1.
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
    advice = "pass probabilities of the second class, between 0 and 1, or one column per class"
    refuse_rows(p > 1 + SUM_TOLERANCE, name, p, "is", advice)
    return np.column_stack([np.maximum(1 - p, 0), p])


def check_weights(sample_weight: ArrayLike | None, n_samples: int) -> FloatArray:
    """Check row weights; None is one for each row.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        Nonnegative weights, not all zero.
    n_samples : int
        The number of rows that they weigh.

    Returns
    -------
    ndarray of shape (n_samples,)
        The weights in float64.

    Raises
    ------
    ValueError
        Wrong shape, not finite, negative, or all zero.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    s = as_floats(sample_weight, "sample_weight")
    if s.shape != (n_samples,):
        raise ValueError(
            f"sample_weight has shape {s.shape}; pass one weight for each of the {n_samples} rows."
        )
    check_nonnegative(s, "sample_weight")
    if not s.any():
        raise ValueError("sample_weight is zero in every row; give some row a positive weight.")
    return s


def check_same_length(name: str, length: int, other_name: str, other_length: int) -> None:
    """Raise a ValueError that names both arguments where their row numbers differ.

    Parameters
    ----------
    name, other_name : str
        The arguments.
    length, other_length : int
        Their numbers of rows.
    """
    if length != other_length:
        raise ValueError(
            f"{name} has {length} rows and {other_name} has {other_length}; "
            "pass the same rows in the same order."
        )


def as_floats(values: ArrayLike, name: str) -> FloatArray:
    """Convert to a float64 array; a ValueError names what cannot be.

    Parameters
    ----------
    values : array-like
        Numbers.
    name : str
        What the error message calls the argument.

    Returns
    -------
    ndarray
        The same numbers, without a copy where they are float64 already.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        kind = type(values).__name__
        raise ValueError(f"{name} must be an array of numbers, got a {kind}: {error}.") from error


def check_nonnegative(values: FloatArray, name: str) -> None:
    """Raise a ValueError that names the first row that is not finite or is negative.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_columns)
        Numbers.
    name : str
        What the error message calls the argument.
    """
    rows = values.reshape(len(values), -1)
    finite = np.isfinite(rows).all(axis=1)
    refuse_rows(~finite, name, values, "is", "leave out rows without finite numbers")
    refuse_rows((rows < 0).any(axis=1), name, values, "is", "pass numbers that are 0 or more")


def refuse_rows(
    bad: ArrayLike, name: str, values: Sequence[Any] | FloatArray, verb: str, advice: str
) -> None:
    """Raise a ValueError for the first bad row: which, what came, what to do.

    Parameters
    ----------
    bad : array-like of bool of shape (n_samples,)
        The rows to refuse.
    name : str
        The argument.
    values : sequence of length n_samples
        What to show of the row.
    verb, advice : str
        Words before the value and after it.
    """
    bad = np.asarray(bad)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(f"{name}: row {i} {verb} {shorten(values[i])}; {advice}.")


def shorten(value: object) -> str:
    """Return a value as an error message shows it.

    Parameters
    ----------
    value : object
        A number, a label, or a row of them.

    Returns
    -------
    str
        A short text.
    """
    if isinstance(value, np.ndarray | list):
        return np.array2string(np.asarray(value), precision=6, threshold=8, separator=", ")
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
