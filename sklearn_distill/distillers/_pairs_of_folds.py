"""Teachers who saw the test rows of neither of two folds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.teachers.folds import Splits
from sklearn_distill.teachers.rounds import Heard, Round, mean_by_row


def has_pairs(splits: Splits) -> bool:
    """Tell whether teachers can answer for training rows of each fold without its test rows."""
    paired = {k for pair in _pairs(splits) for k in pair}
    return len(paired) == len(splits)


def pair_rounds(splits: Splits) -> list[Round]:
    """Return a round for each two folds, with a teacher who saw the test rows of neither."""
    return [
        Round(
            np.intersect1d(splits[j][0], splits[k][0]),
            np.union1d(*_each_others(splits, j, k)),
            f"without the folds {j + 1} and {k + 1} of {len(splits)}",
        )
        for j, k in _pairs(splits)
    ]


def answers_without_fold(
    splits: Splits, heard: list[Heard], k: int, n_rows: int
) -> NDArray[np.float64]:
    """Return what the teachers of pair_rounds say of the training rows of fold k.

    Each row's are from those who saw neither the row nor the test rows of the fold.
    """
    asked, answers = [], []
    for pair, (says, _) in zip(_pairs(splits), heard, strict=True):
        if k in pair:
            of_k, of_j = _each_others(splits, k, pair[0] if k == pair[1] else pair[1])
            asked.append(of_k)
            answers.append(says[np.searchsorted(np.union1d(of_k, of_j), of_k)])
    return mean_by_row(asked, answers, n_rows)[splits[k][0]]


def _pairs(splits: Splits) -> Iterator[tuple[int, int]]:
    """Leave out pairs whose teacher has nothing to learn or is asked about nothing."""
    for j, k in combinations(range(len(splits)), 2):
        learns = len(np.intersect1d(splits[j][0], splits[k][0]))
        if learns and any(len(rows) for rows in _each_others(splits, j, k)):
            yield j, k


def _each_others(splits: Splits, j: int, k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the training rows of fold j that fold k tests, and those of k that j tests."""
    return np.intersect1d(splits[j][0], splits[k][1]), np.intersect1d(splits[k][0], splits[j][1])
