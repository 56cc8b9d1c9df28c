"""Predictions of a fitted linear classifier."""

from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils import assert_all_finite
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from sklearn_distill._doc_link import DocLink
from sklearn_distill._typing import CheckedX, MatrixLike
from sklearn_distill._validation.plain_arrays import is_plain_matrix
from sklearn_distill._validation.tensors import is_tensor
from sklearn_distill.losses import log_probabilities, probabilities
from sklearn_distill.students._array_api import (
    check_same_namespace,
    tensor_labels,
    tensor_log_proba,
    tensor_proba,
    tensor_scores,
    validate_features,
)
from sklearn_distill.students._chunks import X_CHECKS, map_chunks
from sklearn_distill.students._onnx_method import OnnxMethod


class LinearClassifier(OnnxMethod, ClassifierMixin, DocLink, BaseEstimator):
    """Predictions from ``coef_``, ``intercept_`` and ``classes_``, as those of LogisticRegression.

    A class with intercept ``-inf`` has probability 0. If X is a torch tensor, so are the
    predictions, on the same device; only labels that are not numbers are a NumPy array.
    """

    coef_: Any  # an array or, after sparsify, a CSR matrix
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
        if not self.__sklearn_is_fitted__():
            check_is_fitted(self)  # which raises the error
        checked = self._features_to_predict(X)
        check_same_namespace(self, checked)
        scores: NDArray[Any]
        if is_tensor(checked):
            scores = tensor_scores(checked, self.coef_, self.intercept_)
        else:
            with np.errstate(invalid="ignore"):  # ∞ · 0, which is an error below
                scores = np.asarray(safe_sparse_dot(checked, self.coef_.T, dense_output=True))
            if not self._shows_in_scores(scores):
                assert_all_finite(checked, estimator_name=type(self).__name__, input_name="X")
            scores += self.intercept_
        return scores.ravel() if scores.shape[1] == 1 else scores

    def _features_to_predict(self, X: MatrixLike) -> CheckedX:
        has_names = hasattr(self, "feature_names_in_")
        if not has_names and is_plain_matrix(X) and X.shape[1] == self.n_features_in_:
            return X
        checks = X_CHECKS if is_tensor(X) else X_CHECKS | {"ensure_all_finite": False}
        return validate_features(self, X, reset=False, **checks)

    def _shows_in_scores(self, scores: NDArray[Any]) -> bool:
        """Return whether finite scores prove that the features are finite, without a look at X."""
        # NaN · 0 is NaN, but a product may leave out zeros
        every_feature_counts = isinstance(self.coef_, np.ndarray) and self.coef_.all()
        return bool(every_feature_counts and np.isfinite(scores.sum()))

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
        return tensor_proba(scores) if is_tensor(scores) else probabilities(scores)

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
        return tensor_log_proba(scores) if is_tensor(scores) else log_probabilities(scores)

    def sparsify(self) -> Self:
        """Convert ``coef_`` to a sparse matrix, which is smaller where most of it is zero.

        Predictions stay the same; a further ``fit`` makes ``coef_`` dense again. The ridge penalty
        makes no coefficient zero, so this pays only where features are zero in every training row
        or the coefficients were set by hand.

        Returns
        -------
        self
            The estimator, with ``coef_`` of CSR format.

        Raises
        ------
        TypeError
            If ``coef_`` is a torch tensor.
        """
        check_is_fitted(self)
        if is_tensor(self.coef_):
            raise TypeError(
                "coef_ is a torch tensor, and only NumPy arrays are sparsified: fit on "
                "X.cpu().numpy()"
            )
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Convert ``coef_`` back to an array; nothing changes if it is one.

        Returns
        -------
        self
            The estimator, with an array as ``coef_``.
        """
        check_is_fitted(self)
        if hasattr(self.coef_, "toarray"):
            self.coef_ = self.coef_.toarray()
        return self

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
