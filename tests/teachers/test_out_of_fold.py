"""Out-of-fold answers: nobody is asked about what it was told."""

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
    """Answers with certainty whether it saw the row in training."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = set(X[:, 0])
        return self

    def predict_proba(self, X):
        seen = np.array([x in self.seen_ for x in X[:, 0]], dtype=float)
        return np.column_stack([1 - seen, seen, *[0 * seen] * (len(self.classes_) - 2)])


class Faulty(ClassifierMixin, RegressorMixin, BaseEstimator):
    """Fails in the way that it is told to, in folds without the row 0."""

    def __init__(self, fault):
        self.fault = fault

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.fails_ = 0.0 not in X[:, 0]
        if self.fails_ and isinstance(self.fault, Exception):
            raise self.fault
        return self

    def predict_proba(self, X):
        answers = np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
        if self.fails_:
            answers[1, 0] = np.nan
            answers = answers[:, :-1] if self.fault == "shape" else answers
        return answers

    def predict(self, X):
        return self.predict_proba(X)[:, 0]


ROWS = np.arange(12.0)[:, None]
TWO = np.tile([0, 1], 6)


@pytest.mark.parametrize(
    "cv", [2, KFold(3, shuffle=True, random_state=0), ShuffleSplit(4, random_state=0)]
)
def test_no_row_is_answered_by_a_teacher_that_saw_it(cv):
    numbered = np.arange(90.0)[:, None]
    seen = out_of_fold_proba(Spy(), numbered, Y, cv)[:, 1]
    assert not np.nansum(seen)
    in_sample = Spy().fit(numbered, Y).predict_proba(numbered)[:, 1]
    assert in_sample.all(), "the spy tells"


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
        answers = out_of_fold_prediction(LinearRegression(), X, targets, cv=4)
        np.testing.assert_allclose(answers, expected)


def test_rows_outside_every_test_fold_are_silent():
    answers = out_of_fold_proba(GaussianNB(), X, Y, [(np.arange(60), np.arange(60, 80))])
    silent = np.isnan(answers).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(~silent), np.arange(60, 80))
    assert not np.isnan(answers[~silent]).any()
    numbers = out_of_fold_prediction(LinearRegression(), X, TARGETS, [(range(60), range(60, 80))])
    assert np.isnan(numbers).sum() == 70


def test_rows_in_several_test_folds_get_the_mean():
    cv = RepeatedKFold(n_splits=2, n_repeats=2, random_state=0)
    splits = list(cv.split(X))
    once, again = (out_of_fold_proba(GaussianNB(), X, Y, part) for part in (splits[:2], splits[2:]))
    np.testing.assert_allclose(out_of_fold_proba(GaussianNB(), X, Y, cv), (once + again) / 2)


def test_splits_may_be_masks():
    test = np.arange(90) % 3 == 0
    answers = out_of_fold_proba(GaussianNB(), X, Y, [(~test, test)])
    np.testing.assert_array_equal(np.isnan(answers[:, 0]), ~test)


def test_unlabelled_rows_teach_nothing_and_are_silent():
    labels = np.where(np.arange(90) < 20, None, Y.astype(object))
    answers = out_of_fold_proba(GaussianNB(), X, labels)
    np.testing.assert_array_equal(np.isnan(answers).all(axis=1), np.arange(90) < 20)
    np.testing.assert_allclose(answers[20:], out_of_fold_proba(GaussianNB(), X[20:], Y[20:]))
    targets = np.where(np.arange(90) < 20, np.nan, TARGETS)
    numbers = out_of_fold_prediction(LinearRegression(), X, targets)
    alone = out_of_fold_prediction(LinearRegression(), X[20:], TARGETS[20:])
    np.testing.assert_allclose(numbers[20:], alone)


def test_splits_number_the_rows_of_X_even_where_labels_are_missing():
    labels = np.where(np.arange(90) < 20, None, Y.astype(object))
    answers = out_of_fold_proba(GaussianNB(), X, labels, [(np.arange(45), np.arange(45, 90))])
    expected = GaussianNB().fit(X[20:45], Y[20:45]).predict_proba(X[45:])
    np.testing.assert_allclose(answers[45:], expected)


def test_classes_beyond_y_get_a_column_of_zeros():
    answers = out_of_fold_proba(GaussianNB(), X, Y, classes=[-1, 0, 1, 2, 5])
    expected = out_of_fold_proba(GaussianNB(), X, Y)
    np.testing.assert_allclose(answers[:, 1:4], expected)
    assert not answers[:, [0, 4]].any()


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
        answers = out_of_fold_proba(LogisticRegression(), container, pd.Series(Y, index=Y + 3))
        np.testing.assert_allclose(answers, expected, atol=1e-4)
    frame = pd.DataFrame(X, columns=names).assign(kind=np.where(Y > 0, "x", "y"))
    by_name = make_column_transformer(("passthrough", names))
    answers = out_of_fold_proba(make_pipeline(by_name, LogisticRegression()), frame, Y)
    np.testing.assert_allclose(answers, expected, atol=1e-4)


def test_a_frozen_teacher_answers_as_it_is():
    teacher = GaussianNB().fit(X, Y)
    answers = out_of_fold_proba(FrozenEstimator(teacher), X, Y)
    np.testing.assert_allclose(answers, teacher.predict_proba(X))
    with pytest.raises(ValueError, match=r"knows the classes \[2\], which y does not show"):
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


@pytest.mark.parametrize("ask", [out_of_fold_proba, out_of_fold_prediction])
def test_a_teacher_that_answers_nan(ask):
    with pytest.raises(ValueError, match=r"Faulty in fold 1 of 3 answers .*nan.* on the row 1"):
        ask(Faulty("nan"), ROWS, TWO, 3)


def test_a_teacher_with_too_few_columns_or_no_answer():
    with pytest.raises(ValueError, match=r"Faulty in fold 1 of 3 answers with shape \(4, 1\)"):
        out_of_fold_proba(Faulty("shape"), ROWS, TWO, 3)
    with pytest.raises(TypeError, match=r"LinearRegression failed in fold 1 of 5.*neither"):
        out_of_fold_proba(LinearRegression(), X, Y)


def test_a_teacher_that_lacks_a_class():
    in_order = np.repeat([0, 1, 2], 4)
    with pytest.raises(ValueError, match=r"GaussianNB in fold 1 of 3 never saw the classes \[0\]"):
        out_of_fold_proba(GaussianNB(), ROWS, in_order, KFold(3))


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


@pytest.mark.parametrize("ask", [out_of_fold_proba, out_of_fold_prediction])
def test_wrong_arguments(ask):
    ask = partial(ask, LogisticRegression(), X)
    with pytest.raises(ValueError, match="y has 89 entries, X has 90 rows"):
        ask(Y[:-1])
    with pytest.raises(ValueError, match=r"sample_weight has shape \(89,\)"):
        ask(Y, sample_weight=np.ones(89))
    with pytest.raises(ValueError, match="y has no labels"):
        ask(np.full(90, np.nan))
