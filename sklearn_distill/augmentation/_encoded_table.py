"""A table as numbers: continuous features as floats, categorical ones as codes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from sklearn_distill._typing import BoolArray, FloatArray


@dataclass(frozen=True)
class EncodedTable:
    """A table encoded as numbers, with the information to decode it.

    Parameters
    ----------
    columns : list of ndarray or Series
        The columns of X in their own types.
    names : list or None
        Names of the columns, if X is a DataFrame.
    categorical : ndarray of bool of shape (n_features,)
        Mask of the categorical columns.
    values : ndarray of shape (n_rows, n_features)
        Continuous features, NaN where missing, and the codes of categorical ones.
    """

    columns: list[Any]
    names: list[Any] | None
    categorical: BoolArray
    values: FloatArray


def encode_table(X: Any, categorical_features: Any) -> EncodedTable:
    """Encode a table column by column.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
        The table to encode.
    categorical_features : array-like or None
        Mask, positions or names of the categorical columns; None detects them.

    Returns
    -------
    EncodedTable
        The encoded columns.

    Raises
    ------
    TypeError
        If X is sparse.
    ValueError
        If X is not a table, a continuous feature has a value that is infinite or no number, or
        ``categorical_features`` names a column that X does not have.
    """
    if sparse.issparse(X):
        raise TypeError(
            f"X is a {type(X).__name__}: munge changes any entry, also zeros, so pass a dense X, "
            "as X.toarray()"
        )
    names = list(X.columns) if hasattr(X, "columns") else None
    if names is not None and len(set(names)) < len(names):
        raise ValueError(f"X has columns of the same name: {names}")
    if names is None:
        X = check_array(X, dtype=None, ensure_all_finite=False, ensure_min_samples=0)
        columns = list(X.T)
    else:
        columns = [X[name] for name in names]
    categorical = _mask(categorical_features, names, len(columns))
    if categorical_features is None:
        categorical = np.array([_is_categorical(column) for column in columns], dtype=bool)
    numbers = [
        _codes(column) if is_categorical else _floats(column, a if names is None else names[a])
        for a, (column, is_categorical) in enumerate(zip(columns, categorical, strict=True))
    ]
    return EncodedTable(columns, names, categorical, np.column_stack(numbers))


def _mask(features: Any, names: list[Any] | None, n_features: int) -> BoolArray:
    mask = np.zeros(n_features, dtype=bool)
    given = np.atleast_1d(np.asarray([] if features is None else features))
    if given.dtype == bool:
        if given.shape != mask.shape:
            raise ValueError(
                f"categorical_features is a mask of {len(given)}, X has {n_features} features"
            )
        return given
    for feature in given.tolist():
        mask[_position(feature, names, n_features)] = True
    return mask


def _position(feature: Any, names: list[Any] | None, n_features: int) -> int:
    if isinstance(feature, str):
        if names is not None and feature in names:
            return names.index(feature)
    elif isinstance(feature, int) and 0 <= feature < n_features:
        return feature
    raise ValueError(
        f"categorical_features: X has no feature {feature!r}: pass a mask, positions from 0 to "
        f"{n_features - 1}, or column names of a DataFrame, here {names}"
    )


def _is_categorical(column: Any) -> bool:
    """Return whether a column holds strings, booleans, categories or objects."""
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    return is_category or _numpy_type(column).kind not in "iuf"


def _numpy_type(column: Any) -> np.dtype[Any]:
    """Return the NumPy type of the values, also of a nullable type of pandas."""
    return np.dtype(getattr(column.dtype, "numpy_dtype", np.asarray(column[:0]).dtype))


def _codes(column: Any) -> FloatArray:
    # a missing value is a category of its own
    codes, _ = pd.factorize(np.asarray(column), use_na_sentinel=False)
    return codes.astype(np.float64)


def _floats(column: Any, name: Any) -> FloatArray:
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"X: feature {name!r} is not numeric: name it in categorical_features ({error})"
        ) from error
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        raise ValueError(
            f"X: feature {name!r} is {values[row]} in row {row}: pass finite numbers, NaN where "
            "one is missing, or name it in categorical_features"
        )
    return values


def decode_table(
    table: EncodedTable,
    values: FloatArray,
    source: NDArray[np.intp],
    copied: BoolArray,
    X: Any,
) -> Any:
    """Return new rows in the container of X and the types of its columns.

    Parameters
    ----------
    table : EncodedTable
        The encoded table.
    values : ndarray of shape (n_samples, n_features)
        New values of the continuous features, NaN where missing.
    source : ndarray of int of shape (n_samples, n_features)
        Row of X from which an entry is copied.
    copied : ndarray of bool of shape (n_samples, n_features)
        Whether the entry of a continuous feature is copied, exactly, also an integer beyond 2**53;
        a categorical one always is.
    X : array-like or DataFrame
        The table that was encoded.

    Returns
    -------
    ndarray or DataFrame of shape (n_samples, n_features)
        The decoded rows.
    """
    columns = [_take(column, source[:, a]) for a, column in enumerate(table.columns)]
    for a in np.flatnonzero(~table.categorical):
        made = _cast(table.columns[a], values[:, a])
        columns[a] = _where(copied[:, a], columns[a], made)
    if table.names is None:
        return np.stack(columns, axis=1)
    frame = type(X)(dict(enumerate(columns)) if isinstance(X, pd.DataFrame) else columns)
    frame.columns = X.columns
    return frame


def _take(column: Any, rows: NDArray[np.intp]) -> Any:
    if isinstance(column, pd.Series):
        return column.take(rows).reset_index(drop=True)
    return column[rows]


def _where(copied: BoolArray, column: Any, other: Any) -> Any:
    """Return the entries of one column where they are copied, and of the other elsewhere."""
    if isinstance(column, np.ndarray):
        return np.where(copied, column, other)
    if isinstance(column, pd.Series):
        return column.where(copied, other)
    return column.zip_with(type(column)(values=copied), other)


def _cast(column: Any, values: FloatArray) -> Any:
    """Convert values to the type of a column within its range; integers are rounded."""
    numpy_type = _numpy_type(column)
    if numpy_type.kind == "f":
        values = values.clip(np.finfo(numpy_type).min, np.finfo(numpy_type).max)
    if numpy_type.kind in "iu":
        limits = np.iinfo(numpy_type)
        # the largest int64 has no float64: the nearest one is larger and would overflow
        values = np.rint(values.clip(limits.min, np.nextafter(float(limits.max), 0)))
    if isinstance(column, np.ndarray):
        return values.astype(numpy_type)
    if isinstance(column, pd.Series):
        return pd.Series(values).astype(column.dtype)
    series = type(column)(column.name, values)
    # NaN is a number in polars, and integers have none
    return (series.fill_nan(None) if column.null_count() else series).cast(column.dtype)
