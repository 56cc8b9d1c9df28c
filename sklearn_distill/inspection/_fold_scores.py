"""The scores of a leaderboard's rows in each fold, their intervals, and the choice among them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill._validation.splits import Splits
from sklearn_distill.inspection._entry_fit import ComparisonData
from sklearn_distill.inspection._report_models import Model, align, read_truth
from sklearn_distill.inspection._scoring import Metric
from sklearn_distill.inspection.intervals import Difference, split_interval

N_DRAWS = 2000


def fold_scores(
    predicted: dict[str, Model], data: ComparisonData, test: np.ndarray, metrics: list[Metric]
) -> dict[tuple[str, str], float]:
    """Return each metric of each row of the leaderboard on the test rows of a fold.

    Parameters
    ----------
    predicted : dict of str to (ModelProba or ModelNumbers)
        The predictions by name.
    data : ComparisonData
        All rows of X.
    test : ndarray of int
        The test rows.
    metrics : list of Metric
        The metrics.

    Returns
    -------
    dict of (str, str) to float
        By metric and name.
    """
    models = list(predicted.values())
    weight = None if data.weight is None else data.weight[test]
    truth = read_truth(data.y[test], models[0], models, weight, None)
    aligned = {name: align(model, truth) for name, model in predicted.items()}
    return {
        (metric.name, name): metric.score(prediction, truth).value
        for metric in metrics
        for name, prediction in aligned.items()
    }


@dataclass(frozen=True)
class SplitSizes:
    """How many labelled rows a fold trains and tests on, and the level of the intervals.

    Parameters
    ----------
    n_train, n_test : int
        Means over the folds.
    level : float
        Level of each interval, between 0 and 1.
    """

    n_train: int
    n_test: int
    level: float

    def interval(self, values: pd.Series[float]) -> Difference:
        """Return the mean over the folds with its interval; NaN from fewer than two folds."""
        x = values.to_numpy(dtype=np.float64)
        if len(x) < 2 or not np.isfinite(x).all():
            return Difference(float(x.mean()) if len(x) else math.nan, math.nan, math.nan)
        ends = split_interval(
            x, n_train=self.n_train, n_test=self.n_test, confidence_level=self.level
        )
        return Difference(float(x.mean()), *ends)

    def covariance_of_means(self, values: FloatArray) -> FloatArray:
        """Return Nadeau and Bengio's covariance of the means over the folds of each column."""
        factor = 1 / len(values) + self.n_test / self.n_train
        return np.asarray(factor * np.atleast_2d(np.cov(values.T)))


def split_sizes(splits: Splits, present: BoolArray, level: float) -> SplitSizes:
    """Return the mean numbers of labelled rows of some folds.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Training and test rows.
    present : ndarray of bool of shape (n_rows,)
        Rows with a label.
    level : float
        Level of the intervals.
    """
    n_train = np.mean([present[train].sum() for train, _ in splits])
    n_test = np.mean([len(test) for _, test in splits])
    return SplitSizes(math.ceil(n_train), math.ceil(n_test), level)


@dataclass(frozen=True)
class Choice:
    """The best of several students, and what the choice makes of its score.

    Parameters
    ----------
    name : str
        Row of the best student.
    n_students : int
        Among how many it was chosen.
    score : float
        Its mean over the folds, which the choice makes look too good.
    optimism : float
        By how much, on average: 0 or more, of losses too.
    expected : float
        The score without the optimism.
    low, high : float
        The interval of ``expected``.
    gain_over_prior : Difference
        ``expected`` minus the prior's score.
    """

    name: str
    n_students: int
    score: float
    optimism: float
    expected: float
    low: float
    high: float
    gain_over_prior: Difference


def choose(scores: pd.DataFrame, names: list[str], direction: int, sizes: SplitSizes) -> Choice:
    """Choose the best student, and correct its score for the choice.

    Parameters
    ----------
    scores : DataFrame of shape (n_folds, n_entries)
        The metric that decides, with a column "prior".
    names : list of str
        The columns to choose among; of equal ones the first.
    direction : {1, -1}
        1 if higher is better.
    sizes : SplitSizes
        For the intervals.

    Returns
    -------
    Choice
        The best student.
    """
    values = direction * scores[names]
    best = str(values.mean().idxmax())
    optimism = choice_optimism(values, best, sizes)
    corrected = sizes.interval(scores[best] - direction * optimism)
    return Choice(
        name=best,
        n_students=len(names),
        score=float(scores[best].mean()),
        optimism=optimism,
        expected=corrected.value,
        low=corrected.low,
        high=corrected.high,
        gain_over_prior=sizes.interval(scores[best] - direction * optimism - scores["prior"]),
    )


def choice_optimism(values: pd.DataFrame, best: str, sizes: SplitSizes) -> float:
    """Return by how much the best of several means is better than it will be on other rows.

    The means of those that are not shown to be worse than the best are m_i = μ_i + ε_i, with
    normal errors ε of Nadeau and Bengio's covariance. The optimism is ``E ε_j, j = argmax_i (μ_i +
    ε_i)``, with the means μ shrunk towards their average by the share of the errors in the variance
    of m. The errors of folds are correlated, as each trains on the rows of the others: to choose
    without a fold and to judge by it would not be enough.

    Parameters
    ----------
    values : DataFrame of shape (n_folds, n_students)
        Scores of each fold, higher is better.
    best : str
        The column of the largest mean.
    sizes : SplitSizes
        Size of the folds.

    Returns
    -------
    float
        0 or more; NaN from a single fold.
    """
    if len(values) < 2:
        return math.nan
    lead = {name: sizes.interval(values[best] - values[name]) for name in values}
    rivals = values[[name for name in values if lead[name].sign() <= 0]].to_numpy()
    covariance = sizes.covariance_of_means(rivals)
    m = rivals.mean(axis=0) - rivals.mean()
    of_errors = np.trace(covariance) / len(m) - covariance.mean()  # in the variance of m
    share = 1.0 if of_errors >= m.var() else of_errors / m.var()
    half = np.random.default_rng(0).multivariate_normal(0 * m, covariance, N_DRAWS)
    errors = np.concatenate([half, -half])  # their mean is exactly 0
    chosen = ((1 - share) * m + errors).argmax(axis=1)
    return max(0.0, float(errors[np.arange(len(errors)), chosen].mean()))


def pareto(quality: pd.Series[float], cost: pd.Series[float]) -> pd.Series[bool]:
    """Return which rows no other row beats: in quality, in cost, and not worse in the other.

    Parameters
    ----------
    quality : Series
        Higher is better.
    cost : Series
        Lower is better.

    Returns
    -------
    Series of bool
        The rows of the frontier.

    Examples
    --------
    >>> import pandas as pd
    >>> pareto(pd.Series([1.0, 2.0, 1.5]), pd.Series([1.0, 2.0, 3.0])).tolist()
    [True, True, False]
    """
    q, c = quality.to_numpy(), cost.to_numpy()
    as_good = (q[:, None] >= q) & (c[:, None] <= c)  # row i is at least as good as row j
    better = as_good & ((q[:, None] > q) | (c[:, None] < c))
    known = np.isfinite(q) & np.isfinite(c)
    return pd.Series(known & ~better.any(axis=0), quality.index)
