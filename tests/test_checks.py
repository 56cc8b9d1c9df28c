"""check_distiller passes our students and catches broken ones."""

import warnings

import numpy as np
import pandas as pd
import pytest

from sklearn_distill import (
    DistilledLogisticRegression,
    ImplausibleTeacherWarning,
    PrivilegedLinearRegression,
    TeacherMissingWarning,
)
from sklearn_distill.checks import check_distiller, parametrize_with_distiller_checks


class IgnoresTeacher(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if isinstance(teacher_proba, pd.Series):  # a name that is no class is an error
            DistilledLogisticRegression().fit(X, y, teacher_proba=teacher_proba)
        return super().fit(X, y, sample_weight)


class AlwaysTaught(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        imitation = self.imitation
        self.imitation = max(imitation, 0.3)
        try:
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)
        finally:
            self.imitation = imitation


class Shuffler(DistilledLogisticRegression):
    """Rolls the teacher's rows: they no longer follow their samples."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if teacher_proba is not None and len(teacher_proba) == len(X):
            teacher_proba = np.roll(teacher_proba, 1, axis=0)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class Unweighted(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        return super().fit(X, y, teacher_proba=teacher_proba)


class Columns(DistilledLogisticRegression):
    """Favours the first column, whatever class that is."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if teacher_proba is not None and (np.nan_to_num(teacher_proba) >= 0).all():
            biased = teacher_proba * ([2] + [1] * (teacher_proba.shape[1] - 1))
            biased = biased / biased.sum(axis=1, keepdims=True)
            teacher_proba = np.where(np.isfinite(biased), biased, teacher_proba)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class FillsMissing(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if teacher_proba is not None:
            missing = np.isnan(teacher_proba).all(axis=1)
            teacher_proba = teacher_proba.copy()
            teacher_proba[missing] = 1 / teacher_proba.shape[1]
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class Credulous(DistilledLogisticRegression):
    """Takes any positive numbers for probabilities."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if teacher_proba is not None and np.isfinite(teacher_proba).all():
            teacher_proba = teacher_proba / teacher_proba.sum(axis=1, keepdims=True)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class NotSquared(DistilledLogisticRegression):
    """Has the option and does nothing with it."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        squared, self.t_squared = self.t_squared, False
        try:
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)
        finally:
            self.t_squared = squared


class NeverWarns(DistilledLogisticRegression):
    """Is fitted on the labels alone if the teacher was forgotten."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherMissingWarning)
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class AlwaysWarns(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if teacher_proba is None and self.imitation == 0:
            warnings.warn("no teacher_proba", TeacherMissingWarning, stacklevel=2)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class FitsWithoutPredictions(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        imitation = self.imitation
        if imitation == 1 and teacher_proba is not None and np.isnan(teacher_proba).all():
            self.imitation = 0.0
        try:
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)
        finally:
            self.imitation = imitation


class ArraysOnly(DistilledLogisticRegression):
    """Takes columns by position, whatever a frame calls them."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if hasattr(teacher_proba, "columns"):
            teacher_proba = np.asarray(teacher_proba)[:, ::-1]
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class Writer(DistilledLogisticRegression):
    """Normalises the teacher where it stands."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        super().fit(X, y, sample_weight, teacher_proba=teacher_proba)
        if isinstance(teacher_proba, np.ndarray) and teacher_proba.flags.writeable:
            teacher_proba[:] = teacher_proba / 2
        return self


class Coarse(DistilledLogisticRegression):
    """Rounds what is not double precision."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if getattr(X, "dtype", None) == np.float32:
            X = np.round(X)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class ByPosition(DistilledLogisticRegression):
    """Takes rows by position, whatever their index says."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if isinstance(teacher_proba, pd.DataFrame):
            teacher_proba = teacher_proba.reset_index(drop=True)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class WithoutNames(DistilledLogisticRegression):
    """Takes any Series for the second class."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        if isinstance(teacher_proba, pd.Series):
            teacher_proba = teacher_proba.to_numpy()
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class Trustful(DistilledLogisticRegression):
    """Is trained by shuffled predictions without a word."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImplausibleTeacherWarning)
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class Suspicious(DistilledLogisticRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
        warnings.warn("teacher_proba", ImplausibleTeacherWarning, stacklevel=2)
        return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)


class TrustfulRegressor(PrivilegedLinearRegression):
    def fit(self, X, y=None, sample_weight=None, *, teacher_prediction=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImplausibleTeacherWarning)
            return super().fit(X, y, sample_weight, teacher_prediction=teacher_prediction)


class ForgetsWhenCopied(DistilledLogisticRegression):
    def __getstate__(self):
        state = super().__getstate__()
        if "coef_" in state:
            state["coef_"] = np.zeros_like(state["coef_"])
        return state


@pytest.mark.parametrize(
    "student",
    [
        DistilledLogisticRegression(),
        DistilledLogisticRegression(temperature=3.0, solver="newton-cg"),
        DistilledLogisticRegression(regularizer="continuous_categorical"),
        PrivilegedLinearRegression(),
    ],
    ids=str,
)
def test_our_students_pass(student):
    check_distiller(student)


FORGETS = pytest.mark.filterwarnings(
    "ignore::sklearn_distill.TeacherMissingWarning"  # of students that forget their teacher
)


@FORGETS
@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (IgnoresTeacher, "ignores its teacher"),
        (AlwaysTaught, "with imitation=0, a teacher changes the student"),
        (Shuffler, "permuted rows"),
        (Unweighted, "repeated rows differ"),
        (Columns, "names of the classes"),
        (FillsMissing, "whose predictions are all missing differs"),
        (Credulous, "accepts a row that does not sum to 1"),
        (NotSquared, "not multiplied by T²"),
        (NeverWarns, "without a teacher issues 0 warnings of class TeacherMissingWarning"),
        (AlwaysWarns, "at imitation=0.0, fit without a teacher issues 1 warnings"),
        (FitsWithoutPredictions, "missing in every sample at imitation=1"),
        (ArraysOnly, "pandas object"),
        (Writer, "writes into teacher_proba"),
        (Coarse, "in float32"),
        (ForgetsWhenCopied, "pickled"),
        (ByPosition, "accepts a teacher whose index is that of X in another order"),
        (WithoutNames, "a Series named 0 differs from the array of both columns"),
        (Trustful, "with shuffled rows fit issues 0 warnings of class ImplausibleTeacherWarning"),
        (TrustfulRegressor, "with shuffled rows fit issues 0 warnings"),
        (Suspicious, "with a teacher's own labels fit issues 1 warnings"),
    ],
)
def test_broken_students_are_caught(broken, message):
    with pytest.raises(AssertionError, match=f"{broken.__name__}.*{message}"):
        check_distiller(broken())


def test_the_estimator_itself_is_not_fitted():
    student = DistilledLogisticRegression()
    check_distiller(student)
    assert not hasattr(student, "coef_")
    assert student.tol == 1e-4


@FORGETS
@parametrize_with_distiller_checks(
    [IgnoresTeacher()],
    expected_failed_checks=lambda _: {
        "check_teacher_matters": "it ignores its teacher",
        "check_missing_predictions": "it ignores its teacher",
        "check_forgotten_teacher": "it ignores its teacher",
        "check_t_squared": "it ignores its teacher",
        "check_errors": "it does not check its teacher",
        "check_index_order": "it does not check its teacher",
        "check_implausible_teacher": "it does not check its teacher",
    },
)
def test_each_check_is_a_test(estimator, check):
    check(estimator)
