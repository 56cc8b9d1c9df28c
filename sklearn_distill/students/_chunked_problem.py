"""From labels and teachers in chunks of rows to the objective, one chunk at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray
from sklearn_distill._validation.labels import (
    check_classes,
    check_two_classes,
    infer_classes,
    unique_labels,
)
from sklearn_distill._validation.partial_teacher import Partial
from sklearn_distill._validation.plausible_teacher import (
    TeacherSample,
    sample_teacher,
    warn_if_implausible,
)
from sklearn_distill.losses import ChunkSums, RowSums, SoftTargetObjective, as_design
from sklearn_distill.students._chunks import ChunkedData, FitArgs, as_float, check_features
from sklearn_distill.students._problem import (
    HasClassParams,
    HasLossParams,
    LossParams,
    Problem,
    TrainingTargets,
    balanced_weights,
    check_bounded,
    check_some_weight,
)
from sklearn_distill.targets import SoftTargets, expected_class_mass


class ChunkedStudent(HasLossParams, HasClassParams, Protocol):
    """A student that is fitted to chunks of the rows."""

    fit_intercept: bool
    partial: Partial

    @property
    def class_weight(self) -> Any:
        """Weight of each class."""


@dataclass(frozen=True)
class ChunkReader:
    """Read each chunk with the same classes, class weights and parameters of the loss.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes of all chunks.
    class_weight : dict or None
        Weight of each class; "balanced" is resolved over all chunks.
    loss_params : LossParams
        λ, T, C and the form of the loss.
    fit_intercept : bool
        Whether a column of ones follows the features.
    partial : {"rest", "spread"}, default="rest"
        What becomes of classes that the teacher leaves unknown.
    """

    classes: NDArray[Any]
    class_weight: dict[Any, float] | None
    loss_params: LossParams
    fit_intercept: bool
    partial: Partial = "rest"

    def training_targets(self, args: FitArgs) -> TrainingTargets:
        """Return labels, teacher logits and weights of a chunk."""
        with args.locate_errors():
            return TrainingTargets.read(
                self,
                args.n_rows,
                args.y,
                args.sample_weight,
                args.teacher_proba,
                args.teacher_logits,
                teacher_weight=args.teacher_weight,
                allow_zero_weight=True,
            )

    def row_sums(self, X: CheckedX, args: FitArgs) -> RowSums:
        """Return the sums over a chunk's rows, over all classes; X is validated."""
        return self._row_sums(X, args, self.training_targets(args))

    def targets_without_linear(self, args: FitArgs) -> SoftTargets:
        """Return a chunk's targets without the linear form of each row."""
        targets = self.training_targets(args).mixture(self.loss_params).targets()
        return targets.without_linear()

    def totals(self, X: CheckedX, args: FitArgs, n_rows: int) -> ChunkTotals:
        """Return what a chunk adds to the totals of all n_rows rows."""
        targets = self.training_targets(args)
        sums = self._row_sums(X, args, targets)
        return ChunkTotals(
            sums.weight_sum,
            targets.n_taught_rows,
            sums.targets.class_mass(),
            sums.linear_form,  # of all classes: the active ones are not known yet
            frozenset(sums.regularizers),
            sums.is_partial,
            sample_teacher(
                targets.labels,
                targets.teachers,
                is_proba=args.teacher_proba is not None,
                weight=targets.sample_weight,
                share=args.n_rows / n_rows,
            ),
        )

    def _row_sums(self, X: CheckedX, args: FitArgs, targets: TrainingTargets) -> RowSums:
        with args.locate_errors():
            design = as_design(check_features(X), self.fit_intercept)
        return RowSums(design, targets.mixture(self.loss_params).targets(), targets.row_weight)

    def row_sums_without_linear(
        self, X: CheckedX, targets: SoftTargets, active: BoolArray
    ) -> RowSums:
        """Return the sums over a chunk's rows for the active classes, without the linear form."""
        design = as_design(as_float(X), self.fit_intercept)
        # the targets contain the row weights; apart from them only Σ s is needed, which is known
        return RowSums(design, targets.keep_classes(active), np.empty(0))


@dataclass(frozen=True)
class ChunkTotals:
    """Sums over all rows that are needed before the first step of the solver.

    Parameters
    ----------
    weight_sum : float
        Sum Σ s of the row weights.
    n_taught_rows : int
        Number of rows with a teacher's prediction.
    class_mass : ndarray of shape (n_classes,)
        Target mass of each class.
    linear_form : ndarray of shape (n_scores, n_columns)
        The linear form L of the objective over all classes.
    regularizers : frozenset of str or None
        Names of the regularisers in use.
    is_partial : bool
        Whether a teacher leaves classes unknown.
    teacher_sample : TeacherSample
        Some rows, by which the order of the teacher's predictions is judged.
    """

    weight_sum: float
    n_taught_rows: int
    class_mass: FloatArray
    linear_form: FloatArray
    regularizers: frozenset[str | None]
    is_partial: bool
    teacher_sample: TeacherSample

    def __add__(self, other: ChunkTotals) -> ChunkTotals:
        return ChunkTotals(
            self.weight_sum + other.weight_sum,
            self.n_taught_rows + other.n_taught_rows,
            self.class_mass + other.class_mass,
            self.linear_form + other.linear_form,
            self.regularizers | other.regularizers,
            self.is_partial or other.is_partial,
            self.teacher_sample + other.teacher_sample,
        )

    def active_linear_form(self, active: BoolArray) -> FloatArray:
        """Return L over the classes that have mass."""
        if active.all():
            return self.linear_form
        if active.sum() == 1:  # one class has all the mass, and no score
            return self.linear_form[:0]
        kept = self.linear_form[active]
        # two classes have one score, the log-odds of the second
        return kept[1:] if len(kept) == 2 else kept


