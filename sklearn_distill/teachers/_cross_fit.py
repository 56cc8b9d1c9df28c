"""Fit a clone of a teacher on some rows, and ask it about others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import clone

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.indexing import take_aligned, take_rows
from sklearn_distill._validation.splits import Splits

FoldPredictions = tuple[NDArray[np.float64], NDArray[np.float64] | None]


@dataclass(frozen=True)
class FoldFit:
    """What one clone learns and is asked.

    Parameters
    ----------
    train : ndarray of shape (n_train,)
        Rows of X to fit it on.
    asked : ndarray of shape (n_asked,)
        Rows of X to ask it about.
    where : str
        What errors call the round.
    further : matrix, frame or None
        Rows that are not in X, to ask it about, too.
    """

    train: IntArray
    asked: IntArray
    where: str
    further: Any = None


def fold_fits(splits: Splits) -> list[FoldFit]:
    """Return a round for each fold."""
    return [
        FoldFit(train, test, f"in fold {k} of {len(splits)}")
        for k, (train, test) in enumerate(splits, start=1)
    ]


def fit_teacher(
    teacher: Any, X: Any, y: Any, rows: IntArray, fit_params: dict[str, Any], where: str
) -> Any:
    """Fit a clone of the teacher on some rows."""
    params = {name: take_aligned(value, rows, X.shape[0]) for name, value in fit_params.items()}
    with errors_name_teacher(teacher, where):
        return clone(teacher).fit(take_rows(X, rows), y[rows], **params)


def fit_and_predict(
    teacher: Any, X: Any, y: Any, rounds: list[FoldFit], fit_params: dict[str, Any], ask: Predict
) -> list[FoldPredictions]:
    """Return, for each round, the answers to the rows of X and to the further ones."""
    return [_answer(teacher, X, y, one, fit_params, ask) for one in rounds]


def _answer(
    teacher: Any, X: Any, y: Any, one: FoldFit, fit_params: dict[str, Any], ask: Predict
) -> FoldPredictions:
    fitted = fit_teacher(teacher, X, y, one.train, fit_params, one.where)
    answers = ask(fitted, take_rows(X, one.asked), one.where)
    return answers, None if one.further is None else ask(fitted, one.further, one.where)


def mean_by_row(
    asked: list[IntArray], answers: list[NDArray[np.float64]], n_rows: int
) -> NDArray[np.float64]:
    """Return each row's mean answer; NaN, a silent teacher, where no one was asked."""
    total = np.zeros((n_rows, *answers[0].shape[1:]))
    count = np.zeros(n_rows)
    for rows, says in zip(asked, answers, strict=True):
        total[rows] += says
        count[rows] += 1
    count[count == 0] = np.nan
    return total / (count if total.ndim == 1 else count[:, None])


Predict = Callable[[Any, Any, str], NDArray[np.float64]]


@dataclass(frozen=True)
class PredictAligned:
    """Ask a fitted teacher for probabilities in the order of ``classes``."""

    classes: NDArray[Any]
    required: NDArray[Any]

    def __call__(self, teacher: Any, X: Any, where: str) -> NDArray[np.float64]:
        """Return (n_rows, n_classes), with 0 for a class that the teacher need not know."""
        with errors_name_teacher(teacher, where):
            answers = _raw_proba(teacher, X)
        known = list(getattr(teacher, "classes_", self.classes))
        _check_answers(teacher, answers, (X.shape[0], len(known)), where)
        self._check_classes(teacher, known, where)
        aligned = np.zeros((len(answers), len(self.classes)))
        position = {label: k for k, label in enumerate(self.classes.tolist())}
        aligned[:, [position[label] for label in np.asarray(known).tolist()]] = answers
        return aligned

    def _check_classes(self, teacher: Any, known: list[Any], where: str) -> None:
        lacking = sorted(set(self.required.tolist()) - set(np.asarray(known).tolist()))
        if lacking:
            raise ValueError(
                f"teacher {class_name(teacher)} {where} never saw the classes {lacking}, which y "
                "shows: use fewer folds or a stratified splitter, or drop classes with too few rows"
            )
        beyond = sorted(set(np.asarray(known).tolist()) - set(self.classes.tolist()))
        if beyond:
            raise ValueError(
                f"teacher {class_name(teacher)} {where} knows the classes {beyond}, which y does "
                "not show: say classes=[...] with all of them (of a student: in its constructor)"
            )


def predict_finite(teacher: Any, X: Any, where: str) -> NDArray[np.float64]:
    """Ask a fitted teacher for predictions."""
    with errors_name_teacher(teacher, where):
        answers = np.asarray(teacher.predict(X), dtype=np.float64)
    _check_answers(teacher, answers, (X.shape[0], *answers.shape[1:]), where)
    return answers


def _raw_proba(teacher: Any, X: Any) -> NDArray[np.float64]:
    if hasattr(teacher, "predict_proba"):
        return np.asarray(teacher.predict_proba(X), dtype=np.float64)
    if not hasattr(teacher, "decision_function"):
        raise TypeError("it has neither predict_proba nor decision_function")
    margins = np.asarray(teacher.decision_function(X), dtype=np.float64)
    if margins.ndim == 1:
        return np.stack([expit(-margins), expit(margins)], axis=1)
    return np.asarray(softmax(margins, axis=1))


def _check_answers(
    teacher: Any, answers: NDArray[np.float64], shape: tuple[int, ...], where: str
) -> None:
    if answers.shape != shape:
        raise ValueError(
            f"teacher {class_name(teacher)} {where} answers with shape {answers.shape}, not {shape}"
        )
    strange = ~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1)
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"teacher {class_name(teacher)} {where} answers {answers[row].tolist()} on the row "
            f"{row} that it was asked about ({int(strange.sum())} such rows): a teacher must "
            "answer with finite numbers; clean its input or take another teacher"
        )


@contextmanager
def errors_name_teacher(teacher: Any, where: str) -> Iterator[None]:
    """Say in any error whose it is and in which fold."""
    try:
        yield
    except Exception as error:
        kinds = (ValueError, TypeError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)
        raise kind(f"teacher {class_name(teacher)} failed {where}: {error}") from error


def class_name(teacher: Any) -> str:
    """Return the name of the teacher's class."""
    return type(teacher).__name__
