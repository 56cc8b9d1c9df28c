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

    About the mean :math:`\bar x + δ` of the rows weighted with v, and with :math:`u = H^{-1}δ`,
    its four blocks need only the matrix ``spread`` :math:`= H^{-1} S_v H^{-1}` and u.

    Parameters
    ----------
    spread : ndarray of shape (n_features, n_features)
        The matrix H⁻¹ S_v H⁻¹.
    offset : ndarray of shape (n_features,)
        The vector u of the formula above.
    weight : float
        Sum Σ s v of the weights.
    mean_scale : float
        1/Σ s a; 0 without an intercept.
    x_mean : ndarray of shape (n_features,)
        Mean x̄ of the features in the fit.

    References
    ----------
    White 1980; MATHEMATICS.md §4.
    """

    spread: FloatArray
    offset: FloatArray
    weight: float
    mean_scale: float
    x_mean: FloatArray

    @classmethod
    def of(cls, statistics: Statistics, fit: WeightedFit, ratio: float) -> SandwichCovariance:
        """Compute the covariance of a fit."""
        # The variances of the targets differ from their weights a: H⁻¹ itself is no covariance.
        moments = statistics.features(target_variances(fit.source_weights, ratio))
        if not fit.fit_intercept:
            moments = moments.about_origin()
        offset = fit.factor.solve((moments.mean - fit.x_mean)[:, None])[:, 0]
        mean_scale = 1 / fit.weight if fit.fit_intercept else 0.0
        spread = moments.sandwich(fit.factor)
        return cls(spread, offset, moments.weight, mean_scale, fit.x_mean)

    def of_coef(self) -> FloatArray:
        """Return the covariance of the coefficients over σ²."""
        return np.asarray(self.spread + self.weight * np.outer(self.offset, self.offset))

    def of_mean(self, X: FloatArray) -> FloatArray:
        """Return the variance of x·w + b over σ², for each row x of X."""
        return self.of_tile(RegressionData(X, None), slice(None))

    def of_tile(self, data: RegressionData, tile: slice) -> FloatArray:
        """Return the variance of x·w + b over σ², for each row x of a tile."""
        spread, offset = data.quadratic_form(tile, self.x_mean, self.spread, self.offset)
        return np.asarray(spread + self.weight * (offset + self.mean_scale) ** 2)
