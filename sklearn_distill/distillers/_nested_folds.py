"""Predictions for each fold by teachers none of which was fitted on the fold's test rows.

What is chosen or compared on the test rows of a fold is fair only if no teacher that the student
learns from knows their labels. The fold's own teacher predicts for samples that it was not fitted
on; a training row, which that teacher was fitted on, gets its prediction from a teacher that was
fitted without two folds: the test rows, and the fold that tests the training row. For K folds these
are K (K − 1) / 2 further fits of the teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from sklearn_distill._typing import CheckedX, FloatArray, IntArray
from sklearn_distill._validation.indexing import take_rows
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._extra_samples import ExtraSamples, stack
from sklearn_distill.distillers._teacher_fit import TeacherData, TeacherFit
from sklearn_distill.teachers._cross_fit import FoldFit, FoldPredictions, fold_fits, mean_by_row

Samples = dict[str, CheckedX]  # all columns of samples that are not in X, by their use


# by keyword, as the fields of FoldFit end with one that has a default
@dataclass(frozen=True, kw_only=True, repr=False)
class NestedFold(FoldFit):
    """A fold whose teacher also predicts for the other samples that students learn from.

    Parameters
    ----------
    unlabelled : ndarray of shape (n_unlabelled,)
        Rows of X without a label.
    samples : dict of str to (matrix or frame)
        All columns of the samples that are not in X, by their use.
    """

    unlabelled: IntArray
    samples: Samples

    @property
    def student_rows(self) -> IntArray:
        """Rows of X that the students of this fold are trained on."""
        return np.concatenate([self.train, self.unlabelled])


@dataclass(frozen=True)
class SeveralTeachers:
    """Predictions of several teachers for the same samples: the clones of an out-of-fold fit.

    Their mean is to unlabelled samples what out-of-fold predictions are to labelled ones: each
    teacher counts as much as the labelled rows that it predicts.

    Parameters
    ----------
    predictions : sequence of ndarray of shape (n_samples, ...)
        The predictions of each teacher.
    shares : ndarray of shape (n_teachers,)
        Shares of the teachers, whose sum is 1.
    """

    predictions: Sequence[FloatArray]
    shares: FloatArray

    @classmethod
    def of_folds(
        cls, predictions: Sequence[FloatArray], tests: list[IntArray], weight: FloatArray
    ) -> SeveralTeachers:
        """Take the shares from the weights of the rows that each teacher predicts out of fold."""
        n_teachers = np.bincount(np.concatenate(tests), minlength=len(weight))
        # a row that several teachers predict has their mean
        mass = np.array([(weight[test] / n_teachers[test]).sum() for test in tests])
        return cls(predictions, mass / mass.sum())

    def mean(self) -> FloatArray:
        """Return the mean prediction for each sample."""
        return np.asarray(
            sum(share * of for share, of in zip(self.shares, self.predictions, strict=True))
        )

    def map(self, change: Callable[[FloatArray], FloatArray]) -> SeveralTeachers:
        """Change the predictions of each teacher."""
        return SeveralTeachers([change(of_one) for of_one in self.predictions], self.shares)


@dataclass(frozen=True)
class NestedPredictions:
    """Predictions of teachers none of which was fitted on the fold's test rows.

    Parameters
    ----------
    fold : NestedFold
        The fold on whose test rows something is chosen or compared.
    row_predictions : ndarray of shape (n_student_rows, ...)
        Predictions for ``fold.student_rows``; for a training row by teachers fitted without it.
    sample_predictions : dict of str to ndarray of shape (n_samples, ...)
        Predictions for ``fold.samples``.
    by_teacher : SeveralTeachers or None
        Predictions of the teachers of the training rows for the rows without a label, then for the
        unlabelled samples that are not in X; None if they are not needed.
    """

    fold: NestedFold
    row_predictions: FloatArray
    sample_predictions: Mapping[str, FloatArray]
    by_teacher: SeveralTeachers | None = None


def nest_folds(
    splits: Splits, data: TeacherData, samples_of: Callable[[IntArray], Samples]
) -> list[NestedFold]:
    """Return the folds with what their teachers predict for.

    ``samples_of(rows)`` returns the samples of a fold whose students are trained on these rows.
    """
    unlabelled = np.flatnonzero(~data.labelled)
    nested = []
    for fold in fold_fits(splits):
        samples = samples_of(np.concatenate([fold.train, unlabelled]))
        for_teacher = [data.features.for_teacher(part) for part in samples.values()]
        extra = reduce(stack, for_teacher, take_rows(data.X, unlabelled))
        nested.append(
            NestedFold(
                fold.train,
                fold.test,
                fold.where,
                extra if extra.shape[0] else None,  # a teacher predicts for one sample or more
                unlabelled=unlabelled,
                samples=samples,
            )
        )
    return nested


def unlabelled_samples(data: TeacherData, extra: ExtraSamples) -> CheckedX | None:
    """Return the teacher's features of rows without a label, then of ``X_unlabeled``; or None."""
    rows = take_rows(data.X, np.flatnonzero(~data.labelled))
    if extra.unlabeled is not None:
        rows = stack(rows, data.features.for_teacher(extra.unlabeled))
    return rows if rows.shape[0] else None


