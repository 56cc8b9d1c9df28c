"""The integral criterion: the area under a loss curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.numbers import as_floats, check_same_length, refuse_rows


def integral_criterion(losses: ArrayLike, baseline: ArrayLike | None = None) -> float:
    """Compute the area under a loss curve by epoch: small if the loss falls early and far.

    ``IC = Σ_{e=1}^{E−1} ½ (L_e + L_{e+1})``; with a baseline the signed area between the curves,
    ``IC(losses) − IC(baseline)``.

    Parameters
    ----------
    losses : array-like of shape (n_epochs,)
        The test loss after each epoch, at least two.
    baseline : array-like of shape (n_epochs,), default=None
        The loss curve to compare with, for the same epochs.

    Returns
    -------
    float
        Area in loss units times epochs (nats·epochs for a cross-entropy); lower is better, and
        below 0 is better than the baseline.

    Raises
    ------
    ValueError
        If a curve is not one-dimensional and finite with two epochs or more, or if the two
        curves differ in length.

    References
    ----------
    Bayazitov, "Distillation on multi-domain data", 2022, integral criterion (the trapezoid rule
    with unit steps).

    Examples
    --------
    >>> from sklearn_distill.metrics import integral_criterion
    >>> integral_criterion([2.0, 1.0, 0.5])
    2.25
    >>> integral_criterion([2.0, 1.0, 0.5], baseline=[2.0, 2.0, 1.0])
    -1.25
    """
    area = _trapezoid(_curve(losses, "losses"))
    if baseline is None:
        return area
    baseline_curve = _curve(baseline, "baseline")
    check_same_length("losses", np.size(losses), "baseline", baseline_curve.size)
    return area - _trapezoid(baseline_curve)


def _curve(values: ArrayLike, name: str) -> FloatArray:
    curve = as_floats(values, name)
    if curve.ndim != 1 or curve.size < 2:
        raise ValueError(
            f"{name} has shape {curve.shape}; pass one loss per epoch, (n_epochs,), two or more."
        )
    refuse_rows(~np.isfinite(curve), name, curve, "is", "an area needs finite losses")
    return curve


def _trapezoid(curve: FloatArray) -> float:
    return float(0.5 * (curve[:-1] + curve[1:]).sum())
