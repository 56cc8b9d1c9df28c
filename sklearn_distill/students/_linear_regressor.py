"""Predictions of a fitted linear regression, with standard deviations."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import CheckedX, MatrixLike
from sklearn_distill._validation.tensors import is_tensor
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.solvers.least_squares import (
    NoNoiseEstimateError,
    PrivilegedFit,
    Statistics,
)
from sklearn_distill.students._array_api import (
    check_same_namespace,
    floats_like,
    regression_data,
    tensor_scores,
    validate_features,
)
from sklearn_distill.students._chunks import map_chunks
from sklearn_distill.students._onnx_method import OnnxMethod

X_CHECKS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}


class LinearRegressor(OnnxMethod, MultiOutputMixin, RegressorMixin, DocLink, BaseEstimator):
    """Predictions from ``coef_`` and ``intercept_``, standard deviations from ``statistics_``."""

    coef_: NDArray[Any]
    intercept_: Any
    statistics_: Statistics
    n_features_in_: int
    _solution: PrivilegedFit
    fit_intercept: bool
    _flat: bool  # whether y was one-dimensional in fit

    @map_chunks
    def predict(
        self, X: MatrixLike, return_std: bool = False
    ) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
        r"""Predict, optionally with the standard deviation of a new label.

        .. math::

            \mathrm{std}(x)^2 = [x, 1]\, \mathrm{Cov}\, [x, 1]^⊤ + σ^2

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Samples to predict.
        return_std : bool, default=False
            Whether to return the standard deviation of a new label, too.

        Returns
        -------
        prediction : array of shape (n_samples,) or (n_samples, n_outputs)
            Predictions x·β + b.
        std : array of the same shape
            Standard deviations; returned only with ``return_std=True``.

        Raises
        ------
        ValueError
            If ``return_std=True`` and there are too few rows to estimate σ².

        Warns
        -----
        LinAlgWarning
            If ``return_std=True`` and X of ``fit`` is too ill-conditioned for six digits.
        """
        check_is_fitted(self)
        checked = validate_features(self, X, reset=False, **X_CHECKS)
        check_same_namespace(self, checked)
        prediction = self._squeeze_outputs(self._mean(checked))
        return (prediction, self._squeeze_outputs(self._std(checked))) if return_std else prediction

    def _squeeze_outputs(self, columns: NDArray[Any]) -> NDArray[Any]:
        return columns[:, 0] if self.coef_.ndim == 1 else columns

    def _mean(self, X: CheckedX) -> Any:
        """Return x·β + b, of shape (n_samples, n_outputs)."""
        if is_tensor(X):
            return tensor_scores(X, self.coef_, self.intercept_)
        coef, intercept = np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_)
        # by tiles, since a product of different dtypes would copy X
        return np.vstack([X[tile] @ coef.T + intercept for tile in regression_data(X).tiles()])

    def _std(self, X: CheckedX) -> Any:
        """Return the standard deviation of a new label, of shape (n_samples, n_outputs)."""
        data, solution = regression_data(X), self._solution
        # float64 temporaries of a tile at a time, not of X
        variance = [solution.variance_of_rows(data, tile) for tile in data.tiles()]
        _warn_of_covariance(solution)
        return floats_like(X, np.sqrt(np.vstack(variance)))

    @property
    def coef_covariance_(self) -> NDArray[Any]:
        """Sandwich covariance of ``coef_``; NaN if σ² cannot be estimated.

        A LinAlgWarning is issued if X is too ill-conditioned for six digits.
        """
        check_is_fitted(self)
        try:
            covariance = self._solution.coef_covariance()
            _warn_of_covariance(self._solution)
        except NoNoiseEstimateError:  # an attribute should not raise: coef_ itself is known
            d = self.n_features_in_
            covariance = np.full((self.statistics_.n_outputs, d, d), np.nan)
        return covariance[0] if self.coef_.ndim == 1 else covariance

    @property
    def rank_(self) -> Any:
        """Numerical rank of the centred X; an array if the outputs differ in it."""
        check_is_fitted(self)
        return _one_if_same(self._solution.rank)

    @property
    def singular_(self) -> NDArray[Any]:
        """Singular values of the centred X; of each output if their weights differ."""
        check_is_fitted(self)
        return np.asarray(_one_if_same(self._solution.singular))

    @property
    def noise_variance_(self) -> Any:
        """Noise variance σ² of the labels; NaN if it cannot be estimated."""
        return self._variance("noise_variance")

    @property
    def teacher_noise_variance_(self) -> Any:
        """Noise variance σ_s² of the teacher; NaN if it cannot be estimated."""
        return self._variance("teacher_noise_variance")

    def _set_solution(self, solution: PrivilegedFit, X: CheckedX) -> Self:
        """Set the fitted attributes; the coefficients have the dtype and the device of X."""
        self._solution = solution
        self.statistics_ = solution.statistics
        self.n_taught_rows_ = solution.statistics.n_taught_rows
        self.solver_ = solution.solver
        coef, intercept = solution.coef, solution.intercept
        # with a penalty y of shape (n, 1) gives coefficients of one dimension, as Ridge has them
        as_ridge = len(coef) == 1 and np.any(solution.problem.alpha)
        self.coef_ = floats_like(X, coef[0] if self._flat or as_ridge else coef)
        self.intercept_ = floats_like(X, intercept[0] if self._flat else intercept)
        _warn_of_poor_fit(solution)
        return self

    def to_sklearn(self) -> LinearRegression:
        """Convert to a scikit-learn LinearRegression with the same predictions.

        Returns
        -------
        LinearRegression
            Fitted, with copies of the coefficients; it no longer depends on this package.
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")


def _one_if_same(values: NDArray[Any]) -> Any:
    """Return the first row if all rows are equal, and all of them otherwise."""
    return values[0] if (values == values[0]).all() else values


def _warn_of_poor_fit(solution: PrivilegedFit) -> None:
    for name in solution.floored:
        warn_user(
            f"{name}='auto' found a perfect fit and was raised to 1e-6 of the variance of its "
            f"targets: pass {name} as a number if it is known",
        )
    if solution.is_unreliable:
        warn_user(
            "X is ill-conditioned or has dependent columns, which the normal equations cannot "
            "distinguish, or they lose digits of coef_ (the largest condition number resolved is "
            f"about {solution.condition:.1e}): pass solver='tsqr' before the first call or "
            "alpha > 0, or drop columns",
            LinAlgWarning,
        )


def _warn_of_covariance(solution: PrivilegedFit) -> None:
    if solution.has_unreliable_covariance:
        warn_user(
            "X is ill-conditioned or has dependent columns, or the fit is nearly exact: "
            "coef_covariance_ and the standard deviations of predictions may lack six correct "
            "digits, which need a condition number of at most 3e3 with solver='gram' or "
            "partial_fit, and 1e8 with solver='tsqr': pass solver='tsqr' before the first call, or "
            "drop columns",
            LinAlgWarning,
        )
