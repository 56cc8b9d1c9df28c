"""Predictions of a fitted linear classifier."""

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._typing import MatrixLike
from sklearn_distill._validation.tensors import is_tensor
from sklearn_distill.students._array_api import (
    check_same_namespace,
    tensor_labels,
    tensor_log_proba,
    tensor_proba,
    tensor_scores,
    validate_features,
)
from sklearn_distill.students._chunks import X_CHECKS, map_chunks


class LinearClassifier(ClassifierMixin, BaseEstimator):
    """Predictions from ``coef_``, ``intercept_`` and ``classes_``, as those of LogisticRegression.

    A class with intercept ``-inf`` has probability 0. If X is a torch tensor, so are the
    predictions, on the same device; only labels that are not numbers are a NumPy array.
    """

    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    classes_: NDArray[Any]
    n_iter_: NDArray[Any]

    @map_chunks
    def decision_function(self, X: MatrixLike) -> NDArray[Any]:
        """Compute the scores.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of ``classes_[1]`` for two classes, else one score for each class.
        """
        check_is_fitted(self)
        checked = validate_features(self, X, reset=False, **X_CHECKS)
        check_same_namespace(self, checked)
        scores: NDArray[Any]
        if is_tensor(checked):
            scores = tensor_scores(checked, self.coef_, self.intercept_)
        else:
            scores = np.asarray(checked @ self.coef_.T) + self.intercept_
        return scores.ravel() if scores.shape[1] == 1 else scores

    @map_chunks
    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict the most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        array of shape (n_samples,)
            Labels from ``classes_``.
        """
        scores = self.decision_function(X)
        labels: NDArray[Any]
        if is_tensor(scores):
            labels = tensor_labels(scores, self.classes_)
        else:
            codes = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
            labels = self.classes_[codes]
        return labels

    @map_chunks
    def predict_proba(self, X: MatrixLike) -> NDArray[Any]:
        """Predict probabilities: softmax of the scores, at temperature 1.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        array of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``.
        """
        scores = self.decision_function(X)
        proba: NDArray[Any]
        if is_tensor(scores):
            proba = tensor_proba(scores)
        elif scores.ndim == 1:
            # both from the log-odds: 1 - p would round small probabilities
            proba = np.stack([expit(-scores), expit(scores)], axis=1)
        else:
            proba = softmax(scores, axis=1)
        return proba

    @map_chunks
    def predict_log_proba(self, X: MatrixLike) -> NDArray[Any]:
        """Predict log-probabilities, computed directly from the scores.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        array of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``.
        """
        scores = self.decision_function(X)
        log_proba: NDArray[Any]
        if is_tensor(scores):
            log_proba = tensor_log_proba(scores)
        elif scores.ndim == 1:
            log_proba = np.stack([log_expit(-scores), log_expit(scores)], axis=1)
        else:
            log_proba = log_softmax(scores, axis=1)
        return log_proba

    def to_sklearn(self) -> LogisticRegression:
        """Convert to a scikit-learn LogisticRegression with the same predictions.

        Returns
        -------
        LogisticRegression
            Fitted, with copies of the coefficients; it no longer depends on this package.
        """
        check_is_fitted(self)
        plain = LogisticRegression()
        names = ("coef_", "intercept_", "classes_", "n_iter_", "feature_names_in_")
        for name in names:
            if hasattr(self, name):
                setattr(plain, name, deepcopy(getattr(self, name)))
        plain.n_features_in_ = self.n_features_in_
        return plain

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")
