"""Whether made rows help: students with and without them, compared on rows new to all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._extra_samples import ExtraSamples
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.teachers._cross_fit import FoldFit, FoldPredictions, mean_by_row

HURTS_BEYOND = 2  # standard errors

Teach = Callable[[StudentData], Any]
Losses = Callable[[Any, Any, NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True)
class Gain:
    """Mean loss without the made rows minus with them, and its standard error."""

    mean: float
    standard_error: float

    @property
    def hurts(self) -> bool:
        """Whether the loss with them is larger by more than chance explains."""
        return self.mean < -HURTS_BEYOND * self.standard_error


@dataclass(frozen=True)
class Comparison:
    """How two students are taught and tested.

    Parameters
    ----------
    told : StudentData
        What the student of all rows is told of the rows of X.
    columns : FeatureSplit
        Which columns the student sees.
    n_given : int
        How many of a rehearsal's further rows are given, not made.
    teach : callable
        Told -> fitted student.
    losses : callable
        (student, X, y) -> a loss for each row.
    """

    told: StudentData
    columns: FeatureSplit
    n_given: int
    teach: Teach
    losses: Losses

    def gain(self, rehearsals: list[NestedPredictions]) -> Gain | None:
        """Return the weighted mean of the rows' paired differences; None for less than two."""
        if not rehearsals:
            return None
        asked = [one.plan.test for one in rehearsals]
        take_aligned = mean_by_row(
            asked, [self._differences(one) for one in rehearsals], len(self.told.y)
        )
        tested = ~np.isnan(take_aligned) & (self.told.weight > 0)
        if tested.sum() < 2:
            return None
        return paired_gain(take_aligned[tested], self.told.weight[tested])

    def _differences(self, one: NestedPredictions) -> NDArray[np.float64]:
        plan = one.plan
        without = self.told.take(plan.rows, one.answers)
        rows, answers = self.columns.for_student(plan.further), one.further_answers
        taught_with = self.teach(without.extended(rows, answers))
        if self.n_given:
            without = without.extended(rows[: self.n_given], answers[: self.n_given])
        tested = self.told.take(plan.test, self.told.answers[plan.test])
        of_without, of_with = (
            self.losses(student, tested.X, tested.y)
            for student in (self.teach(without), taught_with)
        )
        return of_without - of_with


def paired_gain(differences: NDArray[np.float64], weight: NDArray[np.float64]) -> Gain:
    r"""Return the weighted mean of differences d and its standard error.

    .. math::

        \bar d = \frac{\sum_i s_i d_i}{\sum_i s_i}, \qquad
        \mathrm{se}^2 = \frac{n}{n-1} \frac{\sum_i s_i^2 (d_i - \bar d)^2}{(\sum_i s_i)^2}

    for weights s; with equal ones the usual standard error of a mean.
    """
    n = len(differences)
    share = weight / weight.sum()
    mean = float(share @ differences)
    squares = float(share**2 @ (differences - mean) ** 2)
    return Gain(mean, float(np.sqrt(squares * n / (n - 1))))


N_FOLDS = 5  # where cv does not say any


@dataclass(frozen=True)
class NestedFold:
    """Who learns and who is tested in a rehearsal.

    Parameters
    ----------
    train : ndarray of shape (n_train,)
        The fold's training rows.
    test : ndarray of shape (n_test,)
        The rows to compare students on.
    unlabelled : ndarray of shape (n_unlabelled,)
        Rows of X without a label.
    further : matrix or frame of shape (n_further, n_features)
        All columns of the rows given without labels, then of those made from ``rows``.
    """

    train: IntArray
    test: IntArray
    unlabelled: IntArray
    further: Any

    @property
    def rows(self) -> IntArray:
        """Rows of X that the student is taught."""
        return np.concatenate([self.train, self.unlabelled])


@dataclass(frozen=True)
class NestedPredictions:
    """What is said in a rehearsal, all of it by teachers who never saw its test rows.

    Parameters
    ----------
    plan : NestedFold
        The rows.
    answers : ndarray of shape (n_taught, ...)
        Answers to ``plan.rows``; to a training row, of teachers who never saw it.
    further_answers : ndarray of shape (n_further, ...)
        Answers to ``plan.further``.
    """

    plan: NestedFold
    answers: NDArray[np.float64]
    further_answers: NDArray[np.float64]


def nested_folds(
    splits: Splits, present: NDArray[np.bool_], further: ExtraSamples
) -> list[NestedFold]:
    """Return a plan for each fold."""
    unlabelled = np.flatnonzero(~present)
    return [
        NestedFold(train, test, unlabelled, further.of(np.concatenate([train, unlabelled])))
        for train, test in splits
    ]


def default_splits(y: Any, present: NDArray[np.bool_], seed: int, *, is_class: bool) -> Splits:
    """Return folds of the labelled rows, or none where they or those of a class are too few."""
    rows = np.flatnonzero(present)
    y = y[rows]
    fewest = np.unique(y, return_counts=True)[1].min(initial=len(y)) if is_class else len(y)
    if fewest < N_FOLDS:
        return []
    kind = StratifiedKFold if is_class else KFold
    splitter = kind(N_FOLDS, shuffle=True, random_state=seed)
    return [(rows[train], rows[test]) for train, test in splitter.split(y, y)]


def has_fold_pairs(splits: Splits) -> bool:
    """Tell whether teachers can answer for training rows of each fold without its test rows."""
    paired = {k for pair in _pairs(splits) for k in pair}
    return len(paired) == len(splits)


def leave_two_folds_out(splits: Splits) -> list[FoldFit]:
    """Return a round for each two folds, with a teacher who saw the test rows of neither."""
    return [
        FoldFit(
            np.intersect1d(splits[j][0], splits[k][0]),
            np.union1d(*_each_others(splits, j, k)),
            f"without the folds {j + 1} and {k + 1} of {len(splits)}",
        )
        for j, k in _pairs(splits)
    ]


def predictions_without_fold(
    splits: Splits, heard: list[FoldPredictions], k: int, n_rows: int
) -> NDArray[np.float64]:
    """Return what the teachers of leave_two_folds_out say of the training rows of fold k.

    Each row's are from those who saw neither the row nor the test rows of the fold.
    """
    asked, answers = [], []
    for pair, (says, _) in zip(_pairs(splits), heard, strict=True):
        if k in pair:
            of_k, of_j = _each_others(splits, k, pair[0] if k == pair[1] else pair[1])
            asked.append(of_k)
            answers.append(says[np.searchsorted(np.union1d(of_k, of_j), of_k)])
    return mean_by_row(asked, answers, n_rows)[splits[k][0]]


def _pairs(splits: Splits) -> Iterator[tuple[int, int]]:
    """Leave out pairs whose teacher has nothing to learn or is asked about nothing."""
    for j, k in combinations(range(len(splits)), 2):
        learns = len(np.intersect1d(splits[j][0], splits[k][0]))
        if learns and any(len(rows) for rows in _each_others(splits, j, k)):
            yield j, k


def _each_others(splits: Splits, j: int, k: int) -> tuple[IntArray, IntArray]:
    """Return the training rows of fold j that fold k tests, and those of k that j tests."""
    return np.intersect1d(splits[j][0], splits[k][1]), np.intersect1d(splits[k][0], splits[j][1])
