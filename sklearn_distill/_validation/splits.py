"""Cross-validation folds and a held-out set, as row numbers; test rows always have a label."""

from __future__ import annotations

from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    check_cv,
    train_test_split,
)

from sklearn_distill._typing import ArrayLike, BoolArray, CheckedX, FloatArray, IntArray
from sklearn_distill._validation.indexing import take_params, take_rows
from sklearn_distill._validation.masks import refuse_mask

Splits: TypeAlias = list[tuple[IntArray, IntArray]]  # training and test rows of each fold


def check_repeatable(cv: Any, name: str) -> None:
    """Require that a splitter has the same folds in each call.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As in scikit-learn.
    name : str
        The argument that has an entry for each fold.

    Raises
    ------
    ValueError
        If it draws its folds anew in each call.
    """
    draws = hasattr(cv, "random_state") and getattr(cv, "shuffle", True)
    if draws and not isinstance(cv.random_state, Integral):
        raise ValueError(
            f"{name} with cv={cv}, which draws other folds in each call: give it a number as "
            f"random_state, or pass as cv the list of splits that {name} was made with"
        )


def labelled_splits(
    cv: Any,
    X: CheckedX,
    y: NDArray[Any] | None,
    present: BoolArray,
    params: dict[str, Any],
    *,
    is_class: bool,
) -> Splits:
    """Return the labelled training and test rows of each fold.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As in scikit-learn; the indices of an iterable and of a PredefinedSplit count the rows of
        X, those of another splitter the labelled rows, which it is given.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features, passed to the splitter.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None
        Targets; anything where ``present`` is False. None where a teacher's predictions take
        their place.
    present : ndarray of bool of shape (n_rows,)
        Rows that have a label.
    params : dict
        Parameters of the splitter's ``split``; those with one entry a row are restricted to the
        labelled rows.
    is_class : bool
        Whether an int is the number of stratified folds.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Row numbers of X, in the order of the splitter.

    Raises
    ------
    ValueError
        If there is no fold, a fold has no labelled row to test on, tests a row on which it trains,
        or has rows that X lacks.
    """
    for name, value in params.items():
        refuse_mask(name, value)
    labelled = np.flatnonzero(present)
    y_labelled = None if y is None else y[labelled]
    splitter = check_cv(cv, y_labelled, classifier=is_class)
    # the indices of an iterable refer to the rows of X, those of a splitter to the labelled rows
    if _counts_rows(cv):
        indices = _splits_of_rows(splitter, len(present))
        splits = [(train[present[train]], test[present[test]]) for train, test in indices]
    else:
        # no copy where all rows are labelled: X may be large
        X_labelled = X if len(labelled) == X.shape[0] else take_rows(X, labelled)
        taken = take_params(params, labelled, X.shape[0])
        given = {name: value for name, value in taken.items() if value is not None}
        indices = draw_splits(splitter, X_labelled, y_labelled, given)
        _check_in_range(indices, len(labelled), "labelled rows, which a splitter is given")
        all_labelled = len(labelled) == len(present)  # then the numbers are those of the rows of X
        splits = (
            [(np.asarray(train), np.asarray(test)) for train, test in indices]
            if all_labelled
            else [(labelled[train], labelled[test]) for train, test in indices]
        )
    _check_splits(splits, len(present))
    return splits


def restrict_to_rows(cv: Any, rows: IntArray | None, n_rows: int) -> Any:
    """Return ``cv`` for some of the rows of X; indices that count the rows are renumbered.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test), str or None
        As in scikit-learn.
    rows : ndarray of int or None
        Rows of X that are left; None for all.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    int, splitter, list of (ndarray, ndarray), str or None
        `cv` itself unless it is an iterable or a PredefinedSplit and rows are missing.

    Examples
    --------
    >>> restrict_to_rows([([0, 1, 2], [3])], np.array([0, 2, 3]), 4)
    [(array([0, 1]), array([2]))]
    """
    if rows is None or not _counts_rows(cv):
        return cv
    position = np.full(n_rows, -1)
    position[rows] = np.arange(len(rows))
    splits = [[position[part] for part in split] for split in _splits_of_rows(check_cv(cv), n_rows)]
    return [(train[train >= 0], test[test >= 0]) for train, test in splits]


