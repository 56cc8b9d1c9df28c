"""A line of generations on the same rows, each of which is taught by the one before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.distillers._born_again.lesson import Answers, Lesson, Rows
from sklearn_distill.teachers.folds import Splits
from sklearn_distill.teachers.rounds import mean_by_row


class Line:
    """A line in which a generation answers for the rows that it was fitted on.

    Parameters
    ----------
    lesson : Lesson
        What there is to learn.
    rows : ndarray of shape (n_line,)
        The line's rows.
    where : str, default=""
        Which line it is, for errors.
    """

    def __init__(self, lesson: Lesson, rows: Rows, where: str = "") -> None:
        self.lesson = lesson
        self.rows = rows
        self.where = where
        self.number = 0
        self.latest: Any = None
        self._answers: Answers | None = None

    def raise_next(self, student: Any) -> Any:
        """Fit a clone of the student as the next generation, and return it."""
        heard = self._heard() if self.number else None
        self.number += 1
        where = self.name
        if heard is None:
            self.latest = self.lesson.first(student, self.rows, where)
        else:
            self.latest = self.lesson.following(student, self.rows, heard, where)
        self._answers = None
        return self.latest

    @property
    def answers(self) -> Answers:
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
        return self.lesson.as_heard(self.answers)


class LineWithFolds(Line):
    """A line that hears, of each row, a line that never saw the row.

    Each fold has a line of its own on the fold's training rows, in which nothing else is known:
    no ancestor of what is said of a row has seen the row's label, or heard one who had.

    Parameters
    ----------
    lesson : Lesson
        What there is to learn.
    rows : ndarray of shape (n_line,)
        The line's rows.
    splits : list of (train, test)
        The folds, of labelled rows among the line's.
    """

    def __init__(self, lesson: Lesson, rows: Rows, splits: Splits) -> None:
        super().__init__(lesson, rows)
        self.tests = [test for _, test in splits]
        self.unlabelled = rows[~lesson.present[rows]]
        self.folds = [
            Line(lesson, np.concatenate([train, self.unlabelled]), f", fold {k} of {len(splits)}")
            for k, (train, _) in enumerate(splits, start=1)
        ]
        self._student: Any = None

    def raise_next(self, student: Any) -> Any:
        """Fit a clone of the student as the next generation, and return it."""
        fitted = super().raise_next(student)
        self._student = student
        return fitted

    def _heard(self) -> NDArray[np.float64]:
        """Return the answers out of fold; of rows without a label, the main line's."""
        says = [self._of_fold(*pair) for pair in zip(self.folds, self.tests, strict=True)]
        heard = mean_by_row(self.tests, says, self.lesson.n)
        if len(self.unlabelled):
            answers = self.lesson.ask(self.latest, self.unlabelled, self.name)
            heard[self.unlabelled] = self.lesson.as_heard(answers)
        return heard[self.rows]

    def _of_fold(self, fold: Line, test: Rows) -> NDArray[np.float64]:
        """Bring the fold's line up to this generation, and ask it about the fold's test rows."""
        fitted = fold.raise_next(self._student)
        return self.lesson.as_heard(self.lesson.ask(fitted, test, fold.name))
