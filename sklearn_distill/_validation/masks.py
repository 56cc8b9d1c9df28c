"""Masked arrays of NumPy: a masked entry is missing, and a mask is never dropped.

Torch tensors, which have no mask, are converted on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation.tensors import to_numpy


def nan_where_masked(values: Any) -> Any:
    """Return the numbers of a masked array with NaN where it is masked.

    Parameters
    ----------
    values : array-like or torch.Tensor
        A masked array, a list of them, or a tensor; anything else is returned unchanged.

    Returns
    -------
    array-like
        A plain array, if masked in float64 unless it is of floats already.

    Examples
    --------
    >>> nan_where_masked(np.ma.masked_array([3, 4], mask=[False, True]))
    array([ 3., nan])
    """
    values = to_numpy(values)
    masked = _as_masked(values)
    if masked is None:
        return values
    if not np.ma.is_masked(masked):
        return masked.data
    dtype = masked.dtype if masked.dtype.kind in "fcO" else np.float64
    return _filled(masked, np.nan, dtype)


def none_where_masked(labels: Any) -> Any:
    """Return the labels of a masked array with None, or NaN among floats, where it is masked.

    Parameters
    ----------
    labels : array-like or torch.Tensor
        A masked array, a list of them, or a tensor; anything else is returned unchanged.

    Returns
    -------
    array-like
        A plain array, of objects if a label that is no float is masked.

    Examples
    --------
    >>> none_where_masked(np.ma.masked_array(["no", "yes"], mask=[False, True]))
    array(['no', None], dtype=object)
    """
    masked = _as_masked(labels)
    if masked is None or masked.dtype.kind == "f" or not np.ma.is_masked(masked):
        return nan_where_masked(labels)
    return _filled(masked, None, object)


def refuse_mask(name: str, values: Any) -> None:
    """Raise a ValueError if an argument that may not be missing has masked entries.

    Parameters
    ----------
    name : str
        The argument's name.
    values : array-like
        The argument.
    """
    masked = _as_masked(values)
    if masked is not None and np.ma.is_masked(masked):
        n_masked = np.ma.getmaskarray(masked).sum()
        raise ValueError(
            f"{name} is a masked array with {n_masked} masked entries: pass "
            f"{name}.astype(float).filled(np.nan) to an estimator that takes NaN, or impute them"
        )


def _filled(masked: np.ma.MaskedArray[Any, Any], value: float | None, dtype: Any) -> NDArray[Any]:
    filled: NDArray[Any] = np.array(masked.data, dtype=dtype)
    filled[np.ma.getmaskarray(masked)] = value  # MaskedArray.filled(None) takes a default
    return filled


def _as_masked(values: Any) -> np.ma.MaskedArray[Any, Any] | None:
    """Return a masked array or a list of them as one, and None for anything else."""
    # np.asarray of such a list would drop the masks
    if isinstance(values, list | tuple) and any(np.ma.isMaskedArray(one) for one in values):
        return np.ma.stack(values)
    return values if isinstance(values, np.ma.MaskedArray) else None
