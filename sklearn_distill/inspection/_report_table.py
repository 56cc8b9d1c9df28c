"""The rows of the report's table: the metrics and the costs of one model."""

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

_EPS = np.finfo(np.float64).eps  # as sklearn.metrics.log_loss: no sample has an infinite loss


@dataclass(frozen=True, eq=False)
class TestSet:
    """Labels and weights of the test set.

    Parameters
    ----------
    k : ndarray of shape (n_samples,)
        The position of each sample's label in `classes`.
    s : ndarray of shape (n_samples,)
        Sample weights, not negative.
    classes : list
        Every class that occurs in y or that a model knows.
    """

    __test__ = False  # not a test class for pytest

    k: IntArray
    s: FloatArray
    classes: list[Any]


def scores_by_sample(model: ModelProba, test: TestSet) -> pd.DataFrame:
    """Return the metrics that are means over samples, before the mean.

    Only these can be resampled by the paired bootstrap: the calibration error, for one, is no
    mean over samples.

    Parameters
    ----------
    model : ModelProba
        The model's predicted probabilities.
    test : TestSet
        Labels and weights of the test set.

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


def table_row(model: ModelProba, test: TestSet, q: FloatArray, n_bins: int) -> dict[str, float]:
    """Return the columns of the report's table for one model.

    Parameters
    ----------
    model : ModelProba
        The model and its predicted probabilities.
    test : TestSet
        Labels and weights of the test set.
    q : ndarray of shape (n_samples, n_classes)
        The teacher's predicted probabilities.
    n_bins : int
        Number of bins of the calibration error.

    Returns
    -------
    dict of str to float
        The value of each column.
    """
    p, s, n_classes = model.align(test.classes), test.s, len(test.classes)
    means = {
        str(name): weighted_mean(scores.to_numpy(), s)
        for name, scores in scores_by_sample(model, test).items()
    }
    calibration_error = expected_calibration_error(
        test.k, p, n_bins=n_bins, labels=np.arange(n_classes), sample_weight=s
    )
    own = model.proba  # a column of zeros for a class that it does not know would raise the gap
    return {
        **means,
        "calibration_error": calibration_error,
        "uncertainty_degree": uncertainty_degree(own, sample_weight=s),
        "max_min_gap": max_min_gap(own, sample_weight=s),
        "fidelity": fidelity_score(q, p, sample_weight=s),
        "n_parameters": count_parameters(model.model),
        "n_bytes": count_bytes(model.model),
        "predict_us_per_row": model.us_per_row,
    }
