"""Arguments of ``fit`` that hold samples beside X: ``X_unlabeled``, ``X_val`` and ``y_val``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray
from sklearn_distill._validation.user_warning import warn_user

# with fewer rows, a heavy-tailed column lies outside the range of others by chance
_MIN_ROWS = 20
_N_LISTED = 10
_MIN_RELATIVE_WIDTH = 1e-6  # a narrower column may hold rounding errors only


def entry_of_single(name: str, value: Any) -> Any:
    """Return the entry of a tuple of one set of samples, and any other value unchanged.

    scikit-learn slices what is as long as X; a tuple of one set is passed on whole by
    ``cross_validate``, and ``Pipeline(transform_input=...)`` transforms its entry.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    value : array-like, frame, tuple of one of these, or None
        Features or labels.

    Returns
    -------
    array-like, frame or None
        The features or labels.

    Raises
    ------
    ValueError
        If the tuple holds several sets.

    Examples
    --------
    >>> entry_of_single("X_val", ([[1, 2], [3, 4]],))
    [[1, 2], [3, 4]]
    """
    if not isinstance(value, tuple):
        return value
    if len(value) == 1 and np.iterable(value[0]) and not isinstance(value[0], str):
        return value[0]
    if any(len(getattr(entry, "shape", ())) > 1 for entry in value):
        raise ValueError(
            f"{name} is a tuple of {len(value)} sets of samples, and fit takes one: stack their "
            "rows, or pass a tuple of one"
        )
    return value  # a tuple of rows or of labels is array-like


@contextmanager
def name_validation_set_in_errors() -> Iterator[None]:
    """Prefix the message of a ValueError with "X_val and y_val"."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"X_val and y_val: {error}") from error


def warn_if_out_of_range(name: str, X: CheckedX, samples: CheckedX) -> None:
    """Warn if columns of further samples lie far outside the range of X.

    A column does if it is numeric and more than half of its values are farther from the range of
    X's column than this range is wide. Only sets of 20 rows or more are compared, and only columns
    whose range in X is at least 1e-6 of the widest one's.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    X : {ndarray, sparse matrix, frame} of shape (n_samples, ...)
        Features of fit.
    samples : of X's kind, of shape (n_further, ...)
        Features of the further samples, with X's columns.

    Warns
    -----
    UserWarning
        If there is such a column.
    """
    if min(X.shape[0], samples.shape[0]) < _MIN_ROWS:
        return
    columns = _far_columns(X, samples)
    if columns:
        listed = ", ".join(map(repr, columns[:_N_LISTED]))
        more = ", …" if len(columns) > _N_LISTED else ""
        warn_user(
            f"{name} lies far outside the range of X in {len(columns)} of {_n_columns(X)} columns "
            f"({listed}{more}): more than half of its values there are farther from the range of X "
            "than this range is wide. "
            f"If earlier steps of a Pipeline transform X, they do not transform {name}: enable "
            f"metadata routing and set Pipeline(..., transform_input=[{name!r}])",
        )


def _far_columns(X: CheckedX, samples: CheckedX) -> list[Any]:
    """Return the names or positions of the columns that lie far outside the range of X."""
    if hasattr(X, "columns"):
        pairs = [_column_pair(X, samples, position) for position in range(X.shape[1])]
    else:
        pairs = [(X, samples)]
    # the columns of a frame one by one, as each has its own type; those of an array at once
    compared = [_compare(*pair) for pair in pairs]
    far, width = (np.concatenate(values) for values in zip(*compared, strict=True))
    far &= width > _MIN_RELATIVE_WIDTH * np.max(width, initial=0.0)
    return [_name(X, int(position)) for position in np.flatnonzero(far)]


def _column_pair(X: CheckedX, samples: CheckedX, position: int) -> tuple[CheckedX, CheckedX]:
    """Return a column of both frames as matrices of one column."""
    both = [
        frame.iloc[:, position] if hasattr(frame, "iloc") else frame[:, position]
        for frame in (X, samples)
    ]
    one, other = (np.asarray(column.to_numpy())[:, np.newaxis] for column in both)
    return one, other


def _compare(X: CheckedX, samples: CheckedX) -> tuple[BoolArray, FloatArray]:
    """Return for each column whether it lies far outside, and the width of X's range."""
    n_columns = _n_columns(X)
    if X.dtype.kind not in "iuf" or samples.dtype.kind not in "iuf":
        return np.zeros(n_columns, dtype=bool), np.zeros(n_columns)
    low, high = _range(X)
    with np.errstate(over="ignore", invalid="ignore"):  # features may be infinite
        width = high - low
        share = _share_outside(samples, low - width, high + width)
    return share > 0.5, np.nan_to_num(width, posinf=0.0)


def _range(X: CheckedX) -> tuple[FloatArray, FloatArray]:
    """Return minimum and maximum of each column, without NaN; as floats, which do not wrap."""
    if _is_sparse(X):
        low, high = (end.toarray().ravel() for end in (X.nanmin(axis=0), X.nanmax(axis=0)))
    else:
        rows = X.reshape(len(X), -1)
        low, high = np.fmin.reduce(rows), np.fmax.reduce(rows)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


def _share_outside(samples: CheckedX, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return for each column the fraction of values below or above the limits."""
    if not _is_sparse(samples):
        rows = samples.reshape(len(samples), -1)
        return np.asarray(np.mean((rows < low) | (rows > high), axis=0))
    entries = samples.tocoo()
    columns, values = entries.col, entries.data
    outside = (values < low[columns]) | (values > high[columns])
    n_rows, n_columns = samples.shape
    n_outside = np.bincount(columns, outside, n_columns)
    n_zeros = n_rows - np.bincount(columns, minlength=n_columns)
    return np.asarray((n_outside + n_zeros * ((low > 0) | (high < 0))) / n_rows)


def _is_sparse(X: CheckedX) -> bool:
    return bool(sparse.issparse(X))  # scipy's type guard would hide the methods of X


def _n_columns(X: CheckedX) -> int:
    return int(np.prod(X.shape[1:]))  # images have more axes


def _name(X: CheckedX, position: int) -> Any:
    """Return a column's name, its number, or the position of a pixel."""
    if hasattr(X, "columns"):
        return list(X.columns)[position]
    index = np.unravel_index(position, X.shape[1:])
    return int(index[0]) if len(index) == 1 else tuple(map(int, index))
