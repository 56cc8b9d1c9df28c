"""The scores of a leaderboard's rows in each fold, their intervals, and the choice among them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_distill.inspection._entry_fit import ComparisonData
from sklearn_distill.inspection._report_models import Model, align, read_truth
from sklearn_distill.inspection._scoring import Metric
from sklearn_distill.inspection.intervals import Difference, split_interval


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
    """How many labelled rows a fold trains and tests on, which rows, and the intervals' level.

    Parameters
    ----------
    n_train, n_test : int
        Means over the folds.
    level : float
        Level of each interval, between 0 and 1.
    tested : tuple of frozenset of int, default=()
        The test rows of each fold; none are no overlap.
    """

    n_train: int
    n_test: int
    level: float
    tested: tuple[frozenset[int], ...] = ()

    def apart_from(self, fold: int, folds: pd.Index[int]) -> list[int]:
        """Return the folds that have no test row of this one: not all, if they are repeated."""
        others = [k for k in folds if k != fold]
        if not self.tested:
            return others
        return [k for k in others if not self.tested[k] & self.tested[fold]]

    def interval(self, values: pd.Series[float]) -> Difference:
        """Return the mean over the folds with its interval; NaN from fewer than two folds."""
        x = values.to_numpy(dtype=np.float64)
        if len(x) < 2 or not np.isfinite(x).all():
            return Difference(float(x.mean()) if len(x) else math.nan, math.nan, math.nan)
        ends = split_interval(
            x, n_train=self.n_train, n_test=self.n_test, confidence_level=self.level
        )
        return Difference(float(x.mean()), *ends)


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
    expected : float
        The mean over the folds of the student that is best on the *other* folds: no fold's rows
        take part in the choice that they judge. NaN if each fold shares test rows with all others.
    low, high : float
        The interval of ``expected``.
    gain_over_prior : Difference
        ``expected`` minus the prior's score.
    """

    name: str
    n_students: int
    score: float
    expected: float
    low: float
    high: float
    gain_over_prior: Difference

    @property
    def optimism(self) -> float:
        """How much the score is larger than what is expected; of a loss, how much smaller."""
        return abs(self.score - self.expected)


def choose(scores: pd.DataFrame, names: list[str], direction: int, sizes: SplitSizes) -> Choice:
    """Choose the best student, and estimate its score by the choices without one fold each.

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
    expected = pd.Series(
        {k: _of_choice_without(k, scores, values, sizes) for k in values.index}, dtype=np.float64
    )
    honest = sizes.interval(expected)
    return Choice(
        name=best,
        n_students=len(names),
        score=float(scores[best].mean()),
        expected=honest.value,
        low=honest.low,
        high=honest.high,
        gain_over_prior=sizes.interval(expected - scores["prior"]),
    )


def _of_choice_without(
    fold: int, scores: pd.DataFrame, values: pd.DataFrame, sizes: SplitSizes
) -> float:
    """Return the score in a fold of the student that is best on the folds of other test rows."""
    others = values.loc[sizes.apart_from(fold, values.index)]
    return float(scores.loc[fold, others.mean().idxmax()]) if len(others) else math.nan


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
