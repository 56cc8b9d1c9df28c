"""Targets in the form that the loss requires: a linear form and log-partition terms.

Where a teacher leaves classes unknown, a term is over the unknown classes of each row only, and the
linear form may be sparse.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_distill._typing import BoolArray, FloatArray, RowIndexer
from sklearn_distill.targets.sparse_linear import SparseLinear


@dataclass(frozen=True)
class LogPartitionTerm:
    r"""One term :math:`c_i\,[\mathrm{lse}(z_i/T') + r(z_i/T')]` of the objective.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Weight c of each row in this term; negative in the term of unknown classes.
    temperature : float
        Temperature T' by which the student's scores are divided.
    regularizer : str or None
        Name of r; None for r = 0.
    known : csr_array of shape (n_rows, n_classes) or None, default=None
        Its stored entries, whatever their values, are the known classes of each row, over which the
        log-partition function is not summed; None sums over all classes.
    """

    weight: FloatArray
    temperature: float
    regularizer: str | None = None
    known: Any = None

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        arrays = [] if self.known is None else [self.known.data, self.known.indices]
        return int(self.weight.nbytes + sum(array.nbytes for array in arrays))

    def take(self, rows: RowIndexer) -> LogPartitionTerm:
        """Return the term of the given rows."""
        known = None if self.known is None else self.known[rows]
        return replace(self, weight=self.weight[rows], known=known)

    def keep_classes(self, kept: BoolArray) -> LogPartitionTerm:
        """Return the term restricted to a mask of classes."""
        return self if self.known is None else replace(self, known=self.known[:, kept])

    def class_mass(self, n_classes: int) -> FloatArray:
        """Return the mass of each class if that of unknown classes is even."""
        if self.known is None:
            return np.zeros(n_classes)
        n_known = np.diff(self.known.indptr)
        share = -self.weight / self.temperature / np.maximum(n_classes - n_known, 1)
        of_known = np.bincount(self.known.indices, np.repeat(share, n_known), n_classes)
        n_rows_known = np.bincount(self.known.indices, np.repeat(share > 0, n_known), n_classes)
        # exactly 0 for a class that is known in every row
        is_unknown = n_rows_known < np.count_nonzero(share > 0)
        return np.where(is_unknown, np.maximum(share.sum() - of_known, 0.0), 0.0)


@dataclass(frozen=True)
class SoftTargets:
    r"""Targets of all rows, as the loss depends on them.

    Since :math:`CE(q, \mathrm{softmax}\,u) = \mathrm{lse}(u) - q·u` is linear in q, all targets
    enter through one linear form, and the objective over scores z is

    .. math:: \sum_i \Big\{ \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t) + r_t(z_i/T_t)] - ℓ_i·z_i \Big\}.

    Parameters
    ----------
    linear : ndarray of shape (n_classes, n_rows) or SparseLinear
        Linear form ℓ: the target mass, divided by the temperature of its term.
    terms : tuple of LogPartitionTerm
        One term per pair of temperature and regulariser.

    Examples
    --------
    >>> import numpy as np
    >>> targets = SoftTargets(np.array([[1.0, 0.5], [0.0, 0.5]]), ())
    >>> targets.class_mass()
    array([1.5, 0.5])
    """

    linear: FloatArray | SparseLinear
    terms: tuple[LogPartitionTerm, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return int(self.linear.shape[0])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.linear.shape[1])

    @property
    def nbytes(self) -> int:
        """Memory of all arrays in bytes."""
        return self.linear.nbytes + sum(term.nbytes for term in self.terms)

    @property
    def is_partial(self) -> bool:
        """Whether a term is over the unknown classes only, so that the loss is not convex."""
        return any(term.known is not None for term in self.terms)

    def dense_linear(self, rows: RowIndexer) -> FloatArray:
        """Return the linear form of some rows, of shape (n_classes, n_rows)."""
        linear = self.linear
        return linear.dense(rows) if isinstance(linear, SparseLinear) else linear[:, rows]

    def class_mass(self) -> FloatArray:
        """Return the total mass of each class; 0 for a class that no target contains."""
        if not isinstance(self.linear, SparseLinear):
            return np.asarray(self.linear.sum(axis=1))
        of_unknown = [term.class_mass(self.n_classes) for term in self.terms]
        return np.asarray(sum(of_unknown, self.linear.class_mass()))

    def take(self, rows: RowIndexer) -> SoftTargets:
        """Return the targets of the given rows."""
        linear = self.linear
        taken = linear.take(rows) if isinstance(linear, SparseLinear) else linear[:, rows]
        return SoftTargets(taken, tuple(term.take(rows) for term in self.terms))

    def keep_classes(self, kept: BoolArray) -> SoftTargets:
        """Return the targets restricted to a mask of classes."""
        if kept.all():
            return self
        linear = self.linear
        of_kept = linear.keep_classes(kept) if isinstance(linear, SparseLinear) else linear[kept]
        return SoftTargets(of_kept, tuple(term.keep_classes(kept) for term in self.terms))

    def without_linear(self) -> SoftTargets:
        """Return the terms alone, where the total of the linear form is known."""
        return SoftTargets(np.empty((self.n_classes, 0)), self.terms)


def stack_targets(parts: Sequence[SoftTargets]) -> SoftTargets:
    """Concatenate the targets of several sets of rows.

    Parameters
    ----------
    parts : sequence of SoftTargets
        Targets of the same classes. Where one of them lacks a term, its rows get weight 0 in it.

    Returns
    -------
    SoftTargets
        Targets of all rows, with one term per temperature and regulariser found in ``parts``.

    Examples
    --------
    >>> import numpy as np
    >>> first = SoftTargets(np.ones((2, 1)), (LogPartitionTerm(np.ones(1), 1.0),))
    >>> second = SoftTargets(np.ones((2, 1)), (LogPartitionTerm(np.ones(1), 3.0),))
    >>> [term.weight.tolist() for term in stack_targets([first, second]).terms]
    [[1.0, 0.0], [0.0, 1.0]]
    """
    by_part = [_terms_by_kind(part) for part in parts]
    # A dict keeps the order of first appearance, so that stacking is deterministic.
    kinds = {kind: term for terms in by_part for kind, term in terms.items()}
    terms = tuple(
        replace(
            like,
            weight=np.concatenate(
                [
                    terms[kind].weight if kind in terms else np.zeros(part.n_rows)
                    for part, terms in zip(parts, by_part, strict=True)
                ]
            ),
            known=None if like.known is None else _stack_known(kind, parts, by_part),
        )
        for kind, like in kinds.items()
    )
    return SoftTargets(_stack_linear([part.linear for part in parts]), terms)


def _terms_by_kind(part: SoftTargets) -> dict[Hashable, LogPartitionTerm]:
    """Return the terms by temperature and regulariser, or by their number if they are partial."""
    return {
        (t.temperature, t.regularizer, None if t.known is None else j): t
        for j, t in enumerate(part.terms)
    }


def _stack_known(
    kind: Hashable,
    parts: Sequence[SoftTargets],
    by_part: Sequence[dict[Hashable, LogPartitionTerm]],
) -> Any:
    known = [
        terms[kind].known if kind in terms else sparse.csr_array((part.n_rows, part.n_classes))
        for part, terms in zip(parts, by_part, strict=True)
    ]
    return sparse.vstack(known, format="csr")


def _stack_linear(parts: Sequence[FloatArray | SparseLinear]) -> FloatArray | SparseLinear:
    dense = [part for part in parts if not isinstance(part, SparseLinear)]
    if len(dense) == len(parts):
        return np.concatenate(dense, axis=1)
    several = [
        part
        if isinstance(part, SparseLinear)
        else SparseLinear(sparse.csr_array(part.T), np.empty((0, len(part))), np.empty((0, 0)))
        for part in parts
    ]
    patterns = np.unique(np.concatenate([part.patterns for part in several]), axis=0)
    multiples = [_multiples_of(patterns, part) for part in several]
    entries = sparse.vstack([part.entries for part in several], format="csr")
    return SparseLinear(entries, patterns, np.concatenate(multiples, axis=1))


def _multiples_of(patterns: FloatArray, part: SparseLinear) -> FloatArray:
    """Return the multiples of a part for the patterns of all parts."""
    multiples = np.zeros((len(patterns), part.shape[1]))
    for e, a in zip(part.patterns, part.multiples, strict=True):
        multiples[(patterns == e).all(axis=1).argmax()] += a
    return multiples


@dataclass(frozen=True)
class TargetTangent:
    r"""The derivative of targets in one metaparameter θ (λ or T).

    Parameters
    ----------
    base : SoftTargets
        Targets at θ, with the label's and the teacher's term kept separate.
    direction : SoftTargets
        Derivatives of the same fields: ∂ℓ/∂θ, ∂c/∂θ and, as ``temperature``, ∂T'/∂θ.
    """

    base: SoftTargets
    direction: SoftTargets

    def take(self, rows: RowIndexer) -> TargetTangent:
        """Return the tangent of the given rows."""
        return TargetTangent(self.base.take(rows), self.direction.take(rows))

    def keep_classes(self, kept: BoolArray) -> TargetTangent:
        """Return the tangent restricted to a mask of classes."""
        return TargetTangent(self.base.keep_classes(kept), self.direction.keep_classes(kept))
