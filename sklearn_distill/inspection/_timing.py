"""How long a prediction takes."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import Any

BATCH_ROWS = 1000


def microseconds_per_row(model: Any, X: Any, n_rows: int, n_repeats: int) -> float:
    """Time predict_proba on one batch.

    Parameters
    ----------
    model : object
        A fitted classifier.
    X : array-like of shape (n_rows, n_features)
        Test rows; the first 1000 are the batch.
    n_rows : int
        Number of rows of `X`.
    n_repeats : int
        Number of timed calls; one call before them warms up.

    Returns
    -------
    float
        Median time of a call, by row, in microseconds.
    """
    size = min(n_rows, BATCH_ROWS)
    batch = X if size == n_rows else _first_rows(X, size)
    model.predict_proba(batch)
    return 1e6 * median(_seconds(model, batch) for _ in range(n_repeats)) / size


def _seconds(model: Any, batch: Any) -> float:
    start = perf_counter()
    model.predict_proba(batch)
    return perf_counter() - start


def _first_rows(X: Any, size: int) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:size]
    return X.tocsr()[:size] if hasattr(X, "tocsr") else X[:size]
