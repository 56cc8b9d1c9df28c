"""Torch tensors as X under scikit-learn's array API dispatch: results are on the device of X."""

from __future__ import annotations

import sys
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from sklearn_distill._typing import CheckedX, FloatArray, MatrixLike, TargetLike
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill._validation.tensors import is_tensor, to_numpy
from sklearn_distill.solvers.least_squares import RegressionData, TensorRegressionData
from sklearn_distill.students._chunks import is_dask


class HasCoef(Protocol):
    """A fitted linear model."""

    coef_: Any


def asarray_like(X: CheckedX, values: ArrayLike) -> Any:
    """Convert values to a tensor if X is one, on its device and floats with its dtype.

    Parameters
    ----------
    X : torch.Tensor, ndarray or sparse matrix
        The array whose kind, device and dtype are wanted.
    values : ndarray or number
        The numbers to convert.

    Returns
    -------
    torch.Tensor, or ``values``
        A new tensor; ``values`` themselves if X is not a tensor.

    Examples
    --------
    >>> import torch
    >>> asarray_like(torch.ones(1), np.array([0.5]))
    tensor([0.5000])
    """
    if not is_tensor(X):
        return values
    values = np.asarray(values)
    dtype = X.dtype if values.dtype.kind == "f" else None  # integers stay integers
    return sys.modules["torch"].tensor(values, device=X.device, dtype=dtype)


def floats_like(X: CheckedX, values: ArrayLike) -> Any:
    """Convert values to the dtype of X, on its device: float32 if X is, and float64 otherwise.

    Examples
    --------
    >>> floats_like(np.ones(1, np.float32), np.array([0.1]))
    array([0.1], dtype=float32)
    """
    if is_tensor(X):
        return asarray_like(X, values)
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    return np.asarray(values, dtype)[()]  # a number stays a number


def validate_features(
    estimator: BaseEstimator,
    X: MatrixLike,
    *,
    reset: bool = True,
    **checks: Any,
) -> CheckedX:
    """Validate X as ``validate_data`` does; under dispatch a tensor stays a tensor.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` is set or compared.
    X : array-like, sparse matrix or torch.Tensor
        Features, of shape (n_samples, n_features).
    reset : bool, default=True
        Whether to set ``n_features_in_`` (in ``fit``) or to compare it.
    **checks : dict
        Arguments of ``validate_data``; a tensor brings its own dtypes.

    Returns
    -------
    ndarray, sparse matrix or torch.Tensor of shape (n_samples, n_features)
        Features in float32 or float64.

    Raises
    ------
    TypeError
        If X is an array of another library than NumPy and torch, a sparse tensor, or on another
        device without dispatch.
    ValueError
        As ``validate_data``.
    """
    X, checks = _prepare(X, checks)
    return validate_data(estimator, X, reset=reset, **checks)


def validate_features_and_labels(
    estimator: BaseEstimator,
    X: MatrixLike,
    y: TargetLike,
    *,
    reset: bool = True,
    **checks: Any,
) -> tuple[CheckedX, Any]:
    """Validate X and y as :func:`validate_features` does; return both."""
    X, checks = _prepare(X, checks)
    X, y = validate_data(estimator, X, y, reset=reset, **checks)
    return X, y


def _prepare(X: MatrixLike, checks: dict[str, Any]) -> tuple[CheckedX, dict[str, Any]]:
    """Return X and the arguments of ``validate_data`` for it."""
    refuse_mask("X", X)
    if is_tensor(X):
        return _check_tensor(X), checks | _tensor_checks()
    if get_config()["array_api_dispatch"]:
        _check_not_another_array(X)
    return X, checks


def _tensor_checks() -> dict[str, Any]:
    # without dispatch validate_data converts a tensor to NumPy, with the dtypes of the caller
    if not get_config()["array_api_dispatch"]:
        return {}
    torch = sys.modules["torch"]
    return {"dtype": [torch.float64, torch.float32]}


def _check_tensor(X: Any) -> CheckedX:
    """Return a dense tensor without its gradients; it may be on another device under dispatch."""
    if X.layout is not sys.modules["torch"].strided:
        raise TypeError(
            f"X is a torch tensor of layout {X.layout}: pass X.to_dense(), or a SciPy sparse matrix"
        )
    if not (get_config()["array_api_dispatch"] or X.device.type == "cpu"):
        raise TypeError(
            f"X is a torch tensor on {X.device}: call "
            "sklearn.set_config(array_api_dispatch=True) to compute there, or pass X.cpu()"
        )
    return X.detach()  # a tensor that requires gradients cannot be converted to NumPy


