"""Training data of a generation: labels at first, then predictions of the previous one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.fit_params import clone_without_teacher
from sklearn_distill._validation.indexing import take_aligned, take_rows
from sklearn_distill._validation.labels import mark_missing
from sklearn_distill._validation.last_step import last_step
from sklearn_distill._validation.plausible_teacher import own_predictions
from sklearn_distill.teachers._cross_fit import PredictAligned, class_name
from sklearn_distill.teachers._encoded_labels import fit_on_any_labels


@dataclass(frozen=True)
class Predictions:
    """Predictions of a generation.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Predicted classes, as positions in the classes.
    proba : ndarray of shape (n_rows, n_classes) or None
        Predicted probabilities; None for a student without ``predict_proba``.
    """

    codes: IntArray
    proba: NDArray[np.float64] | None


def predictions_of(fitted: Any, X: CheckedX, classes: NDArray[Any], where: str) -> Predictions:
    """Predict classes, and probabilities if the fitted generation has them."""
    codes = np.searchsorted(classes, np.asarray(fitted.predict(X)))
    if not hasattr(fitted, "predict_proba"):
        return Predictions(codes, None)
    return Predictions(codes, proba_of(fitted, X, classes, where))


def proba_of(fitted: Any, X: CheckedX, classes: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Return probabilities with a column for each class; 0 for a class it was not trained on."""
    # no class is required: hard labels may lose one from a generation to the next
    return PredictAligned(classes, required=classes[:0])(fitted, X, where)


@dataclass(frozen=True)
class HeldOut:
    """Labelled rows that students validate on, and the parameter of their fit that marks them."""

    rows: IntArray
    param: str


