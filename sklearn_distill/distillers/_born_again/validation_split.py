"""The validation set: rows of X, or samples that were passed as ``X_val`` and ``y_val``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import CheckedX, IntArray, TargetLike
from sklearn_distill._validation.indexing import take_rows
from sklearn_distill._validation.labels import check_labels
from sklearn_distill.distillers._born_again.data import GenerationData
from sklearn_distill.distillers._born_again.scores import EvaluationSet


def evaluation_set(data: GenerationData, rows: IntArray) -> EvaluationSet:
    """Return some rows of the data as a set to evaluate generations on."""
    return EvaluationSet(
        take_rows(data.X, rows),
        data.codes[rows],
        data.labelled[rows],
        data.weight[rows],
        data.classes,
    )


def given_validation_set(
    X_val: CheckedX, y_val: TargetLike, classes: NDArray[Any]
) -> EvaluationSet:
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
    return EvaluationSet(X_val, labels.codes, labels.present, np.ones(len(labels.codes)), classes)
