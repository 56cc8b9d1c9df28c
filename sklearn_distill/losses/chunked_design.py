"""X in chunks of rows, on disk or on a cluster, with targets that are held in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from sklearn_distill._typing import CheckedX, FloatArray, IntArray
from sklearn_distill.chunks import Chunks
from sklearn_distill.losses.chunk_sums import ChunkSums
from sklearn_distill.losses.design import Design, as_design
from sklearn_distill.losses.row_sums import RowSums
from sklearn_distill.targets import SoftTargets, TargetTangent


class PassCancelledError(RuntimeError):
    """Raised in the threads of a search that was interrupted, to end them."""


class ChunkedDesign:
    """The design of an X in chunks, to which weights, scores and targets are sent, never X.

    Parameters
    ----------
    features : Chunks of ndarray or sparse matrix
        The rows of X in float32 or float64.
    chunk_sizes : ndarray of int of shape (n_chunks,)
        Number of rows of each chunk.
    n_features : int
        Number of features.
    fit_intercept : bool
        Whether a column of ones is appended to the features.
    dtype : dtype
        Precision of the features.

    Examples
    --------
    >>> from sklearn_distill.chunks import LocalChunks
    >>> chunks = LocalChunks([lambda: np.ones((2, 1)), lambda: np.full((1, 1), 3.0)])
    >>> design = ChunkedDesign(chunks, np.array([2, 1]), 1, True, np.dtype(np.float64))
    >>> design.scores(np.array([[2.0, 0.5]]), slice(0, 3))
    array([[2.5, 2.5, 6.5]])
    """

    shares_passes = True

    def __init__(
        self,
        features: Chunks,
        chunk_sizes: IntArray,
        n_features: int,
        fit_intercept: bool,
        dtype: np.dtype[Any],
    ) -> None:
        self.features = features
        self.chunk_sizes = chunk_sizes
        self.fit_intercept = fit_intercept
        self.n_rows = int(chunk_sizes.sum())
        self.n_columns = n_features + fit_intercept
        self.shape = (self.n_rows, n_features)
        self.dtype = dtype
        # multiplications of an entry of X by a number, of all passes
        self.multiplications = 0.0
        self._is_cancelled = False

    def cancel(self) -> None:
        """Let each later pass end with an error, in whatever thread."""
        self._is_cancelled = True

    def count(self, n_vectors: float) -> None:
        """Count products of X with so many vectors."""
        if self._is_cancelled:
            raise PassCancelledError
        self.multiplications += n_vectors * self.n_rows * self.n_columns

    @property
    def slices(self) -> list[slice]:
        """The rows of each chunk."""
        stops = np.cumsum(self.chunk_sizes)
        starts = stops - self.chunk_sizes
        return [slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]

    def tiles(self, n_scores: int = 0) -> Iterator[slice]:
        """Yield all rows as one tile, whose scores are computed where the chunks are."""
        yield slice(0, self.n_rows)

    def scores(self, W: FloatArray, tile: slice) -> FloatArray:
        """Return W Xᵀ + b 1ᵀ of all rows."""
        parts = self.features.map_to_list(_scores, W, self.fit_intercept)
        return np.concatenate(parts, axis=1)

    def take(self, rows: IntArray) -> ChunkedDesign:
        """Return the design of the given rows, which are ascending, in as many chunks."""
        by_chunk = [rows[(rows >= part.start) & (rows < part.stop)] for part in self.slices]
        local = [taken - part.start for taken, part in zip(by_chunk, self.slices, strict=True)]
        return ChunkedDesign(
            self.features.map(_take, self.features.with_values(local)),
            np.array([len(taken) for taken in local]),
            self.shape[1],
            self.fit_intercept,
            self.dtype,
        )


@dataclass(frozen=True)
class _ChunkTargets:
    """Targets and weights of the rows of a chunk."""

    targets: SoftTargets
    weight: FloatArray

    @property
    def nbytes(self) -> int:
        return self.targets.nbytes + int(self.weight.nbytes)

    def without_linear(self) -> _ChunkTargets:
        return _ChunkTargets(self.targets.without_linear(), self.weight)

    def row_sums(self, X: CheckedX, fit_intercept: bool) -> RowSums:
        return RowSums(as_design(X, fit_intercept), self.targets, self.weight)


class DesignChunkSums(ChunkSums):
    """The sums of :class:`ChunkSums` for targets that are in memory, and are sent to the chunks.

    Parameters
    ----------
    design : ChunkedDesign
        The design of the rows.
    targets : SoftTargets
        Targets of two or more classes.
    weight : ndarray of shape (n_rows,)
        Row weights s.

    Examples
    --------
    >>> from sklearn_distill.chunks import LocalChunks
    >>> from sklearn_distill.targets import LogPartitionTerm
    >>> chunks = LocalChunks([lambda: np.array([[-1.0]]), lambda: np.array([[2.0]])])
    >>> design = ChunkedDesign(chunks, np.array([1, 1]), 1, False, np.dtype(np.float64))
    >>> targets = SoftTargets(np.eye(2), (LogPartitionTerm(np.ones(2), 1.0),))
    >>> sums = DesignChunkSums(design, targets, np.ones(2))
    >>> sums.value_and_gradient(np.zeros((1, 1)))[1], sums.linear_form
    (array([[0.5]]), array([[2.]]))
    """

    def __init__(self, design: ChunkedDesign, targets: SoftTargets, weight: FloatArray) -> None:
        features, slices = design.features, design.slices
        full = [_ChunkTargets(targets.take(rows), weight[rows]) for rows in slices]
        slim = [part.without_linear() for part in full]
        solver_targets = features.with_values(slim).persist()
        row_sums = partial(_row_sums, fit_intercept=design.fit_intercept)
        values = {
            "design": design,
            "solver_targets": solver_targets,
            "class_mass": targets.class_mass(),
            "solver_sums": features.map(row_sums, solver_targets),
            "full_sums": features.map(row_sums, features.with_values(full)),
            "chunk_sizes": design.chunk_sizes,
            "n_columns": design.n_columns,
            "fit_intercept": design.fit_intercept,
            "n_classes": targets.n_classes,
            "regularizers": {term.regularizer for term in targets.terms},
            "weight_sum": float(weight.sum()),
            "is_partial": targets.is_partial,
            "dtype": design.dtype,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)  # the class is frozen

    design: ChunkedDesign
    solver_targets: Chunks
    class_mass: FloatArray

    @cached_property
    def linear_form(self) -> FloatArray:  # not all sums need it
        """Linear form L, summed over all rows."""
        self.design.count(self.n_scores)
        return np.asarray(self.full_sums.map_reduce(_linear_form))

    def without_linear(self) -> DesignChunkSums:
        """Return the same sums without the linear form of each row, of which rows are not taken."""
        sums = copy.copy(self)
        sums.__dict__["linear_form"] = self.linear_form
        del sums.__dict__["full_sums"]
        return sums

    def value_and_gradient(self, W: FloatArray) -> tuple[float, FloatArray]:
        """Return Φ and ∇Φ in one pass over the chunks."""
        self.design.count(2 * len(W))
        return super().value_and_gradient(W)

    def hessian_operator(self, W: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Return V ↦ ∇²Φ(W) V; each product is one pass over the chunks."""
        product = super().hessian_operator(W)

        def counted(V: FloatArray) -> FloatArray:
            self.design.count(3 * len(V))
            return product(V)

        return counted

    def tangents_along(
        self, W: FloatArray, A: FloatArray, tangents: Sequence[TargetTangent]
    ) -> FloatArray:
        r"""Return :math:`\sum_i \dot G_i·(A x_i)` for each of several tangents."""
        of_chunks = [[tangent.take(rows) for tangent in tangents] for rows in self.design.slices]
        self.design.count(2 * len(W))
        chunks = self.solver_sums.map(_WithTangents, self.design.features.with_values(of_chunks))
        return np.asarray(chunks.map_reduce(_tangents_along, W, A))

    def many(self, others: Sequence[DesignChunkSums]) -> Chunks:
        """Return chunks of the row sums of these and of others on the same design, in a list."""
        targets = [sums.solver_targets for sums in (self, *others)]
        row_sums = partial(_many_row_sums, self.fit_intercept)
        return self.design.features.map(row_sums, *targets)


