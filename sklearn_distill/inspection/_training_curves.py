"""Losses and scores per epoch, of one or several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import FloatArray

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

# a DataFrame, a dict of arrays, or skorch's list of one dict per epoch
History: TypeAlias = pd.DataFrame | Mapping[str, Any] | list[Any]

COLUMNS = ("train_loss", "valid_loss")
BANDS = ("std", "min-max", None)


@dataclass(frozen=True, eq=False)
class Curve:
    """One column of a history, or its mean over several runs.

    Parameters
    ----------
    name : str or None
        Name of the student; None if there is only one without a name.
    column : str
        Name of the column.
    step : ndarray of shape (n_steps,)
        Epochs, or whatever the index of the history counts.
    mean, low, high : ndarray of shape (n_steps,)
        Mean of the runs and the ends of their band; all three are equal for one run.
    n_runs : int
        Number of runs.
    """

    name: str | None
    column: str
    step: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    n_runs: int


def histories_of(
    estimator: BaseEstimator | Sequence[BaseEstimator] | Mapping[str, Any],
) -> dict[str, list[Any]]:
    """Return the histories of fitted students, by name.

    Parameters
    ----------
    estimator : estimator, list of estimators, or dict of either by name
        Estimators in one list are runs of the same student. Without a dict, the class is the name.

    Returns
    -------
    dict of str to list
        The ``history_`` of each run, by name.

    Raises
    ------
    ValueError
        If an estimator has no ``history_``.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, Mapping):
        first = _as_list(estimator, "estimator")[0]
        estimator = {type(first).__name__: estimator}
    return {
        str(name): [_history_of(run) for run in _as_list(runs, f"estimator[{name!r}]")]
        for name, runs in estimator.items()
    }


def _history_of(student: BaseEstimator) -> Any:
    check_is_fitted(student)
    history = getattr(student, "history_", None)
    if history is None:
        raise ValueError(
            f"{type(student).__name__} has no history_; pass a fitted "
            "DistilledNeuralClassifier or skorch net, or plot a history with from_curves."
        )
    return history


def _as_list(runs: Any, name: str) -> list[Any]:
    if not isinstance(runs, list | tuple):
        return [runs]
    if not runs:
        raise ValueError(f"{name} is empty; pass one run or more.")
    return list(runs)


def read_curves(curves: Any, columns: Any, band: str | None) -> list[Curve]:
    """Check histories and average the runs of each name.

    Parameters
    ----------
    curves : history, list of histories, or dict of either by name
        A history is a DataFrame, a dict of arrays or a skorch history.
    columns : str or list of str or None
        The columns to plot; None is train_loss and valid_loss, as far as they exist.
    band : {"std", "min-max", None}
        Mean ± standard deviation of the runs (n − 1 in the denominator), their smallest and
        largest, or no band.

    Returns
    -------
    list of Curve
        By name, then column.

    Raises
    ------
    TypeError
        If a run is not a history.
    ValueError
        If there is no history, a column is missing, the runs share no epoch, or `band` is unknown.
    """
    if band not in BANDS:
        raise ValueError(f"band={band!r}; pass one of {BANDS}.")
    named = _by_name(curves)
    wanted = [columns] if isinstance(columns, str) else columns
    return [
        _average(name, column, tables, band)
        for name, tables in named.items()
        for column in _columns(tables, wanted, name)
    ]


def _by_name(curves: Any) -> dict[str | None, list[pd.DataFrame]]:
    # a history may be a dict too: of arrays, where a dict by name holds histories
    if is_history(curves) or not isinstance(curves, Mapping):
        return {None: _tables(curves, "curves")}
    if not curves:
        raise ValueError("there is no history in an empty dict; pass one or more by name.")
    return {str(name): _tables(runs, repr(name)) for name, runs in curves.items()}


def _tables(runs: Any, name: str) -> list[pd.DataFrame]:
    # before _as_list: the history of a skorch net is a list itself
    run_list = [runs] if is_history(runs) else _as_list(runs, name)
    return [read_history(run, name) for run in run_list]


def _columns(tables: list[pd.DataFrame], wanted: Any, name: str | None) -> list[str]:
    """Return the columns to plot, which every run must have."""
    common = [column for column in tables[0] if all(column in table for table in tables)]
    found = [c for c in (COLUMNS if wanted is None else wanted) if c in common]
    missing = [c for c in (wanted or ()) if c not in common]
    if missing or not found:
        of = "the history" if name is None else f"the history of {name!r}"
        raise ValueError(
            f"{of} has the columns {common} and not {missing or list(COLUMNS)}; pass those to "
            "plot as columns."
        )
    return found


def _average(name: str | None, column: str, tables: list[pd.DataFrame], band: Any) -> Curve:
    # an epoch without validation is NaN; the inner join keeps the epochs that all runs have
    runs = pd.concat([table[column].dropna() for table in tables], axis=1, join="inner")
    if runs.empty:
        raise ValueError(f"{column} of {name!r}: there is no epoch that all runs have.")
    values = runs.to_numpy(np.float64)
    mean = values.mean(axis=1)
    low, high = _spread(values, mean, band)
    step = runs.index.to_numpy(np.float64)
    return Curve(name, column, step, mean, low, high, values.shape[1])


def _spread(values: FloatArray, mean: FloatArray, band: Any) -> tuple[FloatArray, FloatArray]:
    if band is None or values.shape[1] == 1:
        return mean, mean
    if band == "min-max":
        return values.min(axis=1), values.max(axis=1)
    deviation = values.std(axis=1, ddof=1)
    return mean - deviation, mean + deviation


def is_history(value: Any) -> bool:
    """Return whether a value is one history and not a collection of histories.

    Parameters
    ----------
    value : object
        Value from the user.

    Returns
    -------
    bool
        True for a DataFrame, a dict of arrays, or a list of one dict per epoch.

    Examples
    --------
    >>> is_history({"train_loss": [0.5, 0.4]}), is_history({"student": {"train_loss": [0.5]}})
    (True, False)
    """
    if isinstance(value, Mapping):
        return len(value) > 0 and not any(_holds_histories(item) for item in value.values())
    return isinstance(value, pd.DataFrame) or _is_epochs(value)


def _holds_histories(value: Any) -> bool:
    first = value[0] if isinstance(value, list | tuple) and value else value
    return isinstance(first, Mapping | pd.DataFrame) or _is_epochs(first)


def _is_epochs(value: Any) -> TypeGuard[list[Mapping[str, Any]]]:
    """Return whether a value has skorch's form: a list of dicts with one number as the epoch."""
    # a list of dicts of arrays, whose epochs are arrays or missing, is a list of runs
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(row, Mapping) and np.ndim(row.get("epoch", [])) == 0 for row in value)
    )


def read_history(history: History, name: str) -> pd.DataFrame:
    """Check a history and return it as a DataFrame.

    Parameters
    ----------
    history : DataFrame, dict of array-like of shape (n_epochs,), or list of dict
        The column epoch has the epochs, else the index of a DataFrame; the arrays of a dict
        without that column count from 1. A list has a dict for each epoch, as in skorch.
    name : str
        What the error messages call it.

    Returns
    -------
    DataFrame
        A column for each quantity, with the epoch as index.

    Raises
    ------
    TypeError
        If it has none of these forms, or a column does not contain numbers.
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


def _as_table(history: History, name: str) -> pd.DataFrame:
    if isinstance(history, pd.DataFrame):
        return history
    if _is_epochs(history):
        # skorch keeps the values of each batch beside those of the epoch
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
