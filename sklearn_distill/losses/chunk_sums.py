"""Sums over rows that are stored in chunks: on disk, or on the machines of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray, RowIndexer
from sklearn_distill.chunks import Chunks
from sklearn_distill.losses.row_sums import RowSums, stack_sums


@dataclass(frozen=True)
class ChunkSums:
    """The sums of :class:`RowSums`, added up over chunks of rows.

    Parameters
    ----------
    solver_sums : Chunks of RowSums
        Sums of each chunk for the passes of a solver: their targets have terms but no linear form,
        which only enters through its total.
    full_sums : Chunks of RowSums
        The same sums with the linear form of each row, for rows that are taken out.
    chunk_sizes : ndarray of int of shape (n_chunks,)
        Number of rows of each chunk.
    n_columns : int
        Number of weights per score.
    fit_intercept : bool
        Whether the last column is the intercept.
    linear_form : ndarray of shape (n_scores, n_columns)
        Linear form L, summed over all rows.
    n_classes : int
        Number of classes K.
    regularizers : set of str or None
        Names of the terms' regularisers.
    weight_sum : float
        Sum Σ s of the row weights.
    is_partial : bool, default=False
        Whether a term is over the unknown classes of each row only.
    dtype : dtype
        Precision of the products with X.

    Examples
    --------
    >>> from sklearn_distill.chunks import LocalChunks
    >>> from sklearn_distill.losses import as_design
    >>> from sklearn_distill.targets import LogPartitionTerm, SoftTargets
    >>> def row_sums(x):
    ...     targets = SoftTargets(np.ones((2, 1)), (LogPartitionTerm(np.ones(1), 1.0),))
    ...     return RowSums(as_design(np.array([[x]]), False), targets, np.ones(1))
    >>> chunks = LocalChunks([lambda: row_sums(-1.0), lambda: row_sums(2.0)])
    >>> L, chunk_sizes = np.ones((1, 1)), np.array([1, 1])
    >>> sums = ChunkSums(chunks, chunks, chunk_sizes, 1, False, L, 2, {None}, 2.0)
    >>> sums.value_and_gradient(np.zeros((1, 1)))[1]
    array([[0.5]])
    """

    solver_sums: Chunks
    full_sums: Chunks
    chunk_sizes: IntArray
    n_columns: int
    fit_intercept: bool
    linear_form: FloatArray
    n_classes: int
    regularizers: set[str | None]
    weight_sum: float
    is_partial: bool = False
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float64))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.chunk_sizes.sum())

    @property
    def n_scores(self) -> int:
        """Number of scores: K, or one logit for two classes."""
        return 1 if self.n_classes == 2 else self.n_classes

    def take(self, rows: RowIndexer) -> RowSums:
        """Return the sums of the given rows, loaded into memory; row numbers are ascending."""
        numbers = np.arange(self.n_rows)[rows]
        stops = np.cumsum(self.chunk_sizes)
        starts = stops - self.chunk_sizes
        by_chunk = np.split(numbers, np.searchsorted(numbers, stops[:-1]))
        # Each chunk selects its rows where it is stored, so that only these are transferred.
        local = [taken - start for taken, start in zip(by_chunk, starts, strict=True)]
        taken_sums = self.full_sums.map(RowSums.take, self.full_sums.with_values(local))
        return stack_sums(taken_sums.map_to_list(_identity))

    def value_and_gradient(self, W: FloatArray) -> tuple[float, FloatArray]:
        """Return Φ and ∇Φ in one pass over the chunks."""
        value, gradient = self.solver_sums.map_reduce(RowSums.value_and_gradient, W)
        return value, gradient

    def hessian_operator(self, W: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return V ↦ ∇²Φ(W) V; each product is one pass over the chunks."""
        return lambda V: np.asarray(self.solver_sums.map_reduce(_hessian_product, W, V))

    def hessian(self, W: FloatArray) -> FloatArray:
        """Return ∇²Φ(W)."""
        return np.asarray(self.solver_sums.map_reduce(RowSums.hessian, W))

    def hessian_blocks(self, W: FloatArray) -> FloatArray:
        """Return the diagonal blocks of ∇²Φ(W), one per score, in the precision of the products."""
        return np.asarray(self.solver_sums.map_reduce(RowSums.hessian_blocks, W))

    def class_moments(self, W: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the curvature's moments by class, and their spread over all classes."""
        a, B, G = self.solver_sums.map_reduce(RowSums.class_moments, W)
        return a, B, G

    def gram_at_zero(self) -> FloatArray:
        """Return A with ∇²Φ(0) = P ⊗ A."""
        return np.asarray(self.solver_sums.map_reduce(RowSums.gram_at_zero))

    def gram_diagonal_at_zero(self) -> FloatArray:
        """Return the diagonal of A with ∇²Φ(0) = P ⊗ A, with all curvatures as positive."""
        return np.asarray(self.solver_sums.map_reduce(RowSums.gram_diagonal_at_zero))


def _hessian_product(sums: RowSums, W: FloatArray, V: FloatArray) -> FloatArray:
    return sums.hessian_operator(W)(V)


def _identity(sums: RowSums) -> RowSums:
    return sums
