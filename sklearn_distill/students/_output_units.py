"""Units of a regression's outputs in which their mean is 0 and their standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.targets import OutputColumns

_CONSTANT = 10 * np.finfo(np.float64).eps  # deviations, in means, that are rounding


@dataclass(frozen=True)
class OutputUnits:
    """Centre and scale of each output.

    Parameters
    ----------
    center, scale : ndarray of shape (n_outputs,)
        Mean and standard deviation; the latter is 1 for a constant.

    Examples
    --------
    >>> y = np.array([[1.0], [np.nan], [5.0]])
    >>> OutputUnits.of(y, None, np.ones(3)).normalize(y).ravel()
    array([-1., nan,  1.])
    """

    center: FloatArray
    scale: FloatArray

    @classmethod
    def of(
        cls, labels: OutputColumns | None, predictions: OutputColumns | None, weight: FloatArray
    ) -> Self:
        """Return the units of the labels or, without any, of the predictions.

        Parameters
        ----------
        labels, predictions : ndarray of shape (n_rows, n_outputs) or None
            Labels and a teacher's predictions; a row of NaN is missing.
        weight : ndarray of shape (n_rows,)
            Sample weights.

        Returns
        -------
        OutputUnits
            Their weighted means and standard deviations.
        """
        given = [y for y in (labels, predictions) if y is not None and not np.isnan(y).all()]
        known = ~np.isnan(given[0][:, 0])
        y, weight = given[0][known], weight[known]
        center = np.average(y, axis=0, weights=weight)
        deviation = y - center
        largest = np.abs(deviation).max(axis=0)
        largest[largest <= _CONSTANT * np.abs(center)] = 0.0
        unit = np.where(largest > 0, largest, 1.0)  # squares of great numbers are infinite
        scale = unit * np.sqrt(np.average((deviation / unit) ** 2, axis=0, weights=weight))
        return cls(center, np.where(largest > 0, scale, 1.0))

    def normalize(self, y: OutputColumns) -> OutputColumns:
        """Return outputs in these units."""
        normalized: OutputColumns = (y - self.center) / self.scale
        return normalized


def in_units(y: OutputColumns, units: OutputUnits | None) -> OutputColumns:
    """Return outputs in units, or as they are without any."""
    return y if units is None else units.normalize(y)
