"""Check tables without changing their kind, and select rows of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_distill._typing import CheckedX, IntArray, MatrixLike


def as_table(X: MatrixLike) -> CheckedX:
    """Return a frame unchanged and anything else as a matrix, with entries of any type."""
    # the estimators that get a frame may select its columns by name
    if hasattr(X, "columns") and hasattr(X, "shape"):
        return X
    return check_array(X, accept_sparse=["csr", "csc"], dtype=None, ensure_all_finite=False)


def take_rows(X: CheckedX, rows: IntArray) -> CheckedX:
    """Return the given rows of a frame, matrix or array."""
    # a pandas frame's X[rows] would select columns
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def take_aligned(value: Any, rows: IntArray, n_rows: int) -> Any:
    """Return the given rows of a value with one entry a row, and any other value unchanged."""
    if value is None or isinstance(value, (str, dict)) or _n_entries(value) != n_rows:
        return value
    # a frame or sparse matrix has a shape and stays one; a list has none
    return take_rows(value if hasattr(value, "shape") else np.asarray(value), rows)


def _n_entries(value: Any) -> int | None:
    """Return the number of entries; None for what has none, such as a number or a generator."""
    if hasattr(value, "shape"):
        return int(value.shape[0]) if value.shape else None
    return len(value) if hasattr(value, "__getitem__") and hasattr(value, "__len__") else None
