"""Data with identifiable rows, and students that record the rows passed to ``fit``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression

UNKNOWN = -1


@dataclass(frozen=True)
class RoutingData:
    """Features, labels and the teacher's predictions; all numbers of an array are distinct."""

    X: NDArray[Any]
    y: NDArray[Any]
    teacher: NDArray[Any]


@dataclass(frozen=True)
class Fit:
    """The arguments of one call of fit."""

    X: NDArray[Any]
    y: NDArray[Any]
    teacher: NDArray[Any] | None


def rows_of(values: Any, table: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of ``table`` that each row of ``values`` has a number in common with."""
    row_of = {number: row for row, numbers in enumerate(_two_dim(table)) for number in numbers}
    found = [[row_of.get(number, UNKNOWN) for number in numbers] for numbers in _two_dim(values)]
    return np.max(found, axis=1)


def _two_dim(values: Any) -> NDArray[Any]:
    values = np.asarray(values)
    return values.reshape(len(values), -1)


class _Recording:
    """Records the arguments of fit in a shared list, since tools fit clones."""

    fits: ClassVar[list[Fit]] = []

    def record(self, X: Any, y: Any, teacher: Any) -> None:
        teacher = None if teacher is None else np.asarray(teacher)
        self.fits.append(Fit(np.asarray(X), np.asarray(y), teacher))


@contextmanager
def recorded() -> Iterator[list[Fit]]:
    """Yield the list of all fits of recording students in the block."""
    _Recording.fits.clear()
    yield _Recording.fits


class RecordingClassifier(_Recording, DistilledLogisticRegression):
    """A DistilledLogisticRegression that records the arguments of fit."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None, teacher_logits=None):
        self.record(X, y, teacher_proba)
        return super().fit(
            X, y, sample_weight, teacher_proba=teacher_proba, teacher_logits=teacher_logits
        )


class RecordingRegressor(_Recording, PrivilegedLinearRegression):
    """A PrivilegedLinearRegression that records the arguments of fit."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_prediction=None):
        self.record(X, y, teacher_prediction)
        return super().fit(X, y, sample_weight, teacher_prediction=teacher_prediction)

    def partial_fit(self, X, y=None, sample_weight=None, *, teacher_prediction=None):
        self.record(X, y, teacher_prediction)
        return super().partial_fit(X, y, sample_weight, teacher_prediction=teacher_prediction)
