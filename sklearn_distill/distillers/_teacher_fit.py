"""How the teacher is asked: what it is fitted on, and by which of its clones a row is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, check_memory

from sklearn_distill._validation.indexing import take_rows
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._augmentation_gain import (
    NestedFold,
    NestedPredictions,
    leave_two_folds_out,
    predictions_without_fold,
)
from sklearn_distill.distillers._extra_samples import stack
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.teachers._cross_fit import (
    FoldFit,
    FoldPredictions,
    Predict,
    fit_and_predict,
    fit_teacher,
    fold_fits,
    mean_by_row,
)

ALL_ROWS = "on all rows"


@dataclass(frozen=True)
class TeacherData:
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
    columns : FeatureSplit
        Which columns the teacher sees.
    """

    X: Any
    y: NDArray[Any]
    present: NDArray[np.bool_]
    fit_params: dict[str, Any]
    ask: Predict
    columns: FeatureSplit

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    def of_prefit(
        self, teacher: Any, plans: list[NestedFold]
    ) -> tuple[Any, NDArray[np.float64], list[NestedPredictions]]:
        """Ask a teacher that is fitted already, on other rows: it saw those of no fold."""
        try:
            check_is_fitted(teacher)
        except NotFittedError as error:
            raise NotFittedError(
                f"cv='prefit' needs a fitted teacher, and {type(teacher).__name__} is not fitted: "
                "fit it, and wrap it into FrozenEstimator where this estimator is cloned, as a "
                "search or cross-validation does"
            ) from error
        answers = self.ask(teacher, self.X, ALL_ROWS)
        rehearsals = [
            NestedPredictions(plan, answers[plan.rows], self.ask_further(teacher, plan.further))
            for plan in plans
        ]
        return teacher, answers, rehearsals

    def in_sample(self, teacher: Any, memory: Any) -> tuple[Any, NDArray[np.float64]]:
        """Fit the teacher and ask it about the same rows."""
        fitted = self._taught_all(teacher, memory)
        return fitted, self.ask(fitted, self.X, ALL_ROWS)

    def out_of_fold(
        self, teacher: Any, splits: Splits, memory: Any, plans: list[NestedFold]
    ) -> tuple[Any, NDArray[np.float64], list[NestedPredictions]]:
        """Fit the teacher, and ask clones of it about the rows that each did not see.

        Rows without a label taught no teacher, so the one fitted on all labels answers for them;
        in a rehearsal, the fold's.
        """
        rounds = self._with_further(fold_fits(splits), plans)
        heard = self._heard(teacher, rounds, memory)
        answers = mean_by_row([test for _, test in splits], [says for says, _ in heard], self.n)
        fitted = self._taught_all(teacher, memory)
        unlabelled = np.flatnonzero(~self.present)
        if len(unlabelled):
            answers[unlabelled] = self.ask(fitted, take_rows(self.X, unlabelled), ALL_ROWS)
        rehearsals = self._rehearsals(teacher, splits, memory, plans, heard) if plans else []
        return fitted, answers, rehearsals

    def ask_further(self, teacher: Any, further: Any) -> NDArray[np.float64]:
        """Ask about rows that are not among those of X, all columns of which are given."""
        return self.ask(teacher, self.columns.for_teacher(further), "on further rows")

    def _taught_all(self, teacher: Any, memory: Any) -> Any:
        rows = np.flatnonzero(self.present)
        return _cached(fit_teacher, memory)(
            teacher, self.X, self.y, rows, self.fit_params, ALL_ROWS
        )

    def _heard(self, teacher: Any, rounds: list[FoldFit], memory: Any) -> list[FoldPredictions]:
        heard: list[FoldPredictions] = _cached(fit_and_predict, memory)(
            teacher, self.X, self.y, rounds, self.fit_params, self.ask
        )
        return heard

    def _with_further(self, rounds: list[FoldFit], plans: list[NestedFold]) -> list[FoldFit]:
        """Let the fold's teacher answer for all but the training rows of a rehearsal."""
        if not plans:
            return rounds
        tables = [
            stack(take_rows(self.X, plan.unlabelled), self.columns.for_teacher(plan.further))
            for plan in plans
        ]
        return [replace(one, extra=table) for one, table in zip(rounds, tables, strict=True)]

    def _rehearsals(
        self,
        teacher: Any,
        splits: Splits,
        memory: Any,
        plans: list[NestedFold],
        heard: list[FoldPredictions],
    ) -> list[NestedPredictions]:
        in_pairs = self._heard(teacher, leave_two_folds_out(splits), memory)
        rehearsals = []
        for k, (plan, (_, further)) in enumerate(zip(plans, heard, strict=True)):
            of_unlabelled, of_further = np.split(np.asarray(further), [len(plan.unlabelled)])
            of_training = predictions_without_fold(splits, in_pairs, k, self.n)
            answers = np.concatenate([of_training, of_unlabelled])
            rehearsals.append(NestedPredictions(plan, answers, of_further))
        return rehearsals


def _cached(function: Callable[..., Any], memory: Any) -> Callable[..., Any]:
    location = str(memory) if isinstance(memory, PathLike) else memory
    cached: Callable[..., Any] = check_memory(location).cache(function)
    return cached
