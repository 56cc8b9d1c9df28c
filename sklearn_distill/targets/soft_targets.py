"""Targets in the form in which the loss reads them."""

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
        The row's weight c in this term.
    temperature : float
        The student's temperature T' in this term.
    regularizer : str or None
        Name of r, None for r = 0.
    """

    weight: FloatArray
    temperature: float
    regularizer: str | None = None


@dataclass(frozen=True)
class SoftTargets:
    r"""Everything the loss must know about labels and teachers.

    Since :math:`CE(q, \mathrm{softmax}\,u) = \mathrm{lse}(u) - q·u` is linear in q, all targets
    enter through one linear form, and the objective over scores z is

    .. math:: \sum_i \Big\{ \sum_t c_{it}\,[\mathrm{lse}(z_i/T_t) + r_t(z_i/T_t)] - ℓ_i·z_i \Big\}.

    Parameters
    ----------
    linear : ndarray of shape (n_classes, n_rows)
        The form ℓ: target mass, divided by the temperature of its term.
    terms : tuple of LogPartitionTerm
        One term per temperature.

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
        """Size in memory."""
        return self.linear.nbytes + sum(term.weight.nbytes for term in self.terms)

    def class_mass(self) -> FloatArray:
        """Return (n_classes,): a class with 0 is in no row's target."""
        return np.asarray(self.linear.sum(axis=1))

    def take(self, rows: RowIndexer) -> SoftTargets:
        """Return the targets of the given rows."""
        terms = tuple(
            LogPartitionTerm(t.weight[rows], t.temperature, t.regularizer) for t in self.terms
        )
        return SoftTargets(self.linear[:, rows], terms)

    def keep_classes(self, kept: BoolArray) -> SoftTargets:
        """Return the targets of a problem that has the kept classes only."""
        return self if kept.all() else SoftTargets(self.linear[kept], self.terms)


def stack_targets(parts: Sequence[SoftTargets]) -> SoftTargets:
    """Return the targets of the rows of several parts together.

    Parameters
    ----------
    parts : sequence of SoftTargets
        Of the same classes; a term that a part lacks has weight 0 there.

    Returns
    -------
    SoftTargets
        A term for each temperature and regulariser that some part has.

    Examples
    --------
    >>> import numpy as np
    >>> one = SoftTargets(np.ones((2, 1)), (LogPartitionTerm(np.ones(1), 1.0),))
    >>> other = SoftTargets(np.ones((2, 1)), (LogPartitionTerm(np.ones(1), 3.0),))
    >>> [term.weight.tolist() for term in stack_targets([one, other]).terms]
    [[1.0, 0.0], [0.0, 1.0]]
    """
    kinds = {(t.temperature, t.regularizer): None for part in parts for t in part.terms}
    terms = tuple(
        LogPartitionTerm(np.concatenate([_weight_in(part, kind) for part in parts]), *kind)
        for kind in kinds
    )
    return SoftTargets(np.concatenate([part.linear for part in parts], axis=1), terms)


def _weight_in(part: SoftTargets, kind: tuple[float, str | None]) -> FloatArray:
    """Return the weight of the term of a kind; 0 on each row if there is none."""
    weights = [t.weight for t in part.terms if (t.temperature, t.regularizer) == kind]
    return weights[0] if weights else np.zeros(part.linear.shape[1])


@dataclass(frozen=True)
class TargetTangent:
    r"""The derivative of targets in one metaparameter θ (λ or T).

    Parameters
    ----------
    base : SoftTargets
        The targets at θ, a term for each source.
    direction : SoftTargets
        The same fields differentiated: ∂ℓ/∂θ, ∂c/∂θ and, as ``temperature``, ∂T'/∂θ.
    """

    base: SoftTargets
    direction: SoftTargets

    def keep_classes(self, kept: BoolArray) -> TargetTangent:
        """Return the tangent of a problem that has the kept classes only."""
        return TargetTangent(self.base.keep_classes(kept), self.direction.keep_classes(kept))
