"""Share each row's weight between its label and its teachers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.targets.labels import Labels
from sklearn_distill.targets.soft_targets import LogPartitionTerm, SoftTargets, TargetTangent
from sklearn_distill.targets.teachers import Teachers


@dataclass(frozen=True)
class TargetMixture:
    r"""Labels and teachers, mixed by imitation λ at temperature T.

    The objective of a row with weight s and scores z is

    .. math::

        s\,\{(1-λ_i)\,CE(y, \mathrm{softmax}\,z)
           + λ_i\,τ\,[CE(q, \mathrm{softmax}(z/T')) + r(z/T')]\},

    where :math:`λ_i` is λ if label and teacher speak, 0 if the teacher is silent, 1 if the label
    is missing; T' is T or, with ``soften_student=False``, 1; τ is 1 or, with ``t_squared``, T'².

    Parameters
    ----------
    labels : Labels
        The rows' labels.
    teachers : Teachers or None
        The teachers' logits; None is silence on every row.
    weight : ndarray of shape (n_rows,)
        Row weights s.
    imitation : float
        λ in [0, 1].
    temperature : float
        T > 0.
    soften_student : bool
        Whether the student is divided by T too.
    t_squared : bool
        Whether the teacher's term is multiplied by T'².
    regularizer : str or None
        Name of r.

    References
    ----------
    Grabovoy and Strijov 2022, eq. (17); Lopez-Paz et al. 2016, eq. (6).

    Examples
    --------
    >>> import numpy as np
    >>> mixture = TargetMixture(Labels(np.array([0]), 2), Teachers(np.log([[[0.6], [0.4]]])),
    ...                         np.ones(1), imitation=0.5)
    >>> mixture.targets().linear.round(3)
    array([[0.8],
           [0.2]])
    """

    labels: Labels
    teachers: Teachers | None
    weight: FloatArray
    imitation: float
    temperature: float = 1.0
    soften_student: bool = True
    t_squared: bool = False
    regularizer: str | None = None

    def targets(self) -> SoftTargets:
        """Return the targets; terms with one temperature are one term."""
        apart = self._terms_apart()
        if self._student_temperature == 1 and self.regularizer is None:
            both = self._label_share + self._teacher_share
            return SoftTargets(apart.linear, (LogPartitionTerm(both, 1.0),))
        return SoftTargets(apart.linear, tuple(term for term in apart.terms if term.weight.any()))

    def imitation_tangent(self) -> TargetTangent:
        """Return the derivative in λ: 0 on silent and on unlabelled rows."""
        s = np.where(self._both_available, self.weight, 0.0)
        label, teacher = -s, self._tau * s
        linear = self._linear(label, teacher / self._student_temperature, self._soft_labels())
        terms = self._terms(label, teacher, (0.0, 0.0))
        return TargetTangent(self._terms_apart(), SoftTargets(linear, terms))

    def temperature_tangent(self) -> TargetTangent:
        """Return the derivative in T: that of the teacher's term."""
        T_ = self._student_temperature
        dT_ = 1.0 if self.soften_student else 0.0
        b = self._teacher_share
        db = b * (2 * T_ / self._tau if self.t_squared else 0.0)
        linear = (db / T_ - b * dT_ / T_**2) * self._soft_labels()
        if self.teachers is not None:
            linear += b / T_ * self.teachers.soften_derivative(self.temperature)
        terms = self._terms(np.zeros_like(b), db, (0.0, dT_))
        return TargetTangent(self._terms_apart(), SoftTargets(linear, terms))

    def _terms_apart(self) -> SoftTargets:
        """Keep the terms apart even at T' = 1: of the two only the teacher's temperature moves."""
        T_ = self._student_temperature
        q = self._soft_labels() if self._teacher_share.any() else None
        linear = self._linear(self._label_share, self._teacher_share / T_, q)
        terms = self._terms(self._label_share, self._teacher_share, (1.0, T_))
        return SoftTargets(linear, terms)

    def _linear(self, label: FloatArray, teacher: FloatArray, q: FloatArray | None) -> FloatArray:
        """Return label mass and teacher mass in one array; q is overwritten."""
        if q is None:
            return self.labels.one_hot(label)
        q *= teacher
        return self.labels.add_mass(q, label)

    def _terms(
        self, label: FloatArray, teacher: FloatArray, temperatures: tuple[float, float]
    ) -> tuple[LogPartitionTerm, LogPartitionTerm]:
        return (
            LogPartitionTerm(label, temperatures[0]),
            LogPartitionTerm(teacher, temperatures[1], self.regularizer),
        )

    def _soft_labels(self) -> FloatArray:
        if self.teachers is None:
            return np.zeros((self.labels.n_classes, len(self.weight)))
        return self.teachers.soften(self.temperature)

    @property
    def _student_temperature(self) -> float:
        return self.temperature if self.soften_student else 1.0

    @property
    def _tau(self) -> float:
        return self._student_temperature**2 if self.t_squared else 1.0

    @cached_property
    def _teacher_mask(self) -> BoolArray:
        if self.teachers is None:
            return np.zeros(len(self.weight), dtype=bool)
        return self.teachers.teacher_mask

    @property
    def _both_available(self) -> BoolArray:
        return np.asarray(self.labels.present & self._teacher_mask)

    @cached_property
    def _label_share(self) -> FloatArray:
        share = np.where(self._both_available, 1.0 - self.imitation, self.labels.present)
        share *= self.weight
        return share

    @cached_property
    def _teacher_share(self) -> FloatArray:
        share = np.where(self._both_available, 1.0 * self.imitation, ~self.labels.present)
        share *= self.weight
        share *= self._tau
        return share
