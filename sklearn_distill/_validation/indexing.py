"""Read X of any kind, such as tables, texts and images, and select rows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _num_samples, validate_data

from sklearn_distill._typing import CheckedX, IntArray, MatrixLike
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill._validation.tensors import to_numpy


def as_samples(X: Any) -> CheckedX:
    """Return X as an object whose rows can be selected, whatever a row is.

    The estimators that get X check what a meta-estimator cannot know: how many dimensions it may
    have, and of which type and how large its entries may be.

    Parameters
    ----------
    X : array-like, sparse matrix, DataFrame or Series
        Samples: rows of a table, texts, images. A torch tensor becomes an array, as teachers,
        folds and students need not all support tensors.

    Returns
    -------
    ndarray, sparse matrix, DataFrame or Series
        A frame or Series as it is, texts and rows of different lengths as an array of objects,
        anything else as an array or a sparse matrix with rows.

    Raises
    ------
    ValueError
        If X has no sample or no feature, or is complex.

    Examples
    --------
    >>> as_samples(["a text", "another"])
    array(['a text', 'another'], dtype=object)
    """
    X = to_numpy(X)
    # the estimators that get a frame may select its columns by name
    if hasattr(X, "iloc") or (hasattr(X, "columns") and hasattr(X, "shape")):
        return X
    if isinstance(X, (list, tuple)) and _are_objects(X):
        return _object_array(X)
    refuse_mask("X", X)
    return check_array(
        X,
        accept_sparse=["csr", "csc"],
        dtype=None,
        ensure_all_finite=False,
        ensure_2d=False,
        allow_nd=True,
    )


def _are_objects(X: Any) -> bool:
    """Return whether the entries of a list are texts, or rows of different lengths."""
    if any(isinstance(x, str) for x in X):
        return True  # an array of strings has room for the longest text in each row
    try:
        np.asarray(X)
    except ValueError:
        return True
    return False


def _object_array(X: Any) -> NDArray[np.object_]:
    array = np.empty(len(X), dtype=object)
    for k, x in enumerate(X):  # assigned together, equally long rows would become columns
        array[k] = x
    return array


def set_features(estimator: Any, X: CheckedX) -> None:
    """Set ``n_features_in_`` and ``feature_names_in_``, where X has them.

    Parameters
    ----------
    estimator : estimator
        A meta-estimator in its ``fit``.
    X : ndarray, sparse matrix, DataFrame or Series
        Samples, as :func:`as_samples` returns them.
    """
    vars(estimator).pop("n_features_in_", None)  # of an earlier fit: texts have none
    validate_data(estimator, X, skip_check_array=True)


def check_features(estimator: Any, X: CheckedX) -> CheckedX:
    """Check number and names of the features against those of ``fit``.

    scikit-learn warns if only one of the two has names. The estimators inside would warn again, so
    X is returned as they know it: an array with the names of fit, a frame without its names.

    Parameters
    ----------
    estimator : estimator
        A fitted meta-estimator.
    X : ndarray, sparse matrix, DataFrame or Series
        Samples, as :func:`as_samples` returns them. If they have one dimension, the estimators
        inside check them.

    Returns
    -------
    ndarray, sparse matrix, DataFrame or Series
        X, as a frame or an array if that of ``fit`` was one.

    Raises
    ------
    ValueError
        If X has other features than in ``fit``.

    Warns
    -----
    UserWarning
        If X has names and that of ``fit`` had none, or the other way round.
    """
    if len(X.shape) == 1:
        return X
    validate_data(estimator, X, skip_check_array=True, reset=False)
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and isinstance(X, np.ndarray):
        return pd.DataFrame(X, columns=names, copy=False)
    if names is None and hasattr(X, "iloc") and _has_names(X):
        return X.to_numpy()
    return X


def _has_names(frame: Any) -> bool:
    """Return whether scikit-learn takes the names of the columns for names of features."""
    return all(isinstance(name, str) for name in frame.columns)


def is_named(X: object) -> bool:
    """Return whether X is a mapping of a network's inputs by name."""
    # SciPy's dictionary of keys is a dict
    return isinstance(X, Mapping) and not sparse.issparse(X)


def n_samples(X: Any) -> int:
    """Return the number of rows of any X that has not been converted.

    Examples
    --------
    >>> n_samples([[1, 2], [3, 4]])
    2
    """
    return int(_num_samples(X))


def take_rows(X: CheckedX, rows: IntArray) -> CheckedX:
    """Return the given rows of a frame, matrix or array."""
    # a pandas frame's X[rows] would select columns
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def take_any_rows(X: MatrixLike, rows: IntArray) -> Any:
    """Return the given rows of any X that has not been converted: also a list, or polars."""
    return _safe_indexing(X.tocsr() if sparse.issparse(X) else X, rows)


def take_aligned(value: Any, rows: IntArray, n_rows: int) -> Any:
    """Return the given rows of a value with one entry a row, and any other value unchanged."""
    if value is None or isinstance(value, (str, dict)) or _n_entries(value) != n_rows:
        return value
    # a frame or sparse matrix has a shape and stays one; a list has none
    return take_rows(value if hasattr(value, "shape") else np.asarray(value), rows)


def take_params(params: Mapping[str, Any], rows: IntArray, n_rows: int) -> dict[str, Any]:
    """Return parameters of ``fit``, those with one entry a row for the given rows."""
    return {name: take_aligned(value, rows, n_rows) for name, value in params.items()}


def _n_entries(value: Any) -> int | None:
    """Return the number of entries; None for what has none, such as a number or a generator."""
    if hasattr(value, "shape"):
        return int(value.shape[0]) if value.shape else None
    return len(value) if hasattr(value, "__getitem__") and hasattr(value, "__len__") else None
