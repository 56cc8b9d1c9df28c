"""What one or several teachers said about the rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.targets.temperature import soften, soften_derivative


@dataclass(frozen=True)
class Teachers:
    r"""Logits of M teachers, some of them silent on some rows.

    The soft target of a row is the mean over the teachers that speak for it,
    :math:`q_i = \mathrm{mean}_m \, \mathrm{softmax}(v_{im}/T)`.

    Parameters
    ----------
    logits : ndarray of shape (n_teachers, n_classes, n_rows)
        Logits v (log-probabilities are logits too). ``-inf`` is a probability of exactly zero;
        a column of NaN is a teacher that is silent on that row.

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
        return np.asarray(~np.isnan(self.logits[:, 0, :]))

    @cached_property
    def teacher_mask(self) -> BoolArray:
        """Rows for which at least one teacher speaks."""
        return np.asarray(self._mask_by_teacher.any(axis=0))

    def soften(self, temperature: float) -> FloatArray:
        """Return q of shape (n_classes, n_rows); 0 where every teacher is silent."""
        return self._mean_over_speaking(soften, temperature)

    def soften_derivative(self, temperature: float) -> FloatArray:
        """Return ∂q/∂T of shape (n_classes, n_rows); 0 where every teacher is silent."""
        return self._mean_over_speaking(soften_derivative, temperature)

    def _mean_over_speaking(
        self, function: Callable[[FloatArray, float], FloatArray], temperature: float
    ) -> FloatArray:
        if self._mask_by_teacher.all() and len(self.logits) == 1:
            return function(self.logits[0], temperature)
        total = np.zeros(self.logits.shape[1:])
        for logits, speaks in zip(self.logits, self._mask_by_teacher, strict=True):
            total[:, speaks] += function(logits[:, speaks], temperature)
        total /= np.maximum(self._mask_by_teacher.sum(axis=0), 1)
        return total
