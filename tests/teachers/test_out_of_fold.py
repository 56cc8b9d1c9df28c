"""Out-of-fold predictions: no clone of the teacher predicts a row that it was fitted on."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_distill.teachers import out_of_fold_prediction, out_of_fold_proba

X, Y = make_classification(90, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
TARGETS = X @ [1.0, -1.0, 0.5, 0.0, 2.0] + np.random.default_rng(0).normal(size=90)


class Spy(ClassifierMixin, BaseEstimator):
    """Predicts the second class for the rows it was fitted on, the first for all others."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.fitted_rows_ = set(X[:, 0])
        return self

    def predict_proba(self, X):
        known = np.array([x in self.fitted_rows_ for x in X[:, 0]], dtype=float)
        return np.column_stack([1 - known, known, *[0 * known] * (len(self.classes_) - 2)])


class Faulty(ClassifierMixin, RegressorMixin, BaseEstimator):
    """Fails in the way of the parameter `fault`, in folds without the row 0."""

    def __init__(self, fault):
        self.fault = fault

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.fails_ = 0.0 not in X[:, 0]
        if self.fails_ and isinstance(self.fault, Exception):
            raise self.fault
        return self

    def predict_proba(self, X):
        proba = np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
        if self.fails_:
            proba[1, 0] = np.nan
            proba = proba[:, :-1] if self.fault == "shape" else proba
        return proba

    def predict(self, X):
        return self.predict_proba(X)[:, 0]


ROWS = np.arange(12.0)[:, None]
TWO = np.tile([0, 1], 6)


@pytest.mark.parametrize(
    "cv", [2, KFold(3, shuffle=True, random_state=0), ShuffleSplit(4, random_state=0)]
)
def test_no_row_is_predicted_by_a_teacher_fitted_on_it(cv):
    numbered = np.arange(90.0)[:, None]
    fitted_on_row = out_of_fold_proba(Spy(), numbered, Y, cv)[:, 1]
    assert not np.nansum(fitted_on_row)
    in_sample = Spy().fit(numbered, Y).predict_proba(numbered)[:, 1]
    assert in_sample.all(), "the spy recognises its training rows"


