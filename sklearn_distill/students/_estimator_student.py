"""What students around another estimator have in common: a fitted clone of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import FloatArray, MatrixLike
from sklearn_distill._validation.fit_params import fit_param_name
from sklearn_distill._validation.indexing import as_samples, take_rows
from sklearn_distill.students._onnx_method import OnnxMethod


class EstimatorStudent(OnnxMethod, DocLink, BaseEstimator):
    """Base of students that fit a clone of ``estimator``, ``estimator_``."""

    estimator: Any
    estimator_: Any

    @property
    def feature_importances_(self) -> NDArray[Any]:
        """Feature importances of ``estimator_``, if it has any."""
        return np.asarray(self.estimator_.feature_importances_)

    @property
    def coef_(self) -> NDArray[Any]:
        """Coefficients of ``estimator_`` for each of its targets, if it has any."""
        coef: NDArray[Any] = self.estimator_.coef_  # sparse where it was sparsified
        return coef

    def _unfitted_estimator(self) -> Any:
        return self.estimator

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_estimator = get_tags(self._unfitted_estimator())
        tags.input_tags = of_estimator.input_tags
        tags.non_deterministic = of_estimator.non_deterministic
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")


def apply_weights(
    regressor: BaseEstimator, X: MatrixLike, Y: FloatArray, weight: FloatArray | None
) -> tuple[MatrixLike, FloatArray, dict[str, FloatArray]]:
    """Return the arguments of the regressor's ``fit`` on weighted rows.

    Parameters
    ----------
    regressor : estimator
        Any regressor.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, n_features)
        Features.
    Y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Sample weights.

    Returns
    -------
    X, Y : array-like
        The rows, repeated in proportion to their weights if ``fit`` takes no ``sample_weight``.
    fit_params : dict
        The weights, in a Pipeline those of its last step; otherwise empty.

    Raises
    ------
    ValueError
        If ``fit`` takes no ``sample_weight`` and the weights are not integers times a common
        factor.
    """
    if weight is None:
        return X, Y, {}
    # with routing the weights would reach the last step only if the user's steps request them
    with config_context(enable_metadata_routing=False):
        weight_param = fit_param_name(regressor, "sample_weight")
    if weight_param is not None:
        return X, Y, {weight_param: weight}
    rows = _repeated_rows(weight, regressor)
    return take_rows(as_samples(X), rows), Y[rows], {}


def fit_clone(
    regressor: BaseEstimator, X: MatrixLike, Y: FloatArray, fit_params: Mapping[str, FloatArray]
) -> Any:
    """Return a fitted clone of the regressor."""
    with config_context(enable_metadata_routing=False):
        return clone(regressor).fit(X, Y, **fit_params)


def _repeated_rows(weight: FloatArray, regressor: BaseEstimator) -> NDArray[np.intp]:
    """Return row numbers, each repeated in proportion to its weight."""
    in_smallest = weight / weight[weight > 0].min()
    for repeats in (weight, in_smallest):
        counts = np.rint(repeats).astype(np.intp)
        if np.allclose(repeats, counts, rtol=1e-9, atol=0):  # 0.3 / 0.1 is not 3
            # the fewest rows with these proportions
            return np.repeat(np.arange(len(weight)), counts // np.gcd.reduce(counts))
    raise ValueError(
        f"sample_weight was given, but the regressor, a {type(regressor).__name__}, has none in "
        "its fit (or that of its last step): leave it out, as well as teacher_weight in rows "
        "without a label, pass whole numbers, which repeat rows, or use a regressor with "
        "sample_weight"
    )
