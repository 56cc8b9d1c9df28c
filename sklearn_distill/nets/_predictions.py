"""From the scores of a network to what its estimator predicts: labels and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags

from sklearn_distill._typing import FloatArray
from sklearn_distill.losses import log_probabilities, probabilities


@dataclass(frozen=True)
class ClassPredictions:
    """Predictions of a classifier with one score for each class, or the log-odds of the second.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels, in the order of the scores.

    Examples
    --------
    >>> predictions = ClassPredictions(np.array(["ham", "spam"]))
    >>> predictions.predict(np.array([[0.5], [-0.5]]))
    array(['spam', 'ham'], dtype='<U4')
    """

    classes: NDArray[Any]

    def predict_proba(self, z: FloatArray) -> FloatArray:
        """Return softmax(z), of shape (n_rows, n_classes)."""
        return probabilities(_log_odds_or_scores(z))

    def predict_log_proba(self, z: FloatArray) -> FloatArray:
        """Return log softmax(z), without rounding the probabilities first."""
        return log_probabilities(_log_odds_or_scores(z))

    def predict(self, z: FloatArray) -> NDArray[Any]:
        """Return the label of the most probable class of each row."""
        return np.asarray(self.classes[self.predict_log_proba(z).argmax(axis=1)])

    def score(self, y: NDArray[Any], predicted: NDArray[Any]) -> float:
        """Return the accuracy."""
        return float(accuracy_score(y, predicted))

    def set_tags(self, tags: Any) -> None:
        """Set scikit-learn's tags of a classifier."""
        tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()


@dataclass(frozen=True)
class NumberPredictions:
    """Predictions of a regressor.

    Parameters
    ----------
    flat : bool
        Whether labels and predictions are one-dimensional.
    center, scale : ndarray of shape (n_outputs,) or float, default=0.0 and 1.0
        Mean and standard deviation of the labels, where the network learns standardised ones.
    """

    flat: bool
    center: FloatArray | float = 0.0
    scale: FloatArray | float = 1.0

    def predict(self, z: FloatArray) -> FloatArray:
        """Return the predictions, in the units and the shape of the labels."""
        z = z.reshape(len(z), -1) * self.scale + self.center
        return z.reshape(len(z)) if self.flat else z.reshape(len(z), -1)

    def predict_proba(self, z: FloatArray) -> FloatArray:
        """Return the predictions, as skorch's regressors do."""
        return self.predict(z)

    def score(self, y: FloatArray, predicted: FloatArray) -> float:
        """Return R²."""
        return float(r2_score(y, predicted))

    def set_tags(self, tags: Any) -> None:
        """Set scikit-learn's tags of a regressor."""
        tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        tags.target_tags.multi_output = not self.flat


@dataclass(frozen=True)
class LabelPredictions:
    """Predictions of a classifier with one log-odds for each of several labels.

    Parameters
    ----------
    n_labels : int
        Number of labels.

    Examples
    --------
    >>> LabelPredictions(2).predict(np.array([[0.5, -0.5]]))
    array([[1, 0]])
    """

    n_labels: int

    @property
    def classes(self) -> list[NDArray[Any]]:
        """The classes of each label, as of scikit-learn's multi-label classifiers."""
        return [np.array([0, 1])] * self.n_labels

    def predict_proba(self, z: FloatArray) -> FloatArray:
        """Return σ(z), the probability of each label."""
        return np.asarray(expit(z))

    def predict_log_proba(self, z: FloatArray) -> FloatArray:
        """Return log σ(z), without rounding the probabilities first."""
        return np.asarray(log_expit(z))

    def predict(self, z: FloatArray) -> NDArray[Any]:
        """Return 1 for each label with a probability above a half, else 0."""
        return (z > 0).astype(np.int64)

    def score(self, y: NDArray[Any], predicted: NDArray[Any]) -> float:
        """Return the share of rows all labels of which are right."""
        return float(accuracy_score(y, predicted))

    def set_tags(self, tags: Any) -> None:
        """Set scikit-learn's tags of a multi-label classifier."""
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags(multi_label=True)
        tags.target_tags.multi_output = True


Predictions = ClassPredictions | LabelPredictions | NumberPredictions


def _log_odds_or_scores(z: FloatArray) -> FloatArray:
    """Return one score for each class; of a single one, the log-odds of the second class."""
    return z.ravel() if z.shape[1:] == (1,) else z
