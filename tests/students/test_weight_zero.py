"""A row of weight 0 is absent: the student is the one without it, whatever the row holds."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import PredefinedSplit
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
)

N, K = 120, 3
X, Y = make_classification(N, 5, n_informative=4, n_redundant=0, n_classes=K, random_state=0)
RNG = np.random.default_rng(0)
PROBA = RNG.dirichlet(np.ones(K), N)
WEIGHT = RNG.integers(0, 3, N).astype(float)
KEPT = WEIGHT > 0
BOOSTING = MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2))
CLASSIFIERS = {
    "logistic": DistilledLogisticRegression(tol=1e-9),
    "newton": DistilledLogisticRegression(tol=1e-9, solver="newton-cg", class_weight="balanced"),
    "search": DistilledLogisticRegressionCV(
        ("imitation",), tol=1e-9, cv=3, class_weight="balanced"
    ),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(max_depth=4, random_state=0)),
    "neighbours": SoftTargetClassifier(KNeighborsRegressor()),
    "boosting": SoftTargetClassifier(BOOSTING),
    "boosted": DistilledBoostingClassifier(class_weight="balanced"),
    "stopped boosting": DistilledBoostingClassifier(
        HistGradientBoostingClassifier(max_iter=5, early_stopping=True), random_state=0
    ),
    "network": DistilledNeuralClassifier(max_epochs=3, batch_size=16, random_state=0),
    "stopped network": DistilledNeuralClassifier(max_epochs=3, early_stopping=True, random_state=0),
}
REGRESSORS = {
    "linear": PrivilegedLinearRegression(),
    "boosted": DistilledBoostingRegressor(),
    "stopped boosting": DistilledBoostingRegressor(
        HistGradientBoostingRegressor(max_iter=5, early_stopping=True), random_state=0
    ),
    "tree": SoftTargetRegressor(DecisionTreeRegressor(max_depth=4, random_state=0)),
    "neighbours": SoftTargetRegressor(KNeighborsRegressor()),
    "network": DistilledNeuralRegressor(max_epochs=3, batch_size=16, random_state=0),
}


def without_teacher(student):
    """The student as one that needs no teacher; a search then searches C."""
    student = clone(student).set_params(imitation=0)
    if isinstance(student, DistilledLogisticRegressionCV):
        student.set_params(metaparameters=("C",))
    return student


def spoilt(values, fill):
    """The same values, with others in the rows of weight 0."""
    values = np.array(values, dtype=float)
    values[~KEPT] = fill
    return values


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize(
    "fill", [[np.nan] * 3, [0.0, 0.0, 0.0], [np.nan, 0.5, 0.5], [5.0, -1.0, np.inf]]
)
def test_absent_predictions_are_not_validated(name, fill):
    student = CLASSIFIERS[name]
    student.fit(X[KEPT], Y[KEPT], WEIGHT[KEPT], teacher_proba=PROBA[KEPT])
    expected, n_taught_rows = student.predict_proba(X), getattr(student, "n_taught_rows_", None)
    for y in (Y, spoilt(Y, np.nan)):
        student.fit(X, y, WEIGHT, teacher_proba=spoilt(PROBA, fill))
        np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-7)
        assert getattr(student, "n_taught_rows_", None) == n_taught_rows


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_absent_labels_may_be_missing_without_a_teacher(name):
    student = without_teacher(CLASSIFIERS[name])
    expected = student.fit(X[KEPT], Y[KEPT], WEIGHT[KEPT]).predict_proba(X)
    objects = Y.astype(object)
    objects[~KEPT] = None
    for y in (spoilt(Y, np.nan), objects):
        student.fit(X, y, WEIGHT)
        np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-7)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classes_still_has_the_labels_of_absent_rows(name):
    student, y = CLASSIFIERS[name], Y.copy()
    y[np.flatnonzero(~KEPT)[:5]] = K
    student.fit(X, y, WEIGHT, teacher_proba=np.column_stack([PROBA, np.zeros(N)]))
    assert student.classes_.tolist() == [0, 1, 2, 3]
    if "network" not in name:
        boosted = isinstance(student, DistilledBoostingClassifier)  # trees add to a finite score
        assert student.predict_proba(X)[:, K].max() <= (1e-15 if boosted else 0)


@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.csc_array, pd.DataFrame, list])
@pytest.mark.parametrize("name", ["logistic", "tree"])
def test_every_kind_of_features(name, convert):
    student = without_teacher(CLASSIFIERS[name])
    expected = student.fit(X[KEPT], Y[KEPT], WEIGHT[KEPT]).predict_proba(X)
    student.fit(convert(X), Y, WEIGHT)
    np.testing.assert_allclose(student.predict_proba(convert(X)), expected, atol=1e-7)


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("fill", [np.nan, np.inf, 1e9])
def test_absent_rows_of_a_regressor(name, fill):
    student = REGRESSORS[name]
    y, s = X[:, 0] + RNG.normal(size=(2, N))
    student.fit(X[KEPT], y[KEPT], WEIGHT[KEPT], teacher_prediction=s[KEPT])
    expected, n_taught_rows = student.predict(X), student.n_taught_rows_
    for absent_y in (y, spoilt(y, np.nan)):
        student.fit(X, absent_y, WEIGHT, teacher_prediction=spoilt(s, fill))
        np.testing.assert_allclose(student.predict(X), expected, rtol=1e-6)
        assert student.n_taught_rows_ == n_taught_rows
    baseline = without_teacher(student)
    expected = baseline.fit(X[KEPT], y[KEPT], WEIGHT[KEPT]).predict(X)
    baseline.fit(X, spoilt(y, np.nan), WEIGHT)
    np.testing.assert_allclose(baseline.predict(X), expected, rtol=1e-6)


def test_absent_embeddings():
    student = DistilledNeuralClassifier(max_epochs=3, embedding_weight=1.0, random_state=0)
    student.fit(X[KEPT], Y[KEPT], WEIGHT[KEPT], teacher_embedding=X[KEPT])
    expected = student.predict_proba(X)
    student.fit(X, Y, WEIGHT, teacher_embedding=spoilt(X, np.inf))
    np.testing.assert_array_equal(student.predict_proba(X), expected)


@pytest.mark.parametrize("chunk", [7, 50])
def test_absent_rows_of_chunks(chunk):
    """Also where a chunk has no other row."""
    weight = WEIGHT.copy()
    weight[:chunk] = 0
    kept, X_chunks = weight > 0, da.from_array(X, chunks=(chunk, 5))
    proba = np.where(kept[:, None], PROBA, [np.nan, 7.0, -1.0])
    student = DistilledLogisticRegression(tol=1e-9)
    expected = student.fit(X[kept], Y[kept], weight[kept], teacher_proba=PROBA[kept]).coef_
    y = np.where(kept, Y, np.nan)
    student.fit(X_chunks, y, weight, teacher_proba=proba)
    np.testing.assert_allclose(student.coef_, expected, atol=1e-6)
    linear = PrivilegedLinearRegression()
    linear.fit(X[kept], X[kept, 0] + Y[kept], weight[kept], teacher_prediction=PROBA[kept, 0])
    expected = linear.coef_
    linear.fit(X_chunks, X[:, 0] + y, weight, teacher_prediction=proba[:, 0])
    np.testing.assert_allclose(linear.coef_, expected, rtol=1e-6)


class Items(torch.utils.data.Dataset):
    def __len__(self):
        return N

    def __getitem__(self, i):
        proba = PROBA[i] if KEPT[i] else np.full(K, np.nan if i % 2 else 5.0)
        return X[i], Y[i] if KEPT[i] else None, proba, WEIGHT[i]


def test_absent_items_of_a_dataset_are_not_validated():
    student = DistilledNeuralClassifier(classes=[0, 1, 2], max_epochs=2, random_state=0)
    assert np.isfinite(student.fit(Items()).predict_proba(X)).all()


def test_splits_count_the_absent_rows():
    """An iterable of folds numbers the rows of X."""
    fold = np.arange(N) % 3
    search = DistilledLogisticRegressionCV(("imitation",), tol=1e-9)
    search.set_params(cv=list(PredefinedSplit(fold[KEPT]).split()))
    search.fit(X[KEPT], Y[KEPT], WEIGHT[KEPT], teacher_proba=PROBA[KEPT])
    expected = search.best_score_
    search.set_params(cv=list(PredefinedSplit(fold).split()))
    search.fit(X, Y, WEIGHT, teacher_proba=PROBA)
    assert search.best_score_ == pytest.approx(expected, rel=1e-6)


def test_rows_without_any_vote():
    """Annotators' votes: no vote is 0 / 0, and weight 0."""
    votes = RNG.multinomial(1, [0.5, 0.3, 0.2], size=(N, 2)).sum(axis=1) * (WEIGHT > 0)[:, None]
    n_votes = votes.sum(axis=1)
    with np.errstate(invalid="ignore"):
        share = votes / n_votes[:, None]
    student = DistilledLogisticRegression(classes=[0, 1, 2], tol=1e-9)
    expected = student.fit(X[KEPT], None, n_votes[KEPT], teacher_proba=share[KEPT]).coef_
    student.fit(X, None, n_votes, teacher_proba=share)
    np.testing.assert_allclose(student.coef_, expected, atol=1e-7)


