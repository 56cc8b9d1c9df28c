"""A weighted least-squares fit of the outputs that share their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.solvers.least_squares._factors import Factor, FeatureRoot
from sklearn_distill.solvers.least_squares._moments import Moments
from sklearn_distill.solvers.least_squares.sources import Source, SourceWeights
from sklearn_distill.solvers.least_squares.statistics import Statistics


@dataclass(frozen=True)
class WeightedFit:
    r"""Minimum of :math:`Σ s_i a_i (y'_i/a_i - \bar y - (x_i - \bar x)·w)^2 + α‖w‖^2`.

    Parameters
    ----------
    outputs : ndarray of int of shape (n_chosen,)
        Indices of the outputs of this fit.
    source_weights : dict
        (c_y, c_s) by source; a = c_y + c_s, y' = c_y y + c_s s.
    alpha : float
        Strength α of the penalty.
    fit_intercept : bool
        Whether x̄ and ȳ are the weighted means; else they are 0.
    weight : float
        Sum Σ s a of the weights.
    x_mean, y_mean : ndarray of shape (n_features,), (n_chosen,)
        Means x̄ and ȳ, or zeros without an intercept.
    coef : ndarray of shape (n_features, n_chosen)
        Coefficients w of each output.
    factor : Factor
        Factor of H = Σ s a (x − x̄)(x − x̄)ᵀ + αI.
    residual_share : float
        Smallest Σ s a (y'/a − ŷ)² of an output, as a share of its variation; infinite for roots,
        whose digits do not depend on it.
    """

    outputs: IntArray
    source_weights: SourceWeights
    alpha: float
    fit_intercept: bool
    weight: float
    x_mean: FloatArray
    y_mean: FloatArray
    coef: FloatArray
    factor: Factor
    residual_share: float

    @property
    def intercept(self) -> FloatArray:
        """Return ȳ − x̄·w of each output."""
        return np.asarray(self.y_mean - self.x_mean @ self.coef)

    @classmethod
    def of(
        cls,
        statistics: Statistics,
        source_weights: SourceWeights,
        outputs: IntArray,
        *,
        alpha: float,
        fit_intercept: bool,
    ) -> WeightedFit:
        """Solve the problem from statistics."""
        moments, d = statistics.targets(source_weights, outputs), statistics.n_features
        if not fit_intercept:
            moments = moments.about_origin()
        coef, factor = moments.solve(d, alpha)
        return cls(
            outputs,
            source_weights,
            alpha,
            fit_intercept,
            moments.weight,
            moments.mean[:d],
            moments.mean[d:],
            coef,
            factor,
            residual_share=_residual_share(moments, d, coef),
        )

    def x_condition(self, statistics: Statistics) -> float:
        """Return the condition number of X.

        The penalty makes the coefficients insensitive to small singular values of X, but neither
        their covariance H⁻¹ S H⁻¹ nor the noise variances.
        """
        # a penalty of a tenth of the eigenvalues of H leaves their ratio nearly the same
        if not self.factor.deficient and 10 * self.alpha <= self.factor.smallest:
            return self.factor.condition
        return self.feature_root(statistics).condition

    def feature_root(self, statistics: Statistics) -> FeatureRoot:
        """Return B with BᵀB = Σ s a (x − x̄)(x − x̄)ᵀ."""
        weights = {source: sum(c) for source, c in self.source_weights.items()}
        return self.features(statistics, weights).feature_root(statistics.n_features)

    def features(self, statistics: Statistics, weights: Mapping[Source, float]) -> Moments:
        """Return the moments of x with a weight for each source, as this fit centres them."""
        moments = statistics.features(weights)
        return moments if self.fit_intercept else moments.about_origin()


def _residual_share(moments: Moments, n_features: int, coef: FloatArray) -> float:
    if not moments.min_residual_share:
        return np.inf  # the digits do not depend on it
    residual = moments.residual_sum_of_squares(n_features, coef)
    variation = moments.squares(slice(n_features, None))
    # a constant target has no variance to be estimated
    return float(np.min(residual[variation > 0] / variation[variation > 0], initial=np.inf))
