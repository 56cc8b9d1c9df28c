"""A history in any of its forms, as a DataFrame over epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def is_history(thing: Any) -> bool:
    """Tell a history from a collection of histories.

    Parameters
    ----------
    thing : object
        A DataFrame, a dict of arrays or a list of one dict for each epoch is one.

    Returns
    -------
    bool
        Whether it is.

    Examples
    --------
    >>> is_history({"train_loss": [0.5, 0.4]}), is_history({"student": {"train_loss": [0.5]}})
    (True, False)
    """
    if isinstance(thing, Mapping):
        return len(thing) > 0 and not any(_holds_histories(value) for value in thing.values())
    return isinstance(thing, pd.DataFrame) or _is_epochs(thing)


def _holds_histories(value: Any) -> bool:
    first = value[0] if isinstance(value, list | tuple) and value else value
    return isinstance(first, Mapping | pd.DataFrame) or _is_epochs(first)


def _is_epochs(thing: Any) -> bool:
    """Tell skorch's form: a list of dicts with one number for the epoch."""
    return (
        isinstance(thing, list)
        and len(thing) > 0
        and all(isinstance(row, Mapping) and np.ndim(row.get("epoch", [])) == 0 for row in thing)
    )


def read_history(history: Any, name: str) -> pd.DataFrame:
    """Check a history.

    Parameters
    ----------
    history : DataFrame, dict of array-like of shape (n_epochs,), or list of dict
        Its column epoch, or else the index of a DataFrame, counts the epochs; a dict of arrays
        without one counts from 1. A list has a dict for each epoch, as skorch keeps them.
    name : str
        What the errors call it.

    Returns
    -------
    DataFrame
        Columns by name, the epoch as index.

    Raises
    ------
    TypeError
        If it is nothing of this, or a column does not hold numbers.
    ValueError
        If arrays differ in length or epochs do not ascend.
    """
    table = _as_table(history, name)
    if "epoch" in table:
        table = table.set_index("epoch")
    if not (pd.api.types.is_numeric_dtype(table.index) and table.index.is_monotonic_increasing):
        raise ValueError(f"{name}: the epochs must be ascending numbers, they are {table.index}.")
    if not table.index.is_unique:
        raise ValueError(f"{name}: an epoch comes twice; pass several runs as a list.")
    return table


def _as_table(history: Any, name: str) -> pd.DataFrame:
    if isinstance(history, pd.DataFrame):
        return history
    if _is_epochs(history):
        return pd.DataFrame([{k: v for k, v in row.items() if k != "batches"} for row in history])
    if not isinstance(history, Mapping):
        raise TypeError(
            f"{name} must be a DataFrame, a dict of arrays or a skorch history, or a list of "
            f"these, got {type(history).__name__}"
        )
    shapes = {key: np.shape(values) for key, values in history.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(f"{name}: the curves must be of one length, their shapes are {shapes}")
    columns = {key: np.asarray(values) for key, values in history.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(next(iter(columns.values()))) + 1))