def _counts_rows(cv: Any) -> bool:
    """Return whether the indices of ``cv`` count the rows of X, not those that it is given."""
    is_iterable = not hasattr(cv, "split") and np.iterable(cv) and not isinstance(cv, str)
    return isinstance(cv, PredefinedSplit) or is_iterable


def _splits_of_rows(splitter: Any, n_rows: int) -> Splits:
    n_entries = len(getattr(splitter, "test_fold", range(n_rows)))
    if n_entries != n_rows:
        raise ValueError(
            f"cv is a PredefinedSplit of {n_entries} entries, and X has {n_rows} rows: give "
            "test_fold one entry for each row of X, -1 for those that are in no test set"
        )
    splits = [(_row_numbers(train), _row_numbers(test)) for train, test in splitter.split()]
    _check_in_range(splits, n_rows, "rows of X")
    return splits


def draw_splits(splitter: Any, X: CheckedX, y: Any, params: dict[str, Any]) -> Splits:
    """Return the folds of a splitter; its error for missing groups says how to pass them.

    Parameters
    ----------
    splitter : cross-validation splitter
        As in scikit-learn.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features, passed to the splitter.
    y : ndarray or None
        Labels, passed to the splitter.
    params : dict
        Parameters of the splitter's ``split``.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Training and test rows of each fold.

    Raises
    ------
    ValueError
        If the splitter needs groups and there are none, or as it raises itself.
    """
    try:
        return list(splitter.split(X, y, **params))
    except ValueError as error:
        if params.get("groups") is not None or "groups" not in str(error):
            raise
        raise ValueError(
            f"cv={splitter!r} needs groups, which it did not get: pass groups=… with one entry a "
            "row. A search passes them to its own splitter only, unless metadata routing is on: "
            "sklearn.set_config(enable_metadata_routing=True) before search.fit(X, y, groups=…)"
        ) from error


def partition_by_k_fold(
    cv: Any, present: BoolArray, params: dict[str, Any]
) -> tuple[IntArray, int] | None:
    """Return the fold that each row is tested in, as a KFold of the labelled rows would have it.

    These are the folds of :func:`labelled_splits` and :func:`with_unlabelled`, without an array of
    training rows for each, which takes longer than a pass over as many rows.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        As in scikit-learn, for a regression.
    present : ndarray of bool of shape (n_rows,)
        Rows that have a label.
    params : dict
        Parameters of the splitter's ``split``.

    Returns
    -------
    tuple of (ndarray of int of shape (n_rows,), int) or None
        The number of the fold, −1 in rows without a label, and how many folds there are; None if
        `cv` is no KFold, or with parameters.
    """
    splitter = KFold(cv) if isinstance(cv, int | np.integer) and cv >= 2 else cv
    labelled = np.flatnonzero(present)
    # a subclass may split in another way
    if type(splitter) is not KFold or params or splitter.n_splits > len(labelled):
        return None
    test_fold = np.empty(len(labelled), np.int32)
    for k, test in enumerate(splitter._iter_test_indices(labelled)):
        test_fold[test] = k
    if len(labelled) < len(present):
        of_labelled, test_fold = test_fold, np.full(len(present), -1, np.int32)
        test_fold[labelled] = of_labelled
    return test_fold, int(splitter.n_splits)


def with_unlabelled(splits: Splits, present: BoolArray, groups: ArrayLike | None) -> Splits:
    """Add the rows without a label to the training rows of each fold.

    With groups, only rows whose group is not in the fold's test set are added.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
        Folds of labelled rows.
    present : ndarray of bool of shape (n_rows,)
        Rows that have a label.
    groups : array-like of shape (n_rows,) or None
        Group of each row; ignored if it has another length.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        The folds; rows without a label come last.
    """
    unlabelled = np.flatnonzero(~present)
    if not len(unlabelled):
        return splits
    groups = None if groups is None else np.asarray(groups)
    if groups is None or len(groups) != len(present):
        return [(np.concatenate([train, unlabelled]), test) for train, test in splits]
    return [
        (np.concatenate([train, unlabelled[~np.isin(groups[unlabelled], groups[test])]]), test)
        for train, test in splits
    ]


