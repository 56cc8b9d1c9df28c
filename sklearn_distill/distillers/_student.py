"""What the student is told: its fit's argument, and the rows that only the teacher speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from sklearn_distill.teachers.out_of_fold import fit_argument


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

    def extended(self, X: Any, answers: NDArray[np.float64]) -> Told:
        """Add rows without labels, each of which weighs what a row weighs on average."""
        params = {
            name: _with_mean(value, len(answers)) if name.endswith("sample_weight") else value
            for name, value in self.fit_params.items()
        }
        return Told(
            _stack(self.X, X),
            _with_missing(self.y, len(answers)),
            np.concatenate([self.answers, answers]),
            params,
        )


def check_same_kind(X: Any, more: Any) -> None:
    """Require as many columns, and the same container, of X_unlabeled."""
    if X.shape[1] != more.shape[1]:
        raise ValueError(
            f"X_unlabeled has {more.shape[1]} columns, X has {X.shape[1]}: give it all of them, "
            "which the teacher needs"
        )
    if type(X) is not type(more) and not (sparse.issparse(X) and sparse.issparse(more)):
        raise ValueError(
            f"X_unlabeled is a {type(more).__name__}, X a {type(X).__name__}: give both as the same"
        )


def _stack(X: Any, more: Any) -> Any:
    if hasattr(X, "iloc"):
        return pd.concat([X, more], ignore_index=True)
    if hasattr(X, "columns"):
        return X.vstack(more)
    if sparse.issparse(X):
        rows: Any = [X, more]
        return sparse.vstack(rows, format="csr")
    return np.concatenate([X, more])


def _with_missing(y: NDArray[Any], n_more: int) -> NDArray[Any]:
    if y.dtype.kind == "f":
        return np.concatenate([y, np.full((n_more, *y.shape[1:]), np.nan)])
    return np.concatenate([y.astype(object), np.full(n_more, None)])


def _with_mean(weight: Any, n_more: int) -> NDArray[np.float64]:
    weight = np.asarray(weight, dtype=np.float64)
    return np.concatenate([weight, np.full(n_more, weight.mean())])
