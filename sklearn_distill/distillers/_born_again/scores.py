"""How good, how sure and how like the one before each generation is, and which is the best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import check_scoring

from sklearn_distill._typing import IntArray
from sklearn_distill.distillers._born_again.data import Predictions, predictions_of
from sklearn_distill.metrics import cross_entropy_from_proba, uncertainty_degree

Score = Callable[[Any, dict[str, float]], float]

_EPS = float(np.finfo(np.float64).eps)  # the floor of scikit-learn's log_loss


@dataclass(frozen=True)
class ValidationSet:
    """Rows by which generations are judged.

    Parameters
    ----------
    X : matrix, frame or images of n_rows rows
        Features.
    codes : ndarray of shape (n_rows,)
        Labels, as positions in the classes.
    present : ndarray of shape (n_rows,)
        Which rows have labels.
    weight : ndarray of shape (n_rows,)
        Weights of the rows.
    classes : ndarray of shape (n_classes,)
        The classes.
    """

    X: Any
    codes: IntArray
    present: NDArray[np.bool_]
    weight: NDArray[np.float64]
    classes: NDArray[Any]

    def ask(self, fitted: Any) -> Predictions:
        """Return what a generation says of the rows."""
        return predictions_of(fitted, self.X, self.classes, "on validation rows")

    def figures(self, answers: Predictions, before: Predictions | None) -> dict[str, float]:
        """Return accuracy, cross-entropy, uncertainty and the share of answers as before."""
        agreement = np.nan if before is None else self._mean(answers.codes == before.codes)
        return {
            "accuracy": self._mean(answers.codes == self.codes, self.present),
            "cross_entropy": self._cross_entropy(answers.proba),
            "uncertainty": self._uncertainty(answers.proba),
            "agreement": agreement,
        }

    def _mean(self, right: NDArray[np.bool_], rows: Any = slice(None)) -> float:
        return float(np.average(right[rows], weights=self.weight[rows]))

    def _cross_entropy(self, proba: NDArray[np.float64] | None) -> float:
        if proba is None:
            return np.nan
        labels = np.eye(proba.shape[1])[self.codes[self.present]]
        weight = self.weight[self.present]
        return cross_entropy_from_proba(labels, proba[self.present], eps=_EPS, sample_weight=weight)

    def _uncertainty(self, proba: NDArray[np.float64] | None) -> float:
        return np.nan if proba is None else uncertainty_degree(proba, sample_weight=self.weight)


class GenerationHistory:
    """The figures of each generation, on the rows that it learns from and on validation rows.

    Parameters
    ----------
    training : ValidationSet
        The rows to learn from.
    validation : ValidationSet or None
        Validation rows.
    score : callable or None
        (fitted, its validation figures) -> validation score, greater being better.
    """

    def __init__(
        self, training: ValidationSet, validation: ValidationSet | None, score: Score | None
    ) -> None:
        self.training = training
        self.validation = validation
        self.score = score
        self.rows: list[dict[str, float]] = []
        self._before: Predictions | None = None
        self._before_on_validation: Predictions | None = None

    def note(self, fitted: Any, answers: Predictions) -> float:
        """Note the next generation; return its validation score, nan without validation rows."""
        row = _prefixed("train", self.training.figures(answers, self._before))
        self._before = answers
        score = np.nan
        if self.validation is not None and self.score is not None:
            said = self.validation.ask(fitted)
            figures = self.validation.figures(said, self._before_on_validation)
            self._before_on_validation = said
            score = self.score(fitted, figures)
            row |= _prefixed("validation", {**figures, "score": score})
        self.rows.append(row)
        return score

    def table(self) -> pd.DataFrame:
        """Return a row for each generation, counted from 1."""
        index = pd.RangeIndex(1, len(self.rows) + 1, name="generation")
        return pd.DataFrame(self.rows, index=index)


def _prefixed(where: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{where}_{name}": value for name, value in figures.items()}


def score_by(scoring: Any, student: Any, judge: ValidationSet) -> Score:
    """Return the validation score, greater being better, of a generation and its figures."""
    if scoring is not None:
        scorer = check_scoring(student, scoring=scoring)
        y = judge.classes[judge.codes]
        return lambda fitted, figures: float(scorer(fitted, judge.X, y))
    if hasattr(student, "predict_proba"):
        return lambda fitted, figures: -figures["cross_entropy"]
    return lambda fitted, figures: figures["accuracy"]


@dataclass
class BestGeneration:
    """The generation with the highest score so far, the first of equals.

    Parameters
    ----------
    n_iter_no_change : int
        Generations without a higher score after which it is enough.
    """

    n_iter_no_change: int
    number: int = 0
    score: float = -np.inf

    def is_enough(self, number: int, score: float) -> bool:
        """Take note of a generation's score, and tell whether to stop."""
        if np.isnan(score):
            raise ValueError(
                f"scoring gives nan for generation {number}, by which no best one can be found: "
                "give another scoring, or validation rows that it is defined on"
            )
        if number == 1 or score > self.score:
            self.number, self.score = number, score
        return number - self.number >= self.n_iter_no_change
