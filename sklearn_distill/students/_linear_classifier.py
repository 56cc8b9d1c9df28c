"""What a fitted linear classifier answers."""

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from sklearn_distill.students._array_api import (
    check_same_place,
    is_tensor,
    tensor_labels,
    tensor_log_proba,
    tensor_proba,
    tensor_scores,
    validated,
)
from sklearn_distill.students._chunks import map_chunks


class LinearClassifier(ClassifierMixin, BaseEstimator):
    """Predictions from ``coef_``, ``intercept_`` and ``classes_`` as LogisticRegression makes them.

    A class with intercept ``-inf`` has probability 0. Answers lie where X does; only labels that
    are no numbers are NumPy's.
    """

    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    classes_: NDArray[Any]
    n_iter_: NDArray[Any]

    @map_chunks
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the scores.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_classes)
            With two classes the log-odds of ``classes_[1]``, else one score a class.
        """
        check_is_fitted(self)
        X = validated(
            self, X, reset=False, accept_sparse=["csr", "csc"], dtype=[np.float64, np.float32]
        )
        check_same_place(self, X)
        if is_tensor(X):
            scores = tensor_scores(X, self.coef_, self.intercept_)
        else:
            scores = np.asarray(X @ self.coef_.T) + self.intercept_
        return scores.ravel() if scores.shape[1] == 1 else scores

    @map_chunks
    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples,)
            Labels from ``classes_``.
        """
        scores = self.decision_function(X)
        if is_tensor(scores):
            return tensor_labels(scores, self.classes_)
        codes = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    @map_chunks
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probabilities softmax(z) at temperature 1.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``.
        """
        scores = self.decision_function(X)
        if is_tensor(scores):
            return tensor_proba(scores)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        return np.asarray(softmax(scores, axis=1))

    @map_chunks
    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithms of the probabilities, without rounding them first.

        Parameters
        ----------
        X : {array-like, sparse matrix, torch.Tensor} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        array of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``.
        """
        scores = self.decision_function(X)
        if is_tensor(scores):
            return tensor_log_proba(scores)
        if scores.ndim == 1:
            return np.stack([log_expit(-scores), log_expit(scores)], axis=1)
        return np.asarray(log_softmax(scores, axis=1))

    def to_sklearn(self) -> LogisticRegression:
        """Return a plain scikit-learn LogisticRegression that predicts the same.

        Returns
        -------
        LogisticRegression
            Fitted; it holds copies and needs this package no more.
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
