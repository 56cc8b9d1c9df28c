"""One weighted least-squares fit, of the outputs that share their weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.chunks import Chunks
from sklearn_distill.solvers.least_squares._factors import Factor
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.sources import Shares, Source
from sklearn_distill.solvers.least_squares.statistics import Statistics

_MAX_REFINEMENTS = 10


@dataclass(frozen=True)
class WeightedFit:
    r"""Minimum of :math:`Σ s_i a_i (y'_i/a_i - \bar y - (x_i - \bar x)·w)^2 + α‖w‖^2`.

    Parameters
    ----------
    outputs : ndarray of int of shape (n_chosen,)
        Which outputs these are.
    shares : dict
        (c_y, c_s) by source; a = c_y + c_s, y' = c_y y + c_s s.
    alpha : float
        α.
    fit_intercept : bool
        Whether x̄ and ȳ are the weighted means; else they are 0.
    weight : float
        Σ s a.
    x_mean, y_mean : ndarray of shape (n_features,), (n_chosen,)
        x̄ and ȳ.
    coef : ndarray of shape (n_features, n_chosen)
        w.
    factor : Factor
        Factor of H = Σ s a (x − x̄)(x − x̄)ᵀ + αI.
    """

    outputs: IntArray
    shares: Shares
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
        shares: Shares,
        outputs: IntArray,
        *,
        alpha: float,
        fit_intercept: bool,
    ) -> WeightedFit:
        """Solve from statistics."""
        moments, d = statistics.targets(shares, outputs), statistics.n_features
        if not fit_intercept:
            moments = moments.about_origin()
        coef, factor = moments.solve(d, alpha)
        x_mean, y_mean = moments.mean[:d], moments.mean[d:]
        weight = moments.weight
        return cls(outputs, shares, alpha, fit_intercept, weight, x_mean, y_mean, coef, factor)

    def refine(self, rows: Chunks) -> WeightedFit:
        """Correct the rounding error of the normal equations by passes over blocks of Rows.

        Each pass solves H v = −½∇ with the gradient taken from the rows themselves, which
        converges while eps · cond(X)² < 1; it ends when a step is not half of the one before.

        References
        ----------
        Björck 1987, "Stability analysis of the method of seminormal equations", §3.
        """
        fit, last = self, np.inf
        for _ in range(_MAX_REFINEMENTS):
            gradient = fit.half_gradient(rows)
            step = fit.factor.solve(gradient)
            size = float(np.sqrt(np.maximum((gradient * step).sum(axis=0), 0.0)).max())
            if not size < last / 2:
                break
            fit, last = replace(fit, coef=fit.coef + step), size
        return fit

    def half_gradient(self, rows: Chunks) -> FloatArray:
        """Return −½ of the gradient in w, summed over blocks of Rows."""
        gradient: FloatArray = rows.map_reduce(_half_gradient, self) - self.alpha * self.coef
        return gradient

    def half_gradient_of(self, rows: RegressionData) -> FloatArray:
        """Return what rows have of −½ of the gradient in w, summed over tiles of them."""
        gradient = np.zeros_like(self.coef)
        for tile in rows.tiles():
            residual = partial(self._residual, rows, tile)
            gradient += rows.pulled_back(tile, self.x_mean, self.coef, residual)
        return gradient

    def _residual(self, rows: RegressionData, chunk: slice, product: FloatArray) -> FloatArray:
        """Return s (y' − a (ȳ + (x − x̄)·w)) of the rows of a chunk, given (x − x̄)·w."""
        c_y, c_s = (np.array([self.shares[source][k] for source in Source]) for k in (0, 1))
        source = rows.source[chunk]
        residual: FloatArray = -(c_y + c_s)[source, None] * (self.y_mean + product)
        for share, target in ((c_y, rows.y), (c_s, rows.teacher)):
            if target is not None:
                residual += share[source, None] * np.nan_to_num(target[chunk, self.outputs])
        if rows.weight is not None:
            residual *= rows.weight[chunk, None]
        return residual


def _half_gradient(rows: RegressionData, fit: WeightedFit) -> FloatArray:
    return fit.half_gradient_of(rows)
