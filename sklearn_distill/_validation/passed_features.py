"""Check an X that is passed on to another estimator, which checks its values."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from sklearn_distill._typing import CheckedX, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import as_samples
from sklearn_distill._validation.labels import refuse_soft_labels
from sklearn_distill._validation.masks import refuse_mask


def as_table(X: MatrixLike) -> CheckedX:
    """Return X as an object with rows and columns, whose values are not checked.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features.

    Returns
    -------
    ndarray, sparse matrix or DataFrame
        A frame as it is; a sparse matrix in CSR format.

    Raises
    ------
    ValueError
        If X has not two dimensions, or no rows or columns.

    Examples
    --------
    >>> as_table([[1, 2]]).shape
    (1, 2)
    """
    table = as_samples(X)
    if bool(sparse.issparse(table)):  # scipy's type guard would narrow the type
        table = sparse.csr_matrix(table)  # LightGBM takes no sparse arrays
    if len(table.shape) != 2:
        raise ValueError(
            f"Expected 2D array, got {len(table.shape)}D array instead. Reshape your data: "
            "X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one sample"
        )
    if not table.shape[1]:  # scikit-learn's own words
        raise ValueError(
            f"Found array with 0 feature(s) (shape={tuple(table.shape)}) while a minimum of 1 is "
            "required."
        )
    return table


def check_passed_features(
    estimator: Any, X: MatrixLike, y: TargetLike, *, has_teacher: bool, is_class: bool = True
) -> int:
    """Set number and names of the features of ``fit``; return the number of rows.

    Parameters
    ----------
    estimator : estimator
        A meta-estimator in its ``fit``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features, whose values are not checked.
    y : array-like or None
        Labels. Without a teacher their errors are scikit-learn's own, such as that of a missing
        label; with one they are not checked here.
    has_teacher : bool
        Whether ``fit`` has a teacher's predictions.
    is_class : bool, default=True
        Whether y holds classes, not numbers of which a row may have several.

    Returns
    -------
    int
        Number of rows of X.

    Raises
    ------
    ValueError
        If X is a masked array or has no rows, or y, without a teacher, is not a list of labels.
    """
    refuse_mask("X", X)
    if has_teacher:
        validate_data(estimator, X, skip_check_array=True)
    else:
        if is_class:
            refuse_soft_labels(y)
        validate_data(estimator, X, y, skip_check_array=True)  # checks no values
        assert_all_finite(np.asarray(y), input_name="y")
    shape = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    n_rows = int(shape[0]) if shape else 0
    if n_rows == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={tuple(shape)}) while a minimum of 1 is required "
            f"by {type(estimator).__name__}."
        )
    return n_rows
