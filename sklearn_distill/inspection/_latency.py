"""How long a model takes to predict one row, and how many rows a second it predicts in a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from sklearn_distill._typing import CheckedX, FloatArray
from sklearn_distill.inspection._deployed import deployed_with_features

BATCH_ROWS = 1000  # all models predict a batch of one size: the time per row depends on it
N_BATCHES = 5
MAX_SECONDS = 2.0  # of single rows, and of batches: a slow teacher is called less often
COLUMNS = ("latency_p50_us", "latency_p99_us", "rows_per_second")


def measure_latency(
    model: Any, X: CheckedX, method: str, *, n_repeats: int, n_threads: int
) -> dict[str, float]:
    """Measure the prediction time of what would be deployed.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : array-like of shape (n_rows, n_features)
        Test samples; the first 1000 are the batch, and its rows the single rows.
    method : {"predict_proba", "predict"}
        What is timed.
    n_repeats : int
        Number of timed predictions of a single row.
    n_threads : int
        Number of threads of BLAS and of OpenMP.

    Returns
    -------
    dict of str to float
        ``latency_p50_us`` and ``latency_p99_us``, quantiles of the time of one row in microseconds,
        and ``rows_per_second`` of the median batch.
    """
    size = min(_n_rows(X), BATCH_ROWS)
    part, batch = deployed_with_features(model, _take(X, slice(0, size)))
    predict: Callable[[Any], Any] = getattr(part, method)
    single = [_take(batch, slice(i, i + 1)) for i in range(min(size, n_repeats))]
    with threadpool_limits(n_threads):
        one = _seconds(predict, (single[i % len(single)] for i in range(n_repeats)))
        many = _seconds(predict, (batch for _ in range(min(n_repeats, N_BATCHES))))
    median, slow = 1e6 * np.quantile(one, [0.5, 0.99], method="higher")
    return dict(
        zip(COLUMNS, (float(median), float(slow), size / float(np.median(many))), strict=True)
    )


def _seconds(predict: Callable[[Any], Any], batches: Iterator[Any]) -> FloatArray:
    """Return the time of each call, after a warm-up; at least one call is timed."""
    first = next(batches)
    predict(first)
    times, total = [_time(predict, first)], 0.0
    for batch in islice(batches, None):
        total += times[-1]
        if total > MAX_SECONDS:
            break
        times.append(_time(predict, batch))
    return np.array(times)


def _time(predict: Callable[[Any], Any], batch: Any) -> float:
    start = perf_counter()
    predict(batch)
    return perf_counter() - start


def _n_rows(X: CheckedX) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _take(X: CheckedX, rows: slice) -> CheckedX:
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    return X.tocsr()[rows] if hasattr(X, "tocsr") else X[rows]  # COO has no slices
