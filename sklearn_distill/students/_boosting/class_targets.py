"""Labels, teachers and weights of a boosted classifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.labels import check_labels
from sklearn_distill._validation.splits import taught_strata
from sklearn_distill.losses import ScoreLoss
from sklearn_distill.students._boosting.library import HeldOut
from sklearn_distill.students._problem import LossParams, TrainingTargets
from sklearn_distill.targets import Labels, TargetMixture


@dataclass(frozen=True)
class ClassTargets:
    """What the rows of a classification are fitted on, or watched for.

    Parameters
    ----------
    mixture : TargetMixture
        Labels, teachers and sample weights. Class weights are those of all rows, also after
        :meth:`take`.
    weight : ndarray of shape (n_rows,) or None
        Row weights s, sample weight times class weight; None if none were given, so that a library
        gets none.
    """

    mixture: TargetMixture
    weight: FloatArray | None

    @classmethod
    def of(cls, targets: TrainingTargets, loss_params: LossParams, *, weighted: bool) -> Self:
        """Return the targets of all rows of ``fit``."""
        return cls(targets.mixture(loss_params), targets.weight if weighted else None)

    @classmethod
    def of_labels(
        cls, classes: NDArray[Any], y_val: Any, n_rows: int, weight: FloatArray | None
    ) -> Self:
        """Check the labels of validation rows, each of which needs one."""
        _, labels = check_labels(y_val, n_rows, classes, None)
        if not labels.present.all():
            raise ValueError(
                f"row {int(np.argmin(labels.present))} of y_val has no label: the validation loss "
                "needs one for each row"
            )
        s = np.ones(n_rows) if weight is None else weight
        return cls(TargetMixture(labels, None, s, imitation=0.0), weight)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.mixture.weight)

    def take(self, rows: IntArray) -> Self:
        """Return the targets of some of the rows."""
        teachers = self.mixture.teachers
        mixture = replace(
            self.mixture,
            labels=Labels(self.mixture.labels.codes[rows], self.mixture.labels.n_classes),
            teachers=None if teachers is None else teachers.take(rows),
            weight=self.mixture.weight[rows],
        )
        return replace(
            self, mixture=mixture, weight=None if self.weight is None else self.weight[rows]
        )

    def strata(self, fraction: float) -> tuple[BoolArray, IntArray | None]:
        """Return which rows may be held out, and their classes.

        These are the labelled rows or, if there are none, all rows with the teacher's most probable
        class, if each class has rows enough.
        """
        labels, teachers = self.mixture.labels, self.mixture.teachers
        if labels.present.any():
            return labels.present, labels.codes
        assert teachers is not None  # each row has a label or a prediction
        strata = taught_strata(teachers.most_probable(), fraction)
        return np.ones(self.n_rows, dtype=bool), strata

    def held_out(self, X: CheckedX) -> HeldOut:
        """Return these rows as validation rows.

        The metric is the cross-entropy of the labels or, in rows without a label, the teacher's
        term.
        """
        of_labels = replace(self.mixture, imitation=0.0)
        return HeldOut(X, replace(self, mixture=of_labels).loss())

    def loss(self) -> ScoreLoss:
        """Return the loss; the targets can be forgotten."""
        return ScoreLoss(self.mixture.targets(), self.weight)
