"""From labels, teachers and weights to the objective that a student minimises."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import (
    ArrayLike,
    BoolArray,
    CheckedX,
    FloatArray,
    RowIndexer,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.absent_rows import rows_to_fit
from sklearn_distill._validation.indexing import take_rows
from sklearn_distill._validation.missing_teacher import check_teacher_used
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.partial_teacher import Partial
from sklearn_distill._validation.plausible_teacher import check_plausible_teacher
from sklearn_distill._validation.sample_weight import check_sample_weight, read_sample_weight
from sklearn_distill._validation.targets import check_class_targets
from sklearn_distill._validation.teacher_weight import check_some_trust
from sklearn_distill.losses import ChunkedDesign, SoftTargetObjective, make_sums
from sklearn_distill.losses.design import Design
from sklearn_distill.losses.regularizers import make_regularizer
from sklearn_distill.students._debias import (
    check_debias_params,
    check_debiased_mass,
    debiased_weights,
)
from sklearn_distill.targets import (
    Labels,
    PartialMixture,
    PartialTeachers,
    TargetMixture,
    Teachers,
    expected_class_mass,
    mean_one,
    row_weights,
    trusted_weights,
)


class HasLossParams(Protocol):
    """An estimator with the parameters of the loss; ``C`` and ``regularizer`` are optional."""

    @property
    def imitation(self) -> Any:
        """λ."""

    @property
    def temperature(self) -> Any:
        """T."""

    @property
    def soften_student(self) -> bool:
        """Whether T' = T."""

    @property
    def t_squared(self) -> bool:
        """Whether τ = T'²."""


class HasClassParams(Protocol):
    """An estimator, or the reader of a chunk, with ``classes``; ``class_weight`` is optional."""

    @property
    def classes(self) -> Any:
        """All classes, or None for the labels of y."""


@dataclass(frozen=True)
class LossParams:
    """Parameters of the loss, from the constructor of a student.

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    temperature : float
        T > 0, by which logits are divided.
    C : float
        Inverse strength of the penalty; infinite for a student without one.
    soften_student : bool
        Whether the student's logits are divided by T too.
    t_squared : bool
        Whether the teacher's term is multiplied by T².
    regularizer : str or None
        Name of the regulariser r of the teacher's term; None for no regulariser.
    debias : float or None
        ρ of the debiased form; None for the mixture with λ.
    """

    imitation: float
    temperature: float
    C: float
    soften_student: bool = True
    t_squared: bool = False
    regularizer: str | None = None
    debias: float | None = None

    @classmethod
    def of(cls, student: HasLossParams, **values: float) -> Self:
        """Read the parameters of an estimator, except for given values of λ and T."""
        if student.t_squared and not student.soften_student:
            raise ValueError(
                "t_squared=True with soften_student=False: T² only balances the gradient of a "
                "student that is divided by T; change one of the two"
            )
        debias = getattr(student, "debias", None)  # only one linear student has it
        if debias is not None:
            check_debias_params(student)
        return cls(
            float(values.get("imitation", student.imitation)),
            float(values.get("temperature", student.temperature)),
            float(getattr(student, "C", np.inf)),  # networks have none
            student.soften_student,
            student.t_squared,
            getattr(student, "regularizer", None),  # boosting has none
            debias,
        )

    def mixture(
        self,
        labels: Labels,
        teachers: Teachers | PartialTeachers | None,
        weight: FloatArray,
        class_weight: FloatArray | None = None,
    ) -> TargetMixture:
        """Return the mixture of labels and teachers with sample weights s and class weights c."""
        kind = PartialMixture if isinstance(teachers, PartialTeachers) else TargetMixture
        return kind(
            labels,
            teachers,
            weight,
            imitation=self.imitation,
            temperature=self.temperature,
            soften_student=self.soften_student,
            t_squared=self.t_squared,
            regularizer=self.regularizer,
            class_weight=class_weight,
            debias=self.debias,
        )


