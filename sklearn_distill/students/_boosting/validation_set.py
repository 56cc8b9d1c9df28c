"""Validation rows that the user passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn_distill._typing import CheckedX, FloatArray, IntArray, MatrixLike, TargetLike
from sklearn_distill._validation.absent_rows import rows_to_fit
from sklearn_distill._validation.extra_sets import (
    entry_of_single,
    name_validation_set_in_errors,
    warn_if_out_of_range,
)
from sklearn_distill._validation.indexing import as_samples, check_features, take_any_rows
from sklearn_distill._validation.sample_weight import check_sample_weight

L = TypeVar("L")


def read_validation_set(
    estimator: Any,
    X: MatrixLike,
    X_val: Any,
    y_val: TargetLike,
    sample_weight_val: Any,
    read_labels: Callable[[Any, int], L],
) -> tuple[CheckedX, L, FloatArray, IntArray | None] | None:
    """Check ``X_val``, ``y_val`` and ``sample_weight_val``; None without them.

    Parameters
    ----------
    estimator : estimator
        The student, with the number and names of its features.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features of the training rows.
    X_val, y_val, sample_weight_val : array-like or None
        Arguments of ``fit``.
    read_labels : callable
        ``read_labels(y_val, n_rows)`` checks the labels, each of which must be there.

    Returns
    -------
    X_val : {ndarray, sparse matrix, DataFrame}
        The rows of positive weight.
    labels : object
        What `read_labels` returns, of all rows.
    weight : ndarray of shape (n_rows,)
        The weights of all rows.
    rows : ndarray of int or None
        The rows of positive weight; None if that is each.

    Raises
    ------
    ValueError
        If one of them is missing or wrong.
    """
    X_val, y_val = entry_of_single("X_val", X_val), entry_of_single("y_val", y_val)
    weight = entry_of_single("sample_weight_val", sample_weight_val)
    if X_val is None and y_val is None:
        if weight is not None:
            raise ValueError("sample_weight_val is given without X_val and y_val: pass them too")
        return None
    if X_val is None or y_val is None:
        raise ValueError("pass both X_val and y_val, or neither")
    with name_validation_set_in_errors():
        samples = as_samples(X_val)
        check_features(estimator, samples)
        n_rows = samples.shape[0]
        s = check_sample_weight(weight, n_rows)
        labels = read_labels(y_val, n_rows)
    warn_if_out_of_range("X_val", as_samples(X), samples)
    rows = rows_to_fit(s)
    return samples if rows is None else take_any_rows(samples, rows), labels, s, rows
