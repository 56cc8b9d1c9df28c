"""Compare the teacher with the baseline: ``teacher_check_`` of teacher-student estimators.

The baseline is the student that is trained on the labels alone, with the student's features. Both
are fitted without the test rows of each fold, and compared on these: no student learns here from a
teacher, so that no teacher has to be fitted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fit_params import clone_without_teacher
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.splits import Splits
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.distillers._augmentation_gain import Losses, paired_gain
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.distillers._teacher_fit import TeacherFit
from sklearn_distill.exceptions import WorseTeacherWarning
from sklearn_distill.teachers._cross_fit import FoldPredictions, class_name, mean_by_row

ROUNDING = 1e-6  # relative, of a solver

# the loss of each sample by the teacher's predictions and the labels
PredictionLosses = Callable[[FloatArray, NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True)
class TeacherCheck:
    """Losses of a teacher and of its student's baseline, on samples neither was fitted on.

    Parameters
    ----------
    teacher_loss : float
        Mean loss of the teacher's predictions: cross-entropy in nats, or squared error.
    baseline_loss : float
        Mean loss of the student trained on the labels alone (λ = 0), with the student's features.
    standard_error : float
        Standard error of ``difference``, given the fitted models.
    """

    teacher_loss: float
    baseline_loss: float
    standard_error: float

    @property
    def difference(self) -> float:
        """``teacher_loss - baseline_loss``: below zero for a teacher that predicts better."""
        return self.teacher_loss - self.baseline_loss

    @property
    def is_worse(self) -> bool:
        """Whether the teacher's loss is larger by more than two standard errors."""
        # about a 95 % interval; equal models differ by rounding
        return self.difference > 2 * self.standard_error + ROUNDING * self.baseline_loss

    def describe(self, loss_name: str) -> str:
        """Return both losses, their difference and its standard error in words."""
        return (
            f"its {loss_name} is {self.teacher_loss:.3g} against {self.baseline_loss:.3g} "
            f"(difference {self.difference:.2g}, standard error {self.standard_error:.1g})"
        )


@dataclass(frozen=True)
class BaselineComparison:
    """How the baseline is fitted, and how it and the teacher are tested.

    Parameters
    ----------
    student : estimator
        The unfitted student.
    student_data : StudentData
        Training data of the final student, without any extra samples.
    student_losses : callable
        ``student_losses(student, X, y)`` returns the loss of each sample.
    prediction_losses : callable
        ``prediction_losses(predictions, y)`` returns that of the teacher's predictions.
    """

    student: Any
    student_data: StudentData
    student_losses: Losses
    prediction_losses: PredictionLosses

    def check(self, splits: Splits, fold_predictions: Sequence[FloatArray]) -> TeacherCheck | None:
        """Return the comparison on the test rows of the folds; None for fewer than two."""
        if not splits:
            return None
        data = self.student_data
        losses = mean_by_row(
            [test for _, test in splits], list(self._losses(splits, fold_predictions)), len(data.y)
        )
        # a weight is a number of repetitions: rows of weight 0 do not count
        tested = ~np.isnan(losses[:, 0]) & (data.weight > 0)
        if tested.sum() < 2:  # a standard error needs two
            return None
        losses, weight = losses[tested], data.weight[tested]
        of_teacher, of_baseline = np.average(losses, axis=0, weights=weight).tolist()
        gain = paired_gain(losses[:, 1] - losses[:, 0], weight)
        return TeacherCheck(of_teacher, of_baseline, gain.standard_error)

    def _losses(
        self, splits: Splits, fold_predictions: Sequence[FloatArray]
    ) -> Iterator[NDArray[np.float64]]:
        """Yield the losses of teacher and baseline, as columns, on each fold's test rows."""
        data = self.student_data
        for k, ((train, test), predictions) in enumerate(
            zip(splits, fold_predictions, strict=True), start=1
        ):
            baseline = self._fit_baseline(
                data.take(train, data.predictions[train]), f"in fold {k} of {len(splits)}"
            )
            tested = data.take(test, predictions)
            yield np.column_stack(
                [
                    self.prediction_losses(predictions, tested.y),
                    self.student_losses(baseline, tested.X, tested.y),
                ]
            )

    def _fit_baseline(self, data: StudentData, where: str) -> Any:
        # without a teacher there is nothing to trust
        params = {
            name: value
            for name, value in data.fit_params.items()
            if not name.endswith("teacher_weight")
        }
        try:
            return clone_without_teacher(self.student, []).fit(data.X, data.y, **params)
        except (ValueError, TypeError) as error:
            raise type(error)(
                f"student {class_name(self.student)} cannot be fitted without a teacher {where}, "
                f"with which check_teacher=True compares the teacher: {error}"
            ) from error


def predictions_by_fold(teacher_fit: TeacherFit) -> list[FloatArray]:
    """Return what the clone of each fold predicts for the fold's test rows."""
    folds: Sequence[FoldPredictions] = teacher_fit.fold_predictions
    return [of_test for of_test, _ in folds]


def find_worse_teacher(model: Any) -> TeacherCheck | None:
    """Return the check of a fitted teacher-student estimator whose teacher is worse; None if not.

    It may be the last step of a pipeline, or the best estimator of a search.
    """
    while model is not None:
        check: TeacherCheck | None = getattr(last_step(model), "teacher_check_", None)
        if check is not None:
            return check if check.is_worse else None
        model = getattr(model, "best_estimator_", None)
    return None


def warn_if_worse(check: TeacherCheck | None, teacher: Any, loss_name: str) -> None:
    """Warn of a teacher that predicts worse than the baseline by more than chance explains."""
    if check is None or not check.is_worse:
        return
    warn_user(
        f"teacher {class_name(teacher)} predicts worse than the student does without it: on "
        f"samples that neither was fitted on, {check.describe(loss_name)}; use another or a "
        "calibrated teacher, or compare with imitation=0 of the student and, for unlabelled "
        "samples, unlabeled_weight='auto'",
        WorseTeacherWarning,
    )