@pytest.mark.parametrize(
    "teacher",
    [
        LogisticRegression(),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        RandomForestClassifier(5, random_state=0),
        make_pipeline(StandardScaler(), GaussianNB()),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
def test_equals_cross_val_predict(teacher):
    expected = cross_val_predict(teacher, X, Y, cv=4, method="predict_proba")
    np.testing.assert_allclose(out_of_fold_proba(teacher, X, Y, cv=4), expected)


def test_margins_are_logits():
    three = cross_val_predict(SVC(), X, Y, method="decision_function")
    np.testing.assert_allclose(out_of_fold_proba(SVC(), X, Y), softmax(three, axis=1))
    two = cross_val_predict(SVC(), X, Y > 0, method="decision_function")
    np.testing.assert_allclose(out_of_fold_proba(SVC(), X, Y > 0)[:, 1], expit(two))


def test_regression_equals_cross_val_predict():
    for targets in (TARGETS, np.column_stack([TARGETS, -TARGETS])):
        expected = cross_val_predict(LinearRegression(), X, targets, cv=4)
        predictions = out_of_fold_prediction(LinearRegression(), X, targets, cv=4)
        np.testing.assert_allclose(predictions, expected)


def test_rows_outside_every_test_fold_have_no_prediction():
    proba = out_of_fold_proba(GaussianNB(), X, Y, [(np.arange(60), np.arange(60, 80))])
    missing = np.isnan(proba).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(~missing), np.arange(60, 80))
    assert not np.isnan(proba[~missing]).any()
    predictions = out_of_fold_prediction(
        LinearRegression(), X, TARGETS, [(range(60), range(60, 80))]
    )
    assert np.isnan(predictions).sum() == 70


def test_rows_in_several_test_folds_get_the_mean():
    cv = RepeatedKFold(n_splits=2, n_repeats=2, random_state=0)
    splits = list(cv.split(X))
    once, again = (out_of_fold_proba(GaussianNB(), X, Y, part) for part in (splits[:2], splits[2:]))
    np.testing.assert_allclose(out_of_fold_proba(GaussianNB(), X, Y, cv), (once + again) / 2)


def test_splits_may_be_masks():
    test = np.arange(90) % 3 == 0
    proba = out_of_fold_proba(GaussianNB(), X, Y, [(~test, test)])
    np.testing.assert_array_equal(np.isnan(proba[:, 0]), ~test)


def test_unlabelled_rows_are_neither_fitted_nor_predicted():
    labels = np.where(np.arange(90) < 20, None, Y.astype(object))
    proba = out_of_fold_proba(GaussianNB(), X, labels)
    np.testing.assert_array_equal(np.isnan(proba).all(axis=1), np.arange(90) < 20)
    np.testing.assert_allclose(proba[20:], out_of_fold_proba(GaussianNB(), X[20:], Y[20:]))
    targets = np.where(np.arange(90) < 20, np.nan, TARGETS)
    predictions = out_of_fold_prediction(LinearRegression(), X, targets)
    expected = out_of_fold_prediction(LinearRegression(), X[20:], TARGETS[20:])
    np.testing.assert_allclose(predictions[20:], expected)


def test_splits_number_the_rows_of_X_even_where_labels_are_missing():
    labels = np.where(np.arange(90) < 20, None, Y.astype(object))
    proba = out_of_fold_proba(GaussianNB(), X, labels, [(np.arange(45), np.arange(45, 90))])
    expected = GaussianNB().fit(X[20:45], Y[20:45]).predict_proba(X[45:])
    np.testing.assert_allclose(proba[45:], expected)


def test_classes_beyond_y_get_a_column_of_zeros():
    proba = out_of_fold_proba(GaussianNB(), X, Y, classes=[-1, 0, 1, 2, 5])
    expected = out_of_fold_proba(GaussianNB(), X, Y)
    np.testing.assert_allclose(proba[:, 1:4], expected)
    assert not proba[:, [0, 4]].any()


def test_columns_follow_sorted_labels():
    names = np.array(["c", "a", "b"])
    by_name = out_of_fold_proba(GaussianNB(), X, names[Y])
    np.testing.assert_allclose(by_name, out_of_fold_proba(GaussianNB(), X, Y)[:, [1, 2, 0]])


def test_weights_and_groups():
    weight = np.random.default_rng(1).uniform(0.1, 3, size=90)
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    weighted = out_of_fold_proba(pipe, X, Y, 3, sample_weight=weight)
    params = {"logisticregression__sample_weight": weight}
    expected = cross_val_predict(pipe, X, Y, cv=3, params=params, method="predict_proba")
    np.testing.assert_allclose(weighted, expected)
    groups = np.repeat(np.arange(30), 3)
    grouped = out_of_fold_proba(GaussianNB(), X, Y, GroupKFold(3), groups=groups)
    splits = list(GroupKFold(3).split(X, Y, groups))
    np.testing.assert_allclose(grouped, out_of_fold_proba(GaussianNB(), X, Y, splits))
    out_of_fold_prediction(LinearRegression(), X, TARGETS, GroupKFold(3), groups=list(groups))
    with pytest.raises(ValueError, match="KNeighborsClassifier takes no sample_weight"):
        out_of_fold_proba(KNeighborsClassifier(), X, Y, sample_weight=weight)


def test_containers():
    expected = out_of_fold_proba(LogisticRegression(), X, Y)
    names = list("abcde")
    for container in (
        X.tolist(),
        csr_matrix(X),
        pd.DataFrame(X, columns=names, index=np.arange(90) + 7),
        pl.DataFrame(X, schema=names),
    ):
        proba = out_of_fold_proba(LogisticRegression(), container, pd.Series(Y, index=Y + 3))
        np.testing.assert_allclose(proba, expected, atol=1e-4)
    frame = pd.DataFrame(X, columns=names).assign(kind=np.where(Y > 0, "x", "y"))
    by_name = make_column_transformer(("passthrough", names))
    proba = out_of_fold_proba(make_pipeline(by_name, LogisticRegression()), frame, Y)
    np.testing.assert_allclose(proba, expected, atol=1e-4)


def test_a_frozen_teacher_predicts_without_a_fit():
    teacher = GaussianNB().fit(X, Y)
    proba = out_of_fold_proba(FrozenEstimator(teacher), X, Y)
    np.testing.assert_allclose(proba, teacher.predict_proba(X))
    with pytest.raises(ValueError, match=r"predicts the classes \[2\], which y does not contain"):
        out_of_fold_proba(FrozenEstimator(teacher), X[Y < 2], Y[Y < 2])


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (ValueError, ValueError("no luck")),
        (TypeError, TypeError("no luck")),
        (RuntimeError, KeyError("no luck")),
    ],
)
def test_a_teacher_that_raises(kind, fault):
    with pytest.raises(kind, match=r"teacher Faulty failed in fold 1 of 3: .*no luck"):
        out_of_fold_proba(Faulty(fault), ROWS, TWO, 3)


