"""Turn class labels into columns of the probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.numbers import refuse_rows, shorten


def class_index(
    y_true: ArrayLike, labels: ArrayLike | None, n_classes: int, name: str = "y_true"
) -> IntArray:
    """Return the column of each label.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels.
    labels : array-like of shape (n_classes,) or None
        The class of each column; None is the sorted labels that occur in `y_true`.
    n_classes : int
        The number of columns of the probabilities.
    name : str
        What the error messages call the argument.

    Returns
    -------
    ndarray of shape (n_samples,)
        Integers k with labels[k] == y_true.

    Raises
    ------
    ValueError
        Missing or unknown label, repeated `labels`, or not one label per column.
    """
    values = label_list(y_true, name)
    known = _sorted_labels(values, name) if labels is None else label_list(labels, "labels")
    if len(known) != n_classes:
        what = f"{name} holds" if labels is None else "labels has"
        raise ValueError(
            f"{what} {len(known)} classes and the probabilities have {n_classes} columns; pass "
            "labels=estimator.classes_, one label per column in the order of the columns."
        )
    column = {label: k for k, label in enumerate(known)}
    if len(column) != len(known):
        raise ValueError(f"labels repeats a class: {known}; pass every class once.")
    k = np.array([column.get(value, -1) for value in values], dtype=np.intp)
    refuse_rows(k < 0, name, values, "is", f"pass one of the known classes {shorten(known)}")
    return k


def label_list(y: ArrayLike, name: str) -> list[Any]:
    """Return labels as plain Python objects, so that equal labels are equal.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels.
    name : str
        What the error messages call the argument.

    Returns
    -------
    list
        The labels.

    Raises
    ------
    ValueError
        Not one dimension, no label at all, or a missing one.
    """
    array = np.asarray(y)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; pass one class label per entry, (n,).")
    values: list[Any] = array.tolist()
    refuse_rows(pd.isna(array), name, values, "is", "pass only entries whose class is known")
    return values


def _sorted_labels(values: list[Any], name: str) -> list[Any]:
    try:
        return sorted(set(values))
    except TypeError as error:
        raise ValueError(
            f"{name} mixes labels that have no order ({error}); use one type."
        ) from error
