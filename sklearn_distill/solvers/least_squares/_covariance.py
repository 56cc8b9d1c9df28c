"""Covariance of coefficients and predictions, given the noise of labels and teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.least_squares._weighted_fit import WeightedFit
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import target_variances
from sklearn_distill.solvers.least_squares.statistics import Statistics


@dataclass(frozen=True)
class SandwichCovariance:
    r"""Sandwich covariance of the coefficients, and variance of the mean prediction, over σ².

    With :math:`\tilde x = [x - \bar x, 1]`, :math:`\tilde H = \mathrm{diag}(H, Σ s a)` and v the
    variance of :math:`y'_i` over σ², it is

    .. math::

        \tilde H^{-1} \Big(Σ_i s_i v_i \tilde x_i \tilde x_i^⊤\Big) \tilde H^{-1}.

    The rows weighted with v have the sum of weights V, the mean :math:`\bar x + δ` and the spread
    :math:`B^⊤B` about it. So the covariance is :math:`A A^⊤` of the coefficients, and
    :math:`\|A^⊤(x - \bar x) + b\|^2` of a prediction, with

    .. math::

        A = H^{-1} [B^⊤, \sqrt V\, δ], \qquad b = (0, …, 0, \sqrt V / Σ s a).

    Both are sums of squares: they are never negative, and lose the digits of
    :math:`\mathrm{cond}(X)`, not of its square, if B is a triangular root.

    Parameters
    ----------
    half : ndarray of shape (n_features, k)
        The matrix A.
    shift : ndarray of shape (k,)
        The vector b; 0 without an intercept.
    x_mean : ndarray of shape (n_features,)
        Mean x̄ of the features in the fit.

    References
    ----------
    White 1980; MATHEMATICS.md §4.
    """

    half: FloatArray
    shift: FloatArray
    x_mean: FloatArray

    @classmethod
    def of(cls, statistics: Statistics, fit: WeightedFit, ratio: float) -> SandwichCovariance:
        """Compute the covariance of a fit."""
        # The variances of the targets differ from their weights a: H⁻¹ itself is no covariance.
        moments = fit.features(statistics, target_variances(fit.source_weights, ratio))
        root, scale = moments.feature_root(statistics.n_features), np.sqrt(moments.weight)
        offset = scale * (moments.mean - fit.x_mean)
        half = fit.factor.solve(np.column_stack([root.values.T, offset]))
        shift = np.zeros(half.shape[1])
        shift[-1] = scale / fit.weight if fit.fit_intercept else 0.0
        return cls(half, shift, fit.x_mean)

    def of_coef(self) -> FloatArray:
        """Return the covariance of the coefficients over σ²."""
        return np.asarray(self.half @ self.half.T)

    def of_mean(self, X: FloatArray) -> FloatArray:
        """Return the variance of x·w + b over σ², for each row x of X."""
        return self.of_tile(RegressionData(X, None), slice(None))

    def of_tile(self, data: RegressionData, tile: slice) -> FloatArray:
        """Return the variance of x·w + b over σ², for each row x of a tile."""
        return data.squared_norms(tile, self.x_mean, self.half, self.shift)
