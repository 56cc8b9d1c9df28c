"""The weight of unlabelled samples: ``unlabeled_weight`` of teacher-student estimators.

A bad teacher does harm in proportion to the weight of the samples that it alone has targets for.
"auto" compares students on the labels of each fold, which no teacher that they learn from was
fitted on: with several weights, and in the debiased form if the student can be fitted in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fit_params import fit_param_name, student_param_name
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.distillers._augmentation_gain import COMPARED, Losses, paired_gain
from sklearn_distill.distillers._feature_split import FeatureSplit
from sklearn_distill.distillers._nested_folds import NestedPredictions
from sklearn_distill.distillers._student_data import StudentData
from sklearn_distill.students._debias import NoDebiasedMinimumError, debias_conflict
from sklearn_distill.teachers._cross_fit import mean_by_row

WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)  # that "auto" compares; 0 leaves the samples out
SHARES = (0.25, 0.5, 0.75, 1.0)  # ρ of the debiased form, at most 1: beyond, it is not convex


@dataclass(frozen=True)
class UnlabeledWeight:
    """How much unlabelled samples count.

    Parameters
    ----------
    value : float or None
        Their total weight relative to that of the labelled rows; None leaves weights as they are.
    debias_param : str or None
        For the debiased form, the student's parameter to set to the value: the student then weighs
        the samples itself.
    """

    value: float | None = None
    debias_param: str | None = None

    @property
    def is_debiased(self) -> bool:
        """Whether the teacher's term is subtracted in labelled rows."""
        return self.debias_param is not None

    @property
    def params(self) -> dict[str, Any]:
        """Constructor parameters of the student."""
        return {} if self.debias_param is None else {self.debias_param: self.value}

    def weigh(self, student: Any, data: StudentData) -> StudentData:
        """Return training data with this weight of the unlabelled samples."""
        if self.value is None or self.is_debiased:
            return data
        return data.with_unlabeled_weight(self.value, str(fit_param_name(student, "sample_weight")))


FitWeighed = Callable[[StudentData, UnlabeledWeight], Any]


@dataclass(frozen=True)
class Weighting:
    """The weight of unlabelled samples, or the weights that "auto" compares.

    Parameters
    ----------
    compared : list of UnlabeledWeight
        One, or those that are compared.
    """

    compared: list[UnlabeledWeight]

    @classmethod
    def of(cls, given: Any, student: Any, *, cv: Any, has_augmentation: bool) -> Weighting:
        """Read the parameter ``unlabeled_weight``, and ρ of the student.

        Raises
        ------
        ValueError
            If the weight cannot be set or chosen with this student and these folds.
        """
        name = student_param_name(student, "debias")
        rho = None if name is None else student.get_params()[name]
        if rho is not None:
            _check_debias(given, rho, cv=cv, has_augmentation=has_augmentation)
            return cls([UnlabeledWeight(rho, name)])
        if given is None:
            return cls([UnlabeledWeight()])
        _check_weighable(given, student)
        if not isinstance(given, str):
            return cls([UnlabeledWeight(float(given))])
        _check_auto(student, cv)
        plain = [UnlabeledWeight(value) for value in WEIGHTS]
        if name is None or has_augmentation or debias_conflict(last_step(student)) is not None:
            return cls(plain)
        return cls(plain + [UnlabeledWeight(share, name) for share in SHARES])

    @property
    def is_auto(self) -> bool:
        """Whether weights are compared."""
        return len(self.compared) > 1

    @property
    def may_be_debiased(self) -> bool:
        """Whether teachers of the labelled rows have to predict the unlabelled samples."""
        return any(one.is_debiased for one in self.compared)

    def without_unlabelled(self) -> Weighting:
        """Return the weighting where no sample lacks a label, and warn if it was to have one."""
        if self.may_be_debiased and not self.is_auto:
            return self  # the student raises an error
        if self.compared != [UnlabeledWeight()]:
            warn_user(
                "unlabeled_weight has no effect, since every sample has a label: pass X_unlabeled, "
                "or set unlabeled_weight=None"
            )
        return Weighting([UnlabeledWeight()])


def first_with_minimum(
    ranked: Sequence[UnlabeledWeight], fit: Callable[[UnlabeledWeight], Any]
) -> tuple[UnlabeledWeight, Any]:
    """Return the first weight at which the student's objective has a minimum, and the student."""
    for unlabeled in ranked[:-1]:
        try:
            return unlabeled, fit(unlabeled)
        except NoDebiasedMinimumError:  # in all rows, though not in the folds' training rows
            continue
    return ranked[-1], fit(ranked[-1])


def _check_weighable(given: Any, student: Any) -> None:
    if fit_param_name(student, "sample_weight") is None:
        raise ValueError(
            f"unlabeled_weight={given!r} needs a student with sample_weight, and the fit of "
            f"{type(last_step(student)).__name__} takes none: set unlabeled_weight=None, or take "
            "another student"
        )


