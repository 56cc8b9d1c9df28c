"""What a teacher learns: targets, and which rows have one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array


def read_targets(y: Any, n_rows: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers to learn and which rows have them."""
    y = check_array(
        y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y"
    )
    if len(y) != n_rows:
        raise ValueError(f"y has {len(y)} entries, X has {n_rows} rows: give one label a row")
    return y, ~np.isnan(y.reshape(n_rows, -1)).any(axis=1)


def check_teachable(present: NDArray[np.bool_]) -> None:
    """Require a label."""
    if not present.any():
        raise ValueError("y has no labels: a teacher needs some to learn from")
