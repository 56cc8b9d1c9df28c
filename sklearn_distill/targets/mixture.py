"""Mix labels and teachers' predictions into one target per row."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import xlogy

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.targets.labels import Labels
from sklearn_distill.targets.soft_targets import LogPartitionTerm, SoftTargets, TargetTangent
from sklearn_distill.targets.teachers import Teachers, WeightedTeachers
from sklearn_distill.targets.trust import imitation_shares
from sklearn_distill.targets.weights import label_weights


@dataclass(frozen=True)
class TargetMixture:
    r"""Labels and teachers' predictions, mixed by imitation λ at temperature T.

    The objective of a row with weight s and scores z is

    .. math::

        s\,\{(1-λ_i)\,CE(y, \mathrm{softmax}\,z)
           + λ_i\,τ\,[CE(q, \mathrm{softmax}(z/T')) + r(z/T')]\},

    where :math:`λ_i` is λ if label and teacher's prediction are available, 0 if the prediction is
    missing and 1 if the label is missing; T' is T or, with ``soften_student=False``, 1; τ is 1 or,
    with ``t_squared``, T'². With weights of the teachers, whose mean in a row is
    :math:`\bar w_i`, λ is :math:`\min(1, λ \bar w_i)`.

    Class weights c multiply s by :math:`c_y` in both terms of a labelled row. A row without a label
    is K weighted copies, one for each class k, with the label k, the weight :math:`s\,q_k c_k` and
    the term of the teacher,

    .. math::

        s\,τ\,\sum_k q_k c_k\,[CE(k, \mathrm{softmax}(z/T')) + r(z/T')].

    Parameters
    ----------
    labels : Labels
        The rows' labels, some of which may be missing.
    teachers : Teachers or None
        The teachers' logits; None if no row has a teacher's prediction.
    weight : ndarray of shape (n_rows,)
        Sample weights s, before they are multiplied by class weights. Those of rows without a label
        are :func:`~sklearn_distill.targets.trusted_weights`.
    imitation : float
        λ in [0, 1].
    temperature : float
        Temperature T > 0 of the teacher's predictions.
    soften_student : bool
        Whether the student's scores are divided by T too.
    t_squared : bool
        Whether the teacher's term is multiplied by T'².
    regularizer : str or None
        Name of r, which is added to the teacher's term only; None for r = 0.
    class_weight : ndarray of shape (n_classes,) or None
        Class weights c; None for 1.

    debias : float or None
        ρ in [0, 1] of the debiased form, in which the weights of a labelled row are s of its label
        and −s ρ of its prediction, whatever λ is; it needs T' = 1, at which the sum of the two is
        the weight of one log-partition term. None for the mixture above.

    References
    ----------
    Grabovoy and Strijov 2022, eq. (17); Lopez-Paz et al. 2016, eq. (6); Angelopoulos et al. 2023,
    "Prediction-powered inference", for the debiased form.

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
    teachers: WeightedTeachers | None
    weight: FloatArray
    imitation: float
    temperature: float = 1.0
    soften_student: bool = True
    t_squared: bool = False
    regularizer: str | None = None
    class_weight: FloatArray | None = None
    debias: float | None = None

    def targets(self) -> SoftTargets:
        """Return the targets, with terms of the same temperature and regulariser merged."""
        separate = self._separate_terms()
        # At T' = 1 both cross-entropies share lse(z): one log-partition per row instead of two.
        if self._student_temperature == 1 and self.regularizer is None:
            label, teacher = separate.terms
            merged = LogPartitionTerm(label.weight + teacher.weight, 1.0)
            return SoftTargets(separate.linear, (merged,))
        terms = tuple(term for term in separate.terms if term.weight.any())
        return SoftTargets(separate.linear, terms)

    def loss_parts(self) -> FloatArray:
        """Return what separates the loss of a row into those of its label and of its teacher.

        Returns
        -------
        ndarray of shape (n_rows, 4)
            The weights of the label's term, of the label whatever λ is, and of the teacher's term,
            and the smallest value of the teacher's cross-entropy: that weight times the entropy.
        """
        label = np.where(self.labels.present, self._row_weight, 0.0)
        q, b = self._soft_labels(), self._teacher_weight
        mass = np.maximum(q.sum(axis=0), np.finfo(float).tiny)
        entropy = -xlogy(q, q / mass).sum(axis=0)
        return np.column_stack([self._label_weight, label, b * self._mass(q), b * entropy])

    def term_weights(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights of each row's terms, without class weights of rows without a label.

        Returns
        -------
        tuple of ndarray of shape (n_rows,)
            s (1 − λ_i) and s λ_i τ.
        """
        return self._label_weight, self._teacher_weight

    def imitation_tangent(self) -> TargetTangent:
        r"""Return the derivative in λ; it is 0 on rows with a label or a prediction only.

        With weights of the teachers, that of a row is :math:`\bar w_i`, or 0 where
        :math:`λ \bar w_i \ge 1`.
        """
        s = np.where(self._both_available, self._row_weight * self._share_derivative, 0.0)
        label, teacher = -s, self._tau * s
        linear = self._linear(label, teacher / self._student_temperature, self._soft_labels())
        # λ moves the weights of the terms, not their temperatures.
        terms = self._terms(label, teacher, (0.0, 0.0))
        return TargetTangent(self._separate_terms(), SoftTargets(linear, terms))

    def temperature_tangent(self) -> TargetTangent:
        """Return the derivative in T, which only the teacher's term depends on."""
        T_ = self._student_temperature
        dT_ = 1.0 if self.soften_student else 0.0
        b = self._teacher_weight
        # b = s λ_i τ depends on T through τ = T'² only: db = s λ_i · 2T'.
        db = b * (2 * T_ / self._tau if self.t_squared else 0.0)
        q, dq = self._soft_labels(), self._soft_label_derivatives()
        # Derivative of the linear form b q/T': that of b/T' times q, then b/T' times that of q.
        linear = (db / T_ - b * dT_ / T_**2) * q + b / T_ * dq
        # The term's weight is b Σ_k q_k, whose sum class weights make a function of T.
        dweight = db * self._mass(q) + (0.0 if self.class_weight is None else b * dq.sum(axis=0))
        terms = self._terms(np.zeros_like(b), dweight, (0.0, dT_))
        return TargetTangent(self._separate_terms(), SoftTargets(linear, terms))

    def _separate_terms(self) -> SoftTargets:
        """Keep both terms even at T' = 1: T moves the temperature of the teacher's term only."""
        T_ = self._student_temperature
        q = self._soft_labels() if self._teacher_weight.any() else None
        teacher = self._teacher_weight if q is None else self._teacher_weight * self._mass(q)
        linear = self._linear(self._label_weight, self._teacher_weight / T_, q)
        terms = self._terms(self._label_weight, teacher, (1.0, T_))
        return SoftTargets(linear, terms)

    def _linear(self, label: FloatArray, teacher: FloatArray, q: FloatArray | None) -> FloatArray:
        """Return label · one-hot(y) + teacher · q; q is overwritten to save a copy."""
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
        """Return q of shape (n_classes, n_rows), a new array; 0 without a prediction.

        Without a label it is c ∘ q: its sum, the weight of the copies, need not be 1.
        """
        if self.teachers is None:
            return np.zeros((self.labels.n_classes, len(self.weight)))
        return self._weigh_classes(self.teachers.soften(self.temperature))

    def _soft_label_derivatives(self) -> FloatArray:
        """Return the derivative of :meth:`_soft_labels` in T, a new array."""
        if self.teachers is None:
            return np.zeros((self.labels.n_classes, len(self.weight)))
        assert isinstance(self.teachers, Teachers)
        return self._weigh_classes(self.teachers.soften_derivative(self.temperature))

    def _weigh_classes(self, q: FloatArray) -> FloatArray:
        """Multiply q by the class weights in rows without a label, in place, and return it."""
        if self.class_weight is not None:
            q *= np.where(self.labels.present, 1.0, self.class_weight[:, None])
        return q

    def _mass(self, q: FloatArray) -> FloatArray | float:
        """Return the sum over classes of :meth:`_soft_labels`: 1 without class weights."""
        # only they change it; a missing prediction has weight 0, so that its sum does not matter
        return 1.0 if self.class_weight is None else q.sum(axis=0)

    @property
    def _student_temperature(self) -> float:
        return self.temperature if self.soften_student else 1.0

    @property
    def _tau(self) -> float:
        return self._student_temperature**2 if self.t_squared else 1.0

    @property
    def _trust(self) -> FloatArray | None:
        return None if self.teachers is None else self.teachers.trust

    @property
    def _shares(self) -> tuple[FloatArray | float, FloatArray | float]:
        """The shares of the label and of the prediction in rows that have both."""
        if self.debias is not None:
            return 1.0, -self.debias
        share = imitation_shares(self.imitation, self._trust)[0]
        return 1.0 - share, share

    @property
    def _share_derivative(self) -> FloatArray | float:
        """The derivative of λ_i in λ."""
        return imitation_shares(self.imitation, self._trust)[1]

    @property
    def _both_available(self) -> BoolArray:
        if self.teachers is None:
            return np.zeros(len(self.weight), dtype=bool)
        return np.asarray(self.labels.present & self.teachers.teacher_mask)

    @cached_property
    def _row_weight(self) -> FloatArray:
        """Weight of a labelled row with its class weight; of other rows without."""
        return label_weights(self.weight, self.class_weight, self.labels)

    @cached_property
    def _label_weight(self) -> FloatArray:
        """Weight s (1 − λ_i) of each row's label."""
        weight = np.where(self._both_available, self._shares[0], self.labels.present)
        weight *= self._row_weight
        return weight

    @cached_property
    def _teacher_weight(self) -> FloatArray:
        """Weight s λ_i τ of each row's prediction."""
        weight = np.where(self._both_available, 1.0 * self._shares[1], ~self.labels.present)
        weight *= self._row_weight
        weight *= self._tau
        return weight