@dataclass(frozen=True)
class TrainingTargets:
    """Labels, teacher logits and weights of the training rows.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels, in ascending order.
    labels : Labels
        Class number of each row, and which labels are missing.
    teachers : Teachers, PartialTeachers or None
        The teachers' predictions; None without a teacher.
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative weights, before they are multiplied by class weights; those of rows without a
        label are multiplied by the trust in their prediction.
    class_weight : dict, "balanced" or None
        The constructor parameter; "balanced" counts the labels of these rows, and the teacher's
        probabilities where there is none.
    """

    classes: NDArray[Any]
    labels: Labels
    teachers: Teachers | PartialTeachers | None
    sample_weight: FloatArray
    class_weight: Any

    @classmethod
    def read(
        cls,
        student: HasClassParams,
        n_rows: int,
        y: TargetLike,
        sample_weight: ArrayLike | None,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        classes: ArrayLike | None = None,
        *,
        teacher_weight: ArrayLike | None = None,
        partial: Partial | None = None,
        allow_zero_weight: bool = False,
        min_classes: int = 2,
    ) -> Self:
        """Check the arguments of ``fit``.

        ``classes``, if given, replace those of the constructor. ``allow_zero_weight`` is for a
        chunk of rows, whose weights may all be zero if those of other chunks are not. ``partial``
        is what becomes of unknown classes; None takes the parameter of the student, if it has one.
        ``min_classes`` is the smallest number of classes that the student can be fitted on.
        """
        requested = student.classes if classes is None else classes
        check_weight = read_sample_weight if allow_zero_weight else check_sample_weight
        weight = check_weight(sample_weight, n_rows)
        classes_, labels, teachers = check_class_targets(
            y,
            n_rows,
            requested,
            teacher_proba,
            teacher_logits,
            weight == 0,
            teacher_weight=teacher_weight,
            partial=partial or getattr(student, "partial", None),
            min_classes=min_classes,
        )
        trust = None if teachers is None else teachers.trust
        weight = trusted_weights(weight, labels.present, trust)
        if not allow_zero_weight:
            check_some_trust(weight)
        class_weight = getattr(student, "class_weight", None)  # any regressor has none
        return cls(classes_, labels, teachers, weight, class_weight)

    @property
    def n_taught_rows(self) -> int:
        """Number of rows with a teacher's prediction."""
        return 0 if self.teachers is None else int(self.teachers.teacher_mask.sum())

    def check_teacher(
        self,
        imitation: float,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
        teacher_weight: ArrayLike | None = None,
    ) -> None:
        """Warn of a teacher that is missing or implausible, and refuse one without predictions.

        The teacher's arguments are those of :meth:`read`; λ is the ``imitation`` of the student.
        """
        check_teacher_used(
            imitation,
            self.n_taught_rows,
            teacher_weight=teacher_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
        )
        self.warn_if_implausible(teacher_proba)

    def warn_if_implausible(self, teacher_proba: TeacherLike, name: str | None = None) -> None:
        """Warn if the teacher seems to be in another order, by the rows of positive weight.

        ``teacher_proba`` is that of :meth:`read`; None says that logits were passed. ``name`` is
        that of the argument, if it is neither.
        """
        check_plausible_teacher(
            self.classes,
            self.labels,
            self.teachers,
            is_proba=teacher_proba is not None,
            weight=self.sample_weight,
            name=name,
        )

    @cached_property
    def weight_by_class(self) -> FloatArray | None:
        """Weight of each class; None if all are 1."""
        # computed late: after take(), "balanced" counts the labels of the taken rows
        return class_weights(
            self.class_weight, self.classes, self.labels, self.teachers, self.sample_weight
        )

    @cached_property
    def row_weight(self) -> FloatArray:
        """Row weights s: sample weight times class weight."""
        return row_weights(self.sample_weight, self.weight_by_class, self.labels, self.teachers)

    @property
    def weight(self) -> FloatArray:
        """Row weights s, not all of which are zero."""
        check_some_weight(float(self.row_weight.sum()), self.class_weight)
        return self.row_weight

    def with_mean_weight_one(self) -> TrainingTargets:
        """Return these targets with mean weight 1, so that weights are no learning rate."""
        return replace(self, sample_weight=mean_one(self.sample_weight, self.weight))

    def take(self, rows: RowIndexer) -> TrainingTargets:
        """Return the targets of the given rows."""
        teachers = None if self.teachers is None else self.teachers.take(rows)
        labels = Labels(self.labels.codes[rows], self.labels.n_classes)
        return TrainingTargets(
            self.classes, labels, teachers, self.sample_weight[rows], self.class_weight
        )

    def only(self, rows: BoolArray) -> TrainingTargets:
        """Return the targets of all rows, of which only those of the mask have a weight."""
        return replace(self, sample_weight=np.where(rows, self.sample_weight, 0.0))

    def validation_targets(self) -> FloatArray:
        """Return one-hot labels or, without any label, the teacher's probabilities.

        Returns
        -------
        ndarray of shape (n_classes, n_rows)
            The targets of validation rows, each of which has the one or the other.
        """
        if self.labels.present.any():
            return self.labels.one_hot(np.ones(len(self.sample_weight)))
        assert self.teachers is not None  # each row has a label or a prediction
        return self._complete_teachers("y has no labels, so that the rows validate on").soften(1.0)

    def _complete_teachers(self, use: str) -> Teachers:
        if not isinstance(self.teachers, Teachers):
            raise ValueError(
                f"{use} the teacher's predictions, which leave classes unknown in teacher_proba: "
                "pass labels to validate on, or predictions for all classes"
            )
        return self.teachers

    def mean_teacher_proba(self) -> FloatArray | None:
        """Return the mean probabilities of the available teachers; NaN without a prediction.

        Returns
        -------
        ndarray of shape (n_rows, n_classes) or None
            None without a teacher.
        """
        if self.teachers is None:
            return None
        q = self._complete_teachers("scoring judges by").soften(1.0).T
        return np.asarray(np.where(self.teachers.teacher_mask[:, None], q, np.nan))

    def mixture(self, loss_params: LossParams, rows: slice | None = None) -> TargetMixture:
        """Return the mixture of labels and teachers with the given parameters of the loss.

        It is that of all rows or of some, with the class weights of all.
        """
        of_rows = self if rows is None else self.take(rows)
        return loss_params.mixture(
            of_rows.labels, of_rows.teachers, of_rows.sample_weight, self.weight_by_class
        )


