"""The continuous categorical regulariser of a tile of rows, for any number of classes."""

import numpy as np
import numpy.typing as npt

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses.regularizers._simplex_integral import (
    covariance,
    covariance_product,
    log_mass_and_mean,
)

Float64Array = npt.NDArray[np.float64]


def _gap_and_proba(scores: FloatArray) -> tuple[Float64Array, Float64Array]:
    u: Float64Array = scores.astype(np.float64)
    gap: Float64Array = u.max(axis=0) - u
    p: Float64Array = np.exp(-gap)
    p /= p.sum(axis=0)
    return gap, p


def value_and_gradient(u: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Compute r and ∇r = m − p."""
    gap, p = _gap_and_proba(u)
    log_mass, mean = log_mass_and_mean(gap)
    # The most probable class has gap 0, so its log-probability is −lse of the negative gaps.
    return log_mass + np.log(p.max(axis=0)), mean - p


def hessian_product(u: FloatArray, v: FloatArray) -> Float64Array:
    """Compute (Cov(s) − J(p)) v."""
    gap, p = _gap_and_proba(u)
    # Both matrices ignore a shift of v. With v = 0 at the top class nothing cancels where p tends
    # to a vertex.
    d: Float64Array = v.astype(np.float64) - np.take_along_axis(v, _top(u), axis=0)
    result = covariance_product(gap, d) - p * (d - (p * d).sum(axis=0))
    return _restore_zero_sum(result, u)


def hessian(u: FloatArray) -> Float64Array:
    """Compute Cov(s) − J(p)."""
    gap, p = _gap_and_proba(u)
    result = covariance(gap) + p[:, np.newaxis] * p
    result[np.arange(len(u)), np.arange(len(u))] -= p
    for column in result.swapaxes(0, 1):
        _restore_zero_sum(column, u)
    return result


def _restore_zero_sum(x: Float64Array, u: FloatArray) -> Float64Array:
    """Compute the top class, where most digits cancel, from the others: the sum is 0."""
    top = _top(u)
    np.put_along_axis(x, top, 0, axis=0)
    np.put_along_axis(x, top, -x.sum(axis=0, keepdims=True), axis=0)
    return x


def _top(u: FloatArray) -> npt.NDArray[np.intp]:
    top: npt.NDArray[np.intp] = u.argmax(axis=0)
    return top[np.newaxis]