def _check_auto(student: Any, cv: Any) -> None:
    if cv is None:
        raise ValueError(
            "unlabeled_weight='auto' needs predictions for samples that the teacher was not "
            "fitted on, and cv=None makes none: set cv to folds or 'prefit', or a number"
        )
    if student_param_name(student, "cv") is not None:
        raise ValueError(
            f"unlabeled_weight='auto' with {type(last_step(student)).__name__}, which chooses on "
            "folds itself: set a number, or search over it outside of this estimator"
        )


def _check_debias(given: Any, rho: float, *, cv: Any, has_augmentation: bool) -> None:
    if given is not None:
        raise ValueError(
            f"unlabeled_weight={given!r} with debias={rho} of the student, which is the weight of "
            "the unlabelled samples in the debiased form: set one of them to None"
        )
    if cv is None:
        raise ValueError(
            f"debias={rho} of the student needs predictions for samples that the teacher was not "
            "fitted on, and cv=None makes none: set cv to folds or 'prefit', or debias=None"
        )
    if has_augmentation:
        raise ValueError(
            f"debias={rho} of the student with augmentation: synthetic samples do not come from "
            "the distribution of the labelled ones, so that they would bias the student; set "
            "augmentation=None or debias=None"
        )


@dataclass(frozen=True)
class WeightComparison:
    """How students with different weights of unlabelled samples are fitted and tested.

    Parameters
    ----------
    student_data : StudentData
        Training data of the final student, without samples that are not in X.
    features : FeatureSplit
        Selects the student's features of these samples.
    fit_student : callable
        ``fit_student(student_data, unlabeled_weight)`` returns a fitted student.
    losses : callable
        ``losses(student, X, y)`` returns the loss of each sample.
    """

    student_data: StudentData
    features: FeatureSplit
    fit_student: FitWeighed
    losses: Losses

    def table(
        self, nested: Sequence[NestedPredictions], compared: Sequence[UnlabeledWeight]
    ) -> pd.DataFrame:
        """Return the mean loss of each on the test rows, and its difference from the first."""
        data = self.student_data
        losses = mean_by_row(
            [one.fold.test for one in nested],
            [
                np.column_stack([self._losses(one, candidate) for candidate in compared])
                for one in nested
            ],
            len(data.y),
        )
        tested = ~np.isnan(losses[:, 0]) & (data.weight > 0)
        losses, weight = losses[tested], data.weight[tested]
        rows = []
        for candidate, of_candidate in zip(compared, losses.T, strict=True):
            row: dict[str, Any] = {"unlabeled_weight": candidate.value}
            row["debiased"] = candidate.is_debiased
            rows.append(row | _summary(of_candidate, losses[:, 0], weight))
        return pd.DataFrame(rows)

    def _losses(self, nested: NestedPredictions, candidate: UnlabeledWeight) -> NDArray[np.float64]:
        """Return the loss for each test row of the fold; inf for an objective without minimum."""
        test = nested.fold.test
        try:
            student = self.fit_student(self._train_data(nested, candidate), candidate)
        except NoDebiasedMinimumError:
            return np.full(len(test), np.inf)
        of_test = self.student_data.take(test, self.student_data.predictions[test])
        return self.losses(student, of_test.X, of_test.y)

    def _train_data(self, nested: NestedPredictions, candidate: UnlabeledWeight) -> StudentData:
        of_rows, of_samples = nested.row_predictions, nested.sample_predictions.get(COMPARED)
        if candidate.is_debiased:
            of_rows, of_samples = _of_the_rows_teachers(nested)
        data = self.student_data.take(nested.fold.student_rows, of_rows)
        samples = nested.fold.samples.get(COMPARED)
        if samples is None or of_samples is None:
            return data
        return data.extended(self.features.for_student(samples), of_samples)


def _summary(losses: FloatArray, of_first: FloatArray, weight: FloatArray) -> dict[str, float]:
    """Return the mean loss, its difference from the first and the standard error of that."""
    if np.isinf(losses).any():
        return {"loss": np.inf, "difference": np.inf, "standard_error": np.nan}
    gain = paired_gain(losses - of_first, weight)
    return {
        "loss": float(np.average(losses, weights=weight)),
        "difference": gain.mean,
        "standard_error": gain.standard_error,
    }


def _of_the_rows_teachers(nested: NestedPredictions) -> tuple[FloatArray, FloatArray]:
    """Return the predictions with those of unlabelled samples by the training rows' teachers."""
    assert nested.by_teacher is not None
    n_train, n_unlabelled = len(nested.fold.train), len(nested.fold.unlabelled)
    of_unlabelled, of_samples = np.split(nested.by_teacher.mean(), [n_unlabelled])
    return np.concatenate([nested.row_predictions[:n_train], of_unlabelled]), of_samples
