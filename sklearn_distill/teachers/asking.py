"""Ask a fitted teacher, and take no answer that is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from sklearn_distill.teachers.errors import name_of, named_in_errors

Ask = Callable[[Any, Any, str], NDArray[np.float64]]


@dataclass(frozen=True)
class AskProba:
    """Ask a fitted teacher for probabilities in the order of ``classes``."""

    classes: NDArray[Any]
    required: NDArray[Any]

    def __call__(self, teacher: Any, X: Any, where: str) -> NDArray[np.float64]:
        """Return (n_rows, n_classes), with 0 for a class that the teacher need not know."""
        with named_in_errors(teacher, where):
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
                f"teacher {name_of(teacher)} {where} never saw the classes {lacking}, which y "
                "shows: use fewer folds or a stratified splitter, or drop classes with too few rows"
            )
        beyond = sorted(set(np.asarray(known).tolist()) - set(self.classes.tolist()))
        if beyond:
            raise ValueError(
                f"teacher {name_of(teacher)} {where} knows the classes {beyond}, which y does not "
                "show: say classes=[...] with all of them (of a student: in its constructor)"
            )


def ask_prediction(teacher: Any, X: Any, where: str) -> NDArray[np.float64]:
    """Ask a fitted teacher for predictions."""
    with named_in_errors(teacher, where):
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
            f"teacher {name_of(teacher)} {where} answers with shape {answers.shape}, not {shape}"
        )
    strange = ~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1)
    if strange.any():
        row = int(np.argmax(strange))
        raise ValueError(
            f"teacher {name_of(teacher)} {where} answers {answers[row].tolist()} on the row {row} "
            f"that it was asked about ({int(strange.sum())} such rows): a teacher must answer "
            "with finite numbers; clean its input or take another teacher"
        )
