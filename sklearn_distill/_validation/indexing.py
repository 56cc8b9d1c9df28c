"""Tables as they came: frames, matrices and sparse matrices, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_distill._typing import IntArray


def as_table(X: Any) -> Any:
    """Return a frame as it is and all else as a matrix, with any entries."""
    if hasattr(X, "columns") and hasattr(X, "shape"):
        return X
    return check_array(X, accept_sparse=["csr", "csc"], dtype=None, ensure_all_finite=False)


def take_rows(X: Any, rows: IntArray) -> Any:
    """Return some rows of a frame, matrix or array."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def take_aligned(value: Any, rows: IntArray, n_rows: int) -> Any:
    """Take the rows of what has one entry for each row; leave the rest."""
    if value is None or isinstance(value, (str, dict)) or not np.iterable(value):
        return value
    value = value if hasattr(value, "shape") else np.asarray(value)
    return take_rows(value, rows) if value.shape[:1] == (n_rows,) else value
