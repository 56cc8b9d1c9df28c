"""Sufficient statistics of least squares with a teacher, for any λ and any variances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares._variance_histogram import VarianceHistogram
from sklearn_distill.solvers.least_squares.gram import Gram
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.root import Root
from sklearn_distill.solvers.least_squares.sources import (
    WITH_VARIANCE,
    Source,
    SourceWeights,
)


@dataclass(frozen=True)
class Statistics:
    """Moments of [x | y], [x | y | s] and [x | s], for rows with a label, both or a prediction.

    If predictions have variances of their own, those of rows with both are [x | y] and [x | s].

    Parameters
    ----------
    groups : dict of Moments by Source
        Moments of the sources that have rows; all Gram or all Root.
    n_features, n_outputs : int
        Numbers of features d and outputs q.
    n_rows, n_taught_rows : int
        Numbers of all rows, and of those with a teacher's prediction.
    teacher_variances : VarianceHistogram or None, default=None
        Variances of the predictions that have one; their rows are weighted by its inverse, and so
        have to be multiplied by the median. None if no prediction has one.

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
    teacher_variances: VarianceHistogram | None = None

    @classmethod
    def of(cls, data: RegressionData, kind: type[Moments] = Gram) -> Statistics:
        """Compute the statistics of rows, as Gram matrices or as triangular roots."""
        return cls.by_part(data, None, 1, kind)[0]

    @classmethod
    def by_part(
        cls, data: RegressionData, parts: IntArray | None, n_parts: int, kind: type[Moments] = Gram
    ) -> list[Statistics]:
        """Compute the statistics of each part of the rows, in one pass over all of them.

        Parameters
        ----------
        data : RegressionData
            The rows.
        parts : ndarray of int of shape (n_rows,) or None
            Number of the part of each row, less than ``n_parts``; None for a single part.
        n_parts : int
            Number of parts, of which some may have no rows.
        kind : {Gram, Root}
            How moments are stored.

        Returns
        -------
        list of Statistics
            One for each part.
        """
        groups = _moments_by_part(data, parts, kind)
        rows, taught_rows = _counts(data.taught, parts, n_parts)
        return [
            cls(
                groups.get(part, {}),
                data.n_features,
                data.n_outputs,
                rows[part],
                taught_rows[part],
                data.variances(None if parts is None else parts == part),
            )
            for part in range(n_parts)
        ]

    def merge(self, other: Statistics) -> Statistics:
        """Return the statistics of both sets of rows.

        A triangular root and a Gram matrix merge to a Gram matrix.

        Raises
        ------
        TypeError
            If ``other`` are no Statistics.
        ValueError
            If the numbers of features or outputs differ.
        """
        self.check_same_columns(other)
        one, other = _of_one_kind(self, other)
        groups = dict(one.groups)
        for source, moments in other.groups.items():
            groups[source] = groups[source].merge(moments) if source in groups else moments
        return replace(
            self,
            groups=groups,
            n_rows=self.n_rows + other.n_rows,
            n_taught_rows=self.n_taught_rows + other.n_taught_rows,
            teacher_variances=_merged(self.teacher_variances, other.teacher_variances),
        )

    def check_same_columns(self, other: Statistics) -> None:
        """Raise an error unless ``other`` are Statistics of as many features and outputs."""
        if not isinstance(other, Statistics):
            raise TypeError(
                f"expected Statistics, such as statistics_ of a fitted student, got {other!r:.80}"
            )
        if (self.n_features, self.n_outputs) != (other.n_features, other.n_outputs):
            raise ValueError(
                f"statistics of {self._columns} do not match those of {other._columns}: fit both "
                "students on the same columns of X and of y"
            )

    @property
    def _columns(self) -> str:
        return f"{self.n_features} features and {self.n_outputs} outputs"

    @property
    def kind(self) -> type[Moments]:
        """Class of the moments: Gram matrices or triangular roots."""
        return Root if any(isinstance(m, Root) for m in self.groups.values()) else Gram

    def has_rows_of(self, *sources: Source) -> bool:
        """Whether there are rows of at least one of the given sources."""
        return any(source in self.groups for source in sources)

    def n_repetitions(self, source_weights: SourceWeights) -> float:
        """Return the sum of the sample weights of the rows whose target has a weight.

        ``source_weights`` are LABELS_ONLY or TEACHER_ONLY. A prediction counts with its trust.
        """
        used = {source for source in self.groups if sum(source_weights[source]) > 0}
        total = sum(
            self.groups[source].weight * sum(source_weights[source])
            for source in used - set(WITH_VARIANCE)
        )
        if self.teacher_variances is not None and used & set(WITH_VARIANCE):
            # the weights of their groups are divided by variances
            total += self.teacher_variances.weight
        return total

    def _unit(self, source: Source) -> float:
        """Return the median variance for the sources whose rows are weighted by its inverse."""
        if self.teacher_variances is None or source not in WITH_VARIANCE:
            return 1.0
        return self.teacher_variances.median

    def targets(self, source_weights: SourceWeights, outputs: IntArray) -> Moments:
        """Return the moments of [x | (c_y y + c_s s)/a] with weights a = c_y + c_s.

        Parameters
        ----------
        source_weights : dict
            (c_y, c_s) by source; sources with a = 0 are ignored.
        outputs : ndarray of int of shape (n_chosen,)
            Indices of the outputs.

        Returns
        -------
        Moments
            Moments of ``n_features + n_chosen`` columns.
        """
        return self.targets_of([source_weights], outputs)

    def targets_of(self, several: Sequence[SourceWeights], outputs: IntArray) -> Moments:
        """Return the moments of [x | targets] with the targets of several (c_y, c_s).

        Parameters
        ----------
        several : sequence of dict
            (c_y, c_s) by source, with the same weights a = c_y + c_s in all of them.
        outputs : ndarray of int of shape (n_chosen,)
            Indices of the outputs.

        Returns
        -------
        Moments
            Moments of ``n_features + len(several) * n_chosen`` columns, output by output of the
            first, then of the second.
        """
        selection = np.eye(self.n_outputs)[:, outputs]
        parts = [
            moments.reweight(
                self._unit(source) * sum(several[0][source]),
                self.n_features,
                np.hstack([_mixing(source, weights, selection) for weights in several]),
            )
            for source, moments in self.groups.items()
            if sum(several[0][source]) > 0
        ]
        return reduce(lambda merged, part: merged.merge(part), parts)

    def features(self, weights: Mapping[Source, float]) -> Moments:
        """Return the moments of x with a weight for each source."""
        d = self.n_features
        parts = [
            moments.reweight(
                self._unit(source) * weights[source], d, np.zeros((len(moments.mean) - d, 0))
            )
            for source, moments in self.groups.items()
            if weights[source] > 0
        ]
        return reduce(lambda merged, part: merged.merge(part), parts)