def drop_absent(X: CheckedX, targets: TrainingTargets) -> tuple[CheckedX, TrainingTargets]:
    """Return features and targets without the rows of weight 0.

    Parameters
    ----------
    X : ndarray, sparse matrix or torch.Tensor of shape (n_rows, n_features)
        Validated features.
    targets : TrainingTargets
        The targets of the same rows.

    Returns
    -------
    X, targets : tuple
        The same objects if no row has weight 0.
    """
    rows = rows_to_fit(targets.sample_weight)
    return (X, targets) if rows is None else (take_rows(X, rows), targets.take(rows))


@dataclass(frozen=True)
class Problem:
    """The minimisation problem of a linear student.

    Parameters
    ----------
    objective : SoftTargetObjective
        Objective over the classes that have target mass.
    active : ndarray of bool of shape (n_classes,)
        Which classes have target mass.
    """

    objective: SoftTargetObjective
    active: BoolArray

    @property
    def is_trivial(self) -> bool:
        """Whether a single class has all the mass, so that no coefficients are needed."""
        return int(self.active.sum()) == 1

    def without_linear(self) -> Problem:
        """Return the problem without each row's linear form, of which no rows are taken."""
        if self.is_trivial:  # without scores there is none
            return self
        return replace(self, objective=self.objective.without_linear())

    def with_penalty(self, C: float) -> Problem:
        """Return the problem of the same targets with another strength of the penalty."""
        alpha = float(1 / (C * self.objective.sums.weight_sum))
        return replace(self, objective=self.objective.with_penalty(alpha))


