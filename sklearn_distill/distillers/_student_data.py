"""Training data of the student, and its fit parameter for the teacher's predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_regressor

from sklearn_distill._typing import BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import take_params, take_rows
from sklearn_distill._validation.labels import mark_missing
from sklearn_distill._validation.last_step import last_step
from sklearn_distill.distillers._extra_samples import stack


def required_teacher_param(student: Any, name: str) -> str:
    """Return the parameter of the student's fit that takes the teacher's predictions.

    In a pipeline, the name of the last step is its prefix.
    """
    teacher_param = fit_param_name(student, name)
    if teacher_param is None:
        raise ValueError(
            f"student {type(student).__name__} cannot learn from a teacher: its fit takes no "
            f"{name}, nor does the last step of a pipeline. Use a student of sklearn_distill"
            f"{suited_student(last_step(student))}, and search over its parameters outside of "
            "this estimator, as student__imitation"
        )
    return teacher_param


def suited_student(model: Any) -> str:
    """Return which student contains a model, for the message."""
    name = type(model).__name__
    if name.startswith(("HistGradientBoosting", "LGBM", "XGB", "CatBoost")):
        kind = "Regressor" if name.endswith("Regressor") else "Classifier"
        return f", such as DistilledBoosting{kind}({name}(...))"
    if is_regressor(model):
        return f", such as SoftTargetRegressor({name}(...))"
    from sklearn_distill._validation.soft_tree import TREES  # slow to import

    return f", such as SoftTargetClassifier({name}(...))" if type(model) in TREES else ""


@dataclass(frozen=True)
class StudentData:
    """Training data of the student.

    Parameters
    ----------
    X : matrix or frame of shape (n_rows, n_student_features)
        The student's features of the rows passed to fit, and of extra samples.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels; None or NaN where missing.
    predictions : ndarray of shape (n_rows, ...)
        The teacher's predictions; NaN where missing.
    fit_params : dict
        Further parameters of the student's fit.
    """

    X: CheckedX
    y: NDArray[Any]
    predictions: FloatArray
    fit_params: dict[str, Any]

    @property
    def weight(self) -> FloatArray:
        """Sample weights, 1 without ``sample_weight``."""
        weights = [self.fit_params[name] for name in self.fit_params if _is_weight(name)]
        return np.asarray(weights[0], dtype=np.float64) if weights else np.ones(len(self.y))

    @property
    def labelled(self) -> BoolArray:
        """Rows that have a label."""
        missing = np.asarray(pd.isna(self.y))
        return np.asarray(~(missing if missing.ndim == 1 else missing.any(axis=1)))

    def with_unlabeled_weight(self, value: float, weight_param: str) -> StudentData:
        r"""Set the total weight of the rows without a label, relative to those with one.

        .. math:: s_u ← s_u\,w\,\frac{Σ_L s_i}{Σ_U s_i}

        with w the value, the labelled rows L and the others U; students leave out rows of weight 0.
        ``weight_param`` is the parameter of the student's fit, if there are no weights yet.
        """
        labelled = self.labelled
        if labelled.all():
            return self
        if not labelled.any():
            raise ValueError(
                f"unlabeled_weight={value:g} is relative to the weight of labelled samples, and "
                "there is none: set unlabeled_weight=None"
            )
        s = self.weight
        factor = value * s[labelled].sum() / s[~labelled].sum()
        given = [name for name in self.fit_params if _is_weight(name)]
        weights = dict.fromkeys(given or [weight_param], np.where(labelled, s, s * factor))
        return replace(self, fit_params=self.fit_params | weights)

    def take(self, rows: IntArray, predictions: FloatArray) -> StudentData:
        """Restrict to some rows, and replace their predictions."""
        n_rows = len(self.y)
        params = take_params(self.fit_params, rows, n_rows)
        return StudentData(take_rows(self.X, rows), self.y[rows], predictions, params)

    def with_rows(self, other: StudentData) -> StudentData:
        """Append the rows of other data; its weights are 1 where it has none."""
        n_rows = (len(self.y), len(other.y))
        params = {
            name: _joined(value, other.fit_params.get(name, other.weight), n_rows)
            for name, value in self.fit_params.items()
        }
        y = np.concatenate([self.y, other.y])
        predictions = np.concatenate([self.predictions, other.predictions])
        return StudentData(stack(self.X, other.X), y, predictions, params)

    def extended(self, X: CheckedX, predictions: FloatArray) -> StudentData:
        """Append samples without labels, each with the mean weight of the present ones.

        The teacher is trusted in them as in a sample of ``teacher_weight`` 1.
        """
        n_extra = len(predictions)
        params = {
            name: _extended_param(name, value, n_extra) for name, value in self.fit_params.items()
        }
        # any label keeps the type of y until mark_missing replaces it
        y = np.concatenate([self.y, np.repeat(self.y[:1], n_extra, axis=0)])
        return StudentData(
            stack(self.X, X),
            mark_missing(y, np.arange(len(y)) < len(self.y)),
            np.concatenate([self.predictions, predictions]),
            params,
        )


def _joined(value: Any, other: Any, n_rows: tuple[int, int]) -> Any:
    """Return the entries of both where there is one a row, and any other value unchanged."""
    lengths = tuple(np.shape(one)[:1] for one in (value, other))
    if lengths != tuple((n,) for n in n_rows):
        return value
    return np.concatenate([np.asarray(value), np.asarray(other)])


def _is_weight(name: str) -> bool:
    return name.endswith("sample_weight")  # with the prefixes of a pipeline


def _extended_param(name: str, value: Any, n_extra: int) -> Any:
    if not name.endswith(("sample_weight", "teacher_weight")):
        return value
    weight = np.asarray(value, dtype=np.float64)
    of_extra = weight.mean() if _is_weight(name) else 1.0
    return np.concatenate([weight, np.full((n_extra, *weight.shape[1:]), of_extra)])
