"""From labels, teachers and weights to what a student minimises."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill._validation.sample_weight import check_sample_weight, read_sample_weight
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill.losses import RowSums, SoftTargetObjective
from sklearn_distill.losses.design import Design
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.targets import Labels, TargetMixture, Teachers, mean_one, row_weights


@dataclass(frozen=True)
class LossParams:
    """What the constructor says of the loss.

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    temperature : float
        T > 0.
    C : float
        Inverse strength of the penalty; infinite for a student without one.
    soften_student : bool
        Whether the student is divided by T too.
    t_squared : bool
        Whether the teacher's term is multiplied by T².
    regularizer : str or None
        Name of r.
    """

    imitation: float
    temperature: float
    C: float
    soften_student: bool = True
    t_squared: bool = False
    regularizer: str | None = None

    @classmethod
    def of(cls, student: Any) -> Self:
        """Read the parameters of an estimator."""
        if student.t_squared and not student.soften_student:
            raise ValueError(
                "t_squared=True with soften_student=False: T² only balances the gradient of a "
                "student that is divided by T; set one of the two to its other value"
            )
        return cls(
            float(student.imitation),
            float(student.temperature),
            float(getattr(student, "C", np.inf)),
            student.soften_student,
            student.t_squared,
            student.regularizer,
        )

    def mixture(
        self, labels: Labels, teachers: Teachers | None, weight: FloatArray
    ) -> TargetMixture:
        """Return the mixture of labels and teachers with row weights s."""
        return TargetMixture(
            labels,
            teachers,
            weight,
            imitation=self.imitation,
            temperature=self.temperature,
            soften_student=self.soften_student,
            t_squared=self.t_squared,
            regularizer=self.regularizer,
        )


@dataclass(frozen=True)
class TrainingTargets:
    """Who says what of which row, and how much each row counts.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels.
    labels : Labels
        The rows' labels.
    teachers : Teachers or None
        The teachers' logits.
    sample_weight : ndarray of shape (n_rows,)
        Weights of the rows.
    class_weight : dict, "balanced" or None
        The constructor's; "balanced" counts the rows of this lesson.
    """

    classes: NDArray[Any]
    labels: Labels
    teachers: Teachers | None
    sample_weight: FloatArray
    class_weight: Any

    @classmethod
    def read(
        cls,
        student: Any,
        n_rows: int,
        y: Any,
        sample_weight: Any,
        teacher_proba: Any,
        teacher_logits: Any,
        classes: Any = None,
        *,
        of_block: bool = False,
    ) -> Self:
        """Check what came into an estimator's fit; ``classes`` go before the constructor's.

        The weights of a block alone may all be zero.
        """
        named = student.classes if classes is None else classes
        classes, labels, teachers = check_class_targets(
            y, n_rows, named, teacher_proba, teacher_logits
        )
        read_weight = read_sample_weight if of_block else check_sample_weight
        weight = read_weight(sample_weight, n_rows)
        return cls(classes, labels, teachers, weight, student.class_weight)

    @property
    def n_taught_rows(self) -> int:
        """Number of rows for which a teacher speaks."""
        return 0 if self.teachers is None else int(self.teachers.teacher_mask.sum())

    @cached_property
    def row_weight(self) -> FloatArray:
        """Row weights s: sample weight times class weight."""
        by_class = class_weights(self.class_weight, self.classes, self.labels, self.sample_weight)
        return row_weights(self.sample_weight, by_class, self.labels, self.teachers)

    @property
    def weight(self) -> FloatArray:
        """Row weights s, of which some are not zero."""
        check_some_weight(float(self.row_weight.sum()), self.class_weight)
        return self.row_weight

    def with_mean_weight_one(self) -> TrainingTargets:
        """Return the lesson whose weights have mean 1, so that they are no learning rate."""
        return replace(self, sample_weight=mean_one(self.sample_weight, self.weight))

    def take(self, rows: IntArray) -> TrainingTargets:
        """Return the lesson of the given rows."""
        teachers = None if self.teachers is None else Teachers(self.teachers.logits[:, :, rows])
        labels = Labels(self.labels.codes[rows], self.labels.n_classes)
        return TrainingTargets(
            self.classes, labels, teachers, self.sample_weight[rows], self.class_weight
        )

    def mixture(self, setting: LossParams) -> TargetMixture:
        """Return the mixture of labels and teachers at a setting."""
        return setting.mixture(self.labels, self.teachers, self.row_weight)


@dataclass(frozen=True)
class Problem:
    """What is to be minimised.

    Parameters
    ----------
    objective : SoftTargetObjective
        Over the classes that have target mass.
    active : ndarray of bool of shape (n_classes,)
        Which classes these are.
    """

    objective: SoftTargetObjective
    active: BoolArray

    @property
    def is_trivial(self) -> bool:
        """Whether one class has all the mass: nothing to choose."""
        return int(self.active.sum()) == 1


def make_problem(lesson: TrainingTargets, design: Design, setting: LossParams) -> Problem:
    """Return the problem of a lesson.

    Parameters
    ----------
    lesson : TrainingTargets
        Labels, teachers and weights; the problem keeps none of them.
    design : Design
        The products with X, of the same rows.
    setting : LossParams
        λ, T, C and the form of the loss.

    Returns
    -------
    Problem
        Objective and active classes.

    Raises
    ------
    ValueError
        If no row has any weight, or the regulariser has no minimum.
    """
    weight = lesson.weight
    targets = lesson.mixture(setting).targets()
    active = targets.class_mass() > 0
    check_bounded({term.regularizer for term in targets.terms}, active, lesson.classes)
    alpha = float(1 / (setting.C * weight.sum()))
    sums = RowSums(design, targets.keep_classes(active), weight)
    return Problem(SoftTargetObjective(sums, alpha), active)


def check_some_weight(weight_sum: float, class_weight: Any) -> None:
    """Require that some row has a weight."""
    if not weight_sum:
        raise ValueError(f"class_weight={class_weight} and sample_weight leave no row any weight")


def check_bounded(
    regularizers: Collection[str | None], active: BoolArray, classes: NDArray[Any]
) -> None:
    """Require that the regularisers in use have a minimum over the classes with mass."""
    for name in regularizers:
        regularizer = make_regularizer(name)
        if not active.all() and regularizer is not None and not regularizer.bounded_below:
            raise ValueError(
                f"regularizer={name!r} has no minimum when a class has no target mass: "
                f"neither y nor the teacher ever names {np.asarray(classes)[~active].tolist()}"
            )


def class_weights(
    class_weight: Any, classes: NDArray[Any], labels: Labels, sample_weight: FloatArray
) -> FloatArray | None:
    r"""Return the weight of each class.

    ``"balanced"`` is :math:`\sum_i s_i / (K \sum_{i: y_i = k} s_i)` over the labelled rows, with K
    the number of classes that have one; a class that has none gets 1.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    classes : ndarray of shape (n_classes,)
        Class labels.
    labels : Labels
        The rows' labels.
    sample_weight : ndarray of shape (n_rows,)
        Weights s.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        The weights; None if all are 1.

    Raises
    ------
    ValueError
        If a key of the dict is not a class, or a value is not a finite number of at least 0.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        return balanced_weights(labels.one_hot(sample_weight).sum(axis=1))
    names = classes.tolist()
    unknown = [label for label in class_weight if label not in names]
    if unknown:
        raise ValueError(f"class_weight names {unknown}, but the classes are {names}")
    for label, weight in class_weight.items():
        if not (isinstance(weight, Real) and 0 <= float(weight) < np.inf):
            raise ValueError(
                f"class_weight of {label!r} is {weight!r}: it must be a finite number of at least 0"
            )
    return np.array([class_weight.get(label, 1.0) for label in names], dtype=np.float64)


def balanced_weights(mass: FloatArray) -> FloatArray:
    """Return the weight of each class that is "balanced", from the weight of its labels."""
    seen = mass > 0
    weight = np.ones(len(mass))
    weight[seen] = mass.sum() / (seen.sum() * mass[seen])
    return weight
