"""How the teacher is asked: what it is fitted on, and by which of its clones a row is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, check_memory

from sklearn_distill.teachers.out_of_fold import (
    Ask,
    Splits,
    answer_out_of_fold,
    fit_teacher,
    take_rows,
)

ALL_ROWS = "on all rows"


@dataclass(frozen=True)
class Lesson:
    """The teacher's columns, the labels, and how to ask.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_teacher_features)
        What the teacher sees.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What it learns; anything where ``present`` is False.
    present : ndarray of shape (n_rows,)
        Which rows have labels.
    fit_params : dict
        Parameters of the teacher's fit.
    ask : callable
        (fitted teacher, X, where) -> answers.
    """

    X: Any
    y: NDArray[Any]
    present: NDArray[np.bool_]
    fit_params: dict[str, Any]
    ask: Ask

    def of_prefit(self, teacher: Any) -> tuple[Any, NDArray[np.float64]]:
        """Ask a teacher that is fitted already."""
        try:
            check_is_fitted(teacher)
        except NotFittedError as error:
            raise NotFittedError(
                f"cv='prefit' needs a fitted teacher, and {type(teacher).__name__} is not fitted: "
                "fit it, and wrap it into FrozenEstimator where this estimator is cloned, as a "
                "search or cross-validation does"
            ) from error
        return teacher, self.ask(teacher, self.X, ALL_ROWS)

    def in_sample(self, teacher: Any, memory: Any) -> tuple[Any, NDArray[np.float64]]:
        """Fit the teacher and ask it about the same rows."""
        rows = np.flatnonzero(self.present)
        fitted = _cached(fit_teacher, memory)(
            teacher, self.X, self.y, rows, self.fit_params, ALL_ROWS
        )
        return fitted, self.ask(fitted, self.X, ALL_ROWS)

    def out_of_fold(
        self, teacher: Any, splits: Splits, memory: Any
    ) -> tuple[Any, NDArray[np.float64]]:
        """Fit the teacher, and ask clones of it about the rows that each did not see.

        Rows without a label taught no teacher, so the one fitted on all labels answers for them.
        """
        answers = _cached(answer_out_of_fold, memory)(
            teacher, self.X, self.y, splits, self.fit_params, self.ask
        )
        fitted = _cached(fit_teacher, memory)(
            teacher, self.X, self.y, np.flatnonzero(self.present), self.fit_params, ALL_ROWS
        )
        unlabelled = np.flatnonzero(~self.present)
        if len(unlabelled):
            answers = np.array(answers)  # a cache may give a read-only map of a file
            answers[unlabelled] = self.ask(fitted, take_rows(self.X, unlabelled), ALL_ROWS)
        return fitted, answers


def _cached(function: Callable[..., Any], memory: Any) -> Callable[..., Any]:
    location = str(memory) if isinstance(memory, PathLike) else memory
    cached: Callable[..., Any] = check_memory(location).cache(function)
    return cached
