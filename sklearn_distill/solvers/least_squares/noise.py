"""Noise variances of labels and teacher's predictions, given or estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.least_squares.sources import (
    LABELS_ONLY,
    TEACHER_ONLY,
    WITH_LABEL,
    WITH_TEACHER,
    SourceWeights,
)
from sklearn_distill.solvers.least_squares.statistics import Statistics

# An estimate below this share of the variance of the targets is raised to it: the ratio of the
# variances of a perfect fit would be rounding noise.
FLOOR = 1e-6
_ROUNDING = 16 * float(np.finfo(np.float64).eps)


class NoNoiseEstimateError(ValueError):
    """Raised if a noise variance is to be estimated but the data do not determine it."""


@dataclass(frozen=True)
class NoiseVariance:
    """Noise variance of each output, with a lower bound.

    Parameters
    ----------
    values : ndarray of shape (n_outputs,)
        Variances, given or estimated.
    floor : ndarray of shape (n_outputs,)
        Smallest variances to be used in a ratio; 0 for given variances.
    residual_share : ndarray of shape (n_outputs,)
        Sum of squared residuals of the estimate, as a share of the squares that it is a part of:
        about the mean or, without an intercept, about zero. Infinite for given variances.
    """

    values: FloatArray
    floor: FloatArray
    residual_share: FloatArray

    @classmethod
    def given(cls, value: float, n_outputs: int) -> NoiseVariance:
        """Return the variance that the user chose, for all outputs."""
        return cls(np.full(n_outputs, value), np.zeros(n_outputs), np.full(n_outputs, np.inf))

    @property
    def floored(self) -> NoiseVariance:
        """The variances, raised to the floor where they are below it."""
        values = np.maximum(self.values, self.floor)
        return NoiseVariance(values, np.zeros_like(self.floor), self.residual_share)

    @property
    def is_too_small(self) -> bool:
        """Whether a variance is below its floor."""
        return bool((self.values < self.floor).any())


@dataclass(frozen=True)
class Noise:
    """The variances σ² and σ_s², estimated only when they are used.

    Parameters
    ----------
    statistics : Statistics
        Statistics of the rows, for the estimates.
    label, teacher : float or None
        Given σ² and σ_s²; None for an estimate.
    fit_intercept : bool
        Whether the regressions of the estimates have an intercept.
    """

    statistics: Statistics
    label: float | None
    teacher: float | None
    fit_intercept: bool

    def of_labels(self) -> NoiseVariance:
        """Return σ²; the variance of the teacher's predictions if no row has a label."""
        if self.label is not None:
            return NoiseVariance.given(self.label, self.statistics.n_outputs)
        if not self.statistics.has_rows_of(*WITH_LABEL):
            return self.of_teacher()
        return self._estimate(LABELS_ONLY, "noise_variance", "labels")

    def of_teacher(self) -> NoiseVariance:
        """Return σ_s²; NaN if no row has a teacher's prediction."""
        if self.teacher is not None:
            return NoiseVariance.given(self.teacher, self.statistics.n_outputs)
        if not self.statistics.has_rows_of(*WITH_TEACHER):
            return NoiseVariance.given(np.nan, self.statistics.n_outputs)
        return self._estimate(TEACHER_ONLY, "teacher_noise_variance", "teacher's predictions")

    def ratio(self) -> tuple[FloatArray, list[str]]:
        """Return ρ = σ²/σ_s² of each output, and the names of estimates raised to their floor.

        Raises
        ------
        NoNoiseEstimateError
            If an estimate has no degrees of freedom, or its targets are constant.
        """
        # Without labels σ² is σ_s² by definition, so nothing needs to be estimated.
        if self.label is None and not self.statistics.has_rows_of(*WITH_LABEL):
            return np.ones(self.statistics.n_outputs), []
        estimates = {
            "noise_variance": self.of_labels(),
            "teacher_noise_variance": self.of_teacher(),
        }
        for name, estimate in estimates.items():
            _check_varies(name, estimate)
        label, teacher = (estimate.floored.values for estimate in estimates.values())
        return label / teacher, [name for name, e in estimates.items() if e.is_too_small]

    def _estimate(
        self, source_weights: SourceWeights, name: str, target_name: str
    ) -> NoiseVariance:
        """Return RSS/(n − rank) of a fit to one kind of target, on the rows that have it."""
        statistics, d = self.statistics, self.statistics.n_features
        moments = statistics.targets(source_weights, np.arange(statistics.n_outputs))
        variance = (
            moments.residual_sum_of_squares(d, np.zeros((d, statistics.n_outputs))) / moments.weight
        )
        # Constant targets get variance and floor 0, which _check_varies reports.
        constant = variance <= (_ROUNDING * moments.mean[d:]) ** 2
        if not self.fit_intercept:
            moments = moments.about_origin()
        coef, factor = moments.solve(d, alpha=0.0)
        n_rows, rank = statistics.n_repetitions(source_weights), factor.rank + self.fit_intercept
        # Weights are real numbers: a smaller difference is the rounding of their sum.
        if n_rows - rank <= 1e-6 * n_rows:
            raise NoNoiseEstimateError(
                f"{name}='auto' cannot be estimated: the {target_name} cover {n_rows:.6g} rows "
                f"(sample weights count as repetitions) and X has rank {rank} there, which leaves "
                f"no degree of freedom: pass {name} as a number"
            )
        residual, total = moments.residual_sum_of_squares(d, coef), moments.squares(slice(d, None))
        share = np.divide(residual, total, out=np.full_like(total, np.inf), where=total > 0)
        values = residual / (n_rows - rank)
        return NoiseVariance(
            np.where(constant, 0.0, values), np.where(constant, 0, FLOOR * variance), share
        )


def _check_varies(name: str, variance: NoiseVariance) -> None:
    if (variance.floored.values == 0).any():
        target_name = "teacher's predictions" if name.startswith("teacher") else "labels"
        raise NoNoiseEstimateError(
            f"{name}='auto' cannot be estimated: the {target_name} are constant: pass {name} as a "
            f"number"
        )
