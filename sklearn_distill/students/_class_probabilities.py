"""Classes and log-probabilities of classifiers that predict probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import MatrixLike


class ClassProbabilities:
    """Predictions that follow from ``predict_proba``."""

    classes_: NDArray[Any]

    def predict_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict probabilities in the order of ``classes_``."""
        raise NotImplementedError

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict the most probable class of each sample.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def predict_log_proba(self, X: MatrixLike) -> NDArray[np.float64]:
        """Predict log-probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Samples to predict.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Log-probabilities in the order of ``classes_``; −inf where a probability is 0.
        """
        with np.errstate(divide="ignore"):  # a class without target mass, or rounding to 0
            return np.asarray(np.log(self.predict_proba(X)))
