"""Which row of the source domain goes with which of the target domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import column_or_1d


@dataclass(frozen=True)
class PairsByLabel:
    """Rows of the source domain, sorted by label, and where each target row's label begins.

    Parameters
    ----------
    order : ndarray of shape (n_source,)
        Source rows in ascending order of their labels.
    start, count : ndarray of shape (n_target,)
        Where in ``order`` the rows of a target row's label begin, and how many they are.
    """

    order: NDArray[np.intp]
    start: NDArray[np.intp]
    count: NDArray[np.intp]

    @classmethod
    def of(cls, y: NDArray[Any], y_source: NDArray[Any]) -> PairsByLabel:
        """Sort the source rows; raise where a label has none."""
        known, counts = np.unique(y_source, return_counts=True)
        if lacking := sorted(set(y.tolist()) - set(known.tolist())):
            raise ValueError(
                f"y_source has no row with the labels {lacking}, which y shows: give rows of the "
                "source domain for them, or leave these rows out of X"
            )
        codes = np.searchsorted(known, y)
        starts = np.cumsum(counts) - counts
        return cls(np.argsort(y_source, kind="stable"), starts[codes], counts[codes])

    def draw(self, random_state: RandomState) -> NDArray[np.intp]:
        """Draw a source row of the same label for each target row."""
        place = (random_state.random_sample(len(self.count)) * self.count).astype(np.intp)
        return np.asarray(self.order[self.start + place])


@dataclass(frozen=True)
class PairsInOrder:
    """Row i goes with row i.

    Parameters
    ----------
    n : int
        Number of rows.
    """

    n: int

    def draw(self, random_state: RandomState) -> NDArray[np.intp]:
        """Return each row's own number."""
        return np.arange(self.n)


Pairs = PairsByLabel | PairsInOrder


def read_pairs(n_target: int, n_source: int, y: Any, y_source: Any) -> Pairs:
    """Return how rows are paired: by label, or in their order where there are no labels.

    Parameters
    ----------
    n_target, n_source : int
        Numbers of rows.
    y, y_source : array-like of shape (n_target,) and (n_source,), or both None
        Labels.

    Returns
    -------
    Pairs
        The pairs.

    Raises
    ------
    ValueError
        If one of the two has labels and the other none, lengths differ, or the source domain
        lacks a label.
    """
    if (y is None) != (y_source is None):
        given = "y" if y_source is None else "y_source"
        raise ValueError(
            f"only {given} is given: give y and y_source to pair rows by label, or neither where "
            "row i of X_source goes with row i of X"
        )
    if y is None:
        _check_length("X_source", n_source, n_target)
        return PairsInOrder(n_target)
    y, y_source = column_or_1d(y), column_or_1d(y_source)
    _check_length("y", len(y), n_target)
    _check_length("y_source", len(y_source), n_source)
    return PairsByLabel.of(y, y_source)


def _check_length(name: str, n: int, wanted: int) -> None:
    if n != wanted:
        raise ValueError(f"{name} has {n} rows, and {wanted} are needed: one for each row")
