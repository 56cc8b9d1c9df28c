"""Which rows generations learn from, and by which they are judged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array

from sklearn_distill._validation import check_labels
from sklearn_distill.distillers._born_again.judge import Judge
from sklearn_distill.distillers._born_again.lesson import Lesson, Rows
from sklearn_distill.teachers.tables import as_table, take_rows


def as_rows(X: Any) -> Any:
    """Return a frame as it is, and a matrix or images with any entries."""
    if getattr(X, "ndim", 2) > 2:
        return check_array(X, allow_nd=True, dtype=None, ensure_all_finite=False)
    return as_table(X)


def judge_of(lesson: Lesson, rows: Rows) -> Judge:
    """Judge by rows of the lesson."""
    return Judge(
        take_rows(lesson.X, rows),
        lesson.codes[rows],
        lesson.present[rows],
        lesson.weight[rows],
        lesson.classes,
    )


def judge_of_given(X_val: Any, y_val: Any, classes: NDArray[Any]) -> Judge:
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
    return Judge(X_val, labels.codes, labels.present, np.ones(len(labels.codes)), classes)


def part(lesson: Lesson, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Return rows to learn from and labelled rows to judge by, with the classes' shares kept."""
    labelled = np.flatnonzero(lesson.present)
    try:
        _, held = train_test_split(
            labelled, test_size=fraction, stratify=lesson.codes[labelled], random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True cannot set aside validation_fraction={fraction} of the "
            f"{len(labelled)} labelled rows: {str(error).rstrip('.')}. Give X_val and y_val, or "
            "other rows"
        ) from error
    return np.setdiff1d(np.arange(lesson.n), held), np.sort(held)
