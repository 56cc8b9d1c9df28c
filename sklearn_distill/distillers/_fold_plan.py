"""What the teachers of the folds predict, and whether some are fitted without two folds each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sklearn_distill._typing import CheckedX, IntArray
from sklearn_distill._validation.splits import Splits
from sklearn_distill.distillers._augmentation_gain import COMPARED, prefit_predictions
from sklearn_distill.distillers._extra_samples import ExtraSamples
from sklearn_distill.distillers._nested_choice import CHOSEN, NestedChoice
from sklearn_distill.distillers._nested_folds import (
    NestedPredictions,
    Samples,
    has_fold_pairs,
    nest_folds,
    unlabelled_samples,
)
from sklearn_distill.distillers._teacher_fit import TeacherData, TeacherFit
from sklearn_distill.distillers._unlabeled_weight import Weighting
from sklearn_distill.teachers._cross_fit import FoldFit, fold_fits


@dataclass(frozen=True)
class FoldPlan:
    """What is chosen or compared on the labels of each fold.

    Parameters
    ----------
    data : TeacherData
        Training data of the teacher.
    extra : ExtraSamples
        Unlabelled and synthetic samples.
    choice : NestedChoice
        How the student chooses, if it does.
    weighting : Weighting
        The weight of unlabelled samples, or those that are compared.
    can_compare : callable
        ``can_compare(splits)`` returns whether students can be fitted in each fold, and predict
        what the loss needs.
    """

    data: TeacherData
    extra: ExtraSamples
    choice: NestedChoice
    weighting: Weighting
    can_compare: Callable[[Splits], bool]

    @property
    def compares(self) -> bool:
        """Whether students are compared: with synthetic samples or weights of unlabelled ones."""
        return self.extra.augmentation is not None or self.weighting.is_auto

    @property
    def unlabelled(self) -> CheckedX | None:
        """Samples that the teachers of labelled rows predict, too, for the debiased form."""
        may_be_debiased = self.weighting.may_be_debiased
        return unlabelled_samples(self.data, self.extra) if may_be_debiased else None

    def folds(self, splits: Splits) -> Sequence[FoldFit]:
        """Return the folds of an out-of-fold fit, nested where needed."""
        self.choice.warn_if_never_nested()
        if not (self.compares or self.choice.is_nested):
            return self._without_nesting(splits)
        can_compare = self._check_comparable(splits)
        if not has_fold_pairs(splits):
            self.choice.warn_if_leaky("it takes a cv of three folds or more to prevent this")
            return self._without_nesting(splits)
        if not (can_compare or self.choice.is_nested):
            return self._without_nesting(splits)
        every_row = np.arange(self.data.n_rows)
        chosen = self.extra.for_rows(every_row) if self.choice.is_nested else None

        def samples_of(rows: IntArray) -> Samples:
            # synthetic samples resemble the rows that they are generated from: no test rows
            compared = self.extra.for_rows(rows) if can_compare else None
            samples = {COMPARED: compared, CHOSEN: chosen}
            return {use: part for use, part in samples.items() if part is not None}

        return nest_folds(splits, self.data, samples_of)

    def of_fitted(self, teacher_fit: TeacherFit, splits: Splits) -> list[NestedPredictions]:
        """Return the predictions of a fitted teacher in folds on which students are compared."""
        if not self._check_comparable(splits):
            return []

        def samples_of(rows: IntArray) -> Samples:
            compared = self.extra.for_rows(rows)
            return {} if compared is None else {COMPARED: compared}

        return prefit_predictions(teacher_fit, nest_folds(splits, self.data, samples_of))

    def _without_nesting(self, splits: Splits) -> list[FoldFit]:
        return [replace(fold, extra=self.unlabelled) for fold in fold_fits(splits)]

    def _check_comparable(self, splits: Splits) -> bool:
        """Return whether students are compared in these folds; weights must be."""
        can_compare = self.compares and has_fold_pairs(splits) and self.can_compare(splits)
        if self.weighting.is_auto and not can_compare:
            raise ValueError(
                "unlabeled_weight='auto' compares students on the labels of three folds or more, "
                "in each of which all classes are trained on, by their predict_proba if they "
                "classify: set cv, or unlabeled_weight to a number"
            )
        return can_compare
