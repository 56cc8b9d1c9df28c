"""The predicted probabilities of one model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import BoolArray, FloatArray, MatrixLike
from sklearn_distill._validation.class_index import label_list
from sklearn_distill._validation.probabilities import check_proba

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


@dataclass(frozen=True, eq=False)
class ModelProba:
    """The predicted probabilities of one model, with a column for each of its own classes.

    :class:`~sklearn_distill.inspection._aligned_proba.AlignedProba` holds those of several models
    over common classes.

    Parameters
    ----------
    name : str
        The argument that the probabilities come from, for error messages.
    classes : list
        The class of each column.
    proba : ndarray of shape (n_samples, n_classes)
        Predicted probabilities, one row per sample.
    model : estimator or None
        The fitted model; None where only probabilities were passed.
    missing : ndarray of bool of shape (n_samples,) or None
        Where a prediction is missing, and the probabilities mean nothing; None is nowhere.
    """

    name: str
    classes: list[Any]
    proba: FloatArray
    model: BaseEstimator | None = None
    missing: BoolArray | None = None

    @property
    def present(self) -> BoolArray:
        """Mask of the rows whose prediction is not missing."""
        if self.missing is None:
            return np.ones(len(self.proba), dtype=bool)
        return ~self.missing

    def align(self, classes: list[Any]) -> FloatArray:
        """Return a column for each of `classes`, 0 for those that the model does not know.

        Parameters
        ----------
        classes : list
            All classes; they include the model's own.

        Returns
        -------
        ndarray of shape (n_samples, len(classes))
            Predicted probabilities, columns in the order of `classes`.
        """
        column = {label: j for j, label in enumerate(classes)}
        p = np.zeros((len(self.proba), len(classes)))
        p[:, [column[label] for label in self.classes]] = self.proba
        return p


def predict_proba_of(model: BaseEstimator, X: MatrixLike, name: str) -> ModelProba:
    """Predict the class probabilities of a fitted classifier.

    Parameters
    ----------
    model : estimator
        A fitted classifier with predict_proba.
    X : array-like of shape (n_samples, n_features)
        Test samples, with the features of the model.
    name : str
        What the error messages call the model.

    Returns
    -------
    ModelProba
        The checked probabilities and the model's classes.

    Raises
    ------
    ValueError
        If it has no predict_proba, or does not return one column per class.
    """
    if not hasattr(model, "predict_proba"):
        raise ValueError(
            f"{name} is a {type(model).__name__} without predict_proba; pass a fitted classifier "
            "that gives probabilities, for example wrapped in CalibratedClassifierCV."
        )
    proba = check_proba(model.predict_proba(X), f"{name}.predict_proba")
    return _check_columns(ModelProba(name, np.asarray(model.classes_).tolist(), proba, model))


def read_proba(
    y_proba: ArrayLike, classes: ArrayLike | None, known: list[Any], name: str = "y_proba"
) -> ModelProba:
    """Check the precomputed probabilities of a model.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or DataFrame
        Probabilities; the columns of a DataFrame are class labels, or the text of known ones.
    classes : array-like of shape (n_classes,) or None
        The class of each column; None takes the columns of a DataFrame, else `known`.
    known : list
        The classes that are known from elsewhere.
    name : str
        The argument's name, for error messages.

    Returns
    -------
    ModelProba
        The checked probabilities; it has no model and no time.

    Raises
    ------
    ValueError
        If these are no probabilities, or there is not one column per class.
    """
    proba = check_proba(y_proba, name)
    if classes is not None:
        labels = np.asarray(classes).tolist()
    elif hasattr(y_proba, "columns"):
        # the columns of a frame may be "0", "1", … where the labels are 0, 1, …
        by_text: dict[str, Any] = {str(label): label for label in known}
        labels = [c if c in known else by_text.get(c, c) for c in y_proba.columns]
    else:
        labels = known
    return _check_columns(ModelProba(name, labels, proba))


def _check_columns(predicted: ModelProba) -> ModelProba:
    # a set, because a class that comes twice would leave a column without a class of its own
    if len(set(predicted.classes)) != predicted.proba.shape[1]:
        raise ValueError(
            f"{predicted.name} gives {predicted.proba.shape[1]} columns of probabilities for the "
            f"classes {predicted.classes}; there has to be one column for each class."
        )
    return predicted


def all_classes(y: ArrayLike | None, models: Iterable[ModelProba], name: str = "y") -> list[Any]:
    """Return every class that occurs in y or that a model knows, sorted.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        Test labels, if there are any.
    models : iterable of ModelProba
        The predicted probabilities of each model.
    name : str, default="y"
        The name of the argument `y`, for error messages.

    Returns
    -------
    list
        Class labels.

    Raises
    ------
    ValueError
        If a label is missing, or some are strings and others are not.
    """
    classes_by_source = {model.name: model.classes for model in models}
    if y is not None:
        classes_by_source[name] = label_list(y, name)
    with_strings = {
        name
        for name, labels in classes_by_source.items()
        if any(isinstance(c, str) for c in labels)
    }
    without_strings = classes_by_source.keys() - with_strings
    # such as "1" in y and 1 in the model: sorting would fail without naming the arguments
    if with_strings and without_strings:
        raise ValueError(
            f"class labels are strings in {sorted(with_strings)} and not in "
            f"{sorted(without_strings)}; use one type."
        )
    return sorted(set().union(*classes_by_source.values()))
