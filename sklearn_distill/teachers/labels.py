"""What a teacher learns: targets, and which rows have one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._validation import check_numbers


def read_targets(y: Any, n_rows: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers to learn and which rows have them."""
    y = check_numbers("y", y, allow_nan=True)
    if len(y) != n_rows:
        raise ValueError(f"y has {len(y)} entries, X has {n_rows} rows: give one label a row")
    return y, ~np.isnan(y.reshape(n_rows, -1)).any(axis=1)


def check_teachable(present: NDArray[np.bool_]) -> None:
    """Require a label."""
    if not present.any():
        raise ValueError("y has no labels: a teacher needs some to learn from")
