"""Let a student that chooses its own metaparameters validate them without a leak.

A student such as DistilledLogisticRegressionCV chooses λ, T and C on held-out labels. The
out-of-fold predictions that it is trained on come from teachers that were fitted on these labels,
so that imitation looks better in its cross-validation than it is. Instead, it is passed for each
fold the predictions of teachers that were fitted without the fold's test rows, and validates on the
same folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.fit_params import fit_param_name, student_param_name
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.distillers._nested_folds import NestedPredictions

CHOSEN = "chosen"  # the use of the samples that the final student is trained on


@dataclass(frozen=True)
class ChoiceSettings:
    """What the final student gets beside its data: constructor and fit parameters."""

    params: dict[str, Any] = field(default_factory=dict)
    fit_params: dict[str, Any] = field(default_factory=dict)


WITHOUT_CHOICE = ChoiceSettings()


@dataclass(frozen=True)
class NestedChoice:
    """How a student takes the predictions for each of its folds.

    Parameters
    ----------
    student : estimator
        The unfitted student.
    cv_param, fold_param : str or None
        The names of its constructor parameter ``cv`` and of its fit parameter for the predictions
        by fold, with the prefix of a pipeline; None for a student without such a choice.
    leaves_out : bool
        Whether the student, which has no ``cv``, leaves out samples to choose λ, and takes as test
        samples of a fold those without a prediction.
    """

    student: Any
    cv_param: str | None
    fold_param: str | None
    leaves_out: bool = False

    @classmethod
    def of(cls, student: Any, teacher_param: str) -> NestedChoice:
        """Look for the parameters of the student's choice."""
        name = teacher_param.rpartition("__")[2]
        imitation = student_param_name(student, "imitation")
        is_auto = imitation is not None and student.get_params().get(imitation) == "auto"
        cv_param = student_param_name(student, "cv")
        fold_param = fit_param_name(student, f"fold_{name}")
        return cls(student, cv_param, fold_param, is_auto and cv_param is None)

    @property
    def is_nested(self) -> bool:
        """Whether the student chooses on folds for which it takes predictions."""
        has_folds = self.cv_param is not None or self.leaves_out
        return has_folds and self.fold_param is not None

    def warn_if_never_nested(self) -> None:
        """Warn of a choice on folds for which a student takes no predictions."""
        if self.cv_param is not None and self.fold_param is None:
            self._warn("its fit takes no predictions by fold")

    def warn_of_generations(self) -> None:
        """Warn of any choice by generations, each of which is fitted on all labels."""
        self.warn_if_never_nested()
        self.warn_if_leaky("each generation is trained on the predictions of one that knows them")

    def warn_if_leaky(self, reason: str) -> None:
        """Warn of a choice that could be nested and is not; refuse one without a search instead."""
        if self.leaves_out:
            raise ValueError(
                "imitation='auto' of the student needs a teacher that was not fitted on the labels "
                f"that are left out: {reason}. Set imitation to a number, or search over it "
                "outside of this estimator, as student__imitation"
            )
        if self.is_nested:
            self._warn(reason)

    def _warn(self, reason: str) -> None:
        warn_user(
            f"{type(last_step(self.student)).__name__} chooses its metaparameters on labels that "
            f"the teachers of its training rows were fitted on, which favours imitation: {reason}. "
            "Search over the whole estimator instead, with parameters such as student__imitation"
        )

    def settings(
        self, nested: Sequence[NestedPredictions], predictions: FloatArray
    ) -> ChoiceSettings:
        """Return the folds and their predictions, of the rows and extra samples of the student.

        Parameters
        ----------
        nested : sequence of NestedPredictions
            Predictions without the test rows of each fold; empty if nothing is chosen on them.
        predictions : ndarray of shape (n_samples, ...)
            Out-of-fold predictions for the rows of X, then for the extra samples. Rows that a fold
            does not train on keep them; they are not used there.
        """
        if not self.is_nested or not nested:
            return WITHOUT_CHOICE
        # a student without folds takes the samples without a prediction as those to leave out
        untrained = np.full_like(predictions, np.nan) if self.leaves_out else predictions
        by_fold = np.stack([_of_fold(fold, untrained) for fold in nested])
        splits = [(one.fold.train, one.fold.test) for one in nested]
        params = {} if self.cv_param is None else {self.cv_param: splits}
        return ChoiceSettings(params, {str(self.fold_param): by_fold})


def _of_fold(nested: NestedPredictions, predictions: FloatArray) -> FloatArray:
    of_fold = predictions.copy()
    of_fold[nested.fold.student_rows] = nested.row_predictions
    extra = nested.sample_predictions.get(CHOSEN)
    if extra is not None:
        of_fold[len(of_fold) - len(extra) :] = extra
    return of_fold
