"""Variances of the labels' and the teacher's noise, given or estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.least_squares.sources import (
    LABELS_ALONE,
    TEACHER_ALONE,
    Shares,
    Source,
)
from sklearn_distill.solvers.least_squares.statistics import Statistics

# an estimate below this share of the targets' own variance is taken for a perfect fit
_FLOOR = 1e-6
_ROUNDING = 16 * float(np.finfo(np.float64).eps)


class NoNoiseEstimateError(ValueError):
    """A noise variance was to be estimated, but the data do not determine it."""


@dataclass(frozen=True)
class NoiseVariance:
    """A variance of each output.

    Parameters
    ----------
    values : ndarray of shape (n_outputs,)
        The variances.
    floor : ndarray of shape (n_outputs,)
        Smallest values that a ratio of variances may be built on; 0 for given variances.
    """

    values: FloatArray
    floor: FloatArray

    @classmethod
    def given(cls, value: float, n_outputs: int) -> NoiseVariance:
        """Return a number that the user chose."""
        return cls(np.full(n_outputs, value), np.zeros(n_outputs))

    @property
    def floored(self) -> NoiseVariance:
        """The variances, raised to the floor."""
        return NoiseVariance(np.maximum(self.values, self.floor), np.zeros_like(self.floor))

    @property
    def is_too_small(self) -> bool:
        """Whether the floor is above a variance."""
        return bool((self.values < self.floor).any())


@dataclass(frozen=True)
class Noise:
    """The two variances σ² and σ_s², computed when asked for.

    Parameters
    ----------
    statistics : Statistics
        The data.
    label, teacher : float or None
        σ² and σ_s²; None estimates.
    fit_intercept : bool
        Whether the regressions that estimate have an intercept.
    """

    statistics: Statistics
    label: float | None
    teacher: float | None
    fit_intercept: bool

    def of_labels(self) -> NoiseVariance:
        """Return σ²; without any label to estimate it from, the teacher's variance."""
        if self.label is not None:
            return NoiseVariance.given(self.label, self.statistics.n_outputs)
        if not self.statistics.has_rows_of(Source.LABEL, Source.BOTH):
            return self.of_teacher()
        return self._estimate(LABELS_ALONE, "noise_variance", "labels")

    def of_teacher(self) -> NoiseVariance:
        """Return σ_s²; NaN without a teacher."""
        if self.teacher is not None:
            return NoiseVariance.given(self.teacher, self.statistics.n_outputs)
        if not self.statistics.has_rows_of(Source.TEACHER, Source.BOTH):
            return NoiseVariance.given(np.nan, self.statistics.n_outputs)
        return self._estimate(TEACHER_ALONE, "teacher_noise_variance", "teacher's predictions")

    def ratio(self) -> tuple[FloatArray, list[str]]:
        """Return ρ = σ²/σ_s² of each output, and which estimates were raised to their floor.

        Raises
        ------
        NoNoiseEstimateError
            If an estimate has no degrees of freedom, or its targets are constant.
        """
        if self.label is None and not self.statistics.has_rows_of(Source.LABEL, Source.BOTH):
            return np.ones(self.statistics.n_outputs), []
        estimates = {
            "noise_variance": self.of_labels(),
            "teacher_noise_variance": self.of_teacher(),
        }
        for name, estimate in estimates.items():
            _check_varies(name, estimate)
        label, teacher = (estimate.floored.values for estimate in estimates.values())
        return label / teacher, [name for name, e in estimates.items() if e.is_too_small]

    def _estimate(self, shares: Shares, name: str, what: str) -> NoiseVariance:
        """Estimate RSS/(n − rank) of the least squares of one kind of target on its own rows."""
        statistics, d = self.statistics, self.statistics.n_features
        moments = statistics.targets(shares, np.arange(statistics.n_outputs))
        variance = moments.residual(d, np.zeros((d, statistics.n_outputs))) / moments.weight
        constant = variance <= (_ROUNDING * moments.mean[d:]) ** 2
        if not self.fit_intercept:
            moments = moments.about_origin()
        coef, factor = moments.solve(d, alpha=0.0)
        n_rows, rank = moments.weight, factor.rank + self.fit_intercept
        if n_rows - rank <= 1e-6 * n_rows:
            raise NoNoiseEstimateError(
                f"{name}='auto' cannot be estimated: the {what} cover {n_rows:.6g} rows (sample "
                f"weights count as repetitions) and X has rank {rank} there, which leaves no "
                f"degree of freedom: pass {name} as a number"
            )
        values = moments.residual(d, coef) / (n_rows - rank)
        return NoiseVariance(
            np.where(constant, 0.0, values), np.where(constant, 0, _FLOOR * variance)
        )


def _check_varies(name: str, variance: NoiseVariance) -> None:
    if (variance.floored.values == 0).any():
        what = "the teacher's predictions" if name.startswith("teacher") else "the labels"
        raise NoNoiseEstimateError(
            f"{name}='auto' cannot be estimated: {what} never vary: pass {name} as a number"
        )
