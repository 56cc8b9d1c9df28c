"""Fit classifiers that need the labels 0, …, K−1, such as XGBClassifier, on any labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import CheckedX
from sklearn_distill._validation.fitting import available_if


def fit_on_any_labels(
    estimator: Any, X: CheckedX, y: NDArray[Any], fit_params: dict[str, Any]
) -> Any:
    """Fit a clone, on encoded labels if it is a classifier that fails on the labels themselves.

    Parameters
    ----------
    estimator : estimator
        A classifier or regressor.
    X : matrix, frame or other samples
        Training samples.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Labels, none of them missing.
    fit_params : dict
        Further parameters of its ``fit``.

    Returns
    -------
    estimator
        The fitted clone, or an EncodedLabelsClassifier around it.

    Raises
    ------
    Exception
        The first error, if the clone fails on encoded labels, too.
    """
    try:
        return clone(estimator).fit(X, y, **fit_params)
    except (ValueError, TypeError, IndexError):  # of a label that is no position
        fitted = _fit_encoded(estimator, X, y, fit_params) if _can_encode(estimator, y) else None
        if fitted is None:
            raise
        return fitted


def _can_encode(estimator: Any, y: NDArray[Any]) -> bool:
    """Return whether encoded labels differ from y, and mean the same to the classifier."""
    if not is_classifier(estimator) or np.ndim(y) != 1:
        return False
    labels = np.unique(y)
    if labels.tolist() == list(range(len(labels))):
        return False
    # a dict of class weights names the labels themselves
    weights = [v for k, v in estimator.get_params().items() if k.endswith("class_weight")]
    return not any(isinstance(weight, dict) for weight in weights)


def _fit_encoded(
    classifier: Any, X: CheckedX, y: NDArray[Any], fit_params: dict[str, Any]
) -> EncodedLabelsClassifier | None:
    try:
        return EncodedLabelsClassifier(classifier).fit(X, y, **fit_params)
    except Exception:  # the labels were not the cause: the caller raises the first error
        return None


def _fitted_has(method: str) -> Callable[[Any], bool]:
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)


class EncodedLabelsClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier that is fitted on the labels 0, …, K−1 and predicts those that they encode.

    Parameters
    ----------
    estimator : classifier
        The classifier, which is cloned.

    Attributes
    ----------
    estimator_ : classifier
        The classifier, fitted on encoded labels.
    classes_ : ndarray of shape (n_classes,)
        The labels, ascending: k encodes ``classes_[k]``.
    """

    estimator_: Any
    classes_: NDArray[Any]

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: CheckedX, y: NDArray[Any], **fit_params: Any) -> Self:
        """Fit a clone of the classifier on encoded labels."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.estimator_ = clone(self.estimator).fit(X, codes, **fit_params)
        return self

    def predict(self, X: CheckedX) -> NDArray[Any]:
        """Predict labels."""
        check_is_fitted(self)
        codes = np.asarray(self.estimator_.predict(X)).ravel()
        return np.asarray(self.classes_[codes.astype(np.intp)])

    @available_if(_fitted_has("predict_proba"))
    def predict_proba(self, X: CheckedX) -> NDArray[np.float64]:
        """Predict a probability for each of ``classes_``."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict_proba(X))

    @available_if(_fitted_has("decision_function"))
    def decision_function(self, X: CheckedX) -> NDArray[np.float64]:
        """Return the classifier's scores."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.decision_function(X))
