"""The folds in which a linear regression is searched: what decides them, and those of a stream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pandas.util import hash_array

from sklearn_distill._typing import ArrayLike, BoolArray, FloatArray, IntArray
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill.solvers.least_squares import (
    FoldRows,
    FoldStatistics,
    Gram,
    RegressionData,
    Root,
)


@dataclass(frozen=True)
class FoldTargets:
    """What decides the folds: which rows have a label, a prediction and a weight.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_rows, n_outputs)
        Labels and predictions; a row of NaN is missing.
    std : ndarray of shape (n_rows,) or None
        Standard deviations of the predictions.
    weighted : ndarray of bool of shape (n_rows,)
        Rows of positive weight.
    """

    labels: FloatArray
    predictions: FloatArray
    std: FloatArray | None
    weighted: BoolArray

    @classmethod
    def of(cls, data: RegressionData) -> FoldTargets:
        """Take the targets of rows."""
        n_rows = data.X.shape[0]
        nothing = np.full((n_rows, data.n_outputs), np.nan)
        labels, predictions = (nothing if a is None else a for a in (data.y, data.teacher))
        weighted = np.ones(n_rows, dtype=bool) if data.weight is None else data.weight > 0
        return cls(labels, predictions, data.teacher_std, weighted)

    @classmethod
    def concatenate(cls, parts: list[FoldTargets]) -> FoldTargets:
        """Return the targets of all parts."""
        labels, predictions, weighted = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("labels", "predictions", "weighted")
        )
        given = [part.std for part in parts if part.std is not None]
        return cls(labels, predictions, np.concatenate(given) if given else None, weighted)

    @property
    def n_taught_rows(self) -> int:
        """Number of rows with a prediction."""
        return int(np.count_nonzero(~np.isnan(self.predictions[:, 0])))

    def to_test_on(self, *, labels_only: bool = False) -> tuple[FloatArray, BoolArray]:
        """Return labels and a mask of the rows with one; predictions if there is no label."""
        for targets in (self.labels, self.predictions):
            present = ~np.isnan(targets[:, 0]) & self.weighted
            if present.any() or labels_only:
                break
        return targets[:, 0] if targets.shape[1] == 1 else targets, present


@dataclass(frozen=True)
class FoldStream:
    """Folds of rows that come in several calls.

    Parameters
    ----------
    cv : int
        Number of folds K.
    statistics : FoldStatistics or None, default=None
        Of the rows so far; None before the first.
    n_tested : int, default=0
        Number of rows so far that a fold tests.
    has_groups : bool, default=False
        Whether folds hold out groups.
    """

    cv: Any
    statistics: FoldStatistics | None = None
    n_tested: int = 0
    has_groups: bool = False

    @classmethod
    def after_fit(cls, cv: Any, folds: list[FoldStatistics]) -> FoldStream | None:
        """Return the folds of ``fit``, to which rows can be added; None if they are not KFold's."""
        if not isinstance(cv, int | np.integer) or len(folds) > 1:
            return None
        return cls(cv, folds[0], sum(test.n_rows for test in folds[0].tests))

    @property
    def folds(self) -> FoldStatistics:
        """Statistics of the rows of at least one call."""
        assert self.statistics is not None
        return self.statistics

    def add(
        self, data: RegressionData, groups: ArrayLike | None, kind: type[Gram] | type[Root]
    ) -> FoldStream:
        """Return the folds with further rows.

        Parameters
        ----------
        data : RegressionData
            The rows.
        groups : array-like of shape (n_rows,) or None
            Their groups.
        kind : {Gram, Root}
            How moments of the first call are stored; those of later ones are as before.

        Raises
        ------
        ValueError
            If `cv` is no number of folds, only some calls have groups, the numbers of outputs
            differ, or fewer than two folds have a row to test on.
        """
        self._check(groups)
        earlier = self.statistics
        has_labels = earlier is not None and earlier.has_labels
        present = FoldTargets.of(data).to_test_on(labels_only=has_labels)[1]
        rows = self._rows(present, groups)
        new = FoldStatistics.of(data, rows, kind if earlier is None else earlier.kind)
        merged = new if earlier is None else earlier.merge(new)
        if sum(bool(test.groups) for test in merged.tests) < 2:
            units = "rows" if groups is None else "groups"
            raise ValueError(
                f"{self.n_tested + np.count_nonzero(present)} labelled rows so far: pass two "
                f"{units} or more in the first call of partial_fit, of which each can be predicted "
                "from the others" + (", in other folds" if groups is not None else "")
            )
        return replace(
            self,
            statistics=merged,
            n_tested=self.n_tested + int(np.count_nonzero(present)),
            has_groups=groups is not None,
        )

    def _rows(self, present: BoolArray, groups: ArrayLike | None) -> FoldRows:
        K = int(self.cv)
        if groups is None:
            test_fold = np.full(len(present), -1)
            test_fold[present] = (self.n_tested + np.arange(np.count_nonzero(present))) % K
            return FoldRows.of_tests(test_fold, K)
        fold = folds_of_groups(groups, K)
        check_same_length("groups", len(fold), "X", len(present))
        # rows without a label are not trained on where their group is tested
        return FoldRows(K, np.where(present, fold, K + fold))

    def _check(self, groups: ArrayLike | None) -> None:
        if not isinstance(self.cv, int | np.integer) or self.cv < 2:
            raise ValueError(
                f"cv={self.cv!r}: partial_fit cannot split rows that it has not seen; pass the "
                "number of folds, 2 or more, and groups= to hold rows out together"
            )
        if self.statistics is not None and self.has_groups != (groups is not None):
            raise ValueError(
                "groups were passed in only some calls of partial_fit: pass them in all or in none"
            )


def folds_of_groups(groups: ArrayLike, n_folds: int) -> IntArray:
    """Return the fold of each group, which depends on its name alone.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        Names or numbers; the number 1 and the text "1" are two groups.
    n_folds : int
        Number of folds.

    Returns
    -------
    ndarray of int of shape (n_rows,)
        Numbers of folds.

    Examples
    --------
    >>> folds = folds_of_groups(["a", "b", "a"], n_folds=5)
    >>> bool(folds[0] == folds[2])
    True
    """
    names = np.asarray(groups)
    # the width of a number must not matter, nor that of a text
    same_type = names.astype(np.int64 if names.dtype.kind in "iu" else object)
    return np.asarray(hash_array(same_type) % np.uint64(n_folds)).astype(np.intp)