def check_weighted_splits(splits: Splits, weight: FloatArray) -> None:
    """Require training and test rows with a positive weight in each fold."""
    for k, split in enumerate(splits, start=1):
        for purpose, rows in zip(("train", "validate"), split, strict=True):
            if not weight[rows].any():
                raise ValueError(
                    f"cv in fold {k} of {len(splits)} has no row with a weight to {purpose} on: "
                    "use fewer folds or another splitter"
                )


def hold_out(
    labelled: BoolArray,
    fraction: float,
    strata: IntArray | None,
    random_state: Any,
    groups: ArrayLike | None = None,
) -> tuple[IntArray, IntArray]:
    """Hold out a fraction of the labelled rows for validation.

    Parameters
    ----------
    labelled : ndarray of bool of shape (n_rows,)
        Rows that have a label; all others are training rows.
    fraction : float
        The estimator's ``validation_fraction``, in (0, 1).
    strata : ndarray of int of shape (n_rows,) or None
        Class numbers; the validation rows have the same class proportions.
    random_state : int, RandomState or None
        Seed of the random choice of the validation rows.
    groups : array-like of shape (n_rows,) or None, default=None
        Group of each row; the labelled rows of a group are held out together, and then without
        regard to the strata.

    Returns
    -------
    train, validation : ndarray of int
        Row numbers in ascending order.

    Raises
    ------
    ValueError
        If there are too few labelled rows, or too few of a class.

    Examples
    --------
    >>> train, validation = hold_out(np.array([True, True, True, False]), 0.3, None, 0)
    >>> train.tolist(), validation.tolist()
    ([0, 1, 3], [2])
    """
    rows = np.flatnonzero(labelled)
    try:
        if groups is None:
            _, validation = train_test_split(
                rows,
                test_size=fraction,
                stratify=None if strata is None else strata[rows],
                random_state=random_state,
            )
        else:
            splitter = GroupShuffleSplit(1, test_size=fraction, random_state=random_state)
            ((_, of_rows),) = splitter.split(rows, groups=np.asarray(groups)[rows])
            validation = rows[of_rows]
    except ValueError as error:
        # scikit-learn's message names neither early_stopping nor validation_fraction
        raise ValueError(
            f"early_stopping=True cannot set aside validation_fraction={fraction} of the "
            f"{len(rows)} labelled rows: {str(error).rstrip('.')}. Give X_val and y_val, or "
            "other rows"
        ) from error
    return np.setdiff1d(np.arange(len(labelled)), validation), np.sort(validation)


def taught_strata(most_probable: IntArray, fraction: float) -> IntArray | None:
    """Return a teacher's most probable classes, by which a part of the rows is held out.

    Parameters
    ----------
    most_probable : ndarray of int of shape (n_rows,)
        Class numbers.
    fraction : float
        The estimator's ``validation_fraction``, in (0, 1).

    Returns
    -------
    ndarray of int or None
        None, for a split that is not stratified, where a class has too few rows for both parts.

    Examples
    --------
    >>> taught_strata(np.array([0, 0, 0, 1]), 0.5) is None
    True
    """
    counts = np.unique(most_probable, return_counts=True)[1]
    n_smaller = int(np.ceil(min(fraction, 1 - fraction) * len(most_probable)))
    return most_probable if counts.min() > 1 and n_smaller >= len(counts) else None


def _row_numbers(rows: Any) -> IntArray:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)


def _check_in_range(indices: Splits, n_rows: int, rows: str) -> None:
    for k, split in enumerate(indices, start=1):
        largest = max((int(np.max(part)) for part in split if len(part)), default=-1)
        if largest >= n_rows:
            raise ValueError(
                f"cv in fold {k} of {len(indices)} has row {largest}, and there are {n_rows} {rows}"
            )


def _check_splits(splits: Splits, n_rows: int) -> None:
    if not splits:
        raise ValueError("cv gives no folds: it needs at least one split")
    for k, (train, test) in enumerate(splits, start=1):
        where = f"cv in fold {k} of {len(splits)}"
        if not len(test):
            raise ValueError(f"{where} has no labelled row to test on: leave this fold out")
        trained = np.zeros(n_rows, dtype=bool)
        trained[train] = True
        overlap = test[trained[test]]
        if len(overlap):
            raise ValueError(
                f"{where} tests row {int(overlap.min())}, on which it trains: training and test "
                "rows must not overlap"
            )
