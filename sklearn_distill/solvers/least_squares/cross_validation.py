"""Errors on held-out rows of many settings of α, λ and ρ, from the statistics of each fold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.chunks import Chunks
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares.folds import FoldRows, FoldStatistics
from sklearn_distill.solvers.least_squares.gram import Gram
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import (
    LABELS_ONLY,
    TEACHER_ONLY,
    WITH_LABEL,
    SourceWeights,
    imitation_weights,
)
from sklearn_distill.solvers.least_squares.statistics import Statistics

# Of a Gram matrix, squared errors that are a smaller share of the variance have no eight digits.
_MIN_SHARE = 1e-7
# Settings that are solved at a time, in a matrix of one column for each of them and each output.
_N_AT_A_TIME = 200


@dataclass(frozen=True)
class CVErrors:
    """Errors of each setting in each fold.

    Parameters
    ----------
    squared : ndarray of shape (n_folds, n_pairs, n_alphas, n_outputs)
        Mean squared errors on the test rows.
    variance : ndarray of shape (n_folds, n_outputs)
        Variance of the targets of the test rows.
    condition : float
        Largest condition number on which digits of the coefficients depend.
    """

    squared: FloatArray
    variance: FloatArray
    condition: float

    @property
    def are_digits_lost(self) -> bool:
        """Whether Gram matrices are too inaccurate for eight digits."""
        shares = self.squared.min(axis=(1, 2)) < _MIN_SHARE * self.variance
        return self.condition > Gram.max_condition or bool(shares.any())


@dataclass(frozen=True)
class CVProblem:
    """The settings to be compared.

    Parameters
    ----------
    pairs : ndarray of shape (n_pairs, 2)
        Values of λ and ρ.
    alphas : ndarray of shape (n_alphas,)
        Strengths α of the penalty.
    fit_intercept : bool
        Whether an intercept is fitted.

    Examples
    --------
    >>> from sklearn_distill.solvers.least_squares import Root
    >>> X, y, s = np.array([[[0.0], [1.0], [2.0]], [[0.0], [1.0], [3.0]], [[0.0], [1.0], [2.0]]])
    >>> rows = FoldRows.of_tests(np.array([-1, -1, 0]), n_folds=1)
    >>> folds = [FoldStatistics.of(RegressionData(X, y, s), rows, Root)]
    >>> problem = CVProblem(np.array([[0.5, 1.0]]), np.array([0.0]), fit_intercept=True)
    >>> problem.errors(folds).squared.round(6).ravel()
    array([1.])
    """

    pairs: FloatArray
    alphas: FloatArray
    fit_intercept: bool

    @cached_property
    def source_weights(self) -> list[SourceWeights]:
        """(c_y, c_s) by source of each pair of λ and ρ."""
        return [imitation_weights(*values) for values in self.pairs.tolist()]

    def errors(self, groups: Sequence[FoldStatistics]) -> CVErrors:
        """Return the errors in all folds, in their order.

        Raises
        ------
        ValueError
            If a fold has no row to train on.
        """
        pairs = [
            pair for group in groups for pair in zip(group.training(), group.tests, strict=True)
        ]
        for k, (train, _) in enumerate(pairs, start=1):
            if not train.groups:
                raise ValueError(
                    f"cv in fold {k} of {len(pairs)} has no row with a weight to train on: use "
                    "fewer folds or another splitter"
                )
        folds = [self._fold_errors(train, test) for train, test in pairs]
        squared, variance, conditions = zip(*folds, strict=True)
        return CVErrors(np.array(squared), np.array(variance), max(conditions))

    def _fold_errors(
        self, train: Statistics, test: Statistics
    ) -> tuple[FloatArray, FloatArray, float]:
        n_outputs, d = train.n_outputs, train.n_features
        outputs = np.arange(n_outputs)
        held_out = test.targets(validation_weights(test), outputs)
        squared = np.empty((len(self.pairs), len(self.alphas), n_outputs))
        condition = 1.0
        for pairs in self._of_equal_weights(train):
            moments = train.targets_of([self.source_weights[pair] for pair in pairs], outputs)
            if not self.fit_intercept:
                moments = moments.about_origin()
            coef, one_condition = moments.solve_path(d, self.alphas)
            condition = max(condition, one_condition)
            # columns: α by α, within each setting by setting, and within each output by output
            columns = coef.transpose(1, 0, 2).reshape(d, -1)
            targets = np.tile(outputs, len(self.alphas) * len(pairs))
            t_mean = np.tile(moments.mean[d:], len(self.alphas))
            intercept = t_mean - moments.mean[:d] @ columns
            errors = held_out.mean_squared_errors(d, columns, intercept, targets)
            shape = (len(self.alphas), len(pairs), n_outputs)
            squared[pairs] = errors.reshape(shape).transpose(1, 0, 2)
        return squared, _variance(held_out, d), condition

    def _of_equal_weights(self, train: Statistics) -> Iterator[IntArray]:
        """Yield the settings that give the features the same weights, and so have the same H."""
        by_weights: dict[tuple[float, ...], list[int]] = defaultdict(list)
        for pair, weights in enumerate(self.source_weights):
            # (1 − λ) + λ is 1 but for rounding
            key = tuple(round(sum(weights[source]), 12) for source in train.groups)
            by_weights[key].append(pair)
        for pairs in by_weights.values():
            for start in range(0, len(pairs), _N_AT_A_TIME):
                yield np.array(pairs[start : start + _N_AT_A_TIME])


def validation_weights(statistics: Statistics) -> SourceWeights:
    """Return (c_y, c_s) of the targets to validate on: labels or, without any, predictions."""
    return LABELS_ONLY if statistics.has_rows_of(*WITH_LABEL) else TEACHER_ONLY


def _variance(held_out: Moments, n_features: int) -> FloatArray:
    return np.asarray(held_out.squares(slice(n_features, None)) / held_out.weight)


def fold_statistics(chunks: Chunks, groups: Chunks, kind: type[Moments]) -> list[FoldStatistics]:
    """Return the statistics of all folds, from one pass over the rows.

    Parameters
    ----------
    chunks : Chunks of RegressionData
        The rows.
    groups : Chunks of list of FoldRows
        The rows of each chunk by fold, counted from the start of the chunk.
    kind : {Gram, Root}
        How moments are stored.

    Returns
    -------
    list of FoldStatistics
        One for each group of folds.
    """
    folds: list[FoldStatistics] = chunks.map(_pair, groups).map_reduce(
        _chunk_statistics, kind, combine=_merge_lists
    )
    return folds


def _pair(data: RegressionData, groups: list[FoldRows]) -> tuple[RegressionData, list[FoldRows]]:
    return data, groups


def _chunk_statistics(
    chunk: tuple[RegressionData, list[FoldRows]], kind: type[Moments]
) -> list[FoldStatistics]:
    data, groups = chunk
    return [FoldStatistics.of(data, rows, kind) for rows in groups]


def _merge_lists(one: list[FoldStatistics], other: list[FoldStatistics]) -> list[FoldStatistics]:
    return list(map(FoldStatistics.merge, one, other))
