"""Teachers and students that record the arguments of their methods."""

from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.neighbors import KNeighborsClassifier

from sklearn_distill import DistilledBoostingClassifier, DistilledLogisticRegression


class SpyTeacher(ClassifierMixin, BaseEstimator):
    """Predict 1 for the rows that it was fitted on, which their first column numbers, else 0."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.labels_of_ = dict(zip(np.asarray(X)[:, 0], y, strict=True))
        self.weight_ = sample_weight
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X):
        fitted_on = np.array([x in self.labels_of_ for x in np.asarray(X)[:, 0]], dtype=float)
        return np.column_stack([1 - fitted_on, fitted_on])


class SpyStudent(ClassifierMixin, BaseEstimator):
    """Record the arguments of fit, and predict the first class."""

    def __init__(self, classes=None):
        self.classes = classes

    def fit(self, X, y, sample_weight=None, *, teacher_proba=None):
        self.fit_args_ = {"X": X, "y": y, "weight": sample_weight, "proba": teacher_proba}
        labels = [label for label in y if label is not None]
        self.classes_ = np.unique(labels) if self.classes is None else np.asarray(self.classes)
        return self

    def predict(self, X):
        self.predict_X_ = X
        return np.full(len(X), self.classes_[0])


class SpyRegressor(RegressorMixin, BaseEstimator):
    """Record the arguments of fit, and predict zero."""

    def fit(self, X, y, sample_weight=None, *, teacher_prediction=None):
        self.fit_args_ = {"X": X, "y": y, "weight": sample_weight, "prediction": teacher_prediction}
        return self

    def predict(self, X):
        return np.zeros(len(X))


class CountingTeacher(KNeighborsClassifier):
    """Record the number of training rows of each fit in this process."""

    fits: ClassVar[list[int]] = []

    def fit(self, X, y):
        self.fits.append(len(y))
        return super().fit(X, y)


class LedgerTeacher(ClassifierMixin, BaseEstimator):
    """Record the rows that each clone was fitted on, and predict the clone's number / 1000."""

    fitted_rows: ClassVar[list[set[float]]] = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.number_ = len(self.fitted_rows)
        self.fitted_rows.append(set(np.asarray(X)[:, 0]))
        return self

    def predict_proba(self, X):
        number = np.full(len(X), self.number_ / 1000)
        return np.column_stack([1 - number, number])


class LedgerStudent(DistilledLogisticRegression):
    """Record the arguments of the fit of each clone."""

    fit_args: ClassVar[list[dict]] = []

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        self.fit_args.append({"X": X, "y": y, "weight": sample_weight, "proba": teacher_proba})
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class ValidatingStudent(DistilledBoostingClassifier):
    """Record the arguments of the fit of each clone, which stops early if its model does."""

    fit_args: ClassVar[list[dict]] = []

    def fit(
        self,
        X,
        y=None,
        sample_weight=None,
        *,
        teacher_proba=None,
        teacher_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        validation_rows=None,
    ):
        args = {"y": y, "weight": sample_weight, "proba": teacher_proba, "trust": teacher_weight}
        self.fit_args.append({"X": X, "rows": validation_rows, **args})
        return super().fit(
            X,
            y,
            sample_weight,
            teacher_proba=teacher_proba,
            teacher_weight=teacher_weight,
            X_val=X_val,
            y_val=y_val,
            sample_weight_val=sample_weight_val,
            validation_rows=validation_rows,
        )
