"""Whether made rows help: students with and without them, compared on rows new to all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.distillers._columns import Columns
from sklearn_distill.distillers._rehearsal import Rehearsal
from sklearn_distill.distillers._student import Told
from sklearn_distill.teachers.rounds import mean_by_row

HURTS_BEYOND = 2  # standard errors

Teach = Callable[[Told], Any]
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
    told : Told
        What the student of all rows is told of the rows of X.
    columns : Columns
        Which columns the student sees.
    n_given : int
        How many of a rehearsal's further rows are given, not made.
    teach : callable
        Told -> fitted student.
    losses : callable
        (student, X, y) -> a loss for each row.
    """

    told: Told
    columns: Columns
    n_given: int
    teach: Teach
    losses: Losses

    def gain(self, rehearsals: list[Rehearsal]) -> Gain | None:
        """Return the weighted mean of the rows' paired differences; None for less than two."""
        if not rehearsals:
            return None
        asked = [one.plan.test for one in rehearsals]
        by_row = mean_by_row(
            asked, [self._differences(one) for one in rehearsals], len(self.told.y)
        )
        tested = ~np.isnan(by_row) & (self.told.weight > 0)
        if tested.sum() < 2:
            return None
        return paired_gain(by_row[tested], self.told.weight[tested])

    def _differences(self, one: Rehearsal) -> NDArray[np.float64]:
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
