"""Estimate whether synthetic samples help: ``augmentation_gain_`` of teacher-student estimators.

On the test rows of each fold, a student trained with synthetic samples is compared with a student
trained without them. No teacher that either of them learns from may have been fitted on these test
rows. The fold's own teacher predicts for the synthetic samples; a training row, which that teacher
was fitted on, gets its prediction from a teacher that was fitted without two folds: the test rows,
and the fold that tests the training row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from sklearn_distill._typing import CheckedX, FloatArray, IntArray
from sklearn_distill._validation.indexing import take_rows
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._extra_samples import ExtraSamples, stack
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.distillers._teacher_fit import TeacherData, TeacherFit
from sklearn_distill.teachers._cross_fit import FoldFit, FoldPredictions, fold_fits, mean_by_row

N_FOLDS = 5  # for a prefit teacher, which has no cv
HURTS_BEYOND = 2  # standard errors: about the 95 % interval of a normal distribution

FitStudent = Callable[[StudentData], Any]
Losses = Callable[[Any, CheckedX, NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)  # the fields of FoldFit end with one that has a default
class NestedFold(FoldFit):
    """A fold whose teacher also predicts for the extra samples of the students to compare.

    Parameters
    ----------
    unlabelled : ndarray of shape (n_unlabelled,)
        Rows of X without a label.
    samples : matrix or frame of shape (n_samples, n_features)
        All columns of the extra samples: those of ``X_unlabeled``, then the synthetic ones
        generated from ``student_rows``.
    """

    unlabelled: IntArray
    samples: CheckedX

    @property
    def student_rows(self) -> IntArray:
        """Rows of X that the students of this fold are trained on."""
        return np.concatenate([self.train, self.unlabelled])


def nest_folds(
    splits: Splits, data: TeacherData, extra: ExtraSamples, can_compare: Callable[[Splits], bool]
) -> Sequence[FoldFit]:
    """Return the folds, as NestedFold if students can be compared on their test rows."""
    if extra.augmentation is None or not has_fold_pairs(splits) or not can_compare(splits):
        return fold_fits(splits)
    return [_nest_fold(fold, data, extra) for fold in fold_fits(splits)]


def _nest_fold(fold: FoldFit, data: TeacherData, extra: ExtraSamples) -> NestedFold:
    unlabelled = np.flatnonzero(~data.labelled)
    # synthetic samples resemble the rows that they are generated from: no test rows among these
    samples = extra.for_rows(np.concatenate([fold.train, unlabelled]))
    for_teacher = stack(take_rows(data.X, unlabelled), data.features.for_teacher(samples))
    return NestedFold(
        fold.train, fold.test, fold.where, for_teacher, unlabelled=unlabelled, samples=samples
    )


def default_splits(data: TeacherData, seed: int, *, is_class: bool) -> Splits:
    """Return folds of the labelled rows, or none if these or those of a class are too few."""
    rows = np.flatnonzero(data.labelled)
    y = data.y[rows]
    fewest = np.unique(y, return_counts=True)[1].min(initial=len(y)) if is_class else len(y)
    if fewest < N_FOLDS:  # StratifiedKFold would warn, and KFold raise an error
        return []
    kind = StratifiedKFold if is_class else KFold
    splitter = kind(N_FOLDS, shuffle=True, random_state=seed)
    return [(rows[train], rows[test]) for train, test in splitter.split(y, y)]


@dataclass(frozen=True)
class NestedPredictions:
    """Predictions of teachers none of which was fitted on the fold's test rows.

    Parameters
    ----------
    fold : NestedFold
        The fold that students are compared on.
    row_predictions : ndarray of shape (n_student_rows, ...)
        Predictions for ``fold.student_rows``; for a training row by teachers fitted without it.
    sample_predictions : ndarray of shape (n_samples, ...)
        Predictions for ``fold.samples``, in their order.
    """

    fold: NestedFold
    row_predictions: FloatArray
    sample_predictions: FloatArray


def prefit_predictions(
    teacher_fit: TeacherFit,
    extra: ExtraSamples,
    can_compare: Callable[[Splits], bool],
    *,
    is_class: bool,
) -> list[NestedPredictions]:
    """Return the predictions of a prefit teacher, which was fitted on none of the rows."""
    if extra.augmentation is None:
        return []
    data = teacher_fit.data
    splits = default_splits(data, extra.augmentation.seed, is_class=is_class)
    return [
        NestedPredictions(
            fold,
            teacher_fit.predictions[fold.student_rows],
            data.predict_extra(teacher_fit.teacher, fold.samples),
        )
        for fold in _nested_folds(nest_folds(splits, data, extra, can_compare))
    ]


def cross_fitted_predictions(
    teacher_fit: TeacherFit, teacher: Any, memory: Any
) -> list[NestedPredictions]:
    """Fit clones of the unfitted teacher without two folds each, and return all predictions."""
    folds = _nested_folds(teacher_fit.folds)
    if not folds:
        return []
    data = teacher_fit.data
    splits = [(fold.train, fold.test) for fold in folds]
    pair_predictions = data.cross_fit(teacher, leave_two_folds_out(splits), memory)
    nested = []
    for k, (fold, (_, extra_predictions)) in enumerate(
        zip(folds, teacher_fit.fold_predictions, strict=True)
    ):
        train_predictions = predictions_without_fold(splits, pair_predictions, k, data.n_rows)
        # in the order in which _nest_fold stacked them
        unlabelled_predictions, sample_predictions = np.split(
            np.asarray(extra_predictions), [len(fold.unlabelled)]
        )
        row_predictions = np.concatenate([train_predictions, unlabelled_predictions])
        nested.append(NestedPredictions(fold, row_predictions, sample_predictions))
    return nested


def _nested_folds(folds: Sequence[FoldFit]) -> list[NestedFold]:
    """Return all folds, or none if nest_folds did not nest them."""
    return [fold for fold in folds if isinstance(fold, NestedFold)]


def has_fold_pairs(splits: Splits) -> bool:
    """Return whether each fold is in a pair, so that its training rows get predictions."""
    paired = {k for pair in _pairs(splits) for k in pair}
    return len(paired) == len(splits)


def leave_two_folds_out(splits: Splits) -> list[FoldFit]:
    """Return a fit for each pair of folds, on the rows that are in the training set of both."""
    # one teacher predicts for both folds of a pair: K (K - 1) / 2 fits, not K (K - 1)
    return [
        FoldFit(
            np.intersect1d(splits[j][0], splits[k][0]),
            np.union1d(*_tested_by_other(splits, j, k)),
            f"without the folds {j + 1} and {k + 1} of {len(splits)}",
        )
        for j, k in _pairs(splits)
    ]


def predictions_without_fold(
    splits: Splits, pair_predictions: Sequence[FoldPredictions], k: int, n_rows: int
) -> FloatArray:
    """Return the predictions of leave_two_folds_out for the training rows of fold k.

    They are those of teachers that were fitted neither on the row nor on the test rows of the fold.
    """
    of_fold = [
        (*_tested_by_other(splits, k, j if i == k else i), predictions)
        for (i, j), (predictions, _) in zip(_pairs(splits), pair_predictions, strict=True)
        if k in (i, j)
    ]
    # the predictions of a pair are in the order of union1d: ascending
    return mean_by_row(
        [of_k for of_k, _, _ in of_fold],
        [
            predictions[np.searchsorted(np.union1d(of_k, of_other), of_k)]
            for of_k, of_other, predictions in of_fold
        ],
        n_rows,
    )[splits[k][0]]


def _pairs(splits: Splits) -> Iterator[tuple[int, int]]:
    """Yield the pairs of folds that leave rows to fit a teacher on, and rows to predict for."""
    for j, k in combinations(range(len(splits)), 2):
        n_train = len(np.intersect1d(splits[j][0], splits[k][0]))
        if n_train and any(len(rows) for rows in _tested_by_other(splits, j, k)):
            yield j, k


def _tested_by_other(splits: Splits, j: int, k: int) -> tuple[IntArray, IntArray]:
    """Return the training rows of fold j that fold k tests, and those of k that j tests."""
    return np.intersect1d(splits[j][0], splits[k][1]), np.intersect1d(splits[k][0], splits[j][1])


@dataclass(frozen=True)
class StudentComparison:
    """How the students with and without synthetic samples are fitted and tested.

    Parameters
    ----------
    student_data : StudentData
        Training data of the final student, without any extra samples.
    features : FeatureSplit
        Selects the student's features of the extra samples.
    n_unlabeled : int
        Number of samples in ``X_unlabeled``, which both students are trained on.
    fit_student : callable
        ``fit_student(student_data)`` returns a fitted student.
    losses : callable
        ``losses(student, X, y)`` returns the loss of each sample.
    """

    student_data: StudentData
    features: FeatureSplit
    n_unlabeled: int
    fit_student: FitStudent
    losses: Losses

    def gain(self, nested: Sequence[NestedPredictions]) -> Gain | None:
        """Return the mean reduction of the loss; None if there are fewer than two test rows."""
        if not nested:
            return None
        data = self.student_data
        differences = mean_by_row(
            [predictions.fold.test for predictions in nested],
            [self._differences(predictions) for predictions in nested],
            len(data.y),
        )
        # a weight is a number of repetitions: rows of weight 0 do not count
        tested = ~np.isnan(differences) & (data.weight > 0)
        if tested.sum() < 2:  # a standard error needs two
            return None
        return paired_gain(differences[tested], data.weight[tested])

    def _differences(self, nested: NestedPredictions) -> NDArray[np.float64]:
        """Return the loss without minus the loss with synthetic samples, for each test row."""
        fold, n_given = nested.fold, self.n_unlabeled
        samples, predictions = self.features.for_student(fold.samples), nested.sample_predictions
        without = self.student_data.take(fold.student_rows, nested.row_predictions)
        fitted_with = self.fit_student(without.extended(samples, predictions))
        if n_given:  # in both students, so that the gain is that of the synthetic samples
            without = without.extended(samples[:n_given], predictions[:n_given])
        fitted_without = self.fit_student(without)
        test = self.student_data.take(fold.test, self.student_data.predictions[fold.test])
        return self.losses(fitted_without, test.X, test.y) - self.losses(
            fitted_with, test.X, test.y
        )


@dataclass(frozen=True)
class Gain:
    """Mean loss without synthetic samples minus with them, and its standard error."""

    mean: float
    standard_error: float

    @property
    def hurts(self) -> bool:
        """Whether synthetic samples increase the loss by more than chance explains."""
        return self.mean < -HURTS_BEYOND * self.standard_error


def paired_gain(differences: FloatArray, weight: FloatArray) -> Gain:
    r"""Return the weighted mean of paired differences d and its standard error.

    .. math::

        \bar d = \frac{\sum_i s_i d_i}{\sum_i s_i}, \qquad
        \mathrm{se}^2 = \frac{n}{n-1} \frac{\sum_i s_i^2 (d_i - \bar d)^2}{(\sum_i s_i)^2}

    for weights s; with equal weights this is the usual standard error of a mean.
    """
    n = len(differences)
    share = weight / weight.sum()
    mean = float(share @ differences)
    squares = float(share**2 @ (differences - mean) ** 2)
    return Gain(mean, float(np.sqrt(squares * n / (n - 1))))
