"""Least squares with a teacher, from rows or from statistics: the corrected Theorem 2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.chunks import Chunks, LocalChunks
from sklearn_distill.solvers.least_squares._covariance import SandwichCovariance
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares._weighted_fit import WeightedFit
from sklearn_distill.solvers.least_squares.gram import Gram
from sklearn_distill.solvers.least_squares.noise import Noise
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.root import Root
from sklearn_distill.solvers.least_squares.sources import Source, imitation_shares
from sklearn_distill.solvers.least_squares.statistics import Statistics

# the normal equations lose eps · cond² of the coefficients: 1e-8 here …
_REFINE_ABOVE = 1e4
# … and 1e-4 here, where the factor is no longer a safe preconditioner
ILL_CONDITIONED = 1e6


@dataclass(frozen=True)
class PrivilegedLeastSquares:
    r"""The problem whose minimum is the student.

    .. math::

        Σ_i s_i a_i (y'_i/a_i - x_i·w - b)^2 + α‖w‖^2,

    with :math:`a_i, y'_i` from
    :func:`~sklearn_distill.solvers.least_squares.imitation_shares`, in units of σ².

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    alpha : float
        α ≥ 0.
    fit_intercept : bool
        Whether b is free; else it is 0.
    noise_variance, teacher_noise_variance : float or None
        σ² and σ_s²; None estimates them where they matter.

    Examples
    --------
    >>> import numpy as np
    >>> X, y, s = np.array([[[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0]], [[1.0], [4.0], [7.0]]])
    >>> problem = PrivilegedLeastSquares(0.5, noise_variance=1.0, teacher_noise_variance=1.0)
    >>> problem.solve(Statistics.of(RegressionData(X, y, s))).coef
    array([[2.]])
    """

    imitation: float
    alpha: float = 0.0
    fit_intercept: bool = True
    noise_variance: float | None = None
    teacher_noise_variance: float | None = None

    def solve(self, statistics: Statistics, ratio: FloatArray | None = None) -> PrivilegedFit:
        """Solve from statistics alone; ``ratio`` is ρ of each output if it is not to be found."""
        ratio, floored = self._ratio(statistics) if ratio is None else (ratio, [])
        fits = tuple(
            WeightedFit.of(
                statistics,
                imitation_shares(self.imitation, float(rho)),
                np.flatnonzero(ratio == rho),
                alpha=self.alpha,
                fit_intercept=self.fit_intercept,
            )
            for rho in np.unique(ratio)
        )
        return PrivilegedFit(self, statistics, fits, ratio, tuple(floored))

    def fit(self, rows: RegressionData, solver: str = "auto") -> PrivilegedFit:
        """Solve from rows.

        Parameters
        ----------
        rows : RegressionData
            The data.
        solver : {"auto", "gram", "tsqr"}
            "gram": normal equations from one matrix product; "tsqr": QR factorisations of blocks.
            "auto" takes the first; it refines where the condition number of X is above 1e4, and
            takes the second where it is above 1e6, X is rank-deficient or has no more rows than
            columns.

        Returns
        -------
        PrivilegedFit
            The minimum, with its statistics.
        """
        return self.fit_blocks(LocalChunks([lambda: rows]), rows.X.shape, solver)

    def fit_blocks(self, rows: Chunks, shape: tuple[int, int], solver: str) -> PrivilegedFit:
        """Solve from blocks of Rows, as :meth:`fit` does; ``shape`` is that of all X."""
        n_rows, n_columns = shape
        if solver == "tsqr" or (solver == "auto" and n_rows <= n_columns):
            return self.solve(_statistics(rows, Root))
        fit = self.solve(_statistics(rows, Gram))
        if solver == "auto" and (fit.deficient or fit.condition > ILL_CONDITIONED):
            return self.solve(_statistics(rows, Root))
        return fit.refine(rows) if solver == "auto" and fit.condition > _REFINE_ABOVE else fit

    def noise(self, statistics: Statistics) -> Noise:
        """Return the noise of label and teacher, to be estimated when asked for."""
        return Noise(
            statistics, self.noise_variance, self.teacher_noise_variance, self.fit_intercept
        )

    def _ratio(self, statistics: Statistics) -> tuple[FloatArray, list[str]]:
        teacher_counts = statistics.has_rows_of(Source.TEACHER) or (
            self.imitation > 0 and statistics.has_rows_of(Source.BOTH)
        )
        if not teacher_counts:
            return np.ones(statistics.n_outputs), []
        return self.noise(statistics).ratio()


def _statistics(rows: Chunks, kind: type[Moments]) -> Statistics:
    statistics: Statistics = rows.map_reduce(Statistics.of, kind, combine=Statistics.merge)
    return statistics


@dataclass(frozen=True)
class PrivilegedFit:
    """The minimum, and what follows from it.

    Parameters
    ----------
    problem : PrivilegedLeastSquares
        What was solved.
    statistics : Statistics
        The data.
    fits : tuple of WeightedFit
        One for each set of outputs with the same ratio.
    ratio : ndarray of shape (n_outputs,)
        ρ = σ²/σ_s².
    floored : tuple of str
        Names of the variances whose estimates were raised to their floor.
    """

    problem: PrivilegedLeastSquares
    statistics: Statistics
    fits: tuple[WeightedFit, ...]
    ratio: FloatArray
    floored: tuple[str, ...]

    @property
    def coef(self) -> FloatArray:
        """Coefficients of shape (n_outputs, n_features)."""
        coef = np.empty((self.statistics.n_outputs, self.statistics.n_features))
        for fit in self.fits:
            coef[fit.outputs] = fit.coef.T
        return coef

    @property
    def intercept(self) -> FloatArray:
        """Intercepts of shape (n_outputs,)."""
        intercept = np.zeros(self.statistics.n_outputs)
        for fit in self.fits:
            intercept[fit.outputs] = fit.intercept
        return intercept

    @property
    def condition(self) -> float:
        """Largest estimated condition number of X among the fits."""
        return max(fit.factor.condition for fit in self.fits)

    @property
    def deficient(self) -> bool:
        """Whether a fit had to leave out directions."""
        return any(fit.factor.deficient for fit in self.fits)

    @property
    def is_doubtful(self) -> bool:
        """Whether normal equations lost most digits, or cannot tell if X is rank-deficient."""
        expected_rank = min(
            self.statistics.n_features, self.statistics.n_rows - self.problem.fit_intercept
        )
        lost = any(fit.factor.deficient and fit.factor.rank < expected_rank for fit in self.fits)
        return self.statistics.kind is Gram and (lost or self.condition > ILL_CONDITIONED)

    def refine(self, rows: Chunks) -> PrivilegedFit:
        """Correct rounding errors by passes over blocks of Rows."""
        return replace(self, fits=tuple(fit.refine(rows) for fit in self.fits))

    @cached_property
    def noise_variance(self) -> FloatArray:
        """σ² of each output.

        Raises
        ------
        NoNoiseEstimateError
            If it is to be estimated and the data do not determine it.
        """
        estimate = self.problem.noise(self.statistics).of_labels()
        taught = self.statistics.has_rows_of(Source.BOTH, Source.TEACHER)
        return (estimate.floored if taught else estimate).values

    @cached_property
    def teacher_noise_variance(self) -> FloatArray:
        """σ_s² of each output; NaN without a teacher."""
        return self.problem.noise(self.statistics).of_teacher().floored.values

    @cached_property
    def covariances(self) -> tuple[SandwichCovariance, ...]:
        """Covariance over σ², one for each of ``fits``."""
        return tuple(
            SandwichCovariance.of(self.statistics, fit, float(self.ratio[fit.outputs[0]]))
            for fit in self.fits
        )

    def coef_covariance(self) -> FloatArray:
        """Return the covariances of the coefficients: (n_outputs, n_features, n_features)."""
        d = self.statistics.n_features
        covariance = np.empty((self.statistics.n_outputs, d, d))
        for fit, sandwich in zip(self.fits, self.covariances, strict=True):
            covariance[fit.outputs] = sandwich.of_coef()
        return covariance * self.noise_variance[:, None, None]

    def prediction_variance(self, X: FloatArray) -> FloatArray:
        """Return xᵀ Cov x + σ² for each row x and output: (n_rows, n_outputs)."""
        return self.variance_of_rows(RegressionData(X, None), slice(0, len(X)))

    def variance_of_rows(self, rows: RegressionData, chunk: slice) -> FloatArray:
        """Return xᵀ Cov x + σ² for each x of a chunk of rows and output."""
        variance = np.empty((chunk.stop - chunk.start, self.statistics.n_outputs))
        for fit, sandwich in zip(self.fits, self.covariances, strict=True):
            variance[:, fit.outputs] = sandwich.of_rows(rows, chunk)[:, None]
        return (variance + 1) * self.noise_variance