def make_chunk_reader(student: ChunkedStudent, data: ChunkedData) -> ChunkReader:
    """Determine classes and class weights from all chunks.

    Parameters
    ----------
    student : DistilledLogisticRegression
        The estimator with its constructor parameters.
    data : ChunkedData
        The arguments of ``fit``; they are read once for the classes and once for class weights,
        where those are not given.

    Returns
    -------
    ChunkReader
        Reads each chunk with these classes and class weights.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or parameters contradict each other.
    """
    classes = check_classes(student.classes)
    if classes is None:
        classes = data.fit_args.map_reduce(_unique_labels, combine=_union)
        # as for an array: without any label, the names of the teacher's columns are the classes
        if len(classes) < 2:
            classes = infer_classes(classes, _teacher_columns(data))
        check_two_classes(classes)
    params = LossParams.of(student)
    if params.debias is not None:
        raise ValueError(
            f"debias={params.debias} needs the weights of all rows, and X is read in chunks: pass "
            "X as an array in memory, or set debias=None"
        )
    reader = ChunkReader(classes, None, params, student.fit_intercept, student.partial)
    if isinstance(student.class_weight, str):
        # "balanced" counts labels and predictions of all rows, which no chunk has
        mass = data.fit_args.map_reduce(partial(_class_mass, reader))
        weights = dict(zip(classes.tolist(), balanced_weights(mass).tolist(), strict=True))
        return replace(reader, class_weight=weights)
    return replace(reader, class_weight=student.class_weight)


def make_chunked_problem(reader: ChunkReader, data: ChunkedData) -> tuple[Problem, int]:
    """Return the minimisation problem, and the number of rows with a teacher's prediction.

    Parameters
    ----------
    reader : ChunkReader
        Classes, class weights and parameters of the loss, from :func:`make_chunk_reader`.
    data : ChunkedData
        The arguments of ``fit``.

    Returns
    -------
    problem : Problem
        The objective, each evaluation of which is a pass over the chunks.
    n_taught_rows : int
        Number of rows with a teacher's prediction.

    Raises
    ------
    ValueError
        If X or another argument is not valid, all rows have weight zero, or the objective has no
        minimum.
    """
    full_row_sums = data.features.map(reader.row_sums, data.fit_args)
    # this first pass validates every chunk; later passes rely on it
    in_chunk = partial(reader.totals, n_rows=int(data.chunk_sizes.sum()))
    totals: ChunkTotals = data.features.map(in_chunk, data.fit_args).map_reduce(_identity)
    warn_if_implausible(totals.teacher_sample, reader.classes)
    check_some_weight(totals.weight_sum, reader.class_weight)
    active = totals.class_mass > 0
    check_bounded(totals.regularizers, active, reader.classes)
    # the linear form enters only by its total, so the targets that stay in memory go without it
    targets = data.fit_args.map(reader.targets_without_linear).persist()
    sums = ChunkSums(
        data.features.map(partial(reader.row_sums_without_linear, active=active), targets),
        full_row_sums.map(partial(_keep_classes, active)),
        chunk_sizes=data.chunk_sizes,
        n_columns=data.n_features + reader.fit_intercept,
        fit_intercept=reader.fit_intercept,
        linear_form=totals.active_linear_form(active),
        n_classes=int(active.sum()),
        regularizers=set(totals.regularizers),
        weight_sum=totals.weight_sum,
        is_partial=totals.is_partial,
        dtype=data.dtype,
    )
    alpha = float(1 / (reader.loss_params.C * totals.weight_sum))
    return Problem(SoftTargetObjective(sums, alpha), active), totals.n_taught_rows


def _keep_classes(active: BoolArray, sums: RowSums) -> RowSums:
    return RowSums(sums.design, sums.targets.keep_classes(active), sums.weight)


def _unique_labels(args: FitArgs) -> NDArray[Any]:
    with args.locate_errors():
        return unique_labels(args.y, args.n_rows)


def _union(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """Return the labels of both chunks."""
    # without labels an array is of float64, to which np.union1d would convert the others
    if not len(left) or not len(right):
        return left if len(left) else right
    return np.union1d(left, right)


def _class_mass(reader: ChunkReader, args: FitArgs) -> FloatArray:
    """Return the (expected) sum of the sample weights of each class in a chunk."""
    targets = reader.training_targets(args)
    return expected_class_mass(targets.labels, targets.teachers, targets.sample_weight)


def _teacher_columns(data: ChunkedData) -> list[Any] | None:
    """Return the column names of the teacher's predictions, if they have names."""
    columns: list[list[Any] | None] = data.fit_args.map_to_list(_column_names)
    return columns[0]


def _column_names(args: FitArgs) -> list[Any] | None:
    for teacher in (args.teacher_proba, args.teacher_logits):
        if hasattr(teacher, "columns"):
            return list(teacher.columns)
    return None


def _identity(totals: ChunkTotals) -> ChunkTotals:
    return totals
