"""Mix labels with predictions that leave some classes unknown, without a dense target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import xlogy

from sklearn_distill._typing import FloatArray
from sklearn_distill.targets.mixture import TargetMixture
from sklearn_distill.targets.partial_teachers import KnownProba, PartialTeachers, by_row
from sklearn_distill.targets.soft_targets import LogPartitionTerm, SoftTargets, TargetTangent
from sklearn_distill.targets.sparse_linear import SparseLinear


@dataclass(frozen=True)
class _Parts:
    """c ∘ q of a teacher, times its share: of the known classes, and of the rest."""

    known: FloatArray
    rest: FloatArray


@dataclass(frozen=True)
class PartialMixture(TargetMixture):
    r"""The mixture of :class:`TargetMixture` for teachers with unknown classes.

    With the known classes S of a row, g = softmax(z/T') and u = z/T', the term of a teacher is

    .. math::

        -\sum_{k \in S} q_k \log g_k - q_r \log \sum_{k \notin S} g_k
        = \mathrm{lse}(u) - \sum_{k \in S} q_k u_k - q_r \log \sum_{k \notin S} e^{u_k}

    ("rest"), which is not convex where more than one class is unknown, or the cross-entropy with
    :math:`q_k = q_r/M` for each of the M unknown classes ("spread"). Of several teachers it is the
    mean of their terms. In a row without a label the rest has the mean class weight of the unknown
    classes.

    Its parameters are those of :class:`TargetMixture`, with :class:`PartialTeachers`.

    Examples
    --------
    >>> from sklearn_distill.targets import Labels
    >>> known = KnownProba.of(sparse.csr_array(np.array([[0.5, 0.3, 0.0, 0.0]])))
    >>> teachers = PartialTeachers((known,), "rest")
    >>> mixture = PartialMixture(Labels(np.array([-1]), 4), teachers, np.ones(1), imitation=0.5)
    >>> targets = mixture.targets()
    >>> targets.linear.dense(slice(None)).T, targets.terms[1].weight.round(3)
    (array([[0.5, 0.3, 0. , 0. ]]), array([-0.2]))
    """

    def targets(self) -> SoftTargets:
        """Return the targets, with terms of the same temperature and regulariser merged."""
        separate = self._separate_terms()
        label, teacher, *of_unknown = separate.terms
        if self._student_temperature == 1 and self.regularizer is None:
            terms = [LogPartitionTerm(label.weight + teacher.weight, 1.0), *of_unknown]
        else:
            terms = list(separate.terms)
        return SoftTargets(separate.linear, tuple(term for term in terms if term.weight.any()))

    def loss_parts(self) -> FloatArray:
        """Return what separates the loss of a row into those of its label and of its teacher."""
        label = np.where(self.labels.present, self._row_weight, 0.0)
        b, n_rows = self._teacher_weight, len(self.weight)
        mass, entropy = np.zeros(n_rows), np.zeros(n_rows)
        for one, part in zip(self._known, self._parts(), strict=True):
            total = by_row(np.add, one.log_proba, part.known) + part.rest
            mass += total
            # of the mean of the terms: the entropy of each teacher's prediction
            scale = np.maximum(total, np.finfo(float).tiny)
            of_known = by_row(
                np.add, one.log_proba, xlogy(part.known, part.known / one.per_entry(scale))
            )
            entropy -= of_known + xlogy(part.rest, self._each(one, part.rest) / scale)
        return np.column_stack([self._label_weight, label, b * mass, b * entropy])

    def imitation_tangent(self) -> TargetTangent:
        r"""Return the derivative in λ; it is 0 on rows with a label or a prediction only."""
        s = np.where(self._both_available, self._row_weight * self._share_derivative, 0.0)
        label, teacher = -s, self._tau * s
        direction = self._of_weights(label, teacher, teacher / self._student_temperature)
        return TargetTangent(self._separate_terms(), _at_rest(direction))

    def temperature_tangent(self) -> TargetTangent:
        """Return the derivative in T, which only the teachers' terms depend on."""
        T_ = self._student_temperature
        dT_ = 1.0 if self.soften_student else 0.0
        b = self._teacher_weight
        db = b * (2 * T_ / self._tau if self.t_squared else 0.0)
        parts, derivatives = list(self._parts()), list(self._parts(derivative=True))
        # of the linear form b q/T', and of the weights b Σ q and b q_r
        in_linear, in_weight = (
            [
                _Parts(
                    one.per_entry(along) * part.known + one.per_entry(rate) * derivative.known,
                    along * part.rest + rate * derivative.rest,
                )
                for one, part, derivative in zip(self._known, parts, derivatives, strict=True)
            ]
            for along, rate in ((db / T_ - b * dT_ / T_**2, b / T_), (db, b))
        )
        mass = self._mass_of(in_weight)
        nothing = np.zeros_like(b)
        terms = (
            LogPartitionTerm(nothing, 0.0),
            LogPartitionTerm(mass, dT_, self.regularizer),
            *self._unknown_terms([part.rest for part in in_weight], dT_),
        )
        linear = self._sparse_linear(nothing, in_linear)
        return TargetTangent(self._separate_terms(), SoftTargets(linear, terms))

    def _separate_terms(self) -> SoftTargets:
        b = self._teacher_weight
        return self._of_weights(self._label_weight, b, b / self._student_temperature)

    def _of_weights(
        self, label: FloatArray, teacher: FloatArray, linear: FloatArray
    ) -> SoftTargets:
        """Return the targets with these weights of the terms, and of q in the linear form."""
        parts, T_ = list(self._parts()), self._student_temperature
        terms = (
            LogPartitionTerm(label, 1.0),
            LogPartitionTerm(teacher * self._mass_of(parts), T_, self.regularizer),
            *self._unknown_terms([teacher * part.rest for part in parts], T_),
        )
        for one, part in zip(self._known, parts, strict=True):
            np.multiply(part.known, one.per_entry(linear), out=part.known)
            np.multiply(part.rest, linear, out=part.rest)
        return SoftTargets(self._sparse_linear(label, parts), terms)

    def _unknown_terms(
        self, rests: list[FloatArray], temperature: float
    ) -> Iterator[LogPartitionTerm]:
        """Yield the terms of the rest of each teacher; none if the rest is spread."""
        if self._spreads:
            return
        for one, rest in zip(self._known, rests, strict=True):
            yield LogPartitionTerm(-rest, temperature, known=_pattern(one.log_proba))

    def _sparse_linear(self, label: FloatArray, parts: list[_Parts]) -> SparseLinear:
        entries, patterns = self.labels.sparse_one_hot(label), self._patterns()
        multiples = np.zeros((len(patterns), len(self.weight)))
        for one, part in zip(self._known, parts, strict=True):
            values = part.known
            if self._spreads:
                even = self._even(one, part.rest)
                multiples += even
                for e, a in zip(patterns, even, strict=True):
                    values = values - one.per_entry(a) * e[one.log_proba.indices]
            entries = entries + _with_data(one.log_proba, values)
        return SparseLinear(entries, patterns, multiples)

    def _patterns(self) -> FloatArray:
        """Return what an even rest is a multiple of: ones or, without a label, class weights."""
        K = self.labels.n_classes
        if not self._spreads:
            return np.empty((0, K))
        c = [] if self.class_weight is None else [self.class_weight]
        return np.array([np.ones(K), *c])

    def _even(self, one: KnownProba, rest: FloatArray) -> FloatArray:
        """Return the multiples of the patterns in an even rest, given c̄ q_r of each row."""
        each = rest / np.maximum(one.n_unknown, 1)
        if self.class_weight is None:
            return each[None]
        mean = one.unknown_mean(self.class_weight)
        without_label = np.where(self.labels.present, 0.0, each / np.where(mean > 0, mean, 1.0))
        return np.stack([np.where(self.labels.present, each, 0.0), without_label])

    def _parts(self, *, derivative: bool = False) -> Iterator[_Parts]:
        """Yield c ∘ q of each teacher, times its share, or the derivative in T."""
        for one, share in zip(self._known, self._teachers.share, strict=True):
            soften = one.soften_derivative if derivative else one.soften
            q, q_rest = soften(self.temperature)
            if self.class_weight is not None:
                c = self.class_weight
                without_label = one.per_entry((~self.labels.present).astype(np.float64)) > 0
                q *= np.where(without_label, c[one.log_proba.indices], 1.0)
                q_rest = q_rest * np.where(self.labels.present, 1.0, one.unknown_mean(c))
            q *= one.per_entry(share)
            yield _Parts(q, share * q_rest)

    def _mass_of(self, parts: list[_Parts]) -> FloatArray:
        sums = [
            by_row(np.add, one.log_proba, part.known) + part.rest
            for one, part in zip(self._known, parts, strict=True)
        ]
        return np.asarray(sum(sums, np.zeros(len(self.weight))))

    def _each(self, one: KnownProba, rest: FloatArray) -> FloatArray:
        """Return the probability of which the entropy of the rest is the logarithm."""
        return rest / np.maximum(one.n_unknown, 1) if self._spreads else rest

    @property
    def _teachers(self) -> PartialTeachers:
        assert isinstance(self.teachers, PartialTeachers)
        return self.teachers

    @property
    def _known(self) -> tuple[KnownProba, ...]:
        return self._teachers.known

    @property
    def _spreads(self) -> bool:
        return self._teachers.partial == "spread"


def _at_rest(direction: SoftTargets) -> SoftTargets:
    """Return a direction that moves the weights of the terms, not their temperatures."""
    terms = (
        LogPartitionTerm(term.weight, 0.0, term.regularizer, term.known) for term in direction.terms
    )
    return SoftTargets(direction.linear, tuple(terms))


def _with_data(matrix: Any, values: FloatArray) -> Any:
    """Return a csr_array of these values, which shares its indices with another."""
    return sparse.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def _pattern(matrix: Any) -> Any:
    """Return the places of the stored entries, in a byte each beside the shared indices."""
    return _with_data(matrix, np.ones(len(matrix.indices), dtype=np.int8))
