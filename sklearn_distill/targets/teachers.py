"""Predictions of one or several teachers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, RowIndexer
from sklearn_distill.targets.temperature import soften, soften_derivative


@dataclass(frozen=True)
class Teachers:
    r"""Logits of M teachers, with missing predictions.

    The soft target of a row is the mean over the teachers that have a prediction for it,
    :math:`q_i = \mathrm{mean}_m \, \mathrm{softmax}(v_{im}/T)`: softened first, then averaged.

    Parameters
    ----------
    logits : ndarray of shape (n_teachers, n_classes, n_rows)
        Logits v (log-probabilities are logits too). ``-inf`` is a probability of exactly zero;
        a column of NaN is a missing prediction.

    Examples
    --------
    >>> import numpy as np
    >>> two = Teachers(np.log([[[0.9, np.nan], [0.1, np.nan]], [[0.7, np.nan], [0.3, np.nan]]]))
    >>> two.soften(temperature=1.0).round(3)
    array([[0.8, 0. ],
           [0.2, 0. ]])
    >>> two.teacher_mask
    array([ True, False])
    """

    logits: FloatArray

    @cached_property
    def _mask_by_teacher(self) -> BoolArray:
        # A missing prediction is NaN for all classes, so the first class suffices.
        return np.asarray(~np.isnan(self.logits[:, 0, :]))

    @cached_property
    def teacher_mask(self) -> BoolArray:
        """Rows with a prediction of at least one teacher."""
        return np.asarray(self._mask_by_teacher.any(axis=0))

    def take(self, rows: RowIndexer) -> Teachers:
        """Return the predictions for the given rows."""
        return Teachers(self.logits[:, :, rows])

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
        if self._mask_by_teacher.all() and len(self.logits) == 1:
            return function(self.logits[0], temperature)
        total = np.zeros(self.logits.shape[1:])
        for logits, available in zip(self.logits, self._mask_by_teacher, strict=True):
            total[:, available] += function(logits[:, available], temperature)
        total /= np.maximum(self._mask_by_teacher.sum(axis=0), 1)
        return total
