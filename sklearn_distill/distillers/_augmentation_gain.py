"""Estimate whether synthetic samples help: ``augmentation_gain_`` of teacher-student estimators.

On the test rows of each fold, a student trained with synthetic samples is compared with a student
trained without them. No teacher that either of them learns from was fitted on these test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from sklearn_distill._typing import CheckedX, FloatArray
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.distillers._nested_folds import (
    NestedFold,
    NestedPredictions,
    SeveralTeachers,
)
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.distillers._teacher_fit import TeacherData, TeacherFit
from sklearn_distill.teachers._cross_fit import mean_by_row

N_FOLDS = 5  # for a prefit teacher, which has no cv
HURTS_BEYOND = 2  # standard errors: about the 95 % interval of a normal distribution
COMPARED = "compared"  # the use of the samples that students are compared with

FitStudent = Callable[[StudentData], Any]
Losses = Callable[[Any, CheckedX, NDArray[Any]], NDArray[np.float64]]


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


def prefit_predictions(
    teacher_fit: TeacherFit, folds: Sequence[NestedFold]
) -> list[NestedPredictions]:
    """Return the predictions of a prefit teacher, which was fitted on none of the rows."""
    return [_prefit_predictions(teacher_fit, fold) for fold in folds]


def _prefit_predictions(teacher_fit: TeacherFit, fold: NestedFold) -> NestedPredictions:
    of_rows = teacher_fit.predictions
    of_samples = {
        use: teacher_fit.data.predict_extra(teacher_fit.teacher, samples)
        for use, samples in fold.samples.items()
    }
    of_unlabelled = np.concatenate([of_rows[fold.unlabelled], *of_samples.values()])
    by_teacher = SeveralTeachers([of_unlabelled], np.ones(1))
    return NestedPredictions(fold, of_rows[fold.student_rows], of_samples, by_teacher)


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
        samples = self.features.for_student(fold.samples[COMPARED])
        predictions = nested.sample_predictions[COMPARED]
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
