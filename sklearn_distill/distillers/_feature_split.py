"""Which columns the teacher sees and which the student sees."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_distill._typing import IntArray


@dataclass(frozen=True)
class FeatureSplit:
    """The columns of fit's X, parted by who sees them.

    Parameters
    ----------
    n_columns : int
        Number of columns of X.
    privileged : ndarray of shape (n_privileged,)
        Positions of the columns that the student never sees.
    teacher_sees_all : bool
        Whether the teacher sees the regular columns too.
    """

    n_columns: int
    privileged: IntArray
    teacher_sees_all: bool

    @property
    def regular(self) -> IntArray:
        """Positions of the columns that the student sees."""
        return np.setdiff1d(np.arange(self.n_columns), self.privileged)

    def for_teacher(self, X: Any) -> Any:
        """Return the teacher's columns of all."""
        return X if self.teacher_sees_all else _take_columns(X, self.privileged)

    def for_student(self, X: Any) -> Any:
        """Return the student's columns of all."""
        return _take_columns(X, self.regular) if len(self.privileged) else X


def split_features(X: Any, privileged_features: Any, teacher_features: str) -> FeatureSplit:
    """Find the privileged columns of X by name, position, mask or callable."""
    n_columns = X.shape[1]
    if privileged_features is None:
        if teacher_features == "privileged":
            raise ValueError(
                "teacher_features='privileged' needs privileged_features, which is None: name the "
                "teacher's columns there, or say teacher_features='all'"
            )
        return FeatureSplit(n_columns, np.empty(0, dtype=np.intp), teacher_sees_all=True)
    chosen = privileged_features(X) if callable(privileged_features) else privileged_features
    positions = np.unique(_positions(X, chosen))
    if len(positions) in (0, n_columns):
        which = "none" if len(positions) == 0 else "all"
        raise ValueError(
            f"privileged_features={privileged_features!r} means {which} of the {n_columns} columns "
            "of X: name some, and leave the student some; None is for no privileged columns"
        )
    return FeatureSplit(n_columns, positions, teacher_features == "all")


def _positions(X: Any, chosen: Any) -> IntArray:
    chosen = [chosen] if isinstance(chosen, (str, Integral)) else list(chosen)
    if chosen and all(isinstance(entry, (bool, np.bool_)) for entry in chosen):
        return _positions_of_mask(X, chosen)
    return np.array([_position(X, entry) for entry in chosen], dtype=np.intp)


def _positions_of_mask(X: Any, mask: list[bool]) -> IntArray:
    if len(mask) != X.shape[1]:
        raise ValueError(
            f"privileged_features is a mask of {len(mask)} columns, X has {X.shape[1]}: give one "
            "entry for each column"
        )
    return np.flatnonzero(mask)


def _position(X: Any, entry: Any) -> int:
    """Return where a column is; strings are names, as in ColumnTransformer, and ints positions."""
    names = list(getattr(X, "columns", []))
    if isinstance(entry, str) and entry in names:
        return names.index(entry)
    if isinstance(entry, Integral) and -X.shape[1] <= entry < X.shape[1]:
        return int(entry) % X.shape[1]
    known = f"names are {names}" if names else "columns have no names"
    raise ValueError(
        f"privileged_features names {entry!r}, which X does not have: it has {X.shape[1]} columns, "
        f"and their {known}"
    )


def _take_columns(X: Any, columns: IntArray) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:, columns]
    return X[:, columns.tolist()]
