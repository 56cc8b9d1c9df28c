"""Count what a search costs in the one currency that does not depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn_distill._typing import FloatArray, Rows
from sklearn_distill.losses.design import Design


class CountedDesign:
    """A design that counts the multiplications with X, and all parts of which count together.

    Parameters
    ----------
    design : Design
        What does the work.
    counter : list of float
        One entry, to which the multiplications are added.
    """

    def __init__(self, design: Design, counter: list[float] | None = None) -> None:
        self._design = design
        self._counter = [0.0] if counter is None else counter
        self.n_rows = design.n_rows
        self.n_columns = design.n_columns
        self.fit_intercept = design.fit_intercept
        self.dtype: Any = design.dtype

    @property
    def multiplications(self) -> float:
        """How often an entry of X was multiplied by a number, over the number of rows × columns."""
        return self._counter[0]

    def blocks(self) -> Iterator[slice]:
        """Yield the blocks of rows."""
        return self._design.blocks()

    def scores(self, W: FloatArray, rows: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ on the rows."""
        self._count(len(W), rows)
        return self._design.scores(W, rows)

    def pull_back(self, R: FloatArray, rows: slice) -> FloatArray:
        """Return R [X 1] on the rows."""
        self._count(len(R), rows)
        return self._design.pull_back(R, rows)

    def gram(self, weight: FloatArray, rows: slice) -> FloatArray:
        """Return [X 1]ᵀ diag(weight) [X 1] on the rows."""
        self._count(self.n_columns, rows)
        return self._design.gram(weight, rows)

    def take(self, rows: Rows) -> CountedDesign:
        """Return the design of the given rows, which counts here too."""
        return CountedDesign(self._design.take(rows), self._counter)

    def _count(self, times: int, rows: slice) -> None:
        self._counter[0] += times * (rows.stop - rows.start) * self.n_columns
