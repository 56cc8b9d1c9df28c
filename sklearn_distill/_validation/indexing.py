"""Check tables without changing their kind, and select rows of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import _safe_indexing, check_array

from sklearn_distill._typing import CheckedX, IntArray, MatrixLike
from sklearn_distill._validation.masks import refuse_mask


def as_table(X: MatrixLike) -> CheckedX:
    """Return a frame unchanged and anything else as a matrix, with entries of any type."""
    # the estimators that get a frame may select its columns by name
    if hasattr(X, "columns") and hasattr(X, "shape"):
        return X
    refuse_mask("X", X)
    return check_array(X, accept_sparse=["csr", "csc"], dtype=None, ensure_all_finite=False)


def take_rows(X: CheckedX, rows: IntArray) -> CheckedX:
    """Return the given rows of a frame, matrix or array."""
    # a pandas frame's X[rows] would select columns
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def take_any_rows(X: MatrixLike, rows: IntArray) -> Any:
    """Return the given rows of any X that has not been converted: also a list, or polars."""
    return _safe_indexing(X.tocsr() if sparse.issparse(X) else X, rows)


def take_aligned(value: Any, rows: IntArray, n_rows: int) -> Any:
    """Return the given rows of a value with one entry a row, and any other value unchanged."""
    if value is None or isinstance(value, (str, dict)) or not np.iterable(value):
        return value
    # a frame or sparse matrix has a shape and stays one; a list has none
    value = value if hasattr(value, "shape") else np.asarray(value)
    return take_rows(value, rows) if value.shape[:1] == (n_rows,) else value
