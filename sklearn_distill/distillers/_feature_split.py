"""Which columns are the features of the teacher, and which those of the student."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import CheckedX, IntArray


@dataclass(frozen=True)
class FeatureSplit:
    """The columns of fit's X, split into privileged and regular features.

    Parameters
    ----------
    n_columns : int
        Number of columns of X.
    privileged : ndarray of shape (n_privileged,)
        Positions of the privileged features, which the student does not use.
    teacher_uses_all : bool
        Whether the teacher uses the regular features, too.
    """

    n_columns: int
    privileged: IntArray
    teacher_uses_all: bool

    @property
    def regular(self) -> IntArray:
        """Positions of the regular features, which the student uses."""
        return np.setdiff1d(np.arange(self.n_columns), self.privileged)

    def for_teacher(self, X: CheckedX) -> CheckedX:
        """Select the teacher's features from all columns."""
        return X if self.teacher_uses_all else _take_columns(X, self.privileged)

    def for_student(self, X: CheckedX) -> CheckedX:
        """Select the student's features from all columns."""
        return _take_columns(X, self.regular) if len(self.privileged) else X

    def needs_names(self, X: CheckedX, names: NDArray[Any]) -> bool:
        """Return whether X is a frame with other columns than fit's, or than the regular ones."""
        columns, regular = set(getattr(X, "columns", names)), set(names[self.regular])
        if columns in (regular, set(names)):  # scikit-learn checks the order
            return False
        # without privileged features, scikit-learn's error names the missing ones, too
        return len(self.privileged) > 0 or regular < columns

    def by_name(self, X: CheckedX, names: NDArray[Any]) -> CheckedX:
        """Select the student's features of a frame by their names in fit's X."""
        regular = names[self.regular].tolist()
        missing = [name for name in regular if name not in X.columns]
        if missing:
            raise ValueError(
                f"X lacks the regular features {missing}: the student uses {regular}, and X has "
                f"the columns {list(X.columns)}"
            )
        return X[regular]


def split_features(X: CheckedX, privileged_features: Any, teacher_features: str) -> FeatureSplit:
    """Find the privileged features of X by name, position, slice, mask or callable."""
    n_columns = X.shape[1] if len(X.shape) > 1 else 1
    if privileged_features is None:
        if teacher_features == "privileged":
            raise ValueError(
                "teacher_features='privileged' needs privileged_features, which is None: pass the "
                "teacher's columns there, or set teacher_features='all'"
            )
        return FeatureSplit(n_columns, np.empty(0, dtype=np.intp), teacher_uses_all=True)
    chosen = privileged_features(X) if callable(privileged_features) else privileged_features
    # unique, as a column can be selected twice: by name and by position, or from both ends
    positions = np.unique(_positions(X, chosen))
    if len(positions) in (0, n_columns):
        which = "none" if len(positions) == 0 else "all"
        raise ValueError(
            f"privileged_features={privileged_features!r} selects {which} of the {n_columns} "
            "columns of X: select some, and leave some for the student; None stands for no "
            "privileged features"
        )
    return FeatureSplit(n_columns, positions, teacher_features == "all")


def _positions(X: CheckedX, chosen: Any) -> IntArray:
    if isinstance(chosen, slice):
        return _positions_of_slice(X, chosen)
    chosen = chosen.item() if getattr(chosen, "ndim", None) == 0 else chosen
    chosen = [chosen] if isinstance(chosen, (str, Integral)) else list(chosen)
    # bool is a subclass of int: a mask must not be read as the positions 0 and 1
    if chosen and all(isinstance(entry, (bool, np.bool_)) for entry in chosen):
        return _positions_of_mask(X, chosen)
    return np.array([_position(X, entry) for entry in chosen], dtype=np.intp)


def _positions_of_slice(X: CheckedX, chosen: slice) -> IntArray:
    """Return the positions of a slice; as in ColumnTransformer, one of names has its end, too."""
    start, stop = chosen.start, chosen.stop
    start = _position(X, start) if isinstance(start, str) else start
    stop = _position(X, stop) + 1 if isinstance(stop, str) else stop
    return np.arange(X.shape[1])[start : stop : chosen.step]


def _positions_of_mask(X: CheckedX, mask: list[bool]) -> IntArray:
    if len(mask) != X.shape[1]:
        raise ValueError(
            f"privileged_features is a mask of {len(mask)} columns, X has {X.shape[1]}: pass one "
            "entry per column"
        )
    return np.flatnonzero(mask)


def _position(X: CheckedX, entry: Any) -> int:
    """Return the position of a column; as in ColumnTransformer, strings are names."""
    n_columns: int = X.shape[1] if len(X.shape) > 1 else 1
    names = list(getattr(X, "columns", []))
    if isinstance(entry, str) and entry in names:
        return names.index(entry)
    if isinstance(entry, Integral) and -n_columns <= int(entry) < n_columns:
        return int(entry) % n_columns
    known = f"whose names are {names}" if names else "which have no names"
    raise ValueError(
        f"privileged_features names {entry!r}, which X does not have: it has {n_columns} columns, "
        f"{known}"
    )


def _take_columns(X: CheckedX, columns: IntArray) -> CheckedX:
    if hasattr(X, "iloc"):
        return X.iloc[:, columns]
    return X[:, columns.tolist()]