@dataclass(frozen=True)
class GenerationData:
    """Features and labels, and how predictions of a generation become targets of the next.

    Parameters
    ----------
    X : matrix, frame or images of n_rows rows
        Features, in the form that the student's fit takes.
    codes : ndarray of shape (n_rows,)
        Labels, as positions in the classes; any value where ``labelled`` is False.
    labelled : ndarray of bool of shape (n_rows,)
        Rows that have a label.
    classes : ndarray of shape (n_classes,)
        Class labels, ascending.
    weight : ndarray of shape (n_rows,)
        Sample weights, by which the metrics are averaged.
    fit_params : dict
        Further parameters of the student's fit; those with one entry per row are sliced.
    teacher_param : str or None
        The parameter of the student's fit that takes the teacher's probabilities; None if the
        predicted classes replace the labels.
    hard : bool
        Whether targets are predicted classes instead of probabilities.
    first_targets : ndarray of shape (n_rows, n_classes) or None, default=None
        Probabilities by an outside teacher, on which the first generation is trained; NaN where it
        has no prediction, None without one.
    held_out : HeldOut or None, default=None
        Rows that each generation validates on, of which none is trained on; None if students do
        not, or hold out rows themselves.
    """

    X: CheckedX
    codes: IntArray
    labelled: BoolArray
    classes: NDArray[Any]
    weight: FloatArray
    fit_params: dict[str, Any]
    teacher_param: str | None
    hard: bool
    first_targets: NDArray[np.float64] | None = None
    held_out: HeldOut | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def observed_classes(self) -> NDArray[Any]:
        """The classes of labels that have a positive weight."""
        return self.classes[np.unique(self.codes[self.labelled & (self.weight > 0)])]

    def labels_of(self, rows: IntArray) -> NDArray[Any]:
        """Return the labels of those of the rows that have one."""
        return self.classes[self.codes[rows[self.labelled[rows]]]]

    def fit_first(self, student: Any, rows: IntArray, where: str) -> Any:
        """Fit the first generation: on the outside teacher's predictions, or on the labels."""
        if self.first_targets is None:
            return self.fit_on_labels(student, rows, where)
        rows = rows[self.labelled[rows] | ~np.isnan(self.first_targets[rows, 0])]
        return self.fit_on_targets(student, rows, self.first_targets[rows], where)

    def fit_on_labels(self, student: Any, rows: IntArray, where: str) -> Any:
        """Fit a clone of the student, with λ = 0, on those of the rows that have labels."""
        labelled = rows[self.labelled[rows]]
        return self._fit(student, labelled, self.labels_of(rows), {}, where)

    def fit_on_targets(self, student: Any, rows: IntArray, targets: FloatArray, where: str) -> Any:
        """Fit a clone of the student on targets; for rows of NaN only the label is used."""
        if self.hard:
            targets = _most_frequent(targets)
        if self.teacher_param is not None:
            y = mark_missing(self.classes[self.codes[rows]], self.labelled[rows])
            columns = targets[:, self._columns(student, rows)]
            return self._fit(student, rows, y, {self.teacher_param: columns}, where)
        without_prediction = np.isnan(targets[:, 0])
        codes = np.where(without_prediction, self.codes[rows], targets.argmax(axis=1))
        return self._fit(student, rows, self.classes[codes], {}, where)

    def _columns(self, student: Any, rows: IntArray) -> BoolArray:
        """Return the classes that the student reads: those of its ``classes``, or of the labels.

        A fold's chain has not seen the classes that its rows lack, and predicts 0 for them.
        """
        if getattr(last_step(student), "classes", None) is not None:
            return np.ones(len(self.classes), dtype=bool)
        return np.isin(self.classes, self.labels_of(rows))

    def predict(self, fitted: Any, rows: IntArray, where: str) -> Predictions:
        """Return the predictions of a generation for rows of X."""
        return predictions_of(fitted, take_rows(self.X, rows), self.classes, where)

    def as_targets(self, predictions: Predictions) -> NDArray[np.float64]:
        """Return probabilities, or predicted classes as probabilities of 0 and 1."""
        if self.hard:
            return np.eye(len(self.classes))[predictions.codes]
        assert predictions.proba is not None  # teacher_param checks that the student has them
        return predictions.proba

    def _fit(
        self,
        student: Any,
        rows: IntArray,
        y: NDArray[Any],
        teacher_params: dict[str, FloatArray],
        where: str,
    ) -> Any:
        has_teacher = bool(teacher_params)
        rows, y, special = self._with_held_out(rows, y, teacher_params)
        params = {
            name: take_aligned(value, rows, self.n_rows)
            for name, value in self.fit_params.items()
            # the generation that is fitted on labels alone has no teacher to be trusted
            if has_teacher or not name.endswith("teacher_weight")
        }
        with _note_on_errors(student, where), own_predictions():
            unfitted = clone_without_teacher(student, special | params)
            return fit_on_any_labels(unfitted, take_rows(self.X, rows), y, special | params)

    def _with_held_out(
        self, rows: IntArray, y: NDArray[Any], teacher_params: dict[str, FloatArray]
    ) -> tuple[IntArray, NDArray[Any], dict[str, Any]]:
        """Append the rows that are validated on, without a prediction, and mark them."""
        if self.held_out is None:
            return rows, y, teacher_params
        held_out = self.held_out.rows
        is_held_out = np.repeat([False, True], [len(rows), len(held_out)])
        padded = {
            name: np.concatenate([proba, np.full((len(held_out), proba.shape[1]), np.nan)])
            for name, proba in teacher_params.items()
        }
        y = np.concatenate([y, self.labels_of(held_out)])
        return np.concatenate([rows, held_out]), y, {**padded, self.held_out.param: is_held_out}


@contextmanager
def _note_on_errors(student: Any, where: str) -> Iterator[None]:
    """Add a note with student and generation to an error; its type and message are unchanged."""
    try:
        yield
    except Exception as error:
        error.add_note(f"raised by {class_name(student)} {where}")
        raise


def _most_frequent(votes: FloatArray) -> FloatArray:
    """Return the class with the most votes as 0 and 1; rows of NaN stay.

    The mean over several folds has fractions if they predict different classes.
    """
    targets: FloatArray = np.eye(votes.shape[1])[votes.argmax(axis=1)]
    targets[np.isnan(votes[:, 0])] = np.nan
    return targets