@dataclass(frozen=True)
class _WithTangents:
    sums: RowSums
    tangents: list[TargetTangent]


def make_sums(
    design: Design | ChunkedDesign, targets: SoftTargets, weight: FloatArray
) -> RowSums | DesignChunkSums:
    """Return the sums over the rows of a design, in memory or in chunks.

    Parameters
    ----------
    design : Design or ChunkedDesign
        Design of the rows.
    targets : SoftTargets
        Targets of two or more classes.
    weight : ndarray of shape (n_rows,)
        Row weights s.

    Returns
    -------
    RowSums or DesignChunkSums
        Which of them depends on the design.
    """
    if isinstance(design, ChunkedDesign):
        return DesignChunkSums(design, targets, weight)
    return RowSums(design, targets, weight)


def _scores(X: CheckedX, W: FloatArray, fit_intercept: bool) -> FloatArray:
    design = as_design(X, fit_intercept)
    return design.scores(W, slice(0, design.n_rows))


def _take(X: CheckedX, rows: IntArray) -> CheckedX:
    return X[rows]


def _row_sums(X: CheckedX, data: _ChunkTargets, fit_intercept: bool) -> RowSums:
    return data.row_sums(X, fit_intercept)


def _many_row_sums(fit_intercept: bool, X: CheckedX, *data: _ChunkTargets) -> list[RowSums]:
    design = as_design(X, fit_intercept)
    return [RowSums(design, part.targets, part.weight) for part in data]


def _linear_form(sums: RowSums) -> FloatArray:
    return sums.linear_form


def _tangents_along(chunk: _WithTangents, W: FloatArray, A: FloatArray) -> FloatArray:
    return chunk.sums.tangents_along(W, A, chunk.tangents)
