"""How long a model takes to predict one row, and how many rows a second it predicts in a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from sklearn_distill._typing import CheckedX, FloatArray, MatrixLike
from sklearn_distill._validation.indexing import as_samples
from sklearn_distill.inspection._deployed import deployed_with_features

__all__ = ["predict_latency"]

BATCH_ROWS = 1000  # all models predict a batch of one size: the time per row depends on it
N_BATCHES = 5
MAX_SECONDS = 2.0  # of single rows, and of batches: a slow teacher is called less often
COLUMNS = ("latency_p50_us", "latency_p99_us", "rows_per_second")


def predict_latency(
    model: Any,
    X: MatrixLike,
    *,
    method: str | None = None,
    n_repeats: int = 100,
    n_threads: int = 1,
) -> dict[str, float]:
    """Measure the prediction time of what would be deployed of a fitted model.

    Of a teacher-student estimator that is its student, with the student's features; of a search
    the best estimator. Calls end after two seconds of single rows, and of batches.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Samples; the first 1000 are the batch, and its rows the single rows.
    method : {"predict_proba", "predict"}, default=None
        What is timed. None is ``predict_proba`` of a model that has it, else ``predict``.
    n_repeats : int, default=100
        Number of timed predictions of a single row.
    n_threads : int, default=1
        Number of threads of BLAS and of OpenMP.

    Returns
    -------
    dict of str to float
        ``latency_p50_us`` and ``latency_p99_us``, quantiles of the time of one row in microseconds,
        and ``rows_per_second`` of the median batch.

    Raises
    ------
    ValueError
        If n_repeats or n_threads is not a whole number, 1 or more, or X has no samples.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_distill.inspection import predict_latency
    >>> X, y = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    >>> times = predict_latency(LogisticRegression().fit(X, y), X, n_repeats=5)
    >>> times["latency_p50_us"] <= times["latency_p99_us"]
    True
    """
    check_counts(n_repeats=n_repeats, n_threads=n_threads)
    rows = as_samples(X)
    size = min(_n_rows(rows), BATCH_ROWS)
    part, batch = deployed_with_features(model, _take(rows, slice(0, size)))
    if method is None:
        method = "predict_proba" if hasattr(part, "predict_proba") else "predict"
    predict: Callable[[Any], Any] = getattr(part, method)
    single = [_take(batch, slice(i, i + 1)) for i in range(min(size, n_repeats))]
    with threadpool_limits(n_threads):
        one = _seconds(predict, (single[i % len(single)] for i in range(n_repeats)))
        many = _seconds(predict, (batch for _ in range(min(n_repeats, N_BATCHES))))
    median, slow = 1e6 * np.quantile(one, [0.5, 0.99], method="higher")
    return dict(
        zip(COLUMNS, (float(median), float(slow), size / float(np.median(many))), strict=True)
    )


def check_counts(**counts: int) -> None:
    """Raise a ValueError that names the argument if one is not a whole number, 1 or more."""
    for name, value in counts.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name}={value!r}; pass a whole number, 1 or more.")


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
