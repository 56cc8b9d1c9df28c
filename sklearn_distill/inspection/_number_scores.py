"""The metrics of a regression, with the influence of each sample."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.inspection._score import (
    Prediction,
    Score,
    mean_of_scores,
    mean_score,
    undefined,
)
from sklearn_distill.inspection._test_set import TestSet


def mean_squared_error(model: Prediction, test: TestSet) -> Score:
    """Return the mean of (y − f)², over all outputs."""
    return mean_score((_residual(model, test) ** 2).mean(axis=1), test)


def mean_absolute_error(model: Prediction, test: TestSet) -> Score:
    """Return the mean of |y − f|, over all outputs."""
    return mean_score(np.abs(_residual(model, test)).mean(axis=1), test)


def root_mean_squared_error(model: Prediction, test: TestSet) -> Score:
    """Return the root of the mean of (y − f)², of several outputs the mean."""
    return mean_of_scores([_root(e**2, test) for e in _residual(model, test).T])


def _root(squares: FloatArray, test: TestSet) -> Score:
    n, total, weight = test.n_units, test.by_unit(test.w * squares), test.by_unit(test.w)
    mean = total.sum()
    if n < 2:
        return undefined(test)
    # leave one out: the root of heavy-tailed squares is not close to linear
    without = np.sqrt(np.maximum(mean - total, 0) / (1 - weight))
    return Score(float(np.sqrt(mean)), (n - 1) * (np.sqrt(mean) - without))


def r2(model: Prediction, test: TestSet) -> Score:
    """Return 1 − Σ (y − f)² / Σ (y − ȳ)², of several outputs the mean."""
    pairs = zip(_residual(model, test).T, test.y.T, strict=True)
    return mean_of_scores([_explained(e**2, y, test) for e, y in pairs])


def _explained(squares: FloatArray, y: FloatArray, test: TestSet) -> Score:
    w = test.w
    spread = (y - w @ y) ** 2
    variance = w @ spread
    if variance == 0:
        return undefined(test)
    value = float(1 - w @ squares / variance)
    influence = test.by_unit(w * ((1 - value) * spread - squares)) / variance
    return Score(value, test.n_units * influence)


def _residual(model: Prediction, test: TestSet) -> FloatArray:
    return np.asarray(test.y - model.values[test.rows])