def _merged(
    one: VarianceHistogram | None, other: VarianceHistogram | None
) -> VarianceHistogram | None:
    return one if other is None else other if one is None else one.merge(other)


def _of_one_kind(*several: Statistics) -> tuple[Statistics, ...]:
    """Return the statistics, all as Gram matrices if one of them has any."""
    moments = [one for statistics in several for one in statistics.groups.values()]
    # The Gram matrix is the one that lost digits: no root of it would bring them back.
    if len({type(one) for one in moments}) < 2:
        return several
    return tuple(replace(one, groups=_as_grams(one.groups)) for one in several)


def _as_grams(groups: Mapping[Source, Moments]) -> dict[Source, Moments]:
    return {s: m.as_gram() if isinstance(m, Root) else m for s, m in groups.items()}


def _moments_by_part(
    data: RegressionData, parts: IntArray | None, kind: type[Moments]
) -> dict[int, dict[Source, Moments]]:
    """Return the moments of the sources that each part has."""
    shifts = {source: data.shift(source) for source in data.sources()}
    tiles = data.tile_values(
        shifts, kind.min_rows_per_column, parts=parts, in_one_buffer=kind.takes_shared_tiles
    )
    keyed = (((source, part), tile) for source, part, tile in tiles)
    moments = kind.of_keyed_tiles(keyed, lambda key: shifts[key[0]], data.eps)
    by_part: dict[int, dict[Source, Moments]] = defaultdict(dict)
    for source, part in sorted(moments):
        by_part[part][source] = moments[source, part]
    return by_part


def _counts(taught: BoolArray, parts: IntArray | None, n_parts: int) -> tuple[list[int], list[int]]:
    """Return the numbers of rows and of rows with a prediction, of each part."""
    if parts is None:
        return [len(taught)], [int(np.count_nonzero(taught))]
    rows = np.bincount(parts, minlength=n_parts).tolist()
    if taught.all():
        return rows, rows
    return rows, np.bincount(parts[taught], minlength=n_parts).tolist()


def _mixing(source: Source, source_weights: SourceWeights, selection: FloatArray) -> FloatArray:
    """Return the matrix that maps the targets of a source to (c_y y + c_s s)/a."""
    if source not in (Source.BOTH, Source.PARTLY_TRUSTED):
        return selection
    c_y, c_s = source_weights[source]
    return np.vstack([c_y * selection, c_s * selection]) / (c_y + c_s)
