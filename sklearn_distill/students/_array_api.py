"""X as a torch tensor, where scikit-learn dispatches by array: everything follows X."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.utils.validation import validate_data

from sklearn_distill._optional import tensor_to_numpy
from sklearn_distill.solvers.least_squares import RegressionData, TensorRegressionData
from sklearn_distill.students._chunks import is_dask


def is_tensor(values: Any) -> bool:
    """Tell whether values are a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def to_numpy(values: Any) -> Any:
    """Return a tensor as an array in memory, and anything else as it is."""
    if not is_tensor(values):
        return values
    if values.is_floating_point() and values.itemsize < 4:  # NumPy has no bfloat16
        values = values.float()
    return tensor_to_numpy(values)


def beside(X: Any, values: Any) -> Any:
    """Return values as a tensor on X's device, floats in X's precision; as they are for other X.

    Parameters
    ----------
    X : torch.Tensor or anything else
        What is followed.
    values : ndarray or number
        Numbers.

    Returns
    -------
    torch.Tensor, or ``values``
        A copy beside a tensor.

    Examples
    --------
    >>> import torch
    >>> beside(torch.ones(1), np.array([0.5]))
    tensor([0.5000])
    """
    if not is_tensor(X):
        return values
    values = np.asarray(values)
    dtype = X.dtype if values.dtype.kind == "f" else None
    return sys.modules["torch"].tensor(values, device=X.device, dtype=dtype)


def validated(estimator: Any, X: Any, *y: Any, reset: bool = True, **checks: Any) -> Any:
    """Check X as ``validate_data`` does; a tensor stays one if scikit-learn dispatches by array.

    Parameters
    ----------
    estimator : estimator
        Whose ``n_features_in_`` is set or compared.
    X : array-like, sparse matrix or torch.Tensor
        Features.
    *y : array-like
        Labels, if they are to be checked too.
    reset : bool, default=True
        Whether this is a fit.
    **checks : dict
        As of ``validate_data``, for X that is no tensor.

    Returns
    -------
    ndarray, sparse matrix or torch.Tensor of shape (n_samples, n_features), and y if it was given
        The features, in float32 or float64.

    Raises
    ------
    TypeError
        If X is an array that is neither NumPy's nor torch's, a sparse tensor, or lies on another
        device and scikit-learn does not dispatch.
    ValueError
        As ``validate_data``.
    """
    if is_tensor(X):
        X, checks = _admitted(X), checks | _tensor_checks()
    elif get_config()["array_api_dispatch"]:
        _refuse_others(X)
    return validate_data(estimator, X, *y, reset=reset, **checks)


def _tensor_checks() -> dict[str, Any]:
    if not get_config()["array_api_dispatch"]:
        return {}
    torch = sys.modules["torch"]
    return {"dtype": [torch.float64, torch.float32]}


def _admitted(X: Any) -> Any:
    """Return a tensor without its history; refuse what cannot be read where it lies."""
    if X.layout is not sys.modules["torch"].strided:
        raise TypeError(
            f"X is a torch tensor of layout {X.layout}: pass X.to_dense(), or a SciPy sparse matrix"
        )
    if not (get_config()["array_api_dispatch"] or X.device.type == "cpu"):
        raise TypeError(
            f"X is a torch tensor on {X.device}: say sklearn.set_config(array_api_dispatch=True) "
            "to compute there, or pass X.cpu()"
        )
    return X.detach()


def _refuse_others(X: Any) -> None:
    if hasattr(X, "__array_namespace__") and not isinstance(X, np.ndarray) and not is_dask(X):
        kind = f"{type(X).__module__}.{type(X).__qualname__}"
        raise TypeError(
            f"X is a {kind}: of arrays other than NumPy's only torch tensors are read where they "
            "lie; torch.from_dlpack(X) makes one without a copy"
        )


def check_same_place(estimator: Any, X: Any) -> None:
    """Require that features lie where those of ``fit`` did.

    Parameters
    ----------
    estimator : estimator
        Fitted; it has ``coef_``.
    X : ndarray, sparse matrix or torch.Tensor
        Validated features.

    Raises
    ------
    ValueError
        If they do not.
    """
    fitted, given = _place(estimator.coef_), _place(X)
    if fitted != given:
        raise ValueError(
            f"{type(estimator).__name__} was fitted to {fitted} and is asked about {given}: give "
            "X as it was in fit, with array_api_dispatch=True if that was a torch tensor, or fit "
            "anew"
        )


def _place(values: Any) -> str:
    return f"a torch tensor on {values.device}" if is_tensor(values) else "an array of NumPy"


def rows_of(X: Any, y: Any = None, teacher: Any = None, weight: Any = None) -> RegressionData:
    """Return rows for least squares that compute where X lies.

    Parameters
    ----------
    X : ndarray, sparse matrix or torch.Tensor of shape (n_rows, n_features)
        Validated features.
    y, teacher : ndarray of shape (n_rows, n_outputs) or None
        Labels and predictions.
    weight : ndarray of shape (n_rows,) or None
        Weights.

    Returns
    -------
    Rows
        A ``TensorRegressionData`` for a tensor.
    """
    if is_tensor(X):
        return TensorRegressionData(X, y, teacher, weight, linalg=sys.modules["torch"].linalg)
    return RegressionData(X, y, teacher, weight)


def tensor_scores(X: Any, coef: Any, intercept: Any) -> Any:
    """Return X Wᵀ + b of shape (n_rows, n_scores), in X's precision; W may be a single row."""
    return X @ coef.reshape(-1, X.shape[1]).to(X.dtype).T + intercept.to(X.dtype)


def tensor_labels(scores: Any, classes: NDArray[Any]) -> Any:
    """Return the most probable classes: numbers beside the scores, other labels in NumPy."""
    codes = (scores > 0).long() if scores.ndim == 1 else scores.argmax(1)
    if classes.dtype.kind in "biuf":
        return beside(codes, classes)[codes]
    return classes[to_numpy(codes)]


def tensor_proba(scores: Any) -> Any:
    """Return the probabilities of scores or, if they have one dimension, of log-odds."""
    torch = sys.modules["torch"]
    if scores.ndim == 1:
        return torch.stack([torch.sigmoid(-scores), torch.sigmoid(scores)], dim=1)
    return torch.softmax(scores, dim=1)


def tensor_log_proba(scores: Any) -> Any:
    """Return the logarithms of the probabilities, without rounding them first."""
    torch = sys.modules["torch"]
    if scores.ndim == 1:
        logsigmoid = torch.nn.functional.logsigmoid
        return torch.stack([logsigmoid(-scores), logsigmoid(scores)], dim=1)
    return torch.log_softmax(scores, dim=1)