def make_problem(
    targets: TrainingTargets,
    design: Design | ChunkedDesign,
    loss_params: LossParams,
    *,
    smallest_share: float = 0.0,
) -> Problem:
    """Return the minimisation problem of a linear student.

    Parameters
    ----------
    targets : TrainingTargets
        Labels, teachers and weights; the problem keeps no reference to them.
    design : Design
        The products with X, of the same rows.
    loss_params : LossParams
        λ, T, C and the form of the loss.
    smallest_share : float
        Share of the targets' mass up to which a class counts as one without mass.

    Returns
    -------
    Problem
        Objective and active classes.

    Raises
    ------
    ValueError
        If all rows have weight zero, or the objective has no minimum.
    """
    rho = loss_params.debias
    if rho is not None:
        weight = debiased_weights(targets.sample_weight, targets.labels, targets.teachers, rho)
        targets = replace(targets, sample_weight=weight)
    weight = targets.weight
    soft_targets = targets.mixture(loss_params).targets()
    # the intercept of a class without mass has its optimum at -inf: the solver does without it
    mass = soft_targets.class_mass()
    if rho is not None:
        check_debiased_mass(soft_targets, targets.classes, rho)
    active = mass > smallest_share * mass.sum()
    check_bounded({term.regularizer for term in soft_targets.terms}, active, targets.classes)
    # scikit-learn's C multiplies a sum over rows; the solvers minimise a mean
    alpha = float(1 / (loss_params.C * weight.sum()))
    sums = make_sums(design, soft_targets.keep_classes(active), weight)
    return Problem(SoftTargetObjective(sums, alpha), active)


def check_some_weight(weight_sum: float, class_weight: Any) -> None:
    """Require a row with positive weight."""
    # class weights may be zero for all classes that occur; the objective divides by the sum
    if not weight_sum:
        raise ValueError(
            f"class_weight={class_weight}, sample_weight and teacher_weight leave no row any "
            "weight: pass weights with a positive sum"
        )


def check_bounded(
    regularizers: Collection[str | None], active: BoolArray, classes: NDArray[Any]
) -> None:
    """Require regularisers that have a minimum if some classes have no target mass."""
    # a regulariser may be unbounded below for targets on the boundary of the simplex
    for name in regularizers:
        regularizer = make_regularizer(name)
        if not active.all() and regularizer is not None and not regularizer.bounded_below:
            raise ValueError(
                f"regularizer={name!r} has no minimum when a class has no target mass: "
                "neither y nor the teacher's predictions contain "
                f"{list_values(np.asarray(classes)[~active])}: drop these classes or "
                "pass another regularizer"
            )


def class_weights(
    class_weight: Any,
    classes: NDArray[Any],
    labels: Labels,
    teachers: Teachers | PartialTeachers | None,
    sample_weight: FloatArray,
) -> FloatArray | None:
    r"""Return the weight of each class.

    ``"balanced"`` is :math:`\sum_k m_k / (K m_k)` with the mass :math:`m_k = \sum_i s_i\,[y_i = k]`
    of the labels, to which a row without a label adds its teacher's probabilities at temperature 1.
    K is the number of classes that have mass; a class that has none gets 1.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn; classes that are not in the dict get 1. Keys that are not a class, such
        as one that a fold lacks, are allowed if every class has a weight.
    classes : ndarray of shape (n_classes,)
        Class labels, in ascending order.
    labels : Labels
        Class number of each row.
    teachers : Teachers or None
        Predictions that "balanced" counts for rows without a label.
    sample_weight : ndarray of shape (n_rows,)
        Nonnegative sample weights s.

    Returns
    -------
    ndarray of shape (n_classes,) or None
        Weight of each class; None if all are 1.

    Raises
    ------
    ValueError
        If a key of the dict is not a class and a class has no key, or a value is not a finite
        number of at least 0.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str):
        return balanced_weights(expected_class_mass(labels, teachers, sample_weight))
    known = classes.tolist()
    unknown = [label for label in class_weight if label not in known]
    # a fold may lack a class, but a class without a weight as well is likely misspelt
    if unknown and any(label not in class_weight for label in known):
        raise ValueError(
            f"class_weight has keys {list_values(unknown)}, but the classes are "
            f"{list_values(known)}"
        )
    for label, weight in class_weight.items():
        if not (isinstance(weight, Real) and 0 <= float(weight) < np.inf):
            raise ValueError(
                f"class_weight of {label!r} is {weight!r}: it must be a finite number of at least 0"
            )
    return np.array([class_weight.get(label, 1.0) for label in known], dtype=np.float64)


def balanced_weights(mass: FloatArray) -> FloatArray:
    """Return the balanced weight of each class, from the sum of its rows' weights."""
    present = mass > 0  # the other classes would divide by zero
    weight = np.ones(len(mass))
    weight[present] = mass.sum() / (present.sum() * mass[present])
    return weight