def test_an_error_numbers_the_rows_of_X():
    wrong = PROBA.copy()
    row = int(np.flatnonzero(KEPT)[-1])
    wrong[row] = 1.0
    with pytest.raises(ValueError, match=f"teacher_proba: row {row} does not sum"):
        DistilledLogisticRegression().fit(X, Y, WEIGHT, teacher_proba=wrong)
    with pytest.raises(ValueError, match="at least one non-zero"):
        DistilledLogisticRegression().fit(X, Y, np.zeros(N), teacher_proba=PROBA)


@pytest.mark.parametrize(
    "student",
    [
        PrivilegedLinearRegression(),
        DistilledNeuralRegressor(max_epochs=1, random_state=0),
        DistilledNeuralClassifier(max_epochs=1, random_state=0),
    ],
    ids=lambda student: type(student).__name__,
)
def test_a_later_chunk_without_any_weight_changes_nothing(student):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), np.arange(30) % 2
    proba = np.tile([0.25, 0.75], (30, 1))
    teacher = (
        {"teacher_proba": proba} if is_classifier(student) else {"teacher_prediction": y + 0.5}
    )
    student = clone(student)
    with pytest.raises(ValueError, match="must contain at least one non-zero"):
        student.partial_fit(X, y, sample_weight=np.zeros(30), **teacher)
    assert vars(student) == vars(clone(student))
    before = student.partial_fit(X, y, **teacher).predict(X)
    student.partial_fit(X + 5, y, sample_weight=np.zeros(30), **teacher)
    np.testing.assert_array_equal(student.predict(X), before)
    for weight in (np.zeros(29), np.full(30, -1.0)):
        with pytest.raises(ValueError, match="sample_weight"):
            student.partial_fit(X, y, sample_weight=weight, **teacher)
    student.partial_fit(X, 1 - y, **teacher)  # and the training goes on
