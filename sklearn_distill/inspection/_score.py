"""The value of a metric and the influence of each sample on it; the difference of two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.inspection._test_set import TestSet
from sklearn_distill.inspection.intervals import (
    Difference,
    can_decide,
    mean_interval,
    share_interval,
)
from sklearn_distill.metrics._row_scores import weighted_mean


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model predicts for the rows of X.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_classes) or (n_rows, n_outputs)
        Probabilities of all classes of the test set, or the numbers of a regression.
    own : ndarray of shape (n_rows, n_own_classes)
        The same, with the model's own classes only.
    missing : ndarray of bool of shape (n_rows,)
        Where a prediction is missing.
    """

    values: FloatArray
    own: FloatArray
    missing: BoolArray


@dataclass(frozen=True, eq=False)
class Score:
    """The value of a metric, and what each independent unit of the test set contributes.

    Parameters
    ----------
    value : float
        The metric; NaN where it is not defined, such as an area under the curve of one class.
    influence : ndarray of shape (n_units,)
        By how much each unit raises the value, times n_units (infinitesimal or leave-one-out
        jackknife).
    terms : ndarray of shape (n_units,) or None, default=None
        The contributions whose sum is the value, if it is a mean over samples.
    is_share : bool, default=False
        Whether each sample counts 0 or 1.
    """

    value: float
    influence: FloatArray
    terms: FloatArray | None = None
    is_share: bool = False


def undefined(test: TestSet) -> Score:
    """Return the score of a metric that this test set does not define."""
    return Score(math.nan, np.full(test.n_units, math.nan))


def mean_score(x: FloatArray, test: TestSet, *, is_share: bool = False) -> Score:
    """Return the weighted mean of one number for each entry of the test set.

    Parameters
    ----------
    x : ndarray of shape (n_entries,)
        The metric of each entry.
    test : TestSet
        Weights and units.
    is_share : bool, default=False
        Whether each is 0 or 1.

    Returns
    -------
    Score
        The mean.
    """
    value = weighted_mean(x, test.s)
    influence = test.n_units * test.by_unit(test.w * (x - value))
    return Score(value, influence, test.by_unit(test.w * x), is_share)


def mean_of_scores(scores: list[Score]) -> Score:
    """Return the mean of several scores, of classes or of outputs."""
    value = float(np.mean([score.value for score in scores]))
    return Score(value, np.mean([score.influence for score in scores], axis=0))


def difference(a: Score, b: Score, test: TestSet, level: float) -> Difference:
    """Return the interval of ``b − a``, two models' scores on the same test set.

    Parameters
    ----------
    a, b : Score
        The metric of each model.
    test : TestSet
        The test set of both.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    Difference
        The interval of a mean, unless of shares, contains 0 if it differs in so few units that no
        test could decide.
    """
    value, influence = b.value - a.value, b.influence - a.influence
    if math.isnan(value):
        return Difference(math.nan, math.nan, math.nan)
    if a.terms is None or b.terms is None:
        return Difference(value, *mean_interval(value, influence, level))
    terms = b.terms - a.terms
    if a.is_share:  # the score interval covers, however few of them differ
        return Difference(value, *share_interval(terms, influence, test.size, level))
    found = Difference(value, *mean_interval(value, influence, level))
    n_differing = int(np.count_nonzero(terms))
    return found if can_decide(n_differing, level) else found.with_zero()
