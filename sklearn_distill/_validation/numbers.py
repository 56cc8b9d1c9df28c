"""Check arrays of numbers; an error names the argument and the first bad row."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from sklearn_distill._typing import FloatArray


def check_numbers(
    name: str, values: Any, *, allow_nan: bool = False, ensure_min_samples: int = 1
) -> NDArray[np.float64]:
    """Return numbers, one or a row of them a sample, as float64.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    values : array-like
        The numbers.
    allow_nan : bool, default=False
        Whether some may be NaN.
    ensure_min_samples : int, default=1
        Smallest number of rows.

    Returns
    -------
    ndarray
        The numbers.

    Raises
    ------
    ValueError
        If they are none, are infinite, or NaN where that means nothing; the message has the name.

    Examples
    --------
    >>> check_numbers("y", [1, 2])
    array([1., 2.])
    >>> check_numbers("y", ["one"])
    Traceback (most recent call last):
    ValueError: y must be an array of numbers: could not convert string to float: ...
    """
    try:
        checked = check_array(
            values,
            ensure_2d=False,
            ensure_min_samples=ensure_min_samples,
            dtype=np.float64,
            ensure_all_finite="allow-nan" if allow_nan else True,
            input_name=name,
        )
    except (TypeError, ValueError) as error:
        if name in str(error):
            raise
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    return np.asarray(checked, dtype=np.float64)


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Return the widths of hidden layers.

    Parameters
    ----------
    sizes : int or array-like of int
        The constructor's ``hidden_layer_sizes``.

    Returns
    -------
    list of int
        One width for each layer.

    Raises
    ------
    ValueError
        If one is no whole number of at least 1.

    Examples
    --------
    >>> check_hidden_layer_sizes((64, 32)), check_hidden_layer_sizes(8)
    ([64, 32], [8])
    """
    widths = np.atleast_1d(np.asarray(sizes, dtype=object))
    if not all(isinstance(width, Integral) and int(width) >= 1 for width in widths):
        raise ValueError(
            f"hidden_layer_sizes={sizes!r}: give whole numbers of at least 1, one for each hidden "
            "layer"
        )
    return [int(width) for width in widths]


def check_rows_complete(name: str, values: NDArray[np.float64], expected: str) -> None:
    """Require that each row is NaN in every column or in none.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    values : ndarray of shape (n_rows, n_columns)
        Numbers and NaN.
    expected : str
        What a row may be, for messages.

    Raises
    ------
    ValueError
        If a row is NaN in some columns only; the message has the number of the first.

    Examples
    --------
    >>> check_rows_complete("codes", np.array([[1.0, np.nan]]), "a code or missing")
    Traceback (most recent call last):
    ValueError: row 0 of codes is NaN in part: a row is a code or missing (NaN in every column)
    """
    absent = np.isnan(values)
    partial = absent.any(axis=1) & ~absent.all(axis=1)
    if partial.any():
        raise ValueError(
            f"row {int(np.argmax(partial))} of {name} is NaN in part: a row is {expected} "
            "(NaN in every column)"
        )


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
