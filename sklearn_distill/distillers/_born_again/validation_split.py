"""Which rows generations learn from, and by which they are judged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from sklearn_distill._validation.indexing import as_table, take_rows
from sklearn_distill._validation.labels import check_labels
from sklearn_distill._validation.splits import hold_out
from sklearn_distill.distillers._born_again.data import GenerationData, IntArray
from sklearn_distill.distillers._born_again.scores import ValidationSet


def as_rows(X: Any) -> Any:
    """Return a frame as it is, and a matrix or images with any entries."""
    if getattr(X, "ndim", 2) > 2:
        return check_array(X, allow_nd=True, dtype=None, ensure_all_finite=False)
    return as_table(X)


def validation_set(lesson: GenerationData, rows: IntArray) -> ValidationSet:
    """Judge by rows of the lesson."""
    return ValidationSet(
        take_rows(lesson.X, rows),
        lesson.codes[rows],
        lesson.present[rows],
        lesson.weight[rows],
        lesson.classes,
    )


def given_validation_set(X_val: Any, y_val: Any, classes: NDArray[Any]) -> ValidationSet:
    """Judge by rows that were given for it, all of which have a label."""
    try:
        _, labels = check_labels(y_val, X_val.shape[0], classes, None)
    except ValueError as error:
        raise ValueError(f"X_val and y_val: {error}") from error
    if not labels.present.all():
        raise ValueError(
            f"y_val has no label in row {int(np.argmin(labels.present))}: generations are judged "
            "by labels, so leave such rows out"
        )
    return ValidationSet(X_val, labels.codes, labels.present, np.ones(len(labels.codes)), classes)


def part(lesson: GenerationData, fraction: float, seed: int) -> tuple[IntArray, IntArray]:
    """Return rows to learn from and labelled rows to judge by, with the classes' shares kept."""
    return hold_out(lesson.present, fraction, lesson.codes, seed)
