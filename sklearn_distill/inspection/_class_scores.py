"""The metrics of predicted probabilities, with the influence of each sample."""

from __future__ import annotations

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.inspection._score import (
    Prediction,
    Score,
    mean_of_scores,
    mean_score,
    undefined,
)
from sklearn_distill.inspection._test_set import TestSet
from sklearn_distill.metrics._row_scores import row_brier
from sklearn_distill.metrics.brier_score import brier_scale

_EPS = np.finfo(np.float64).eps  # as sklearn.metrics.log_loss: no sample has an infinite loss


def log_loss(model: Prediction, test: TestSet) -> Score:
    """Return −mean log p of the true class, of soft labels the cross-entropy."""
    return mean_score(-np.log(np.maximum(model.values[test.rows, test.y], _EPS)), test)


def brier_score(model: Prediction, test: TestSet) -> Score:
    """Return the mean squared distance from the one-hot label, halved for two classes."""
    p = model.values
    # Σ_j (p_j − [j = k])² = Σ_j p_j² − 2 p_k + 1: no copy of p for each class of a soft label
    distance = (p**2).sum(axis=1)[test.rows] - 2 * p[test.rows, test.y] + 1
    return mean_score(brier_scale("auto", p.shape[1]) * distance, test)


def accuracy(model: Prediction, test: TestSet) -> Score:
    """Return the share of samples whose most probable class is right."""
    return mean_score(_correct(model, test), test, is_share=True)


def balanced_accuracy(model: Prediction, test: TestSet) -> Score:
    """Return the mean over the true classes of the share of their samples that is right."""
    x = _correct(model, test)
    mass = np.bincount(test.y, test.s)
    recall = np.divide(
        np.bincount(test.y, test.s * x), mass, where=mass > 0, out=np.zeros(len(mass))
    )
    present = mass > 0
    w = test.s / mass[test.y] / present.sum()
    influence = test.n_units * test.by_unit(w * (x - recall[test.y]))
    return Score(float(recall[present].mean()), influence, test.by_unit(w * x), is_share=True)


def roc_auc(model: Prediction, test: TestSet) -> Score:
    """Return the area under the ROC curve; of more classes the mean, each against the rest."""
    mass = np.bincount(test.y, test.s, model.values.shape[1])
    present = np.flatnonzero(mass)
    if len(present) < 2:
        return undefined(test)
    if model.values.shape[1] == 2:
        present = present[1:]
    return mean_of_scores([_area(model.values[test.rows, k], test.y == k, test) for k in present])


def _area(score: FloatArray, positive: BoolArray, test: TestSet) -> Score:
    """Return P(score of a positive > that of a negative), ties count one half."""
    tie: IntArray = np.unique(score, return_inverse=True)[1]
    s_positive, s_negative = test.s * positive, test.s * ~positive
    beaten = _middle_rank(tie, s_negative)  # of a positive: the mass of the negatives below it
    beating = 1 - _middle_rank(tie, s_positive)
    value = float(s_positive @ beaten / s_positive.sum())
    share = np.where(positive, s_positive / s_positive.sum(), s_negative / s_negative.sum())
    influence = share * (np.where(positive, beaten, beating) - value)
    return Score(value, test.n_units * test.by_unit(influence))


def _middle_rank(tie: IntArray, s: FloatArray) -> FloatArray:
    """Return the share of the mass below each entry, half of its own tie included."""
    mass = np.bincount(tie, s)
    return np.asarray((np.cumsum(mass) - mass / 2)[tie] / s.sum())


def calibration_error(model: Prediction, test: TestSet, n_bins: int) -> Score:
    """Return the expected calibration error over bins of equal width.

    It is no smooth function of means, and biased upwards: its intervals are too wide.
    """
    confidence = model.values.max(axis=1)[test.rows]
    edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    bins = np.searchsorted(edges, confidence, side="left")
    gap = test.w * (_correct(model, test) - confidence)
    gap_of_bin = np.bincount(bins, gap, n_bins)
    value = float(np.abs(gap_of_bin).sum())
    terms = test.by_unit(np.sign(gap_of_bin)[bins] * gap)
    return Score(value, test.n_units * (terms - test.by_unit(test.w) * value))


def uncertainty_degree(model: Prediction, test: TestSet) -> Score:
    """Return the mean of ½ ‖p − onehot(argmax p)‖²."""
    p = model.own
    return mean_score(0.5 * row_brier(p.argmax(axis=1), p)[test.rows], test)


def max_min_gap(model: Prediction, test: TestSet) -> Score:
    """Return the mean of max p − min p."""
    return mean_score((model.own.max(axis=1) - model.own.min(axis=1))[test.rows], test)


def _correct(model: Prediction, test: TestSet) -> FloatArray:
    hit: BoolArray = model.values.argmax(axis=1)[test.rows] == test.y
    return hit.astype(np.float64)
