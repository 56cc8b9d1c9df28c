"""Fit a clone of a teacher on some rows, and ask it about others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_distill.teachers.asking import Ask
from sklearn_distill.teachers.errors import named_in_errors
from sklearn_distill.teachers.folds import Splits
from sklearn_distill.teachers.tables import by_row, take_rows

Heard = tuple[NDArray[np.float64], NDArray[np.float64] | None]


@dataclass(frozen=True)
class Round:
    """What one clone learns and is asked.

    Parameters
    ----------
    train : ndarray of shape (n_train,)
        Rows of X to fit it on.
    asked : ndarray of shape (n_asked,)
        Rows of X to ask it about.
    where : str
        What errors call the round.
    further : matrix, frame or None
        Rows that are not in X, to ask it about, too.
    """

    train: NDArray[np.intp]
    asked: NDArray[np.intp]
    where: str
    further: Any = None


def fold_rounds(splits: Splits) -> list[Round]:
    """Return a round for each fold."""
    return [
        Round(train, test, f"in fold {k} of {len(splits)}")
        for k, (train, test) in enumerate(splits, start=1)
    ]


def fit_teacher(
    teacher: Any, X: Any, y: Any, rows: NDArray[np.intp], fit_params: dict[str, Any], where: str
) -> Any:
    """Fit a clone of the teacher on some rows."""
    params = {name: by_row(value, rows, X.shape[0]) for name, value in fit_params.items()}
    with named_in_errors(teacher, where):
        return clone(teacher).fit(take_rows(X, rows), y[rows], **params)


def answer_rounds(
    teacher: Any, X: Any, y: Any, rounds: list[Round], fit_params: dict[str, Any], ask: Ask
) -> list[Heard]:
    """Return, for each round, the answers to the rows of X and to the further ones."""
    return [_answer(teacher, X, y, one, fit_params, ask) for one in rounds]


def _answer(
    teacher: Any, X: Any, y: Any, one: Round, fit_params: dict[str, Any], ask: Ask
) -> Heard:
    fitted = fit_teacher(teacher, X, y, one.train, fit_params, one.where)
    answers = ask(fitted, take_rows(X, one.asked), one.where)
    return answers, None if one.further is None else ask(fitted, one.further, one.where)


def mean_by_row(
    asked: list[NDArray[np.intp]], answers: list[NDArray[np.float64]], n_rows: int
) -> NDArray[np.float64]:
    """Return each row's mean answer; NaN, a silent teacher, where no one was asked."""
    total = np.zeros((n_rows, *answers[0].shape[1:]))
    count = np.zeros(n_rows)
    for rows, says in zip(asked, answers, strict=True):
        total[rows] += says
        count[rows] += 1
    count[count == 0] = np.nan
    return total / (count if total.ndim == 1 else count[:, None])
