"""Small data sets for the matrix, in which every column identifies the row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tests.routing.recording import RoutingData

N = 60
_rng = np.random.default_rng(0)
_X = _rng.normal(size=(N, 3))
_rank = np.argsort(np.argsort(_X[:, 0] + 0.5 * _rng.normal(size=N)))  # a learnable target


def _distributions(n_classes: int) -> NDArray[np.float64]:
    return _rng.dirichlet(np.full(n_classes, 5.0), size=N)


def _classes(n_classes: int) -> NDArray[np.intp]:
    return _rank * n_classes // N


TWO_CLASSES = RoutingData(_X, _classes(2), _distributions(2))
THREE_CLASSES = RoutingData(_X, _classes(3), _distributions(3))
RARE_CLASS = replace(TWO_CLASSES, y=(_rank < N // 3).astype(int))
SHORT_TEACHER = replace(TWO_CLASSES, teacher=TWO_CLASSES.teacher[: 2 * N // 3])
UNLABELLED = replace(TWO_CLASSES, y=np.where(_rank % 3 == 0, -1, TWO_CLASSES.y))
MULTILABEL = replace(TWO_CLASSES, y=np.column_stack([_classes(2), _rank % 2]))
REGRESSION = RoutingData(
    _X, _X.sum(axis=1) + _rng.normal(size=N), _X.sum(axis=1) + _rng.normal(size=N)
)
TWO_OUTPUTS = RoutingData(_X, _rng.normal(size=(N, 2)), _rng.normal(size=(N, 2)))
POSITIVE_TARGET = replace(REGRESSION, y=np.exp(REGRESSION.y), teacher=np.exp(REGRESSION.teacher))
ONE_COLUMN_TEACHER = replace(TWO_OUTPUTS, teacher=TWO_OUTPUTS.teacher[:, 0])
