"""Arrays that need no conversion: for small data, general checks cost more than the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


def is_plain_matrix(X: object) -> TypeGuard[NDArray[Any]]:
    """Return whether X is a NumPy matrix of native floats, which checks leave as it is.

    Parameters
    ----------
    X : object
        The features; subclasses of arrays, such as memory maps, are not plain.

    Returns
    -------
    bool
        True whether the numbers are finite or not; False for a matrix without entries.

    Examples
    --------
    >>> is_plain_matrix(np.ones((2, 1))), is_plain_matrix([[1.0]]), is_plain_matrix(np.ones(2))
    (True, False, False)
    """
    if type(X) is not np.ndarray or X.ndim != 2 or not X.size:
        return False
    return X.dtype.char in "df" and X.dtype.isnative


def is_finite(X: NDArray[Any]) -> bool:
    """Return whether all numbers are finite, in one sum; False also where that overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(X.sum()))


def are_plain_labels(y: object, n_rows: int) -> TypeGuard[NDArray[Any]]:
    """Return whether y is a NumPy vector of labels of a type that has no missing value.

    Parameters
    ----------
    y : object
        Labels.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    bool
        True for booleans, integers and strings of fixed length.

    Examples
    --------
    >>> are_plain_labels(np.array(["a", "b"]), 2), are_plain_labels(np.array([1.0]), 1)
    (True, False)
    """
    return type(y) is np.ndarray and y.shape == (n_rows,) and y.dtype.kind in "biuU"


def set_features(estimator: BaseEstimator, X: NDArray[Any]) -> None:
    """Record the number of features of an array, which has no names, as ``validate_data`` does."""
    estimator.n_features_in_ = X.shape[1]
    if hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
