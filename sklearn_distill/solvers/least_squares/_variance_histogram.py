"""The median of the variances of many predictions, in little memory and in any order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray

# bins of an octave: a bin is 0.14 % wide
_BINS_PER_OCTAVE = 512


@dataclass(frozen=True)
class VarianceHistogram:
    """Weights and sums of variances in narrow bins, which can be merged.

    Parameters
    ----------
    bins : ndarray of int of shape (n_bins,)
        Integer parts of 512 log₂ σ² of the bins that are not empty, ascending.
    weights : ndarray of shape (n_bins,)
        Sum of the weights of each bin.
    sums : ndarray of shape (n_bins,)
        Sum of weight times variance of each bin.

    Examples
    --------
    >>> histogram = VarianceHistogram.of(np.array([4.0, 1.0]), None)
    >>> histogram.merge(VarianceHistogram.of(np.array([9.0]), None)).median
    4.0
    """

    bins: IntArray
    weights: FloatArray
    sums: FloatArray

    @classmethod
    def of(cls, variances: FloatArray, weight: FloatArray | None) -> VarianceHistogram:
        """Count positive variances, each with its weight."""
        bins = np.floor(_BINS_PER_OCTAVE * np.log2(variances)).astype(int)
        weight = np.ones(len(variances)) if weight is None else weight
        return cls._of_bins(bins, weight, weight * variances)

    @classmethod
    def _of_bins(cls, bins: IntArray, weights: FloatArray, sums: FloatArray) -> VarianceHistogram:
        unique, index = np.unique(bins, return_inverse=True)
        totals = [np.bincount(index, values).astype(float) for values in (weights, sums)]
        return cls(unique, *totals)

    def merge(self, other: VarianceHistogram) -> VarianceHistogram:
        """Return the histogram of the variances of both."""
        return self._of_bins(
            np.concatenate([self.bins, other.bins]),
            np.concatenate([self.weights, other.weights]),
            np.concatenate([self.sums, other.sums]),
        )

    @property
    def weight(self) -> float:
        """Sum of all weights."""
        return float(self.weights.sum())

    @cached_property
    def median(self) -> float:
        """Weighted median of the variances, of which a bin has its mean: right to 0.14 %."""
        below = np.cumsum(self.weights)
        # the two in the middle are in different bins if one bin ends at half of the weight
        middle = [int(np.searchsorted(below, 0.5 * below[-1], side)) for side in ("left", "right")]
        middle = [min(i, len(below) - 1) for i in middle]
        return float(np.mean(self.sums[middle] / self.weights[middle]))
