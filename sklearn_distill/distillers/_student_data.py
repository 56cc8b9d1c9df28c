"""What the student is told: its fit's argument, and the rows that only the teacher speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import IntArray
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import take_aligned, take_rows
from sklearn_distill._validation.labels import mark_missing
from sklearn_distill.distillers._extra_samples import stack


def required_teacher_param(student: Any, name: str) -> str:
    """Return how the student's fit calls the teacher's answers, in a pipeline with its step."""
    argument = fit_param_name(student, name)
    if argument is None:
        raise ValueError(
            f"student {type(student).__name__} cannot learn from a teacher: its fit takes no "
            f"{name}, nor does the last step of a pipeline; take a student of sklearn_distill, and "
            "search over its parameters outside, as student__imitation"
        )
    return argument


def last_step(student: Any) -> Any:
    """Return the estimator that learns, which in a pipeline is the last step."""
    steps = getattr(student, "steps", None)
    return last_step(steps[-1][1]) if steps else student


@dataclass(frozen=True)
class StudentData:
    """What the student is told: rows, labels with missing ones marked, the teacher's answers.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_student_features)
        What the student sees.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels; None or NaN where missing.
    answers : ndarray of shape (n_rows, ...)
        The teacher's answers.
    fit_params : dict
        Parameters of the student's fit.
    """

    X: Any
    y: NDArray[Any]
    answers: NDArray[np.float64]
    fit_params: dict[str, Any]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weights of the rows, 1 where there are none."""
        given = [self.fit_params[name] for name in self.fit_params if _is_weight(name)]
        return np.asarray(given[0], dtype=np.float64) if given else np.ones(len(self.y))

    def take(self, rows: IntArray, answers: NDArray[np.float64]) -> StudentData:
        """Return some of the rows with other answers."""
        n_rows = len(self.y)
        params = {
            name: take_aligned(value, rows, n_rows) for name, value in self.fit_params.items()
        }
        return StudentData(take_rows(self.X, rows), self.y[rows], answers, params)

    def extended(self, X: Any, answers: NDArray[np.float64]) -> StudentData:
        """Add rows without labels, each of which weighs what a row weighs on average."""
        n_more = len(answers)
        params = {
            name: _with_mean(value, n_more) if _is_weight(name) else value
            for name, value in self.fit_params.items()
        }
        y = np.concatenate([self.y, np.repeat(self.y[:1], n_more, axis=0)])
        return StudentData(
            stack(self.X, X),
            mark_missing(y, np.arange(len(y)) < len(self.y)),
            np.concatenate([self.answers, answers]),
            params,
        )


def _is_weight(name: str) -> bool:
    return name.endswith("sample_weight")


def _with_mean(weight: Any, n_more: int) -> NDArray[np.float64]:
    weight = np.asarray(weight, dtype=np.float64)
    return np.concatenate([weight, np.full(n_more, weight.mean())])
