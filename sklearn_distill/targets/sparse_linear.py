"""The linear form of targets of many classes, of which a row knows few: it is never dense."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, RowIndexer


@dataclass(frozen=True)
class SparseLinear:
    r"""The linear form :math:`ℓ_i = s_i + \sum_p a_{pi} e_p` of each row.

    s is sparse, and the few vectors e of all classes are shared by all rows: an even target of the
    unknown classes is one number a row.

    Parameters
    ----------
    entries : csr_array of shape (n_rows, n_classes)
        The sparse part s.
    patterns : ndarray of shape (n_patterns, n_classes)
        The vectors e.
    multiples : ndarray of shape (n_patterns, n_rows)
        The numbers a.

    Examples
    --------
    >>> from scipy import sparse
    >>> entries = sparse.csr_array(np.array([[0.5, 0.0, 0.0]]))
    >>> linear = SparseLinear(entries, np.ones((1, 3)), np.array([[0.25]]))
    >>> linear.dense(slice(None)).T
    array([[0.75, 0.25, 0.25]])
    """

    entries: Any
    patterns: FloatArray
    multiples: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of classes and rows."""
        n_rows, n_classes = self.entries.shape
        return n_classes, n_rows

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        arrays = (self.entries.data, self.entries.indices, self.entries.indptr, self.multiples)
        return sum(int(array.nbytes) for array in arrays)

    def dense(self, rows: RowIndexer) -> FloatArray:
        """Return the linear form of some rows, of shape (n_classes, n_rows)."""
        dense = self.entries[rows].toarray().T
        if len(self.patterns):
            dense = dense + self.patterns.T @ self.multiples[:, rows]
        return np.ascontiguousarray(dense)

    def class_mass(self) -> FloatArray:
        """Return the sum over the rows; exactly 0 for a class that no row contains."""
        E, n_classes = self.entries, self.shape[0]
        mass, values = np.zeros(n_classes), E.data
        for e, a in zip(self.patterns, self.multiples, strict=True):
            # where an entry cancels an even target, a sum over all rows would leave its rounding
            of_entries = np.repeat(a, np.diff(E.indptr))
            values = values + of_entries * e[E.indices]
            elsewhere = a.sum() - np.bincount(E.indices, of_entries, n_classes)
            is_everywhere = np.bincount(E.indices, of_entries > 0, n_classes) == (a > 0).sum()
            mass += np.where(is_everywhere, 0.0, np.maximum(elsewhere, 0.0)) * e
        return mass + np.bincount(E.indices, values, n_classes)

    def plus(self, entries: Any, even: FloatArray) -> SparseLinear:
        """Add a csr_array, and a number for all classes of each row."""
        ones = np.ones((1, self.shape[0]))
        patterns = np.concatenate([self.patterns, ones])
        multiples = np.concatenate([self.multiples, even[None]])
        return SparseLinear(self.entries + entries, patterns, multiples)

    def take(self, rows: RowIndexer) -> SparseLinear:
        """Return the linear form of the given rows."""
        return replace(self, entries=self.entries[rows], multiples=self.multiples[:, rows])

    def keep_classes(self, kept: BoolArray) -> SparseLinear:
        """Return the linear form restricted to a mask of classes."""
        return replace(self, entries=self.entries[:, kept], patterns=self.patterns[:, kept])
