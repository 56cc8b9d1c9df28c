"""From labels and teachers in blocks to what a student minimises, a block at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill._validation.labels import (
    check_classes,
    check_two_classes,
    classes_from_columns,
    unique_labels,
)
from sklearn_distill.losses import ChunkSums, RowSums, SoftTargetObjective, as_design
from sklearn_distill.students._chunks import ChunkedData, FitArgs, as_features, checked_features
from sklearn_distill.students._problem import (
    LossParams,
    Problem,
    TrainingTargets,
    balanced_weights,
    check_bounded,
    check_some_weight,
)
from sklearn_distill.targets import SoftTargets


@dataclass(frozen=True)
class ChunkReader:
    """How the answers of every block are read.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        All classes.
    class_weight : dict or None
        Weight of each class.
    setting : LossParams
        λ, T, C and the form of the loss.
    fit_intercept : bool
        Whether a column of ones follows the features.
    """

    classes: NDArray[Any]
    class_weight: dict[Any, float] | None
    setting: LossParams
    fit_intercept: bool

    def lesson(self, answers: FitArgs) -> TrainingTargets:
        """Return who says what of a block's rows."""
        with answers.located():
            return TrainingTargets.read(self, answers.n_rows, **answers.given, of_block=True)

    def row_sums(self, X: Any, answers: FitArgs) -> RowSums:
        """Return the sums over a block's rows, over all classes; X is checked."""
        return self._sums_of(X, answers, self.lesson(answers))

    def terms(self, answers: FitArgs) -> SoftTargets:
        """Return a block's targets without the linear form of each row."""
        targets = self.lesson(answers).mixture(self.setting).targets()
        return replace(targets, linear=targets.linear[:, :0])

    def facts(self, X: Any, answers: FitArgs) -> ChunkTotals:
        """Return what the whole must know of a block."""
        lesson = self.lesson(answers)
        sums = self._sums_of(X, answers, lesson)
        return ChunkTotals(
            sums.weight_sum,
            lesson.n_taught_rows,
            sums.targets.class_mass(),
            sums.linear_form,
            frozenset(sums.regularizers),
        )

    def _sums_of(self, X: Any, answers: FitArgs, lesson: TrainingTargets) -> RowSums:
        with answers.located():
            design = as_design(checked_features(X), self.fit_intercept)
        return RowSums(design, lesson.mixture(self.setting).targets(), lesson.row_weight)

    def light_sums(self, X: Any, terms: SoftTargets, active: BoolArray) -> RowSums:
        """Return the sums over a block's rows, without their linear form."""
        design = as_design(as_features(X), self.fit_intercept)
        return RowSums(design, terms.keep_classes(active), np.empty(0))


@dataclass(frozen=True)
class ChunkTotals:
    """What is added up over all rows before the first step.

    Parameters
    ----------
    weight_sum : float
        Σ s.
    n_taught_rows : int
        Rows for which a teacher speaks.
    class_mass : ndarray of shape (n_classes,)
        Target mass of each class.
    linear_form : ndarray of shape (n_scores, n_columns)
        L over all classes.
    regularizers : frozenset of str or None
        Names of the terms' regularisers.
    """

    weight_sum: float
    n_taught_rows: int
    class_mass: FloatArray
    linear_form: FloatArray
    regularizers: frozenset[str | None]

    def __add__(self, other: ChunkTotals) -> ChunkTotals:
        return ChunkTotals(
            self.weight_sum + other.weight_sum,
            self.n_taught_rows + other.n_taught_rows,
            self.class_mass + other.class_mass,
            self.linear_form + other.linear_form,
            self.regularizers | other.regularizers,
        )

    def linear_form_of(self, active: BoolArray) -> FloatArray:
        """Return L over the classes that have mass."""
        if active.all():
            return self.linear_form
        kept = self.linear_form[active]
        return kept[1:] if len(kept) == 2 else kept


