"""The folds: which rows teach a teacher, and which it is asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from sklearn_distill.teachers.labels import check_teachable
from sklearn_distill.teachers.tables import by_row, take_rows

Splits = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


def folds(
    cv: Any, X: Any, y: Any, present: NDArray[np.bool_], params: dict[str, Any], *, is_class: bool
) -> Splits:
    """Return the folds' training and test rows, labelled ones only."""
    check_teachable(present)
    rows = np.flatnonzero(present)
    splitter = check_cv(cv, y[rows], classifier=is_class)
    if not hasattr(cv, "split") and np.iterable(cv):  # its indices count the rows of X
        counted = [(_as_indices(train), _as_indices(test)) for train, test in splitter.split()]
        pairs = [(train[present[train]], test[present[test]]) for train, test in counted]
    else:
        given = {name: by_row(value, rows, X.shape[0]) for name, value in params.items()}
        given = {name: value for name, value in given.items() if value is not None}
        pairs = [
            (rows[train], rows[test])
            for train, test in splitter.split(take_rows(X, rows), y[rows], **given)
        ]
    return _checked([(train, test) for train, test in pairs if len(test)])


def _as_indices(rows: Any) -> NDArray[np.intp]:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)


def _checked(splits: Splits) -> Splits:
    if not splits:
        raise ValueError("cv gives no folds: it needs at least one split with rows to test")
    for k, (train, test) in enumerate(splits, start=1):
        seen = np.intersect1d(train, test)
        if len(seen):
            raise ValueError(
                f"cv in fold {k} of {len(splits)} tests row {int(seen[0])}, on which it trains: "
                "training and test rows must not overlap, or the teacher's answers are not out of "
                "fold"
            )
    return splits
