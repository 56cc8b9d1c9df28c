"""The predicted probabilities of several models for the same samples, over common classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray, MatrixLike
from sklearn_distill._validation.class_index import label_list
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill.inspection._model_proba import (
    ModelProba,
    all_classes,
    predict_proba_of,
    read_proba,
)

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

# those of one model, or of several by name
ProbaLike: TypeAlias = ArrayLike | Mapping[str, ArrayLike]


@dataclass(frozen=True, eq=False)
class AlignedProba:
    """The predicted probabilities of several models; all have the same rows and columns.

    Parameters
    ----------
    classes : list
        The class of each column: every class that occurs in `y` or that a model knows.
    by_model : dict of str to ndarray of shape (n_samples, n_classes)
        Predicted probabilities; 0 for a class that a model does not know.
    y : list or None
        The true class of each sample, if it is known.
    """

    classes: list[Any]
    by_model: dict[str, FloatArray]
    y: list[Any] | None

    @property
    def n_rows(self) -> int:
        """Number of samples."""
        return len(next(iter(self.by_model.values())))

    def take(self, rows: ArrayLike) -> AlignedProba:
        """Restrict to some samples.

        Parameters
        ----------
        rows : array-like of int of shape (n_taken,)
            Row numbers of the samples.

        Returns
        -------
        AlignedProba
            Probabilities and true classes of these samples.
        """
        i = np.asarray(rows)
        y = None if self.y is None else [self.y[j] for j in i]
        return replace(self, by_model={name: p[i] for name, p in self.by_model.items()}, y=y)


def predict_by_model(
    estimator: BaseEstimator | Mapping[str, BaseEstimator], X: MatrixLike
) -> dict[str, pd.DataFrame]:
    """Predict the class probabilities of one or several fitted classifiers.

    Parameters
    ----------
    estimator : fitted classifier, or dict of them by name
        A single one is named by its class.
    X : array-like of shape (n_samples, n_features)
        The samples, which all models predict.

    Returns
    -------
    dict of str to DataFrame of shape (n_samples, n_classes)
        The probabilities of each model, with its classes as columns.

    Raises
    ------
    ValueError
        If a model has no predict_proba.
    """
    if isinstance(estimator, Mapping):
        predicted = {
            name: predict_proba_of(model, X, f"estimator[{name!r}]")
            for name, model in estimator.items()
        }
    else:
        predicted = {type(estimator).__name__: predict_proba_of(estimator, X, "estimator")}
    return {
        str(name): pd.DataFrame(model.proba, columns=pd.Index(model.classes))
        for name, model in predicted.items()
    }


def align_proba(
    y_proba: ProbaLike, y: ArrayLike | None = None, classes: ArrayLike | None = None
) -> AlignedProba:
    """Check the probabilities of one or several models and give them the same columns.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or dict of them by name
        Probabilities; the columns of a DataFrame are classes.
    y : array-like of shape (n_samples,), default=None
        True class of each sample.
    classes : array-like of shape (n_classes,), default=None
        The class of each column; None takes the columns of a DataFrame, else the sorted labels
        of `y`, else 0, 1, ….

    Returns
    -------
    AlignedProba
        One array for each model.

    Raises
    ------
    ValueError
        If these are no probabilities, or rows or classes do not fit.
    """
    several = isinstance(y_proba, Mapping)
    by_name = y_proba if isinstance(y_proba, Mapping) else {"predictions": y_proba}
    if not by_name:
        raise ValueError("there is no model in an empty dict; pass one or more by name.")
    labels = None if y is None else label_list(y, "y")
    models = {
        str(name): _read(p, labels, classes, f"y_proba[{name!r}]" if several else "y_proba")
        for name, p in by_name.items()
    }
    _check_rows(labels, list(models.values()))
    columns = all_classes(labels, models.values())
    by_model = {name: model.align(columns) for name, model in models.items()}
    return AlignedProba(columns, by_model, labels)


def _read(
    y_proba: ArrayLike, labels: list[Any] | None, classes: ArrayLike | None, name: str
) -> ModelProba:
    if labels is not None:
        return read_proba(y_proba, classes, sorted(set(labels)), name)
    shape = np.shape(y_proba)
    n_classes = shape[1] if len(shape) > 1 else 2  # one dimension is P(second of two classes)
    numbered = [] if hasattr(y_proba, "columns") else [*range(n_classes)]
    return read_proba(y_proba, classes, numbered, name)


def _check_rows(labels: list[Any] | None, models: list[ModelProba]) -> None:
    first = models[0]
    for model in models[1:]:
        check_same_length(first.name, len(first.proba), model.name, len(model.proba))
    if labels is not None:
        check_same_length("y", len(labels), first.name, len(first.proba))
