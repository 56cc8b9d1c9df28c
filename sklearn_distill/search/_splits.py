"""Which rows train and which validate in each fold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from sklearn_distill._typing import IntArray
from sklearn_distill.targets import Labels

Splits = list[tuple[IntArray, IntArray]]


def splits(cv: Any, X: Any, labels: Labels, weight: NDArray[Any], params: dict[str, Any]) -> Splits:
    """Return each fold's training and validation rows.

    The splitter sees the labelled rows only, and only they validate. Rows without a label train in
    every fold; with groups in every one that does not validate on their group.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        The folds; an int is stratified and does not shuffle. Indices of an iterable count the rows
        of X.
    X : matrix of shape (n_rows, n_features)
        Features, for a splitter that looks at them.
    labels : Labels
        The rows' labels.
    weight : ndarray of shape (n_rows,)
        Sample weights: a fold needs some to validate on.
    params : dict
        Parameters of the splitter's split; entries with one value a row are taken with the rows.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Ascending as the splitter gave them, rows without a label last.

    Raises
    ------
    ValueError
        If there is no label, no fold, or a fold without training or validation rows.
    """
    rows = np.flatnonzero(labels.present)
    if not len(rows):
        raise ValueError("y has no labels: the metaparameters are chosen by held-out labels")
    given = {name: np.asarray(value) for name, value in params.items() if value is not None}
    if hasattr(cv, "split") or not np.iterable(cv):
        splitter = check_cv(cv, labels.codes[rows], classifier=True)
        inner = {name: _by_row(value, rows, X.shape[0]) for name, value in given.items()}
        table = X if len(rows) == X.shape[0] else X[rows]
        found = [
            (rows[train], rows[test])
            for train, test in splitter.split(table, labels.codes[rows], **inner)
        ]
    else:
        found = [(_indices(train), _indices(test)) for train, test in cv]
    groups = given.get("groups")
    pairs = [_completed(train, test, labels, groups) for train, test in found]
    _check(pairs, weight)
    return pairs


def _completed(
    train: IntArray, test: IntArray, labels: Labels, groups: NDArray[Any] | None
) -> tuple[IntArray, IntArray]:
    present = labels.present
    train, test = train[present[train]], test[present[test]]
    unlabelled = np.flatnonzero(~present)
    if groups is not None and len(groups) == len(present):
        unlabelled = unlabelled[~np.isin(groups[unlabelled], groups[test])]
    return np.concatenate([train, unlabelled]), test


def _check(pairs: Splits, weight: NDArray[Any]) -> None:
    if not pairs:
        raise ValueError("cv gives no folds: it needs at least one split")
    for k, (train, test) in enumerate(pairs, start=1):
        for what, rows in (("train", train), ("validate", test)):
            if not weight[rows].any():
                raise ValueError(
                    f"cv fold {k} of {len(pairs)} has no row with a weight to {what} on: use fewer "
                    "folds or another splitter"
                )
        if len(np.intersect1d(train, test)):
            raise ValueError(
                f"cv fold {k} of {len(pairs)} validates on rows on which it trains: they must not "
                "overlap"
            )


def _by_row(value: NDArray[Any], rows: IntArray, n_rows: int) -> NDArray[Any]:
    return value[rows] if value.shape[:1] == (n_rows,) else value


def _indices(rows: Any) -> IntArray:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)
