"""Targets in the form that the loss requires: a linear form and log-partition terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, RowIndexer


@dataclass(frozen=True)
class LogPartitionTerm:
    r"""One term :math:`c_i\,[\mathrm{lse}(z_i/T') + r(z_i/T')]` of the objective.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Weight c of each row in this term.
    temperature : float
        Temperature T' by which the student's scores are divided.
    regularizer : str or None
        Name of r; None for r = 0.
    """

    weight: FloatArray
    temperature: float
    regularizer: str | None = None


@dataclass(frozen=True)
class SoftTargets:
    r"""Targets of all rows, as the loss depends on them.

    Since :math:`CE(q, \mathrm{softmax}\,u) = \mathrm{lse}(u) - q·u` is linear in q, all targets
    enter through one linear form, and the objective over scores z is

    .. math:: \sum_i \Big\{ \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t) + r_t(z_i/T_t)] - ℓ_i·z_i \Big\}.

    Parameters
    ----------
    linear : ndarray of shape (n_classes, n_rows)
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

    linear: FloatArray
    terms: tuple[LogPartitionTerm, ...]

    @property
    def nbytes(self) -> int:
        """Memory of all arrays in bytes."""
        return self.linear.nbytes + sum(term.weight.nbytes for term in self.terms)

    def class_mass(self) -> FloatArray:
        """Return the total mass of each class; 0 for a class that no target contains."""
        return np.asarray(self.linear.sum(axis=1))

    def take(self, rows: RowIndexer) -> SoftTargets:
        """Return the targets of the given rows."""
        terms = tuple(
            LogPartitionTerm(t.weight[rows], t.temperature, t.regularizer) for t in self.terms
        )
        return SoftTargets(self.linear[:, rows], terms)

    def keep_classes(self, kept: BoolArray) -> SoftTargets:
        """Return the targets restricted to a mask of classes."""
        return self if kept.all() else SoftTargets(self.linear[kept], self.terms)


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
    # A dict keeps the order of first appearance, so that stacking is deterministic.
    kinds = {(t.temperature, t.regularizer): None for part in parts for t in part.terms}
    terms = tuple(
        LogPartitionTerm(np.concatenate([_weight_in(part, kind) for part in parts]), *kind)
        for kind in kinds
    )
    return SoftTargets(np.concatenate([part.linear for part in parts], axis=1), terms)


def _weight_in(part: SoftTargets, kind: tuple[float, str | None]) -> FloatArray:
    """Return the weights of the term of a temperature and regulariser; 0 if there is none."""
    weights = [t.weight for t in part.terms if (t.temperature, t.regularizer) == kind]
    return weights[0] if weights else np.zeros(part.linear.shape[1])


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

    def keep_classes(self, kept: BoolArray) -> TargetTangent:
        """Return the tangent restricted to a mask of classes."""
        return TargetTangent(self.base.keep_classes(kept), self.direction.keep_classes(kept))
