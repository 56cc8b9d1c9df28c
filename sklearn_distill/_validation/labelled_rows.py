"""The rows that have a label, for what scores by labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_distill._typing import ArrayLike, BoolArray, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import n_samples, take_aligned, take_any_rows
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import check_same_length


def has_label(y: TargetLike, n_rows: int) -> BoolArray:
    """Return which rows have a label: of a class or of a regression.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        NaN, None, pd.NA and masked entries are missing; None says that all are.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
        Whether no output of the row is missing.

    Raises
    ------
    ValueError
        If y has another length than X.

    Examples
    --------
    >>> has_label(["no", None, "yes"], 3)
    array([ True, False,  True])
    """
    if y is None:
        return np.zeros(n_rows, dtype=bool)
    labels = np.asarray(none_where_masked(y))
    check_same_length("y", len(labels), "X", n_rows)
    missing = np.asarray(pd.isna(labels)).reshape(n_rows, -1).any(axis=1)
    return np.asarray(~missing)


def label_values(y: TargetLike) -> NDArray[Any]:
    """Return labels, none of which is missing, in an array of their own type.

    Parameters
    ----------
    y : array-like
        Labels; beside missing ones, integers and strings are objects.

    Returns
    -------
    ndarray
        The labels.

    Examples
    --------
    >>> label_values(np.array([1, 2], dtype=object)).dtype.kind
    'i'
    """
    labels: NDArray[Any] = np.asarray(none_where_masked(y))
    return np.array(labels.tolist()) if labels.dtype == object else labels


def take_labelled(
    X: MatrixLike, y: TargetLike, sample_weight: ArrayLike | None
) -> tuple[Any, NDArray[Any], Any]:
    """Return features, labels and weights of the rows that have a label.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        Labels, some of them missing.
    sample_weight : array-like of shape (n_rows,) or None
        Weights.

    Returns
    -------
    X, y, sample_weight : tuple
        X itself if each row has a label.

    Raises
    ------
    ValueError
        If no row has a label, or y has another length than X.
    """
    n_rows = n_samples(X)
    present = has_label(y, n_rows)
    if not present.any():
        raise ValueError(
            f"y has no labels in the {n_rows} rows to score: split by sklearn_distill."
            "model_selection.LabeledKFold, which validates on labelled rows only, or judge by a "
            "teacher, as sklearn_distill.metrics.get_scorer('neg_teacher_cross_entropy') does"
        )
    if present.all():
        return X, label_values(y), sample_weight
    rows = np.flatnonzero(present)
    labels = label_values(take_any_rows(none_where_masked(y), rows))
    return take_any_rows(X, rows), labels, take_aligned(sample_weight, rows, n_rows)
