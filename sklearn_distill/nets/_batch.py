"""A mini-batch."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray
from torch import Tensor


class Batch(NamedTuple):
    """A mini-batch, or the share that one of several processes has of it.

    Parameters
    ----------
    features : Tensor of shape (n_rows, ...)
        Features.
    table : Tensor of shape (n_rows, n_columns)
        What the loss reads: targets and weights.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None, default=None
        What callbacks read: the labels as the user passed them, None or NaN where they are missing.
    n_own : int or None, default=None
        Number of rows that count, 0 for a process that only takes part; None is all.
    n_total : int or None, default=None
        Number of rows of the whole mini-batch, on all processes; None is `n_own`.
    rows : Tensor of shape (n_rows,) or None, default=None
        Numbers of the rows in a data set in memory.
    """

    features: Any
    table: Tensor
    labels: NDArray[Any] | None = None
    n_own: int | None = None
    n_total: int | None = None
    rows: Tensor | None = None

    @property
    def size(self) -> int:
        """Number of rows that count in this process."""
        return len(self.table) if self.n_own is None else self.n_own

    @property
    def total_size(self) -> int:
        """Number of rows that count in all processes."""
        return self.size if self.n_total is None else self.n_total
