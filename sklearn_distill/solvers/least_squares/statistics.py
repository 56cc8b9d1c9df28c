"""Sufficient statistics of least squares with a teacher: λ and the variances come after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares.gram import Gram
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.root import Root
from sklearn_distill.solvers.least_squares.sources import Shares, Source


@dataclass(frozen=True)
class Statistics:
    """Moments of [x | y], [x | y | s] and [x | s], for rows that a label, both or a teacher speak.

    Parameters
    ----------
    groups : dict of Moments by Source
        Only sources that have rows; all Gram or all Root.
    n_features, n_outputs : int
        Numbers of features d and outputs q.
    n_rows, n_taught_rows : int
        Numbers of all rows, and of those for which a teacher spoke.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]])
    >>> first, rest = (Statistics.of(RegressionData(X[i], y[i])) for i in (slice(1), slice(1, 3)))
    >>> first.merge(rest).groups[Source.LABEL].mean
    array([1., 3.])
    """

    groups: Mapping[Source, Moments]
    n_features: int
    n_outputs: int
    n_rows: int
    n_taught_rows: int

    @classmethod
    def of(cls, rows: RegressionData, kind: type[Moments] = Gram) -> Statistics:
        """Collect the statistics of rows, as Gram matrices or as triangular roots."""
        sources = [source for source in Source if (rows.source == source).any()]
        groups = {source: _moments(rows, source, kind) for source in sources}
        n_rows, n_taught_rows = len(rows.source), int(rows.taught.sum())
        return cls(groups, rows.n_features, rows.n_outputs, n_rows, n_taught_rows)

    def merge(self, other: Statistics) -> Statistics:
        """Return the statistics of both sets of rows."""
        groups = dict(self.groups)
        for source, moments in other.groups.items():
            groups[source] = groups[source].merge(moments) if source in groups else moments
        return replace(
            self,
            groups=groups,
            n_rows=self.n_rows + other.n_rows,
            n_taught_rows=self.n_taught_rows + other.n_taught_rows,
        )

    @property
    def kind(self) -> type[Moments]:
        """Whether these are Gram matrices or triangular roots."""
        return Root if any(isinstance(m, Root) for m in self.groups.values()) else Gram

    def has_rows_of(self, *sources: Source) -> bool:
        """Whether there are rows of one of these sources."""
        return any(source in self.groups for source in sources)

    def targets(self, shares: Shares, outputs: IntArray) -> Moments:
        """Return the moments of [x | (c_y y + c_s s)/a] with weights a = c_y + c_s.

        Parameters
        ----------
        shares : dict
            (c_y, c_s) by source; a source with a = 0 is left out.
        outputs : ndarray of int of shape (n_chosen,)
            The outputs wanted.

        Returns
        -------
        Moments
            Of ``n_features + n_chosen`` columns.
        """
        chosen = np.eye(self.n_outputs)[:, outputs]
        parts = [
            moments.reweigh(sum(shares[source]), self.n_features, _mix(source, shares, chosen))
            for source, moments in self.groups.items()
            if sum(shares[source]) > 0
        ]
        return reduce(lambda one, other: one.merge(other), parts)

    def features(self, shares: Mapping[Source, float]) -> Moments:
        """Return the moments of x with the weight that each source has in ``shares``."""
        d = self.n_features
        parts = [
            moments.reweigh(shares[source], d, np.zeros((len(moments.mean) - d, 0)))
            for source, moments in self.groups.items()
            if shares[source] > 0
        ]
        return reduce(lambda one, other: one.merge(other), parts)


def _moments(rows: RegressionData, source: Source, kind: type[Moments]) -> Moments:
    shift = rows.shift(source)
    tiles = rows.tile_values(source, shift, kind.rows_a_column)
    return kind.of_tiles(tiles, shift, rows.resolution)


def _mix(source: Source, shares: Shares, chosen: FloatArray) -> FloatArray:
    if source is not Source.BOTH:
        return chosen
    c_y, c_s = shares[source]
    return np.vstack([c_y * chosen, c_s * chosen]) / (c_y + c_s)