@pytest.mark.parametrize("out_of_fold", [out_of_fold_proba, out_of_fold_prediction])
def test_a_teacher_that_predicts_nan(out_of_fold):
    with pytest.raises(ValueError, match=r"Faulty in fold 1 of 3 predicts .*nan.* for row 1"):
        out_of_fold(Faulty("nan"), ROWS, TWO, 3)


def test_a_teacher_with_too_few_columns_or_no_probabilities():
    with pytest.raises(
        ValueError, match=r"Faulty in fold 1 of 3 predicts an array of shape \(4, 1\)"
    ):
        out_of_fold_proba(Faulty("shape"), ROWS, TWO, 3)
    with pytest.raises(TypeError, match=r"LinearRegression failed in fold 1 of 5.*neither"):
        out_of_fold_proba(LinearRegression(), X, Y)


def test_a_teacher_that_lacks_a_class():
    in_order = np.repeat([0, 1, 2], 4)
    with pytest.warns(
        UserWarning, match=r"GaussianNB is not fitted on the classes \[0\] in fold 1"
    ):
        proba = out_of_fold_proba(GaussianNB(), ROWS, in_order, KFold(3))
    with pytest.warns(RuntimeWarning, match="Number of classes in training fold"):
        expected = cross_val_predict(
            GaussianNB(), ROWS, in_order, cv=KFold(3), method="predict_proba"
        )
    np.testing.assert_allclose(proba, expected)
    assert not proba[np.arange(12), in_order].any()
    frozen = FrozenEstimator(GaussianNB().fit(ROWS[:8], in_order[:8]))
    with pytest.raises(ValueError, match=r"was not fitted on the classes \[2\]"):
        out_of_fold_proba(frozen, ROWS, in_order, 4)


def test_targets_that_are_words():
    with pytest.raises(ValueError, match="y must be an array of numbers: could not convert"):
        out_of_fold_prediction(LinearRegression(), [[0.0], [1.0]], ["one", "two"], cv=2)


def test_folds_that_overlap_or_are_none():
    with pytest.raises(ValueError, match="cv in fold 1 of 1 tests row 5, on which it trains"):
        out_of_fold_proba(GaussianNB(), X, Y, [(np.arange(60), np.arange(5, 70))])
    with pytest.raises(ValueError, match="cv gives no folds"):
        out_of_fold_proba(GaussianNB(), X, Y, [])
    train, test = np.arange(60), np.arange(60, 90)
    with pytest.raises(ValueError, match="cv in fold 2 of 2 has no labelled row to test on"):
        out_of_fold_proba(GaussianNB(), X, Y, [(train, test), (train, test[:0])])


@pytest.mark.parametrize("out_of_fold", [out_of_fold_proba, out_of_fold_prediction])
def test_wrong_arguments(out_of_fold):
    predict = partial(out_of_fold, LogisticRegression(), X)
    with pytest.raises(ValueError, match="y has 89 entries, X has 90 rows"):
        predict(Y[:-1])
    with pytest.raises(ValueError, match=r"sample_weight has shape \(89,\)"):
        predict(Y, sample_weight=np.ones(89))
    with pytest.raises(ValueError, match="y has no labels"):
        predict(np.full(90, np.nan))
