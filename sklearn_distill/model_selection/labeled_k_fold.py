"""Folds that validate on samples with a label, and train on all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import (
    BaseCrossValidator,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.utils.multiclass import type_of_target

from sklearn_distill._typing import ArrayLike, BoolArray, IntArray, MatrixLike, TargetLike
from sklearn_distill._validation.indexing import n_samples, take_any_rows
from sklearn_distill._validation.labelled_rows import has_label, label_values
from sklearn_distill._validation.masks import none_where_masked
from sklearn_distill._validation.numbers import check_same_length
from sklearn_distill._validation.splits import labelled_splits, with_unlabelled


class LabeledKFold(BaseCrossValidator):
    """K folds of the samples with a label; those without one are in every training set.

    A label that is NaN, None, pd.NA or masked is missing. The samples with a label are split as by
    :class:`~sklearn.model_selection.StratifiedKFold` if the labels are classes, else as by
    :class:`~sklearn.model_selection.KFold`. Those without a label only train. If no sample has a
    label, or `y` is None, all samples are split by KFold, for a scorer that is judged by a teacher.
    These are the folds of :class:`~sklearn_distill.DistilledLogisticRegressionCV`.

    With ``groups``, no group is both trained and validated on: the samples with a label are split
    as by :class:`~sklearn.model_selection.StratifiedGroupKFold` or
    :class:`~sklearn.model_selection.GroupKFold`, and those without a label are left out of the
    training set of the fold that validates on their group. With metadata routing, ``groups`` are
    requested by default.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of samples with a label.
    stratify : bool, default=True
        Whether folds have the class proportions of the labels. It concerns class labels only (of
        type "binary" or "multiclass" by :func:`sklearn.utils.multiclass.type_of_target`, so that
        counts, whole numbers of a regression, need False). A class with fewer samples than folds,
        as one with a single sample, is missing from some validation sets; for the folds that do
        not train on it, pass ``classes=`` to the student.
    shuffle : bool, default=False
        Whether the samples are shuffled before the split.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling; only with ``shuffle=True``.

    Raises
    ------
    ValueError
        If a parameter is invalid.

    See Also
    --------
    sklearn_distill.metrics.get_scorer : Scorers of samples some of which have no label.

    Examples
    --------
    >>> from sklearn_distill.model_selection import LabeledKFold
    >>> X, y = [[0], [1], [2], [3], [4]], ["no", None, "yes", "no", "yes"]
    >>> for train, test in LabeledKFold(2).split(X, y):
    ...     print(train.tolist(), test.tolist())
    [3, 4, 1] [0, 2]
    [0, 2, 1] [3, 4]
    """

    # as of scikit-learn's splitters of groups, so that routing needs no set_split_request
    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        stratify: bool = True,
        shuffle: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        # raises scikit-learn's errors for wrong parameters
        KFold(n_splits, shuffle=shuffle, random_state=random_state)
        if not isinstance(stratify, bool | np.bool_):
            raise ValueError(f"stratify={stratify!r}; pass True or False")
        self.n_splits = n_splits
        self.stratify = stratify
        self.shuffle = shuffle
        self.random_state = random_state

    def split(
        self, X: MatrixLike, y: TargetLike = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the training and the test rows of each fold.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples, of which only the number matters.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or None
            Labels, some or all of them missing.
        groups : array-like of shape (n_samples,) or None
            Group of each sample, with or without a label.

        Yields
        ------
        train, test : ndarray of int
            Row numbers; in ``train``, those without a label come last.

        Raises
        ------
        ValueError
            If there are too few labels, or groups with labels, for the number of folds, no class
            has a sample for each fold, or the lengths differ.
        """
        n_rows = n_samples(X)
        present = has_label(y, n_rows)
        strata = self._strata(y, present)
        if not present.any():
            present = np.ones(n_rows, dtype=bool)
        params = {} if groups is None else {"groups": _check_groups(groups, n_rows)}
        self._check_enough(present, strata, params.get("groups"))
        splitter = self._splitter(stratified=strata is not None, grouped=groups is not None)
        codes = np.zeros(n_rows, dtype=np.intp) if strata is None else strata
        rows = np.zeros((n_rows, 1))  # splitters count them
        splits = labelled_splits(splitter, rows, codes, present, params, is_class=False)
        yield from with_unlabelled(splits, present, params.get("groups"))

    def get_n_splits(
        self, X: MatrixLike | None = None, y: TargetLike = None, groups: ArrayLike | None = None
    ) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        int
            The parameter ``n_splits``.
        """
        return self.n_splits

    def _strata(self, y: TargetLike, present: BoolArray) -> IntArray | None:
        """Return class numbers, 0 without a label; None if the folds are not stratified."""
        if not self.stratify or not present.any():
            return None
        labels = label_values(take_any_rows(none_where_masked(y), np.flatnonzero(present)))
        if type_of_target(labels) not in {"binary", "multiclass"}:
            return None
        strata = np.zeros(len(present), dtype=np.intp)
        strata[present] = np.unique(labels, return_inverse=True)[1].ravel()
        return strata

    def _splitter(self, *, stratified: bool, grouped: bool) -> BaseCrossValidator:
        plain = StratifiedKFold if stratified else KFold
        by_group = StratifiedGroupKFold if stratified else GroupKFold
        splitter = by_group if grouped else plain
        return splitter(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)

    def _check_enough(
        self, present: BoolArray, strata: IntArray | None, groups: ArrayLike | None
    ) -> None:
        """Raise an error that counts the rows to validate on, which the splitter knows not."""
        n_rows, labelled = int(present.sum()), f"{int(present.sum())} of {len(present)} rows"
        if self.n_splits > n_rows:
            raise ValueError(
                f"n_splits={self.n_splits}, but only {labelled} can be validated on: use fewer "
                "splits"
            )
        if groups is not None and self.n_splits > len(np.unique(np.asarray(groups)[present])):
            raise ValueError(
                f"n_splits={self.n_splits}, but the {labelled} that can be validated on are in "
                "fewer groups: use fewer splits"
            )
        if strata is not None and np.bincount(strata[present]).max() < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits}, but no class has as many labels: use fewer splits, or "
                "stratify=False"
            )


def _check_groups(groups: ArrayLike, n_rows: int) -> Any:
    array = np.asarray(groups)
    check_same_length("groups", len(array), "X", n_rows)
    return array
