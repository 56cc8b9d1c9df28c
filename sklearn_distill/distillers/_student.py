"""What the student is told: its fit's argument, and the rows that only the teacher speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.distillers._further_rows import stack
from sklearn_distill.teachers.fit_arguments import fit_argument
from sklearn_distill.teachers.tables import by_row, take_rows


def teacher_argument(student: Any, name: str) -> str:
    """Return how the student's fit calls the teacher's answers, in a pipeline with its step."""
    argument = fit_argument(student, name)
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
class Told:
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

    def take(self, rows: NDArray[np.intp], answers: NDArray[np.float64]) -> Told:
        """Return some of the rows with other answers."""
        n_rows = len(self.y)
        params = {name: by_row(value, rows, n_rows) for name, value in self.fit_params.items()}
        return Told(take_rows(self.X, rows), self.y[rows], answers, params)

    def extended(self, X: Any, answers: NDArray[np.float64]) -> Told:
        """Add rows without labels, each of which weighs what a row weighs on average."""
        params = {
            name: _with_mean(value, len(answers)) if _is_weight(name) else value
            for name, value in self.fit_params.items()
        }
        return Told(
            stack(self.X, X),
            _with_missing(self.y, len(answers)),
            np.concatenate([self.answers, answers]),
            params,
        )


def _is_weight(name: str) -> bool:
    return name.endswith("sample_weight")


def _with_missing(y: NDArray[Any], n_more: int) -> NDArray[Any]:
    if y.dtype.kind == "f":
        return np.concatenate([y, np.full((n_more, *y.shape[1:]), np.nan)])
    return np.concatenate([y.astype(object), np.full(n_more, None)])


def _with_mean(weight: Any, n_more: int) -> NDArray[np.float64]:
    weight = np.asarray(weight, dtype=np.float64)
    return np.concatenate([weight, np.full(n_more, weight.mean())])
