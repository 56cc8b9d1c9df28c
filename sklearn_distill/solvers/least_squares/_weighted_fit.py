"""A weighted least-squares fit of the outputs that share their weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.chunks import Chunks
from sklearn_distill.solvers.least_squares._factors import Factor
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import Source, SourceWeights
from sklearn_distill.solvers.least_squares.statistics import Statistics

_MAX_REFINEMENTS = 10  # each at least halves the step, see refine


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
        x_mean, y_mean = moments.mean[:d], moments.mean[d:]
        weight = moments.weight
        return cls(
            outputs, source_weights, alpha, fit_intercept, weight, x_mean, y_mean, coef, factor
        )

    def refine(self, chunks: Chunks) -> WeightedFit:
        """Correct the rounding error of the normal equations by passes over chunks of rows.

        Each pass solves H v = −½∇ with the gradient computed from the rows themselves, which
        converges while eps · cond(X)² < 1. The refinement ends when a step is not at most half of
        the previous one, since it diverges beyond that.

        References
        ----------
        Björck 1987, "Stability analysis of the method of seminormal equations", §3.
        """
        fit, previous_size = self, np.inf
        for _ in range(_MAX_REFINEMENTS):
            gradient = fit.half_gradient(chunks)
            step = fit.factor.solve(gradient)
            # ‖v‖ in the norm of H, which measures the effect of the step on predictions.
            size = float(np.sqrt(np.maximum((gradient * step).sum(axis=0), 0.0)).max())
            if not size < previous_size / 2:
                break
            fit, previous_size = replace(fit, coef=fit.coef + step), size
        return fit

    def half_gradient(self, chunks: Chunks) -> FloatArray:
        """Return −½ of the gradient in w, summed over chunks of RegressionData."""
        gradient: FloatArray = chunks.map_reduce(_half_gradient, self) - self.alpha * self.coef
        return gradient

    def residuals(self, data: RegressionData, tile: slice, product: FloatArray) -> FloatArray:
        """Return s (y' − a (ȳ + (x − x̄)·w)) of the rows of a tile, given (x − x̄)·w."""
        c_y, c_s = (np.array([self.source_weights[source][k] for source in Source]) for k in (0, 1))
        source = data.source[tile]
        residuals: FloatArray = -(c_y + c_s)[source, None] * (self.y_mean + product)
        for c, target in ((c_y, data.y), (c_s, data.teacher)):
            if target is not None:
                # Missing targets are NaN and have c = 0, but 0 · NaN is NaN.
                residuals += c[source, None] * np.nan_to_num(target[tile, self.outputs])
        if data.weight is not None:
            residuals *= data.weight[tile, None]
        return residuals


def _half_gradient(data: RegressionData, fit: WeightedFit) -> FloatArray:
    """Return the rows' part of −½ of the gradient in w, summed over their tiles."""
    gradient = np.zeros_like(fit.coef)
    for tile in data.tiles():
        residuals = partial(fit.residuals, data, tile)
        gradient += data.pull_back_residuals(tile, fit.x_mean, fit.coef, residuals)
    return gradient
