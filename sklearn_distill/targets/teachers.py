"""Predictions of one or several teachers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray, RowIndexer
from sklearn_distill.targets.temperature import soften, soften_derivative


class WeightedTeachers(ABC):
    """Which teachers have a prediction for a row, and how far each is trusted."""

    weight: FloatArray | None

    @property
    @abstractmethod
    def _mask_by_teacher(self) -> BoolArray:
        """Whether each teacher has a prediction, of shape (n_teachers, n_rows)."""

    @property
    def n_teachers(self) -> int:
        """Number of teachers."""
        return len(self._mask_by_teacher)

    @cached_property
    def _available_weight(self) -> FloatArray:
        """Weights w of shape (n_teachers, n_rows); 0 for a missing prediction."""
        weight = 1.0 if self.weight is None else self.weight
        return np.asarray(np.where(self._mask_by_teacher, weight, 0.0))

    @cached_property
    def share(self) -> FloatArray:
        """Share of each teacher in q, of shape (n_teachers, n_rows); 0 without a prediction."""
        total = self._available_weight.sum(axis=0)
        return np.asarray(self._available_weight / np.where(total > 0, total, 1.0))

    @cached_property
    def trust(self) -> FloatArray | None:
        r"""Mean :math:`\bar w_i` of the weights of the available predictions; None for 1.

        It is 0 in a row without any prediction.
        """
        if self.weight is None:
            return None
        n_available = self._mask_by_teacher.sum(axis=0)
        return np.asarray(self._available_weight.sum(axis=0) / np.maximum(n_available, 1))

    @property
    def distrusted(self) -> BoolArray:
        """Rows with a prediction of at least one teacher, all of which have weight 0."""
        return np.asarray(self._mask_by_teacher.any(axis=0) & ~self.teacher_mask)

    @cached_property
    def teacher_mask(self) -> BoolArray:
        """Rows with a prediction of at least one teacher, whose weight is not 0."""
        if self.weight is None:
            return np.asarray(self._mask_by_teacher.any(axis=0))
        return np.asarray(self._available_weight.any(axis=0))

    @abstractmethod
    def take(self, rows: RowIndexer) -> Self:
        """Return the predictions for the given rows."""

    @abstractmethod
    def soften(self, temperature: float) -> FloatArray:
        """Return q of shape (n_classes, n_rows); 0 without a prediction."""

    def most_probable(self) -> IntArray:
        """Return the most probable class of each row."""
        return np.asarray(self.soften(1.0).argmax(axis=0))

    def class_mass(self, row_weight: FloatArray) -> FloatArray:
        """Return the sum over rows of the probabilities at temperature 1, times a weight."""
        return np.asarray(self.soften(1.0) @ row_weight)

    def expected_weight(self, class_weight: FloatArray) -> FloatArray:
        """Return the expectation of a class weight in each row, at temperature 1."""
        return np.asarray(class_weight @ self.soften(1.0))


@dataclass(frozen=True)
class Teachers(WeightedTeachers):
    r"""Logits of M teachers, with missing predictions, and how far each is trusted.

    The soft target of a row is the mean over the teachers that have a prediction for it,
    :math:`q_i = \sum_m w_{im} \mathrm{softmax}(v_{im}/T) / \sum_m w_{im}`: softened first, then
    averaged. The trust in a row is the mean of the same weights, :math:`\bar w_i`; a row of which
    all are 0 has no prediction.

    Parameters
    ----------
    logits : ndarray of shape (n_teachers, n_classes, n_rows)
        Logits v (log-probabilities are logits too). ``-inf`` is a probability of exactly zero;
        a column of NaN is a missing prediction.
    weight : ndarray of shape (n_teachers, n_rows) or None, default=None
        Weights w, finite and 0 or more; None for 1.

    Examples
    --------
    >>> import numpy as np
    >>> two = Teachers(np.log([[[0.9, np.nan], [0.1, np.nan]], [[0.7, np.nan], [0.3, np.nan]]]))
    >>> two.soften(temperature=1.0).round(3)
    array([[0.8, 0. ],
           [0.2, 0. ]])
    >>> two.teacher_mask
    array([ True, False])
    >>> weighted = Teachers(two.logits, weight=np.array([[1.5, 1.0], [0.5, 1.0]]))
    >>> weighted.soften(temperature=1.0)[:, 0].round(3), weighted.trust
    (array([0.85, 0.15]), array([1., 0.]))
    """

    logits: FloatArray
    weight: FloatArray | None = None

    @cached_property
    def _mask_by_teacher(self) -> BoolArray:
        # A missing prediction is NaN for all classes, so the first class suffices.
        return np.asarray(~np.isnan(self.logits[:, 0, :]))

    def take(self, rows: RowIndexer) -> Self:
        """Return the predictions for the given rows."""
        weight = None if self.weight is None else self.weight[:, rows]
        return replace(self, logits=self.logits[:, :, rows], weight=weight)

    def soften(self, temperature: float) -> FloatArray:
        """Return q of shape (n_classes, n_rows); 0 without a prediction."""
        return self._mean_over_available(soften, temperature)

    def soften_derivative(self, temperature: float) -> FloatArray:
        """Return ∂q/∂T of shape (n_classes, n_rows); 0 without a prediction."""
        return self._mean_over_available(soften_derivative, temperature)

    def _mean_over_available(
        self, function: Callable[[FloatArray, float], FloatArray], temperature: float
    ) -> FloatArray:
        # The common case of one teacher with all predictions needs no copy of rows and no mean.
        if len(self.logits) == 1 and self.teacher_mask.all():
            return function(self.logits[0], temperature)
        total = np.zeros(self.logits.shape[1:])
        for logits, share in zip(self.logits, self.share, strict=True):
            rows = share > 0
            total[:, rows] += share[rows] * function(logits[:, rows], temperature)
        return total
