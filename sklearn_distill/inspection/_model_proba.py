"""What each model answers on the test rows, with its classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.class_index import label_list
from sklearn_distill._validation.probabilities import check_proba


@dataclass(frozen=True, eq=False)
class ModelProba:
    """Probabilities of one model, a column for each class that it knows.

    Parameters
    ----------
    name : str
        The argument that it came from.
    classes : list
        The class of each column.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities.
    model : object or None
        The fitted model; None where only probabilities were given.
    us_per_row : float
        Prediction time by row in microseconds.
    """

    name: str
    classes: list[Any]
    proba: FloatArray
    model: object = None
    us_per_row: float = float("nan")

    def align(self, classes: list[Any]) -> FloatArray:
        """Return a column for each of `classes`, 0 for those that the model does not know.

        Parameters
        ----------
        classes : list
            All classes, the model's own among them.

        Returns
        -------
        ndarray of shape (n_samples, len(classes))
            Probabilities.
        """
        column = {label: j for j, label in enumerate(classes)}
        p = np.zeros((len(self.proba), len(classes)))
        p[:, [column[label] for label in self.classes]] = self.proba
        return p


def predict_proba_of(model: Any, X: Any, name: str) -> ModelProba:
    """Let a fitted classifier answer.

    Parameters
    ----------
    model : object
        A fitted classifier with predict_proba.
    X : array-like of shape (n_samples, n_features)
        Test rows.
    name : str
        What the error messages call the model.

    Returns
    -------
    Answers
        What it said.

    Raises
    ------
    ValueError
        If it has no predict_proba, or does not give one column per class.
    """
    if not hasattr(model, "predict_proba"):
        raise ValueError(
            f"{name} is a {type(model).__name__} without predict_proba; pass a fitted classifier "
            "that gives probabilities, for example wrapped in CalibratedClassifierCV."
        )
    proba = check_proba(model.predict_proba(X), f"{name}.predict_proba")
    return _matched(ModelProba(name, np.asarray(model.classes_).tolist(), proba, model))


def timed_predict_proba(model: Any, X: Any, name: str, n_repeats: int) -> ModelProba:
    """Let a fitted classifier answer, and time it.

    Parameters
    ----------
    model, X, name
        As in :func:`predict_proba_of`.
    n_repeats : int
        Number of timed calls.

    Returns
    -------
    Answers
        What it said, and how fast.
    """
    answers = predict_proba_of(model, X, name)
    us_per_row = microseconds_per_row(model, X, len(answers.proba), n_repeats)
    return replace(answers, us_per_row=us_per_row)


def read_proba(
    y_proba: Any, classes: ArrayLike | None, known: list[Any], name: str = "y_proba"
) -> ModelProba:
    """Take precomputed answers of a model.

    Parameters
    ----------
    y_proba : array-like of shape (n_samples, n_classes) or (n_samples,), or DataFrame
        Probabilities; the columns of a DataFrame are class labels, or the text of known ones.
    classes : array-like of shape (n_classes,) or None
        The class of each column; None is the columns of a DataFrame, else `known`.
    known : list
        The classes that are known from elsewhere.
    name : str
        The argument's name, for errors.

    Returns
    -------
    Answers
        What the model said.

    Raises
    ------
    ValueError
        If these are no probabilities, or there is not one column per class.
    """
    proba = check_proba(y_proba, name)
    if classes is not None:
        labels = np.asarray(classes).tolist()
    elif hasattr(y_proba, "columns"):
        by_text: dict[str, Any] = {str(label): label for label in known}
        labels = [c if c in known else by_text.get(c, c) for c in y_proba.columns]
    else:
        labels = known
    return _matched(ModelProba(name, labels, proba))


def _matched(answers: ModelProba) -> ModelProba:
    if len(set(answers.classes)) != answers.proba.shape[1]:
        raise ValueError(
            f"{answers.name} gives {answers.proba.shape[1]} columns of probabilities for the "
            f"classes {answers.classes}; there has to be one column for each class."
        )
    return answers


def all_classes(y: ArrayLike | None, models: Iterable[ModelProba]) -> list[Any]:
    """Return every class that occurs in y or that a model knows, sorted.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or None
        Test labels, where there are any.
    models : iterable of Answers
        The models.

    Returns
    -------
    list
        Class labels.

    Raises
    ------
    ValueError
        If a label is missing, or some are strings and others are not.
    """
    found = {m.name: m.classes for m in models}
    if y is not None:
        found["y"] = label_list(y, "y")
    strings = {name for name, labels in found.items() if any(isinstance(c, str) for c in labels)}
    others = found.keys() - strings
    if strings and others:
        raise ValueError(
            f"class labels are strings in {sorted(strings)} and not in {sorted(others)}; "
            "use one type."
        )
    return sorted(set().union(*found.values()))


BATCH_ROWS = 1000


def microseconds_per_row(model: Any, X: Any, n_rows: int, n_repeats: int) -> float:
    """Time predict_proba on one batch.

    Parameters
    ----------
    model : object
        A fitted classifier.
    X : array-like of shape (n_rows, n_features)
        Test rows; the first 1000 are the batch.
    n_rows : int
        Number of rows of `X`.
    n_repeats : int
        Number of timed calls; one call before them warms up.

    Returns
    -------
    float
        Median time of a call, by row, in microseconds.
    """
    size = min(n_rows, BATCH_ROWS)
    batch = X if size == n_rows else _first_rows(X, size)
    model.predict_proba(batch)
    return 1e6 * median(_seconds(model, batch) for _ in range(n_repeats)) / size


def _seconds(model: Any, batch: Any) -> float:
    start = perf_counter()
    model.predict_proba(batch)
    return perf_counter() - start


def _first_rows(X: Any, size: int) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:size]
    return X.tocsr()[:size] if hasattr(X, "tocsr") else X[:size]
