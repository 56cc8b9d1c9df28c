"""Check by their pandas index that the arguments of ``fit`` have their rows in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def check_row_order(X: Any, y: Any, **by_row: Any) -> None:
    """Require that pandas arguments of ``fit`` do not list the rows of X or y in another order.

    Rows correspond by position. An index contradicts this if it holds exactly the labels of the
    index of X or y in another order, or if both indexes are not integers and differ. An integer
    index with other labels says nothing: a search slices a default index to 0, 1, 5, ... beside
    rows that have names.

    Parameters
    ----------
    X, y : array-like, DataFrame, Series or None
        The rows; an argument without a pandas index is not compared.
    **by_row : array-like, DataFrame, Series or None
        Further arguments of ``fit`` with one entry a row, by their names.

    Raises
    ------
    ValueError
        If the rows of an argument are in another order; the message names the first that differs.

    Examples
    --------
    >>> X = pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "b"])
    >>> check_row_order(X, None, sample_weight=pd.Series([1, 2]))
    >>> check_row_order(X, None, sample_weight=pd.Series([1, 2], index=["b", "a"]))
    Traceback (most recent call last):
    ValueError: sample_weight and X have their rows in another order: row 0 is 'b' in ...
    """
    rows = {"X": _index_of(X), "y": _index_of(y)}
    references = {name: index for name, index in rows.items() if index is not None}
    for name, value in by_row.items():
        _check_index(name, _index_of(value), references)


def check_same_order(name: str, value: Any, other_name: str, other: Any) -> None:
    """Require that two arguments do not list the same rows in different orders.

    Parameters
    ----------
    name, other_name : str
        The arguments' names.
    value, other : array-like, DataFrame, Series or None
        The arguments, compared as in :func:`check_row_order`.
    """
    index = _index_of(other)
    if index is not None:
        _check_index(name, _index_of(value), {other_name: index})


def _index_of(value: Any) -> pd.Index[Any] | None:
    index = getattr(value, "index", None)  # a method of lists and tuples
    return index if isinstance(index, pd.Index) else None


def _check_index(
    name: str, index: pd.Index[Any] | None, references: dict[str, pd.Index[Any]]
) -> None:
    if index is None:
        return
    # other lengths have their own errors
    comparable = {of: other for of, other in references.items() if len(other) == len(index)}
    if any(index.equals(other) for other in comparable.values()):
        return
    for of, other in comparable.items():
        if _contradict(index, other):
            row = int(np.argmax(np.asarray(index != other)))
            label, expected = (values[row : row + 1].tolist()[0] for values in (index, other))
            raise ValueError(
                f"{name} and {of} have their rows in another order: row {row} is {label!r} in "
                f"{name} and {expected!r} in {of}; reorder with {name}.loc[{of}.index], or pass "
                f"{name}.to_numpy() if the rows correspond by position"
            )


def _contradict(index: pd.Index[Any], other: pd.Index[Any]) -> bool:
    """Return whether two indexes of equal length that differ contradict equal positions."""
    if not (_is_integer(index) or _is_integer(other)):
        return True
    if not all(pd.api.types.is_numeric_dtype(rows.dtype) for rows in (index, other)):
        return False  # numbers beside names
    return np.array_equal(np.sort(index.to_numpy()), np.sort(other.to_numpy()))


def _is_integer(index: pd.Index[Any]) -> bool:
    return index.inferred_type == "integer"
