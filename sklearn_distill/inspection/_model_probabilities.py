"""The class probabilities of one or several models for the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.class_index import label_list
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill.inspection._model_proba import (
    ModelProba,
    all_classes,
    predict_proba_of,
    read_proba,
)


@dataclass(frozen=True, eq=False)
class ModelProbabilities:
    """What each model says, over the classes of all.

    Parameters
    ----------
    classes : list
        The class of each column.
    by_model : dict of str to ndarray of shape (n_samples, n_classes)
        Probabilities; 0 for a class that a model does not know.
    y : list or None
        The true class of each row.
    """

    classes: list[Any]
    by_model: dict[str, FloatArray]
    y: list[Any] | None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.by_model.values())))

    def take(self, rows: ArrayLike) -> ModelProbabilities:
        """Return the same for some rows.

        Parameters
        ----------
        rows : array-like of int of shape (n_taken,)
            Their positions.

        Returns
        -------
        ModelProbabilities
            Those rows.
        """
        i = np.asarray(rows)
        y = None if self.y is None else [self.y[j] for j in i]
        return replace(self, by_model={name: p[i] for name, p in self.by_model.items()}, y=y)


def predict_models(estimator: Any, X: Any) -> dict[str, pd.DataFrame]:
    """Let fitted classifiers answer.

    Parameters
    ----------
    estimator : fitted classifier, or dict of them by name
        A single one is named by its class.
    X : array-like of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    dict of str to DataFrame of shape (n_samples, n_classes)
        By model, the columns its classes.

    Raises
    ------
    ValueError
        If a model gives no probabilities.
    """
    if isinstance(estimator, Mapping):
        said = {
            name: predict_proba_of(one, X, f"estimator[{name!r}]")
            for name, one in estimator.items()
        }
    else:
        said = {type(estimator).__name__: predict_proba_of(estimator, X, "estimator")}
    return {
        str(name): pd.DataFrame(answers.proba, columns=pd.Index(answers.classes))
        for name, answers in said.items()
    }


def read_models(
    y_proba: Any, y: ArrayLike | None = None, classes: ArrayLike | None = None
) -> ModelProbabilities:
    """Check probabilities of one or several models and give them the same columns.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them by name
        Probabilities; the columns of a DataFrame are classes.
    y : array-like of shape (n_samples,), default=None
        True classes.
    classes : array-like of shape (n_classes,), default=None
        The class of each column; None is the columns of a DataFrame, else the sorted labels of
        `y`, else 0, 1, ….

    Returns
    -------
    ModelProbabilities
        One array for each model.

    Raises
    ------
    ValueError
        If these are no probabilities, or rows or classes do not fit.
    """
    several = isinstance(y_proba, Mapping)
    given = y_proba if several else {"predictions": y_proba}
    if not given:
        raise ValueError("there is no model in an empty dict; pass one or more by name.")
    labels = None if y is None else label_list(y, "y")
    models = {
        str(name): _read(p, labels, classes, f"y_proba[{name!r}]" if several else "y_proba")
        for name, p in given.items()
    }
    _check_rows(labels, list(models.values()))
    columns = all_classes(labels, models.values())
    by_model = {name: answers.align(columns) for name, answers in models.items()}
    return ModelProbabilities(columns, by_model, labels)


def _read(
    y_proba: Any, labels: list[Any] | None, classes: ArrayLike | None, name: str
) -> ModelProba:
    if labels is not None:
        return read_proba(y_proba, classes, sorted(set(labels)), name)
    shape = np.shape(y_proba)
    counted = [] if hasattr(y_proba, "columns") else [*range(shape[1] if len(shape) > 1 else 2)]
    return read_proba(y_proba, classes, counted, name)


def _check_rows(labels: list[Any] | None, models: list[ModelProba]) -> None:
    first = models[0]
    for model in models[1:]:
        check_same_length(first.name, len(first.proba), model.name, len(model.proba))
    if labels is not None:
        check_same_length("y", len(labels), first.name, len(first.proba))
