"""Check arrays of numbers; errors name the argument and the first bad row."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from sklearn_distill._typing import FloatArray, TargetLike
from sklearn_distill._validation.masks import nan_where_masked

MAX_LISTED = 10  # a message with 1000 classes hides what it says


def check_numbers(
    name: str, values: TargetLike, *, allow_nan: bool = False, ensure_min_samples: int = 1
) -> NDArray[np.float64]:
    """Return numbers, one or one row of them for each sample, as float64.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    values : array-like
        Numbers of any dtype, of one or more dimensions.
    allow_nan : bool, default=False
        Whether some may be NaN.
    ensure_min_samples : int, default=1
        Smallest number of rows.

    Returns
    -------
    ndarray
        The same numbers as float64.

    Raises
    ------
    ValueError
        If they are not numbers, infinite, or NaN without `allow_nan`; the message has the name.

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
            nan_where_masked(values),
            ensure_2d=False,
            ensure_min_samples=ensure_min_samples,
            dtype=np.float64,
            ensure_all_finite="allow-nan" if allow_nan else True,
            input_name=name,
        )
    except (TypeError, ValueError) as error:
        if name in str(error):  # NaN and infinity: scikit-learn's message has the name already
            raise
        raise ValueError(f"{name} must be an array of numbers: {error}") from error
    return np.asarray(checked, dtype=np.float64)


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Return the widths of hidden layers.

    Parameters
    ----------
    sizes : int or array-like of int
        The constructor's ``hidden_layer_sizes``; an int is one hidden layer.

    Returns
    -------
    list of int
        One width for each layer.

    Raises
    ------
    ValueError
        If a width is not a whole number of at least 1.

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
        Numbers; NaN is missing.
    expected : str
        What a row may be, for messages: "a code or missing".

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
    """Raise a ValueError that names both arguments if their numbers of rows differ.

    Parameters
    ----------
    name, other_name : str
        The arguments' names.
    length, other_length : int
        Their numbers of rows.
    """
    if length != other_length:
        raise ValueError(
            f"{name} has {length} rows and {other_name} has {other_length}; "
            "pass the same rows in the same order."
        )


def as_floats(values: ArrayLike, name: str) -> FloatArray:
    """Convert to a float64 array, or raise a ValueError that names the argument.

    Parameters
    ----------
    values : array-like
        Numbers of any dtype; NaN and infinity are allowed.
    name : str
        The argument's name, for messages.

    Returns
    -------
    ndarray
        The same numbers, without a copy where they are float64 already.
    """
    try:
        return np.asarray(nan_where_masked(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        kind = type(values).__name__
        raise ValueError(f"{name} must be an array of numbers, got a {kind}: {error}.") from error


def check_nonnegative(values: FloatArray, name: str) -> None:
    """Raise a ValueError that names the first row that is not finite or is negative.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_columns)
        Numbers that must be finite and 0 or more.
    name : str
        The argument's name, for messages.
    """
    rows = values.reshape(len(values), -1)
    finite = np.isfinite(rows).all(axis=1)  # first: NaN < 0 is False
    refuse_rows(~finite, name, values, "is", "leave out rows without finite numbers")
    refuse_rows((rows < 0).any(axis=1), name, values, "is", "pass numbers that are 0 or more")


def refuse_rows(
    bad: ArrayLike, name: str, values: Sequence[Any] | FloatArray, verb: str, advice: str
) -> None:
    """Raise a ValueError for the first bad row: its number, its value and what to do.

    Parameters
    ----------
    bad : array-like of bool of shape (n_samples,)
        Mask of the invalid rows.
    name : str
        The argument's name.
    values : sequence of length n_samples
        What the message shows of each row.
    verb, advice : str
        The message's words before the value, "is", and after it, what to do.
    """
    bad = np.asarray(bad)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"{name}: row {row} {verb} {shorten(values[row])}; {advice}.")


def list_values(values: Any) -> str:
    """Return the text of classes or other values in an error message, at most 10 of them.

    Parameters
    ----------
    values : array-like
        The values.

    Returns
    -------
    str
        A list as Python writes it, of floats 6 digits; after 10 values, how many there are.

    Examples
    --------
    >>> list_values(["a", "b"]), list_values(range(1000))
    ("['a', 'b']", '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... (1000 in all)]')
    """
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    if not isinstance(listed, list):
        return _text(listed)
    more = f", ... ({len(listed)} in all)" if len(listed) > MAX_LISTED else ""
    return f"[{', '.join(map(_text, listed[:MAX_LISTED]))}{more}]"


def _text(value: object) -> str:
    """Return a value as Python writes it, and of a number no more than 6 digits."""
    if isinstance(value, list):
        return list_values(value)
    return repr(float(f"{value:.6g}") if isinstance(value, float) else value)


def shorten(value: object) -> str:
    """Return the text of a value in an error message.

    Parameters
    ----------
    value : object
        A number, a label, or a row of them.

    Returns
    -------
    str
        The value with 6 digits; of a long row, only the first and the last entries.
    """
    if isinstance(value, np.ndarray | list):
        return np.array2string(np.asarray(value), precision=6, threshold=8, separator=", ")
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