def _check_not_another_array(X: Any) -> None:
    if hasattr(X, "__array_namespace__") and not isinstance(X, np.ndarray) and not is_dask(X):
        kind = f"{type(X).__module__}.{type(X).__qualname__}"
        raise TypeError(
            f"X is a {kind}: besides NumPy arrays, only torch tensors are supported under "
            "array_api_dispatch=True; torch.from_dlpack(X) converts X without a copy"
        )


def check_same_namespace(estimator: HasCoef, X: CheckedX) -> None:
    """Require features of the same array library, and on the same device, as in ``fit``.

    Parameters
    ----------
    estimator : estimator
        Fitted; its ``coef_`` is compared.
    X : ndarray, sparse matrix or torch.Tensor
        Validated features, of shape (n_samples, n_features).

    Raises
    ------
    ValueError
        If library or device differ.
    """
    fitted, passed = _describe(estimator.coef_), _describe(X)
    if fitted != passed:
        raise ValueError(
            f"{type(estimator).__name__} was fitted on {fitted}, but X is {passed}: pass X as in "
            "fit, with array_api_dispatch=True if that was a torch tensor, or refit"
        )


def _describe(values: Any) -> str:
    return f"a torch tensor on {values.device}" if is_tensor(values) else "a NumPy array"


def regression_data(
    X: CheckedX,
    y: FloatArray | None = None,
    teacher: FloatArray | None = None,
    weight: FloatArray | None = None,
    teacher_variance: FloatArray | None = None,
    trust: FloatArray | None = None,
) -> RegressionData:
    """Return the data of a least-squares fit, which computes on the device of X.

    Parameters
    ----------
    X : ndarray, sparse matrix or torch.Tensor of shape (n_rows, n_features)
        Validated features, dense or sparse.
    y, teacher : ndarray of shape (n_rows, n_outputs) or None
        Labels and the teacher's predictions; a row of NaN is missing.
    weight : ndarray of shape (n_rows,) or None
        Nonnegative sample weights; None is 1 for all rows.
    teacher_variance : ndarray of shape (n_rows,) or None
        Variances of the predictions; None if all are the same.
    trust : ndarray of shape (n_rows,) or None
        Trust in the predictions; None is 1 for all.

    Returns
    -------
    RegressionData
        A ``TensorRegressionData`` if X is a tensor.
    """
    if is_tensor(X):
        linalg = sys.modules["torch"].linalg
        return TensorRegressionData(X, y, teacher, weight, teacher_variance, trust, linalg=linalg)
    return RegressionData(X, y, teacher, weight, teacher_variance, trust)


def tensor_scores(X: Any, coef: Any, intercept: Any) -> Any:
    """Return X Wᵀ + b of shape (n_rows, n_scores) in the dtype of X; W may be a single row."""
    # torch does not multiply matrices of different dtypes
    return X @ coef.reshape(-1, X.shape[1]).to(X.dtype).T + intercept.to(X.dtype)


def tensor_labels(scores: Any, classes: NDArray[Any]) -> Any:
    """Return the most probable classes: numbers as a tensor, other labels as a NumPy array."""
    codes = (scores > 0).long() if scores.ndim == 1 else scores.argmax(1)
    if classes.dtype.kind in "biuf":
        return asarray_like(codes, classes)[codes]
    return classes[to_numpy(codes)]  # torch has no strings


def tensor_proba(scores: Any) -> Any:
    """Return the probabilities of scores or, if they have one dimension, of log-odds."""
    torch = sys.modules["torch"]
    if scores.ndim == 1:
        return torch.stack([torch.sigmoid(-scores), torch.sigmoid(scores)], dim=1)
    return torch.softmax(scores, dim=1)


def tensor_log_proba(scores: Any) -> Any:
    """Return the logarithms of the probabilities, computed directly from the scores."""
    torch = sys.modules["torch"]
    if scores.ndim == 1:
        logsigmoid = torch.nn.functional.logsigmoid
        return torch.stack([logsigmoid(-scores), logsigmoid(scores)], dim=1)
    return torch.log_softmax(scores, dim=1)
