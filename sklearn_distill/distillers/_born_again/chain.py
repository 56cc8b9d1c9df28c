"""A line of generations on the same rows, each of which is taught by the one before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._born_again.data import GenerationData, IntArray, Predictions
from sklearn_distill.teachers._cross_fit import mean_by_row


class GenerationChain:
    """A line in which a generation answers for the rows that it was fitted on.

    Parameters
    ----------
    lesson : GenerationData
        What there is to learn.
    rows : ndarray of shape (n_line,)
        The line's rows.
    where : str, default=""
        Which line it is, for errors.
    """

    def __init__(self, lesson: GenerationData, rows: IntArray, where: str = "") -> None:
        self.lesson = lesson
        self.rows = rows
        self.where = where
        self.number = 0
        self.latest: Any = None
        self._answers: Predictions | None = None

    def fit_next(self, student: Any) -> Any:
        """Fit a clone of the student as the next generation, and return it."""
        heard = self._heard() if self.number else None
        self.number += 1
        where = self.name
        if heard is None:
            self.latest = self.lesson.first(student, self.rows, where)
        else:
            self.latest = self.lesson.fit_on_targets(student, self.rows, heard, where)
        self._answers = None
        return self.latest

    @property
    def answers(self) -> Predictions:
        """What the latest generation says of the line's rows, on which it was fitted."""
        if self._answers is None:
            self._answers = self.lesson.ask(self.latest, self.rows, self.name)
        return self._answers

    @property
    def name(self) -> str:
        """Which generation of which line the latest is, for errors."""
        return f"in generation {self.number}{self.where}"

    def _heard(self) -> NDArray[np.float64]:
        """Return what the next generation hears of the latest."""
        return self.lesson.as_targets(self.answers)


class CrossFittedChain(GenerationChain):
    """A line that hears, of each row, a line that never saw the row.

    Each fold has a line of its own on the fold's training rows, in which nothing else is known:
    no ancestor of what is said of a row has seen the row's label, or heard one who had.

    Parameters
    ----------
    lesson : GenerationData
        What there is to learn.
    rows : ndarray of shape (n_line,)
        The line's rows.
    splits : list of (train, test)
        The folds, of labelled rows among the line's.
    """

    def __init__(self, lesson: GenerationData, rows: IntArray, splits: Splits) -> None:
        super().__init__(lesson, rows)
        self.tests = [test for _, test in splits]
        self.unlabelled = rows[~lesson.present[rows]]
        self.folds = [
            GenerationChain(
                lesson, np.concatenate([train, self.unlabelled]), f", fold {k} of {len(splits)}"
            )
            for k, (train, _) in enumerate(splits, start=1)
        ]
        self._student: Any = None

    def fit_next(self, student: Any) -> Any:
        """Fit a clone of the student as the next generation, and return it."""
        fitted = super().fit_next(student)
        self._student = student
        return fitted

    def _heard(self) -> NDArray[np.float64]:
        """Return the answers out of fold; of rows without a label, the main line's."""
        says = [self._of_fold(*pair) for pair in zip(self.folds, self.tests, strict=True)]
        heard = mean_by_row(self.tests, says, self.lesson.n)
        if len(self.unlabelled):
            answers = self.lesson.ask(self.latest, self.unlabelled, self.name)
            heard[self.unlabelled] = self.lesson.as_targets(answers)
        return heard[self.rows]

    def _of_fold(self, fold: GenerationChain, test: IntArray) -> NDArray[np.float64]:
        """Bring the fold's line up to this generation, and ask it about the fold's test rows."""
        fitted = fold.fit_next(self._student)
        return self.lesson.as_targets(self.lesson.ask(fitted, test, fold.name))
