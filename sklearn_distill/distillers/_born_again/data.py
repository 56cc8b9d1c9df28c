"""What a generation is told: labels in the first, the answers of the one before in the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.indexing import take_aligned, take_rows
from sklearn_distill._validation.labels import mark_missing
from sklearn_distill.teachers._cross_fit import PredictAligned, class_name


@dataclass(frozen=True)
class Predictions:
    """What a generation says of some rows.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Its predictions, as positions in the classes.
    proba : ndarray of shape (n_rows, n_classes) or None
        Its probabilities; None where it has none.
    """

    codes: IntArray
    proba: NDArray[np.float64] | None


def predictions_of(fitted: Any, X: Any, classes: NDArray[Any], where: str) -> Predictions:
    """Ask a fitted generation about rows."""
    codes = np.searchsorted(classes, np.asarray(fitted.predict(X)))
    if not hasattr(fitted, "predict_proba"):
        return Predictions(codes, None)
    return Predictions(codes, proba_of(fitted, X, classes, where))


def proba_of(fitted: Any, X: Any, classes: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Return probabilities with a column for each class; 0 in those that are not known."""
    return PredictAligned(classes, required=classes[:0])(fitted, X, where)


@dataclass(frozen=True)
class GenerationData:
    """Rows, their labels, and how a generation hears the one before.

    Parameters
    ----------
    X : matrix, frame or images of n_rows rows
        Features.
    codes : ndarray of shape (n_rows,)
        Labels, as positions in the classes; anything where ``present`` is False.
    present : ndarray of shape (n_rows,)
        Which rows have labels.
    classes : ndarray of shape (n_classes,)
        The classes.
    weight : ndarray of shape (n_rows,)
        Weights of the rows by which figures are averaged.
    fit_params : dict
        Further parameters of the student's fit, those with an entry for each row sliced.
    argument : str or None
        What fit calls a teacher's answers; None where they stand in for the labels.
    hard : bool
        Whether predictions are heard, or probabilities.
    """

    X: Any
    codes: IntArray
    present: NDArray[np.bool_]
    classes: NDArray[Any]
    weight: FloatArray
    fit_params: dict[str, Any]
    argument: str | None
    hard: bool

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def shown(self) -> NDArray[Any]:
        """The classes of labels that have weight."""
        return self.classes[np.unique(self.codes[self.present & (self.weight > 0)])]

    def first(self, student: Any, rows: IntArray, where: str) -> Any:
        """Fit a clone of the student on those of the rows that have labels."""
        labelled = rows[self.present[rows]]
        return self._fitted(student, labelled, self.classes[self.codes[labelled]], {}, where)

    def fit_on_targets(
        self, student: Any, rows: IntArray, heard: NDArray[np.float64], where: str
    ) -> Any:
        """Fit a clone of the student on what the generation before says of the rows.

        Where it says nothing (NaN) the label speaks alone.
        """
        if self.hard:
            heard = _one_hot_rows(heard)
        if self.argument is not None:
            return self._fitted(student, rows, self._marked(rows), {self.argument: heard}, where)
        silent = np.isnan(heard[:, 0])
        codes = np.where(silent, self.codes[rows], heard.argmax(axis=1))
        return self._fitted(student, rows, self.classes[codes], {}, where)

    def ask(self, fitted: Any, rows: IntArray, where: str) -> Predictions:
        """Return what a generation says of rows of X."""
        return predictions_of(fitted, take_rows(self.X, rows), self.classes, where)

    def as_targets(self, answers: Predictions) -> NDArray[np.float64]:
        """Return answers as the next generation hears them: probabilities, or 0 and 1."""
        if self.hard:
            return np.eye(len(self.classes))[answers.codes]
        assert answers.proba is not None  # who has none was refused before the first fit
        return answers.proba

    def _marked(self, rows: IntArray) -> NDArray[Any]:
        """Return labels, None where they are missing."""
        return mark_missing(self.classes[self.codes[rows]], self.present[rows])

    def _fitted(
        self, student: Any, rows: IntArray, y: NDArray[Any], told: dict[str, Any], where: str
    ) -> Any:
        params = {
            name: take_aligned(value, rows, self.n) for name, value in self.fit_params.items()
        }
        with _raised_by(student, where):
            return clone(student).fit(take_rows(self.X, rows), y, **told, **params)


@contextmanager
def _raised_by(student: Any, where: str) -> Iterator[None]:
    """Note on any error whose it is."""
    try:
        yield
    except Exception as error:
        error.add_note(f"raised by {class_name(student)} {where}")
        raise


def _one_hot_rows(heard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the most frequent answer of each row as 0 and 1; NaN stays."""
    votes = np.eye(heard.shape[1])[heard.argmax(axis=1)]
    votes[np.isnan(heard[:, 0])] = np.nan
    return votes
