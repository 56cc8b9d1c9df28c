"""The validation set: rows of X, or samples that were passed as ``X_val`` and ``y_val``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from sklearn_distill._typing import CheckedX, IntArray, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import as_table, take_rows
from sklearn_distill._validation.labels import check_labels
from sklearn_distill._validation.masks import refuse_mask
from sklearn_distill.distillers._born_again.data import GenerationData
from sklearn_distill.distillers._born_again.scores import ValidationSet


def as_samples(X: MatrixLike) -> CheckedX:
    """Return a frame unchanged, and a matrix or images as an array; the student checks entries."""
    # images have more dimensions than as_table allows
    if getattr(X, "ndim", 2) > 2:
        refuse_mask("X", X)
        return check_array(X, allow_nd=True, dtype=None, ensure_all_finite=False)
    return as_table(X)


def validation_set(data: GenerationData, rows: IntArray) -> ValidationSet:
    """Return some rows of the data as a validation set."""
    return ValidationSet(
        take_rows(data.X, rows),
        data.codes[rows],
        data.labelled[rows],
        data.weight[rows],
        data.classes,
    )


def given_validation_set(
    X_val: CheckedX, y_val: TargetLike, classes: NDArray[Any]
) -> ValidationSet:
    """Return ``X_val`` and ``y_val`` as a validation set; each sample must have a label."""
    try:
        _, labels = check_labels(y_val, X_val.shape[0], classes, None)
    except ValueError as error:
        raise ValueError(f"X_val and y_val: {error}") from error
    if not labels.present.all():
        raise ValueError(
            f"y_val has no label in row {int(np.argmin(labels.present))}: generations are scored "
            "on labels, so leave out such rows"
        )
    return ValidationSet(X_val, labels.codes, labels.present, np.ones(len(labels.codes)), classes)
