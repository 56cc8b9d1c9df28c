"""What a fitted linear regression answers: predictions and how sure it is of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_distill.solvers.least_squares import (
    NoNoiseEstimateError,
    PrivilegedFit,
    Statistics,
)
from sklearn_distill.students._array_api import (
    beside,
    check_same_place,
    is_tensor,
    rows_of,
    tensor_scores,
    validated,
)
from sklearn_distill.students._chunks import map_chunks

X_CHECKS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}


class LinearRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Predictions from ``coef_`` and ``intercept_``, with error bars from ``statistics_``."""

    coef_: NDArray[Any]
    intercept_: Any
    statistics_: Statistics
    n_features_in_: int
    _solution: PrivilegedFit
    _flat: bool  # whether targets came one-dimensional

    @map_chunks
    def predict(
        self, X: Any, return_std: bool = False
    ) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
        r"""Predict, with the standard deviation of a new label if it is wanted.

        .. math::

            \mathrm{std}(x)^2 = [x, 1]\, \mathrm{Cov}\, [x, 1]^⊤ + σ^2

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features.
        return_std : bool, default=False
            Whether to return the standard deviation.

        Returns
        -------
        prediction : array of shape (n_samples,) or (n_samples, n_outputs)
            x·β + b.
        std : array of the same shape
            Only with ``return_std``.

        Raises
        ------
        ValueError
            With ``return_std``, if σ² is to be estimated from too few rows.
        """
        check_is_fitted(self)
        X = validated(self, X, reset=False, **X_CHECKS)
        check_same_place(self, X)
        prediction = self._one_or_many(self._mean(X))
        return (prediction, self._one_or_many(self._std(X))) if return_std else prediction

    def _mean(self, X: Any) -> Any:
        """Return x·β + b, of shape (n_samples, n_outputs)."""
        if is_tensor(X):
            return tensor_scores(X, self.coef_, self.intercept_)
        coef, intercept = np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_)
        # by blocks, since a product of float32 and float64 would copy X
        return np.vstack([X[tile] @ coef.T + intercept for tile in rows_of(X).tiles()])

    def _std(self, X: Any) -> Any:
        """Return the standard deviation of a new label, of shape (n_samples, n_outputs)."""
        rows, solution = rows_of(X), self._solution
        variance = [solution.variance_of_rows(rows, tile) for tile in rows.tiles()]
        return beside(X, np.sqrt(np.vstack(variance)))

    @property
    def coef_covariance_(self) -> NDArray[Any]:
        """Sandwich covariance of ``coef_``."""
        check_is_fitted(self)
        try:
            covariance = self._solution.coef_covariance()
        except NoNoiseEstimateError:
            d = self.n_features_in_
            covariance = np.full((self.statistics_.n_outputs, d, d), np.nan)
        return covariance[0] if self._flat else covariance

    @property
    def noise_variance_(self) -> Any:
        """Variance σ² of the labels' noise."""
        return self._variance("noise_variance")

    @property
    def teacher_noise_variance_(self) -> Any:
        """Variance σ_s² of the teacher's noise."""
        return self._variance("teacher_noise_variance")

    def to_sklearn(self) -> LinearRegression:
        """Return a plain scikit-learn LinearRegression that predicts the same.

        Returns
        -------
        LinearRegression
            Fitted; it holds copies and needs this package no more.
        """
        check_is_fitted(self)
        plain = LinearRegression(fit_intercept=self.fit_intercept)
        plain.coef_ = deepcopy(self.coef_)
        plain.intercept_ = deepcopy(self.intercept_)
        plain.n_features_in_ = self.n_features_in_
        if hasattr(self, "feature_names_in_"):
            plain.feature_names_in_ = self.feature_names_in_.copy()
        return plain

    def _variance(self, name: str) -> Any:
        check_is_fitted(self)
        try:
            variance = getattr(self._solution, name)
        except NoNoiseEstimateError:
            variance = np.full(self.statistics_.n_outputs, np.nan)
        return variance[0] if self._flat else variance

    def _one_or_many(self, columns: NDArray[Any]) -> NDArray[Any]:
        return columns[:, 0] if self._flat else columns

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")