def teachers_of_folds(teacher_fit: TeacherFit, weight: FloatArray) -> SeveralTeachers:
    """Return what the clones of all folds predict for the folds' extra samples.

    Without any, each predicts an empty array.
    """
    tests = [fold.test for fold in teacher_fit.folds]
    none = teacher_fit.predictions[:0]
    predictions = [none if extra is None else extra for _, extra in teacher_fit.fold_predictions]
    return SeveralTeachers.of_folds(predictions, tests, weight)


def cross_fitted_predictions(
    teacher_fit: TeacherFit,
    teacher: Any,
    memory: Any,
    weight: FloatArray,
    unlabelled: CheckedX | None,
) -> list[NestedPredictions]:
    """Fit clones of the unfitted teacher without two folds each, and return all predictions.

    Without nested folds, there are none. ``unlabelled`` are the samples that these clones predict,
    too, and ``weight`` the weights of the rows of X.
    """
    folds = [fold for fold in teacher_fit.folds if isinstance(fold, NestedFold)]
    if not folds:
        return []
    data = teacher_fit.data
    splits = [(fold.train, fold.test) for fold in folds]
    pairs = leave_two_folds_out(splits, unlabelled)
    pair_predictions = data.cross_fit(teacher, pairs, memory)
    nested = []
    for k, (fold, (_, extra_predictions)) in enumerate(
        zip(folds, teacher_fit.fold_predictions, strict=True)
    ):
        train_predictions = predictions_without_fold(splits, pair_predictions, k, data.n_rows)
        # in the order in which nest_folds stacked them
        of_extra = train_predictions[:0] if extra_predictions is None else extra_predictions
        sizes = [len(fold.unlabelled), *(part.shape[0] for part in fold.samples.values())]
        unlabelled_predictions, *of_samples = np.split(of_extra, np.cumsum(sizes)[:-1])
        row_predictions = np.concatenate([train_predictions, unlabelled_predictions])
        of_samples_by_use = dict(zip(fold.samples, of_samples, strict=True))
        by_teacher = _teachers_without_fold(splits, pair_predictions, k, weight)
        nested.append(NestedPredictions(fold, row_predictions, of_samples_by_use, by_teacher))
    return nested


def has_fold_pairs(splits: Splits) -> bool:
    """Return whether each fold is in a pair, so that its training rows get predictions."""
    paired = {k for pair in _pairs(splits) for k in pair}
    return len(paired) == len(splits)


def leave_two_folds_out(splits: Splits, extra: CheckedX | None = None) -> list[FoldFit]:
    """Return a fit for each pair of folds, on the rows that are in the training set of both.

    Each of them predicts the ``extra`` samples, too.
    """
    # one teacher predicts for both folds of a pair: K (K - 1) / 2 fits, not K (K - 1)
    return [
        FoldFit(
            np.intersect1d(splits[j][0], splits[k][0]),
            np.union1d(*_tested_by_other(splits, j, k)),
            f"without the folds {j + 1} and {k + 1} of {len(splits)}",
            extra,
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


def _teachers_without_fold(
    splits: Splits, pair_predictions: Sequence[FoldPredictions], k: int, weight: FloatArray
) -> SeveralTeachers | None:
    """Return what the teachers of the training rows of fold k predict for the extra samples."""
    tests, predictions = [], []
    for (i, j), (_, extra) in zip(_pairs(splits), pair_predictions, strict=True):
        if k in (i, j) and extra is not None:
            tests.append(_tested_by_other(splits, k, j if i == k else i)[0])
            predictions.append(extra)
    return SeveralTeachers.of_folds(predictions, tests, weight) if predictions else None


def _pairs(splits: Splits) -> Iterator[tuple[int, int]]:
    """Yield the pairs of folds that leave rows to fit a teacher on, and rows to predict for."""
    for j, k in combinations(range(len(splits)), 2):
        n_train = len(np.intersect1d(splits[j][0], splits[k][0]))
        if n_train and any(len(rows) for rows in _tested_by_other(splits, j, k)):
            yield j, k


def _tested_by_other(splits: Splits, j: int, k: int) -> tuple[IntArray, IntArray]:
    """Return the training rows of fold j that fold k tests, and those of k that j tests."""
    return np.intersect1d(splits[j][0], splits[k][1]), np.intersect1d(splits[k][0], splits[j][1])
