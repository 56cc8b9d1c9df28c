"""Least squares with a teacher, from rows or from statistics: Theorem 2, corrected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.chunks import LocalChunks, Reducible
from sklearn_distill.solvers.least_squares._covariance import SandwichCovariance
from sklearn_distill.solvers.least_squares._factors import RowSpaceFactor
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares._weighted_fit import WeightedFit
from sklearn_distill.solvers.least_squares.gram import Gram
from sklearn_distill.solvers.least_squares.noise import Noise, NoNoiseEstimateError
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.root import Root
from sklearn_distill.solvers.least_squares.sources import (
    WITH_TEACHER,
    Source,
    imitation_weights,
)
from sklearn_distill.solvers.least_squares.statistics import Statistics

# The normal equations have a relative error of eps · cond² in the coefficients: 1e-4 at this
# condition number.
ILL_CONDITIONED = 1e6


@dataclass(frozen=True)
class PrivilegedLeastSquares:
    r"""The least-squares problem of a linear student.

    .. math::

        Σ_i s_i a_i (y'_i/a_i - x_i·w - b)^2 + α‖w‖^2,

    with :math:`a_i, y'_i` from
    :func:`~sklearn_distill.solvers.least_squares.sources.imitation_weights`, in units of σ².

    Parameters
    ----------
    imitation : float
        λ in [0, 1].
    alpha : float or ndarray of shape (n_outputs,)
        Strength α ≥ 0 of the penalty, of all outputs or of each.
    fit_intercept : bool
        Whether b is fitted; it is 0 otherwise.
    noise_variance, teacher_noise_variance : float or None
        σ² and σ_s²; None to estimate them if the solution depends on them.

    Examples
    --------
    >>> import numpy as np
    >>> X, y, s = np.array([[[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0]], [[1.0], [4.0], [7.0]]])
    >>> problem = PrivilegedLeastSquares(0.5, noise_variance=1.0, teacher_noise_variance=1.0)
    >>> problem.solve(Statistics.of(RegressionData(X, y, s))).coef
    array([[2.]])
    """

    imitation: float
    alpha: float | FloatArray = 0.0
    fit_intercept: bool = True
    noise_variance: float | None = None
    teacher_noise_variance: float | None = None

    def solve(self, statistics: Statistics, ratio: FloatArray | None = None) -> PrivilegedFit:
        """Solve from statistics; ``ratio`` is ρ of each output, None to compute it.

        Raises
        ------
        ValueError
            If there is neither one α nor one for each output.
        """
        alpha = self._alpha_of_each(statistics.n_outputs)
        ratio, floored = self._ratio(statistics) if ratio is None else (ratio, [])
        # Outputs with the same ρ and α have the same H, and share one factorisation.
        fits = tuple(
            WeightedFit.of(
                statistics,
                imitation_weights(self.imitation, rho),
                np.flatnonzero((ratio == rho) & (alpha == strength)),
                alpha=strength,
                fit_intercept=self.fit_intercept,
            )
            for rho, strength in sorted(set(zip(ratio.tolist(), alpha.tolist(), strict=True)))
        )
        return PrivilegedFit(self, statistics, fits, ratio, tuple(floored))

    def solve_at(self, statistics: Statistics, ratio: float) -> PrivilegedFit:
        """Solve with a chosen ρ as the weight of a prediction; the noise is that of the data.

        The covariance is that of the noise variances, which are estimated, or of the chosen ρ if
        the data do not determine them.
        """
        weights = imitation_weights(self.imitation, ratio)
        alpha = self._alpha_of_each(statistics.n_outputs)
        fits = tuple(
            WeightedFit.of(
                statistics,
                weights,
                np.array([output]),
                alpha=float(alpha[output]),
                fit_intercept=self.fit_intercept,
            )
            for output in range(statistics.n_outputs)
        )
        try:
            noise_ratio, _ = self._ratio(statistics)
        except NoNoiseEstimateError:
            noise_ratio = np.full(statistics.n_outputs, ratio)
        return PrivilegedFit(self, statistics, fits, noise_ratio, ())

    def fit(
        self, data: RegressionData, solver: str = "auto", *, equal_variances: bool = False
    ) -> PrivilegedFit:
        """Solve from rows.

        Parameters
        ----------
        data : RegressionData
            Rows with features, labels, predictions and weights.
        solver : {"auto", "gram", "tsqr"}
            "gram": normal equations, from one matrix product; "tsqr": QR factorisations of tiles.
            "auto" uses "gram", and then "tsqr" if the condition number of X is above 3e3, X is
            rank-deficient, or the residuals are less than 1e-9 of the variation. It uses "tsqr" at
            once if X has no more rows than columns.
        equal_variances : bool
            Whether ρ is 1, so that a prediction counts as a label does, instead of estimated.

        Returns
        -------
        PrivilegedFit
            The solution, with its statistics.
        """
        chunks = LocalChunks([lambda: data])
        return self.fit_chunks(chunks, data.X.shape, solver, equal_variances=equal_variances)

    def fit_chunks(
        self,
        chunks: Reducible,
        shape: tuple[int, int],
        solver: str,
        *,
        equal_variances: bool = False,
    ) -> PrivilegedFit:
        """Solve as :meth:`fit` from chunks of RegressionData; ``shape`` is that of all X."""
        n_rows, n_columns = shape
        if solver == "tsqr" or (solver == "auto" and n_rows <= n_columns):
            return self._solve_chunks(chunks, Root, equal_variances)
        fit = self._solve_chunks(chunks, Gram, equal_variances)
        if solver == "auto" and (
            fit.x_condition > Gram.max_condition or fit.residual_share < Gram.min_residual_share
        ):
            return self._solve_chunks(chunks, Root, equal_variances)
        return fit

    def _solve_chunks(
        self, chunks: Reducible, kind: type[Moments], equal_variances: bool
    ) -> PrivilegedFit:
        statistics = _statistics(chunks, kind)
        return self.solve(statistics, np.ones(statistics.n_outputs) if equal_variances else None)

    def noise(self, statistics: Statistics) -> Noise:
        """Return the noise variances, which are estimated when they are used."""
        return Noise(
            statistics, self.noise_variance, self.teacher_noise_variance, self.fit_intercept
        )

    def _alpha_of_each(self, n_outputs: int) -> FloatArray:
        alpha = np.atleast_1d(self.alpha)
        if alpha.ndim > 1 or alpha.size not in {1, n_outputs}:
            raise ValueError(
                f"alpha has shape {alpha.shape}, but there are {n_outputs} targets: pass one "
                "number for all targets, or one for each"
            )
        return np.broadcast_to(alpha, n_outputs)

    def _ratio(self, statistics: Statistics) -> tuple[FloatArray, list[str]]:
        uses_teacher = statistics.has_rows_of(Source.TEACHER, Source.PRECISE_TEACHER) or (
            self.imitation > 0 and statistics.has_rows_of(*WITH_TEACHER)
        )
        # If no prediction has a weight, the fit does not depend on ρ, which is not estimated.
        if not uses_teacher:
            return np.ones(statistics.n_outputs), []
        return self.noise(statistics).ratio()


def _statistics(chunks: Reducible, kind: type[Moments]) -> Statistics:
    statistics: Statistics = chunks.map_reduce(Statistics.of, kind, combine=Statistics.merge)
    if not statistics.groups:  # of rows with a weight; one chunk may lack them
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return statistics


@dataclass(frozen=True)
class PrivilegedFit:
    """Solution of the problem: coefficients, noise variances and covariances.

    Parameters
    ----------
    problem : PrivilegedLeastSquares
        The problem that was solved.
    statistics : Statistics
        Statistics of the rows.
    fits : tuple of WeightedFit
        One fit per set of outputs with the same ratio.
    ratio : ndarray of shape (n_outputs,)
        Ratio σ²/σ_s² of the noise variances of each output.
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
        """Largest estimate of √cond(H) among the fits: the condition of X, with its penalty."""
        return max(fit.factor.condition for fit in self.fits)

    @cached_property
    def x_condition(self) -> float:
        """Largest estimated condition number of X among the fits."""
        return max(fit.x_condition(self.statistics) for fit in self.fits)

    @property
    def solver(self) -> str:
        """How the coefficients were computed: "gram", "tsqr" or "row-space"."""
        if self.statistics.kind is Gram:
            return "gram"
        in_row_space = all(isinstance(fit.factor, RowSpaceFactor) for fit in self.fits)
        return "row-space" if in_row_space else "tsqr"

    @property
    def residual_share(self) -> float:
        """Smallest sum of squared residuals of an output, as a share of its variation."""
        return min(fit.residual_share for fit in self.fits)

    @property
    def rank(self) -> IntArray:
        """Numerical rank of the centred and weighted X of each output: (n_outputs,)."""
        rank = np.zeros(self.statistics.n_outputs, dtype=int)
        for fit in self.fits:
            rank[fit.outputs] = fit.feature_root(self.statistics).rank
        return rank

    @property
    def singular(self) -> FloatArray:
        """Singular values of the centred and weighted X: (n_outputs, min(n_rows, n_features))."""
        n_values = min(self.statistics.n_rows, self.statistics.n_features)
        singular = np.zeros((self.statistics.n_outputs, n_values))
        for fit in self.fits:
            root = fit.feature_root(self.statistics).values
            values = np.linalg.svd(root, compute_uv=False)[:n_values]
            singular[fit.outputs, : len(values)] = values
        return singular

    @property
    def deficient(self) -> bool:
        """Whether a fit had to drop directions."""
        return any(fit.factor.deficient for fit in self.fits)

    @property
    def is_unreliable(self) -> bool:
        """Whether normal equations lost most digits, or do not show if X is rank-deficient."""
        if self.statistics.kind is not Gram:
            return False
        expected_rank = min(
            self.statistics.n_features, self.statistics.n_rows - self.problem.fit_intercept
        )
        rank_lost = any(
            fit.factor.deficient and fit.factor.rank < expected_rank for fit in self.fits
        )
        return rank_lost or self.condition > ILL_CONDITIONED

    @cached_property
    def noise_variance(self) -> FloatArray:
        """σ² of each output.

        Raises
        ------
        NoNoiseEstimateError
            If it is to be estimated and the data do not determine it.
        """
        estimate = self.problem.noise(self.statistics).of_labels()
        # The floor bounds the ratio to σ_s²: without a teacher there is no ratio.
        has_teacher = self.statistics.has_rows_of(*WITH_TEACHER)
        return (estimate.floored if has_teacher else estimate).values

    @cached_property
    def teacher_noise_variance(self) -> FloatArray:
        """σ_s² of each output; NaN if no row has a teacher's prediction."""
        return self.problem.noise(self.statistics).of_teacher().floored.values

    @cached_property
    def covariances(self) -> tuple[SandwichCovariance, ...]:
        """Covariance over σ², one for each of ``fits``."""
        return tuple(
            SandwichCovariance.of(self.statistics, fit, float(self.ratio[fit.outputs[0]]))
            for fit in self.fits
        )

    @cached_property
    def has_unreliable_covariance(self) -> bool:
        """Whether X is too ill-conditioned, or σ² too small, for six digits of the covariances."""
        kind = self.statistics.kind
        return self.x_condition > kind.max_condition or self._noise_is_below(
            kind.min_residual_share
        )

    def _noise_is_below(self, share: float) -> bool:
        """Whether the residuals of an estimate of σ² are a smaller share of the labels' squares."""
        # with a teacher it is raised to its floor, a larger share
        has_teacher = self.statistics.has_rows_of(*WITH_TEACHER)
        if not share or has_teacher or self.problem.noise_variance is not None:
            return False
        if self.residual_share < share:
            return True
        # the residuals of a penalised fit may be larger than those of the estimate
        estimate = self.problem.noise(self.statistics).of_labels()
        return bool((estimate.residual_share < share).any())

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

    def variance_of_rows(self, data: RegressionData, tile: slice) -> FloatArray:
        """Return xᵀ Cov x + σ² for each row x of a tile and each output."""
        variance = np.empty((tile.stop - tile.start, self.statistics.n_outputs))
        for fit, sandwich in zip(self.fits, self.covariances, strict=True):
            variance[:, fit.outputs] = sandwich.of_tile(data, tile)[:, None]
        return (variance + 1) * self.noise_variance
