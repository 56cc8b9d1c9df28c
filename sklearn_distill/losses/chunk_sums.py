"""Sums over rows that lie in blocks: on disk, or on the machines of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray, RowIndexer
from sklearn_distill.chunks import Chunks
from sklearn_distill.losses.row_sums import RowSums, stack_sums


@dataclass(frozen=True)
class ChunkSums:
    """What :class:`RowSums` sums over its rows, summed over blocks of which each is a RowSums.

    Parameters
    ----------
    light : Blocks of RowSums
        For the passes of a solver: targets have terms, but no linear form.
    whole : Blocks of RowSums
        The same with the linear form of each row, for rows that are taken out.
    n_rows_of_blocks : ndarray of int of shape (n_blocks,)
        Rows of each block.
    n_columns : int
        Number of weights of one score.
    fit_intercept : bool
        Whether the last column is the intercept's.
    linear_form : ndarray of shape (n_scores, n_columns)
        L of all rows.
    n_classes : int
        Number of classes K.
    regularizers : set of str or None
        Names of the terms' regularisers.
    weight_sum : float
        Σ s.

    Examples
    --------
    >>> from sklearn_distill.chunks import LocalChunks
    >>> from sklearn_distill.losses import as_design
    >>> from sklearn_distill.targets import LogPartitionTerm, SoftTargets
    >>> def part(x):
    ...     targets = SoftTargets(np.ones((2, 1)), (LogPartitionTerm(np.ones(1), 1.0),))
    ...     return RowSums(as_design(np.array([[x]]), False), targets, np.ones(1))
    >>> blocks = LocalChunks([lambda: part(-1.0), lambda: part(2.0)])
    >>> L, one_each = np.ones((1, 1)), np.array([1, 1])
    >>> sums = ChunkSums(blocks, blocks, one_each, 1, False, L, 2, {None}, 2.0)
    >>> sums.value_and_gradient(np.zeros((1, 1)))[1]
    array([[0.5]])
    """

    light: Chunks
    whole: Chunks
    n_rows_of_blocks: IntArray
    n_columns: int
    fit_intercept: bool
    linear_form: FloatArray
    n_classes: int
    regularizers: set[str | None]
    weight_sum: float

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.n_rows_of_blocks.sum())

    @property
    def n_scores(self) -> int:
        """Number of scores: K, or one logit for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    def take(self, rows: RowIndexer) -> RowSums:
        """Return the sums of the given rows, in memory; rows are ascending numbers."""
        numbers = np.arange(self.n_rows)[rows]
        ends = np.cumsum(self.n_rows_of_blocks)
        of_block = np.split(numbers, np.searchsorted(numbers, ends[:-1]))
        starts = ends - self.n_rows_of_blocks
        local = [taken - start for taken, start in zip(of_block, starts, strict=True)]
        picked = self.whole.map(RowSums.take, self.whole.with_values(local))
        return stack_sums(picked.map_to_list(_itself))

    def value_and_gradient(self, W: FloatArray) -> tuple[float, FloatArray]:
        """Return Φ and ∇Φ in one pass over the blocks."""
        value, gradient = self.light.map_reduce(RowSums.value_and_gradient, W)
        return value, gradient

    def hessian_operator(self, W: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return V ↦ ∇²Φ(W) V; each product is one pass over the blocks."""
        return lambda V: np.asarray(self.light.map_reduce(_hessian_product, W, V))

    def hessian(self, W: FloatArray) -> FloatArray:
        """Return ∇²Φ(W)."""
        return np.asarray(self.light.map_reduce(RowSums.hessian, W))

    def hessian_blocks(self, W: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²Φ(W), one a score."""
        return np.asarray(self.light.map_reduce(RowSums.hessian_blocks, W))

    def gram_at_zero(self) -> FloatArray:
        """Return A with ∇²Φ(0) = P ⊗ A."""
        return np.asarray(self.light.map_reduce(RowSums.gram_at_zero))


def _hessian_product(sums: RowSums, W: FloatArray, V: FloatArray) -> FloatArray:
    return sums.hessian_operator(W)(V)


def _itself(sums: RowSums) -> RowSums:
    return sums
