"""``validation_rows``: a validation set among the rows of X, which a Pipeline transforms with X."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_distill._typing import ArrayLike, BoolArray, IntArray
from sklearn_distill._validation.absent_rows import rows_to_fit
from sklearn_distill._validation.indexing import is_named, n_samples, take_aligned, take_any_rows
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.row_order import check_row_order
from sklearn_distill._validation.sample_weight import read_sample_weight
from sklearn_distill._validation.tensors import to_numpy


def set_validation_rows_apart(
    validation_rows: ArrayLike,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    **others: Any,
) -> dict[str, Any]:
    """Return the arguments of a student's ``fit`` with the validation rows in X_val and y_val.

    Parameters
    ----------
    validation_rows : array-like of bool of shape (n_rows,)
        Rows of X to validate on, and not to train on.
    X : array-like, sparse matrix, DataFrame, list or dict of array
        Features, as the user passed them.
    y : array-like of n_rows rows
        Labels.
    sample_weight : array-like of shape (n_rows,) or None
        Sample weights; a validation row of weight 0 is left out, too.
    **others : dict
        The other arguments; those with one entry a row are restricted to the training rows.

    Returns
    -------
    dict
        All arguments, by name, with ``X_val``, ``y_val`` and ``sample_weight_val``.

    Raises
    ------
    ValueError
        If the rows are no boolean array, none or all of X, or there are other validation rows.

    Examples
    --------
    >>> args = set_validation_rows_apart([False, True, False], [[1], [2], [3]], [0, 1, 1], None)
    >>> args["X"], args["X_val"]
    ([[1], [3]], [[2]])
    """
    for name in ("X_val", "y_val", "sample_weight_val"):
        if others.pop(name, None) is not None:
            raise ValueError(f"validation_rows and {name}: the first are rows of X, leave one out")
    if y is None:
        raise ValueError("validation_rows need labels, and y is None: leave them out, or pass y")
    X, n_rows = _as_rows(X)
    check_same_length("y", n_samples(y), "X", n_rows)
    # before rows are taken: an index that lacks some of them says less
    given = {"sample_weight": sample_weight, "validation_rows": validation_rows}
    check_row_order(X, y, **given, **others)
    is_validation = _read_rows(validation_rows, n_rows)
    train, validation = np.flatnonzero(~is_validation), np.flatnonzero(is_validation)
    weight_val = None
    if sample_weight is not None:
        weight = read_sample_weight(sample_weight, n_rows)
        sample_weight, weight_val = weight[train], weight[validation]
        present = rows_to_fit(weight_val)
        if present is not None:
            validation, weight_val = validation[present], weight_val[present]
    return {
        "X": _take(X, train),
        "y": take_aligned(y, train, n_rows),
        "sample_weight": sample_weight,
        **{name: _take_by_row(name, value, train, n_rows) for name, value in others.items()},
        "X_val": _take(X, validation),
        "y_val": _plain(take_aligned(y, validation, n_rows)),
        "sample_weight_val": weight_val,
    }


def _read_rows(validation_rows: ArrayLike, n_rows: int) -> BoolArray:
    rows = np.asarray(to_numpy(validation_rows))
    if rows.dtype != bool or rows.shape != (n_rows,):
        raise ValueError(
            f"validation_rows has shape {rows.shape} and dtype {rows.dtype}: pass a boolean array "
            f"of shape ({n_rows},), True for the rows of X to validate on"
        )
    if rows.all() or not rows.any():
        raise ValueError(
            f"validation_rows is {bool(rows.all())} for all {n_rows} rows of X: a training needs "
            "rows to train on and rows to validate on"
        )
    return rows


def _as_rows(X: Any) -> tuple[Any, int]:
    """Return X with tensors as arrays, and its number of rows."""
    if is_named(X):
        columns = {name: to_numpy(part) for name, part in X.items()}
        if not columns:
            raise ValueError("X is an empty mapping: it has an array for each input")
        return columns, n_samples(next(iter(columns.values())))
    X = to_numpy(X)
    return X, n_samples(X)


def _take(X: Any, rows: IntArray) -> Any:
    if is_named(X):
        return {name: take_any_rows(part, rows) for name, part in X.items()}
    return take_any_rows(X, rows)


def _plain(labels: Any) -> Any:
    """Return numbers or strings in an array of objects, as other labels are missing, as such."""
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    return np.asarray(list(labels)) if labels.dtype == object else labels


def _take_by_row(name: str, value: Any, rows: IntArray, n_rows: int) -> Any:
    value = to_numpy(value)
    if isinstance(value, list) and value and all(hasattr(one, "shape") for one in value):
        return [take_aligned(one, rows, n_rows) for one in value]  # one array for each label
    if value is not None and name.startswith("teacher_"):
        check_same_length(name, n_samples(value), "X", n_rows)
    return take_aligned(value, rows, n_rows)
