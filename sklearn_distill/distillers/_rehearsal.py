"""Lessons without the rows of a fold, by teachers who never saw these rows either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from sklearn_distill.distillers._further_rows import FurtherRows
from sklearn_distill.teachers.folds import Splits

N_FOLDS = 5  # where cv does not say any


@dataclass(frozen=True)
class Plan:
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

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    unlabelled: NDArray[np.intp]
    further: Any

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows of X that the student is taught."""
        return np.concatenate([self.train, self.unlabelled])


@dataclass(frozen=True)
class Rehearsal:
    """What is said in a rehearsal, all of it by teachers who never saw its test rows.

    Parameters
    ----------
    plan : Plan
        The rows.
    answers : ndarray of shape (n_taught, ...)
        Answers to ``plan.rows``; to a training row, of teachers who never saw it.
    further_answers : ndarray of shape (n_further, ...)
        Answers to ``plan.further``.
    """

    plan: Plan
    answers: NDArray[np.float64]
    further_answers: NDArray[np.float64]


def plans_of(splits: Splits, present: NDArray[np.bool_], further: FurtherRows) -> list[Plan]:
    """Return a plan for each fold."""
    unlabelled = np.flatnonzero(~present)
    return [
        Plan(train, test, unlabelled, further.of(np.concatenate([train, unlabelled])))
        for train, test in splits
    ]


def own_folds(y: Any, present: NDArray[np.bool_], seed: int, *, is_class: bool) -> Splits:
    """Return folds of the labelled rows, or none where they or those of a class are too few."""
    rows = np.flatnonzero(present)
    y = y[rows]
    fewest = np.unique(y, return_counts=True)[1].min(initial=len(y)) if is_class else len(y)
    if fewest < N_FOLDS:
        return []
    kind = StratifiedKFold if is_class else KFold
    splitter = kind(N_FOLDS, shuffle=True, random_state=seed)
    return [(rows[train], rows[test]) for train, test in splitter.split(y, y)]