def make_chunk_reader(student: Any, table: ChunkedData) -> ChunkReader:
    """Look at all answers, and settle classes and class weights.

    Parameters
    ----------
    student : estimator
        Has ``classes``, ``class_weight``, ``fit_intercept`` and the setting.
    table : ChunkedData
        The rows.

    Returns
    -------
    ChunkReader
        How each block is read.

    Raises
    ------
    ValueError
        If there are fewer than two classes, or parameters contradict each other.
    """
    classes = check_classes(student.classes)
    if classes is None:
        classes = table.answers.total(_labels, combine=_union)
        classes = classes_from_columns(_columns(table)) if not len(classes) else classes
        check_two_classes(classes)
    reader = ChunkReader(classes, None, LossParams.of(student), student.fit_intercept)
    if isinstance(student.class_weight, str):
        mass = table.answers.total(partial(_label_mass, reader))
        weights = dict(zip(classes.tolist(), balanced_weights(mass).tolist(), strict=True))
        return replace(reader, class_weight=weights)
    return replace(reader, class_weight=student.class_weight)


def make_chunked_problem(reader: ChunkReader, table: ChunkedData) -> tuple[Problem, int]:
    """Return the problem, and for how many rows a teacher speaks.

    Parameters
    ----------
    reader : ChunkReader
        How each block is read.
    table : ChunkedData
        The rows.

    Returns
    -------
    problem : Problem
        Its objective goes over the blocks.
    n_taught_rows : int
        Rows for which a teacher speaks.

    Raises
    ------
    ValueError
        If X or an answer is wrong, no row has any weight, or the regulariser has no minimum.
    """
    whole = table.features.map(reader.row_sums, table.answers)
    facts: ChunkTotals = table.features.map(reader.facts, table.answers).total(_itself)
    check_some_weight(facts.weight_sum, reader.class_weight)
    active = facts.class_mass > 0
    check_bounded(facts.regularizers, active, reader.classes)
    terms = table.answers.map(reader.terms).kept()
    sums = ChunkSums(
        table.features.map(partial(reader.light_sums, active=active), terms),
        whole.map(partial(_of_classes, active)),
        chunk_sizes=table.n_rows,
        n_columns=table.n_features + reader.fit_intercept,
        fit_intercept=reader.fit_intercept,
        linear_form=facts.linear_form_of(active),
        n_classes=int(active.sum()),
        regularizers=set(facts.regularizers),
        weight_sum=facts.weight_sum,
    )
    alpha = float(1 / (reader.setting.C * facts.weight_sum))
    return Problem(SoftTargetObjective(sums, alpha), active), facts.n_taught_rows


def _of_classes(active: BoolArray, sums: RowSums) -> RowSums:
    return RowSums(sums.design, sums.targets.keep_classes(active), sums.weight)


def _labels(answers: FitArgs) -> NDArray[Any]:
    """Return the labels of a block, each once."""
    with answers.located():
        return unique_labels(answers.given["y"], answers.n_rows)


def _union(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Return the labels of both; a block without labels has no type to say."""
    if not len(one) or not len(other):
        return one if len(one) else other
    return np.union1d(one, other)


def _label_mass(reader: ChunkReader, answers: FitArgs) -> FloatArray:
    """Return the weight of the rows of each label in a block."""
    lesson = reader.lesson(answers)
    return np.asarray(lesson.labels.one_hot(lesson.sample_weight).sum(axis=1))


def _columns(table: ChunkedData) -> list[Any] | None:
    """Return the names of the teacher's columns, if they have names."""
    return table.answers.each(_names)[0]


def _names(answers: FitArgs) -> list[Any] | None:
    teachers = (answers.given[name] for name in ("teacher_proba", "teacher_logits"))
    named = [teacher for teacher in teachers if hasattr(teacher, "columns")]
    return list(named[0].columns) if named else None


def _itself(facts: ChunkTotals) -> ChunkTotals:
    return facts
