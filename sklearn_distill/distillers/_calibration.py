"""Calibrate a teacher by one temperature, fitted on labels that it was not fitted on.

What is chosen or compared on the test rows of a fold must not know their labels. The temperature of
a fold is therefore fitted on its training rows, by predictions of teachers that were fitted neither
on these rows nor on the test rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._nested_folds import NestedPredictions

_BOUNDS = (0.01, 100.0)  # of τ: a teacher that is always right has no minimum
_FLOOR = float(np.finfo(np.float64).eps)  # as in scikit-learn's log_loss


def temper(proba: FloatArray, temperature: float) -> FloatArray:
    """Return probabilities in proportion to p^(1/τ).

    A probability of 0 counts as 2e-16, so that the 0 and 1 of an unpruned tree are softened, too.
    A row of NaN stays one.

    Examples
    --------
    >>> temper(np.array([[0.9, 0.1]]), 2.0).round(2)
    array([[0.75, 0.25]])
    """
    logits = _logits(proba) / temperature
    return np.asarray(np.exp(logits - logsumexp(logits, axis=1, keepdims=True)))


def fit_temperature(proba: FloatArray, codes: IntArray, weight: FloatArray) -> float:
    r"""Return the temperature τ of the smallest cross-entropy of the labels.

    .. math::

        τ = \arg\min Σ_i s_i \Big(\log Σ_k p_{ik}^{1/τ} - \tfrac1τ \log p_{i y_i}\Big),

    convex in 1/τ, between 0.01 and 100.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Probabilities p.
    codes : ndarray of int of shape (n_rows,)
        Columns of the labels.
    weight : ndarray of shape (n_rows,)
        Weights s.

    Returns
    -------
    float
        The temperature; above 1 for an overconfident teacher.

    References
    ----------
    Guo et al. 2017, "On calibration of modern neural networks", section 4.2.
    """
    logits, rows = _logits(proba), np.arange(len(codes))
    of_labels = weight @ logits[rows, codes]

    def loss(log_inverse: float) -> float:
        inverse = np.exp(log_inverse)
        return float(weight @ logsumexp(inverse * logits, axis=1) - inverse * of_labels)

    low, high = -np.log(_BOUNDS[::-1])
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(-best.x))


def _logits(proba: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(proba, _FLOOR)))


@dataclass(frozen=True)
class TemperatureCalibration:
    """The labels that temperatures are fitted on.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
        Columns of the labels; any value where the weight is 0.
    weight : ndarray of shape (n_rows,)
        Weights; 0 for rows without a label.
    """

    codes: IntArray
    weight: FloatArray

    def temperature(self, predictions: FloatArray, rows: IntArray) -> float | None:
        """Return τ by the labels of some rows and the predictions for them; None without any."""
        used = (self.weight[rows] > 0) & ~np.isnan(predictions[:, 0])
        if not used.any():
            return None
        labels = rows[used]
        return fit_temperature(predictions[used], self.codes[labels], self.weight[labels])

    def nested(self, several: Sequence[NestedPredictions]) -> list[NestedPredictions]:
        """Calibrate the predictions of each fold by the labels of its training rows."""
        return [self._nested(one) for one in several]

    def _nested(self, one: NestedPredictions) -> NestedPredictions:
        train = one.fold.train  # the first of the fold's student_rows
        tau = self.temperature(one.row_predictions[: len(train)], train)
        return replace(
            one,
            row_predictions=calibrated(one.row_predictions, tau),
            sample_predictions={
                use: calibrated(part, tau) for use, part in one.sample_predictions.items()
            },
            by_teacher=one.by_teacher and one.by_teacher.map(lambda q: calibrated(q, tau)),
        )

    def of_tests(
        self, predictions: FloatArray, splits: Splits, by_fold: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """Calibrate the predictions for the test rows of each fold by the labels of other rows."""
        all_rows = np.arange(len(self.codes))
        tempered = []
        for (_, test), of_fold in zip(splits, by_fold, strict=True):
            others = np.setdiff1d(all_rows, test)
            tempered.append(calibrated(of_fold, self.temperature(predictions[others], others)))
        return tempered


def calibrated(predictions: FloatArray, temperature: float | None) -> FloatArray:
    """Temper predictions; None leaves them as they are."""
    return predictions if temperature is None else temper(predictions, temperature)
