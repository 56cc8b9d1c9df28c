"""One row of the report: what a model scores, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.inspection._model_proba import ModelProba
from sklearn_distill.inspection.size import count_bytes, count_parameters
from sklearn_distill.metrics import (
    expected_calibration_error,
    fidelity_score,
    max_min_gap,
    uncertainty_degree,
)
from sklearn_distill.metrics._row_scores import (
    one_hot,
    row_brier,
    row_correct,
    row_cross_entropy,
    weighted_mean,
)
from sklearn_distill.metrics.brier_score import brier_scale

METRICS = ("accuracy", "cross_entropy", "brier")  # means over rows, so the bootstrap takes them

_EPS = np.finfo(np.float64).eps  # as sklearn.metrics.log_loss: no row is infinitely bad


@dataclass(frozen=True, eq=False)
class TestSet:
    """What the models are tested on.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        The position of each row's label in `classes`.
    s : ndarray of shape (n_samples,)
        Row weights.
    classes : list
        Every class.
    """

    __test__ = False  # not a test class for pytest

    k: IntArray
    s: FloatArray
    classes: list[Any]


def scores(model: ModelProba, test: TestSet) -> pd.DataFrame:
    """Return what the model scores on each row, by metric of METRICS.

    Parameters
    ----------
    model : ModelProba
        The model's probabilities.
    test : TestSet
        The labels.

    Returns
    -------
    DataFrame of shape (n_samples, 3)
        Columns accuracy, cross_entropy and brier.
    """
    p, n_classes = model.align(test.classes), len(test.classes)
    y = one_hot(test.k, n_classes)
    return pd.DataFrame(
        {
            "accuracy": row_correct(test.k, p),
            "cross_entropy": row_cross_entropy(y, np.maximum(p, _EPS)),
            "brier": brier_scale("auto", n_classes) * row_brier(test.k, p),
        }
    )


def numbers(model: ModelProba, test: TestSet, q: FloatArray, n_bins: int) -> dict[str, float]:
    """Return the columns of the report for one model.

    Parameters
    ----------
    model : ModelProba
        The model and its probabilities.
    test : TestSet
        The labels.
    q : ndarray of shape (n_samples, n_classes)
        The teacher's probabilities.
    n_bins : int
        Bins of the calibration error.

    Returns
    -------
    dict
        Column to number.
    """
    p, s, n_classes = model.align(test.classes), test.s, len(test.classes)
    means = {
        str(name): weighted_mean(row.to_numpy(), s) for name, row in scores(model, test).items()
    }
    calibration_error = expected_calibration_error(
        test.k, p, n_bins=n_bins, labels=np.arange(n_classes), sample_weight=s
    )
    return {
        **means,
        "calibration_error": calibration_error,
        "uncertainty_degree": uncertainty_degree(model.proba, sample_weight=s),
        "max_min_gap": max_min_gap(model.proba, sample_weight=s),
        "fidelity": fidelity_score(q, p, sample_weight=s),
        "n_parameters": count_parameters(model.model),
        "n_bytes": count_bytes(model.model),
        "predict_us_per_row": model.us_per_row,
    }
