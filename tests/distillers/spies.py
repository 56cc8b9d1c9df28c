"""Teachers and students that remember what they were shown."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.neighbors import KNeighborsClassifier

from sklearn_distill import DistilledLogisticRegression


class SpyTeacher(ClassifierMixin, BaseEstimator):
    """Says with certainty whether it saw the row, which its first column numbers."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.seen_ = dict(zip(np.asarray(X)[:, 0], y, strict=True))
        self.weight_ = sample_weight
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X):
        seen = np.array([x in self.seen_ for x in np.asarray(X)[:, 0]], dtype=float)
        return np.column_stack([1 - seen, seen])


class SpyStudent(ClassifierMixin, BaseEstimator):
    """Keeps what fit was given, and answers its first class."""

    def __init__(self, classes=None):
        self.classes = classes

    def fit(self, X, y, sample_weight=None, *, teacher_proba=None):
        self.told_ = {"X": X, "y": y, "weight": sample_weight, "proba": teacher_proba}
        labels = [label for label in y if label is not None]
        self.classes_ = np.unique(labels) if self.classes is None else np.asarray(self.classes)
        return self

    def predict(self, X):
        self.asked_ = X
        return np.full(len(X), self.classes_[0])


class SpyRegressor(RegressorMixin, BaseEstimator):
    """Keeps what fit was given, and answers zero."""

    def fit(self, X, y, sample_weight=None, *, teacher_prediction=None):
        self.told_ = {"X": X, "y": y, "weight": sample_weight, "prediction": teacher_prediction}
        return self

    def predict(self, X):
        return np.zeros(len(X))


class CountingTeacher(KNeighborsClassifier):
    """Counts all its fits in this process."""

    fits: ClassVar[list[int]] = []

    def fit(self, X, y):
        self.fits.append(len(y))
        return super().fit(X, y)


class LedgerTeacher(ClassifierMixin, BaseEstimator):
    """Keeps what each of its clones saw, and answers with that clone's number in thousandths."""

    seen: ClassVar[list[set[float]]] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.number_ = len(self.seen)
        self.seen.append(set(np.asarray(X)[:, 0]))
        return self

    def predict_proba(self, X):
        number = np.full(len(X), self.number_ / 1000)
        return np.column_stack([1 - number, number])


class LedgerStudent(DistilledLogisticRegression):
    """Keeps what each of its clones was told."""

    told: ClassVar[list[dict]] = []

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        self.told.append({"X": X, "y": y, "weight": sample_weight, "proba": teacher_proba})
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)
