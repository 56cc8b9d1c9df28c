"""Metrics of each generation on the training and the validation set, and which one is the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import check_scoring

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill.distillers._born_again.data import Predictions, predictions_of
from sklearn_distill.metrics import cross_entropy_from_proba, uncertainty_degree

Metrics = dict[str, float]
Score = Callable[[Any, Metrics], float]

_EPS = float(np.finfo(np.float64).eps)  # the floor of scikit-learn's log_loss


@dataclass(frozen=True)
class EvaluationSet:
    """Samples on which generations are evaluated: the training or the validation set.

    Parameters
    ----------
    X : matrix, frame or images of n_rows rows
        Features, in the form that the student's fit takes.
    codes : ndarray of shape (n_rows,)
        Labels, as positions in the classes; any value where ``labelled`` is False.
    labelled : ndarray of bool of shape (n_rows,)
        Rows that have a label.
    weight : ndarray of shape (n_rows,)
        Sample weights, by which the metrics are averaged.
    classes : ndarray of shape (n_classes,)
        Class labels, ascending.
    """

    X: CheckedX
    codes: IntArray
    labelled: BoolArray
    weight: FloatArray
    classes: NDArray[Any]

    def predict(self, fitted: Any) -> Predictions:
        """Return the predictions of a generation for these samples."""
        return predictions_of(fitted, self.X, self.classes, "on the validation set")

    def metrics(self, predictions: Predictions, previous: Predictions | None) -> Metrics:
        """Return accuracy, cross-entropy, uncertainty and agreement with the previous ones."""
        codes = predictions.codes
        agreement = np.nan
        if previous is not None:  # an outside teacher has no prediction where its code is −1
            agreement = self._mean(codes == previous.codes, previous.codes >= 0)
        return {
            "accuracy": self._mean(codes == self.codes, self.labelled),
            "cross_entropy": self._cross_entropy(predictions.proba),
            "uncertainty": self._uncertainty(predictions.proba),
            "agreement": agreement,
        }

    def _mean(self, values: BoolArray, rows: BoolArray | slice = slice(None)) -> float:
        return float(np.average(values[rows], weights=self.weight[rows]))

    def _cross_entropy(self, proba: NDArray[np.float64] | None) -> float:
        if proba is None:
            return np.nan
        labels = np.eye(proba.shape[1])[self.codes[self.labelled]]
        weight = self.weight[self.labelled]
        return cross_entropy_from_proba(
            labels, proba[self.labelled], eps=_EPS, sample_weight=weight
        )

    def _uncertainty(self, proba: NDArray[np.float64] | None) -> float:
        return np.nan if proba is None else uncertainty_degree(proba, sample_weight=self.weight)


class GenerationHistory:
    """The metrics of each generation on the training set and on the validation set.

    Parameters
    ----------
    training : EvaluationSet
        The samples that the generations are trained on.
    validation : EvaluationSet or None
        The validation set; None if there is none, and so no validation score.
    score : callable or None
        ``score(fitted, validation_metrics)`` returns the validation score, the greater the better.
    first : Predictions or None, default=None
        Predictions of an outside teacher for the training set, with which the first generation is
        compared.
    """

    def __init__(
        self,
        training: EvaluationSet,
        validation: EvaluationSet | None,
        score: Score | None,
        first: Predictions | None = None,
    ) -> None:
        self.training = training
        self.validation = validation
        self.score = score
        self.records: list[Metrics] = []
        self._previous = first
        self._previous_on_validation: Predictions | None = None

    def record(self, fitted: Any, predictions: Predictions) -> float:
        """Record the metrics of the next generation, and return its validation score.

        Parameters
        ----------
        fitted : classifier
            The generation, which predicts for the validation set here.
        predictions : Predictions
            Its predictions for the training set.

        Returns
        -------
        float
            The validation score; NaN without a validation set.
        """
        record = _prefixed("train", self.training.metrics(predictions, self._previous))
        self._previous = predictions
        score = np.nan
        if self.validation is not None and self.score is not None:
            on_validation = self.validation.predict(fitted)
            metrics = self.validation.metrics(on_validation, self._previous_on_validation)
            self._previous_on_validation = on_validation
            score = self.score(fitted, metrics)
            record |= _prefixed("validation", {**metrics, "score": score})
        self.records.append(record)
        return score


def _prefixed(prefix: str, metrics: Metrics) -> Metrics:
    return {f"{prefix}_{name}": value for name, value in metrics.items()}


def score_by(scoring: Any, student: Any, validation: EvaluationSet) -> Score:
    """Return a function that scores a generation, from its metrics where possible."""
    if scoring is not None:
        scorer = check_scoring(student, scoring=scoring)
        y = validation.classes[validation.codes]
        return lambda fitted, metrics: float(scorer(fitted, validation.X, y))
    # among the metrics, so no further prediction is needed
    if hasattr(student, "predict_proba"):
        return lambda fitted, metrics: -metrics["cross_entropy"]
    return lambda fitted, metrics: metrics["accuracy"]


@dataclass
class BestGeneration:
    """The generation with the highest score so far, the first one among equals.

    Parameters
    ----------
    n_iter_no_change : int
        Number of generations without a higher score after which to stop.
    """

    n_iter_no_change: int
    number: int = 0
    score: float = -np.inf

    def should_stop(self, number: int, score: float) -> bool:
        """Update the best generation, and return whether to stop."""
        if np.isnan(score):
            raise ValueError(
                f"scoring returned nan for generation {number}, so the best generation cannot be "
                "selected: pass another scoring, or a validation set on which it is defined"
            )
        # the first is the best so far even if its score is -inf
        if number == 1 or score > self.score:
            self.number, self.score = number, score
        return number - self.number >= self.n_iter_no_change
