"""Map class labels to the columns of predicted probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import list_values, refuse_rows, shorten


def class_index(
    y_true: ArrayLike, labels: ArrayLike | None, n_classes: int, name: str = "y_true"
) -> IntArray:
    """Return the column of each label: k with labels[k] == y_true.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Class labels, none of them missing.
    labels : array-like of shape (n_classes,) or None
        The class of each column; None takes the labels of `y_true`, sorted.
    n_classes : int
        The number of columns of the probabilities.
    name : str
        The argument's name, for messages.

    Returns
    -------
    ndarray of shape (n_samples,)
        Column numbers.

    Raises
    ------
    ValueError
        If a label is missing or unknown, `labels` repeats a class, or their number is not that of
        the columns.
    """
    values = label_list(y_true, name)
    classes = _sorted_labels(values, name) if labels is None else label_list(labels, "labels")
    if len(classes) != n_classes:
        what = f"{name} holds" if labels is None else "labels has"
        raise ValueError(
            f"{what} {len(classes)} classes and the probabilities have {n_classes} columns; pass "
            "labels=estimator.classes_, one label per column in the order of the columns."
        )
    column = {label: k for k, label in enumerate(classes)}
    if len(column) != len(classes):
        raise ValueError(f"labels repeats a class: {list_values(classes)}; pass every class once.")
    index = np.array([column.get(value, -1) for value in values], dtype=np.intp)
    refuse_rows(index < 0, name, values, "is", f"pass one of the known classes {shorten(classes)}")
    return index


def label_list(y: ArrayLike, name: str) -> list[Any]:
    """Return class labels as plain Python objects.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels, none of them missing.
    name : str
        The argument's name, for messages.

    Returns
    -------
    list
        The labels as str, int, float or bool, whatever the dtype of `y`.

    Raises
    ------
    ValueError
        If `y` is empty or not one-dimensional, or a label is missing.
    """
    array = np.asarray(none_where_masked(y))
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; pass one class label per entry, (n,).")
    # not NumPy scalars: messages show the labels, and would show np.str_('a')
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
