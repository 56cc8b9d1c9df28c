"""Pairs of rows of the target and the source domain, for the training of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import column_or_1d


@dataclass(frozen=True)
class PairsByLabel:
    """Pair each target row with a random source row of the same label.

    Parameters
    ----------
    order : ndarray of shape (n_source,)
        Source rows in ascending order of their labels.
    start, count : ndarray of shape (n_target,)
        Position in ``order`` of the first source row with the label of each target row, and the
        number of source rows with this label.
    """

    order: NDArray[np.intp]
    start: NDArray[np.intp]
    count: NDArray[np.intp]

    @classmethod
    def of(cls, y: NDArray[Any], y_source: NDArray[Any]) -> PairsByLabel:
        """Sort the source rows by label; raise if a label has no source row."""
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
        position = (random_state.random_sample(len(self.count)) * self.count).astype(np.intp)
        return np.asarray(self.order[self.start + position])


@dataclass(frozen=True)
class PairsInOrder:
    """Pair row i of the target domain with row i of the source domain.

    Parameters
    ----------
    n : int
        Number of rows of either domain.
    """

    n: int

    def draw(self, random_state: RandomState) -> NDArray[np.intp]:
        """Return the row numbers themselves."""
        return np.arange(self.n)


Pairs = PairsByLabel | PairsInOrder


def read_pairs(n_target: int, n_source: int, y: Any, y_source: Any) -> Pairs:
    """Check the labels and return the pairing: by label, or in order without labels.

    Parameters
    ----------
    n_target, n_source : int
        Numbers of rows of the target and of the source domain.
    y, y_source : array-like of shape (n_target,) and (n_source,), or both None
        Labels of the rows of either domain.

    Returns
    -------
    Pairs
        An object that draws a source row for each target row.

    Raises
    ------
    ValueError
        If one of the two has labels and the other none, lengths differ, or the source domain
        lacks a label.
    """
    if (y is None) != (y_source is None):
        given = "y" if y_source is None else "y_source"
        raise ValueError(
            f"only {given} is given: pass y and y_source to pair rows by label, or neither "
            "to pair row i of X_source with row i of X"
        )
    if y is None:
        _check_length("X_source", n_source, n_target)
        return PairsInOrder(n_target)
    y, y_source = column_or_1d(y), column_or_1d(y_source)
    _check_length("y", len(y), n_target)
    _check_length("y_source", len(y_source), n_source)
    return PairsByLabel.of(y, y_source)


def _check_length(name: str, n: int, n_expected: int) -> None:
    if n != n_expected:
        raise ValueError(f"{name} has {n} rows, and {n_expected} are needed: one for each row")
