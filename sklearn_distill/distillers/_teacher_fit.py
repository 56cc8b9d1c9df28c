"""Fit the teacher, and predict for each sample by a teacher that was not fitted on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, check_memory

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.indexing import take_params, take_rows
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.teachers._cross_fit import (
    FoldFit,
    FoldPredictions,
    Predict,
    PredictAligned,
    class_name,
    fit_and_predict,
    fit_teacher,
    mean_by_row,
    warn_of_unseen_classes,
)

ALL_ROWS = "on all rows"


@dataclass(frozen=True)
class TeacherFit:
    """A fitted teacher, and the predictions of it and of its clones.

    Parameters
    ----------
    data : TeacherData
        Training data of the teacher; only predicted for if the teacher was passed fitted.
    teacher : estimator
        The teacher fitted on all labelled rows, or the fitted teacher that was passed.
    predictions : ndarray of shape (n_rows, ...)
        The prediction for each row of ``data.X``; NaN where it is missing.
    folds : sequence of FoldFit
        The folds of an out-of-fold fit; empty for a fit without folds.
    fold_predictions : list of (ndarray, ndarray or None)
        For each fold, what its clone predicts for the test rows and for the fold's extra samples.
    """

    data: TeacherData
    teacher: Any
    predictions: FloatArray
    folds: Sequence[FoldFit] = ()
    fold_predictions: Sequence[FoldPredictions] = ()


@dataclass(frozen=True)
class TeacherData:
    """Training data of the teacher, and the function that predicts with it.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_teacher_features)
        The teacher's features of the rows passed to fit.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels or targets; any value where ``labelled`` is False.
    labelled : ndarray of bool of shape (n_rows,)
        Rows that have a label.
    fit_params : dict
        Parameters of the teacher's fit; those with one entry per row are sliced.
    predict : callable
        ``predict(fitted_teacher, X, where)`` returns checked predictions; ``where`` completes error
        messages, such as "in fold 1 of 5".
    features : FeatureSplit
        Selects the teacher's features of samples that are not in X.
    """

    X: CheckedX
    y: NDArray[Any]
    labelled: BoolArray
    fit_params: dict[str, Any]
    predict: Predict
    features: FeatureSplit

    @property
    def n_rows(self) -> int:
        """Number of rows of X."""
        return int(self.X.shape[0])

    def take(self, rows: IntArray) -> TeacherData:
        """Return the data of some of the rows."""
        return replace(
            self,
            X=take_rows(self.X, rows),
            y=self.y[rows],
            labelled=self.labelled[rows],
            fit_params=take_params(self.fit_params, rows, self.n_rows),
        )

    def use_fitted(self, teacher: Any) -> TeacherFit:
        """Predict by a teacher that is already fitted, on other samples."""
        try:
            check_is_fitted(teacher)
        except NotFittedError as error:
            raise NotFittedError(
                f"cv='prefit' needs a fitted teacher, and {class_name(teacher)} is not fitted: "
                "fit it, and wrap it in FrozenEstimator if this estimator is cloned, as in a "
                "search or a cross-validation"
            ) from error
        return TeacherFit(self, teacher, self.predict(teacher, self.X, ALL_ROWS))

    def fit_in_sample(self, teacher: Any, memory: Any) -> TeacherFit:
        """Fit the teacher, and predict for the rows that it was fitted on."""
        fitted = self._fit_on_all(teacher, memory)
        return TeacherFit(self, fitted, self.predict(fitted, self.X, ALL_ROWS))

    def fit_out_of_fold(self, teacher: Any, folds: Sequence[FoldFit], memory: Any) -> TeacherFit:
        """Fit the teacher, and predict for each fold's test rows by a clone fitted without them."""
        fold_predictions = self.cross_fit(teacher, folds, memory)
        predictions = mean_by_row(
            [fold.test for fold in folds],
            [of_test for of_test, _ in fold_predictions],
            self.n_rows,
        )
        self._warn_of_unseen_classes(teacher, folds)
        fitted = self._fit_on_all(teacher, memory)
        unlabelled = np.flatnonzero(~self.labelled)
        if len(unlabelled):
            # no teacher was fitted on these rows, so the one with the most labels predicts for them
            predictions[unlabelled] = self.predict(fitted, take_rows(self.X, unlabelled), ALL_ROWS)
        return TeacherFit(self, fitted, predictions, folds, fold_predictions)

    def cross_fit(
        self, teacher: Any, folds: Sequence[FoldFit], memory: Any
    ) -> list[FoldPredictions]:
        """Fit a clone on the training rows of each fold, and return what each predicts."""
        fold_predictions: list[FoldPredictions] = _cached(fit_and_predict, memory)(
            teacher, self.X, self.y, list(folds), self.fit_params, self.predict
        )
        return fold_predictions

    def predict_extra(self, teacher: Any, samples: CheckedX) -> FloatArray:
        """Predict for samples that are not in X, all columns of which are given."""
        return self.predict(teacher, self.features.for_teacher(samples), "on the extra samples")

    def _warn_of_unseen_classes(self, teacher: Any, folds: Sequence[FoldFit]) -> None:
        # apart from the cached fits, so that a cached one warns, too
        if isinstance(self.predict, PredictAligned):
            warn_of_unseen_classes(
                f"teacher {class_name(teacher)}",
                self.predict.required,
                [self.y[fold.train] for fold in folds],
            )

    def _fit_on_all(self, teacher: Any, memory: Any) -> Any:
        rows = np.flatnonzero(self.labelled)
        # cached apart from the folds, so that a fit with another cv reuses it
        return _cached(fit_teacher, memory)(
            teacher, self.X, self.y, rows, self.fit_params, ALL_ROWS
        )


def _cached(function: Callable[..., Any], memory: Any) -> Callable[..., Any]:
    location = str(memory) if isinstance(memory, PathLike) else memory  # check_memory takes no Path
    cached: Callable[..., Any] = check_memory(location).cache(function)
    return cached
