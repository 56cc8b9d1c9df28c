"""Rows of weight 0 are absent: they are not fitted, and their predictions are not validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import _num_samples

from sklearn_distill._typing import (
    ArrayLike,
    BoolArray,
    CheckedX,
    FloatArray,
    IntArray,
    TargetLike,
)
from sklearn_distill._validation.indexing import take_any_rows, take_params, take_rows
from sklearn_distill._validation.masks import nan_where_masked, none_where_masked
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.splits import restrict_to_rows


def rows_to_fit(weight: FloatArray) -> IntArray | None:
    """Return the rows of positive weight; None if that is every row, or none.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Sample weights.

    Returns
    -------
    ndarray of int or None
        Row numbers.

    Examples
    --------
    >>> rows_to_fit(np.array([1.0, 0.0, 2.0]))
    array([0, 2])
    """
    rows = np.flatnonzero(weight)
    return None if len(rows) in (0, len(weight)) else rows


@dataclass(frozen=True)
class PresentRows:
    """The arguments of a meta-estimator's ``fit``, restricted to the rows of positive weight.

    Parameters
    ----------
    X : matrix, frame or array of n_rows rows
        Samples.
    y : array-like of shape (n_rows, ...) or None
        Labels, not yet checked.
    weight : ndarray of shape (n_rows,) or None
        Sample weights.
    fit_params : dict
        Further parameters of fit.
    cv : int, splitter, iterable, str or None
        The folds of these rows.
    """

    X: CheckedX
    y: Any
    weight: FloatArray | None
    fit_params: dict[str, Any]
    cv: Any

    def without_absent(self) -> PresentRows:
        """Return the rows of positive weight; this object itself if no weight is 0.

        Raises
        ------
        ValueError
            If y has another length than X.
        """
        rows = None if self.weight is None else rows_to_fit(self.weight)
        return self if rows is None else self.take(rows)

    def take(self, rows: IntArray) -> PresentRows:
        """Return some of the rows.

        Raises
        ------
        ValueError
            If y has another length than X.
        """
        n_rows = int(self.X.shape[0])
        if self.y is not None:
            check_same_length("y", _num_samples(self.y), "X", n_rows)
        return PresentRows(
            take_rows(self.X, rows),
            None if self.y is None else take_any_rows(self.y, rows),
            None if self.weight is None else self.weight[rows],
            take_params(self.fit_params, rows, n_rows),
            restrict_to_rows(self.cv, rows, n_rows),
        )


def blank_absent(values: Any, absent: BoolArray | None) -> Any:
    """Return numbers with NaN, a missing prediction, in absent rows.

    Parameters
    ----------
    values : array-like or None
        Predictions, embeddings or labels of a regressor, not yet checked.
    absent : ndarray of bool of shape (n_rows,) or None
        Rows of weight 0; None for none.

    Returns
    -------
    array-like or None
        `values` themselves if no row is absent, or their length or dtype is wrong.

    Examples
    --------
    >>> blank_absent([5, 6], np.array([False, True]))
    array([ 5., nan])
    """
    if values is None or absent is None or not absent.any():
        return values
    array = np.asarray(nan_where_masked(values))
    if array.shape[:1] != absent.shape or array.dtype.kind not in "biufO":
        return values
    blanked = np.array(array, dtype=None if array.dtype.kind in "fO" else np.float64)
    blanked[absent] = np.nan
    return blanked


def fill_absent(y: TargetLike, sample_weight: ArrayLike | None) -> Any:
    """Return y with the label of another row where the label of an absent row is missing.

    That is for scikit-learn's check of y, which refuses a missing label whatever its weight.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), or None
        Labels, not yet checked.
    sample_weight : array-like of shape (n_rows,), number or None
        Sample weights, not yet checked.

    Returns
    -------
    array-like or None
        `y` itself if no absent row lacks its label.

    Examples
    --------
    >>> fill_absent([1.0, float("nan")], [2.0, 0.0])
    array([1., 1.])
    """
    weight = np.asarray(nan_where_masked(sample_weight))
    if y is None or weight.ndim != 1:
        return y
    labels: NDArray[Any] = np.asarray(none_where_masked(y))
    if labels.shape[:1] != weight.shape:
        return y
    lacks_label = np.asarray(pd.isna(labels)).reshape(len(labels), -1).any(axis=1)
    to_fill, present = lacks_label & (weight == 0), np.flatnonzero(weight != 0)
    if not to_fill.any() or not len(present):
        return y
    filled = labels.copy()
    filled[to_fill] = labels[present[0]]
    return filled
