"""Searches on a large X, of whose rows no fold has a copy."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import ShuffleSplit, StratifiedKFold

from benchmarks.logistic import make_correlated
from sklearn_distill.losses import as_design
from sklearn_distill.search import DistilledLogisticRegressionCV, distilled_logistic_cv
from sklearn_distill.search._cv_fold import CountedDesign
from tests.search.problems import make_problem

FOLDS = {
    "consecutive": 3,
    "shuffled": StratifiedKFold(3, shuffle=True, random_state=0),
    "overlapping": [
        (np.arange(0, 50), np.arange(60, 90)),
        (np.arange(30, 90), np.arange(20)),
        (np.arange(10, 90), np.arange(10)),
    ],
}


@pytest.fixture
def without_copies(monkeypatch):
    monkeypatch.setattr(distilled_logistic_cv, "MAX_COPIED_BYTES", 0)
    # tiles of a few rows, some of which no fold needs
    monkeypatch.setattr("sklearn_distill.losses.design.TILE_BYTES", 256)
    monkeypatch.setattr("sklearn_distill.search._cv_fold.BLOCK_ROWS", 40)


def fit(search, X, y, logits, weight):
    return search.fit(X, y, weight, teacher_logits=logits)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("folds", FOLDS)
@pytest.mark.parametrize(
    "params",
    [{}, {"class_weight": "balanced"}, {"regularizer": "grabovoy"}, {"solver": "newton-cg"}],
    ids=str,
)
def test_a_descent_finds_the_same(K, folds, params, without_copies, monkeypatch):
    X, y, logits, weight = make_problem(K, n=90, d=4)
    if folds == "overlapping":  # all of these rows validate
        y = np.where(np.isnan(y), 0.0, y)
    search = DistilledLogisticRegressionCV(cv=FOLDS[folds], tol=1e-7, max_iter=1000, **params)
    found = fit(search, X, y, logits, weight)
    score, path, proba = found.best_score_, found.path_, found.predict_proba(X)
    monkeypatch.setattr(distilled_logistic_cv, "MAX_COPIED_BYTES", 2**30)
    expected = fit(search, X, y, logits, weight)
    assert score == pytest.approx(expected.best_score_, abs=1e-6)
    assert len(path) == len(expected.path_)
    np.testing.assert_allclose(path["loss"], expected.path_["loss"], atol=1e-5)
    np.testing.assert_allclose(proba, expected.predict_proba(X), atol=1e-4)
    assert (path["passes"] > 0).all()


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_a_grid_finds_the_same(scoring, without_copies, monkeypatch):
    X, y, logits, weight = make_problem(3, n=90, d=4)
    search = DistilledLogisticRegressionCV(
        "C", method="grid", grid=3, cv=3, scoring=scoring, tol=1e-8, max_iter=1000
    )
    scores = fit(search, X, y, logits, weight).scores_
    monkeypatch.setattr(distilled_logistic_cv, "MAX_COPIED_BYTES", 2**30)
    np.testing.assert_allclose(fit(search, X, y, logits, weight).scores_, scores, atol=1e-6)


def test_threads_change_nothing(without_copies):
    X, y, logits, weight = make_problem(3, n=90, d=4)
    search = DistilledLogisticRegressionCV(("imitation", "C"), cv=5)
    alone = fit(search, X, y, logits, weight).path_["loss"]
    search.set_params(n_jobs=2)
    np.testing.assert_array_equal(fit(search, X, y, logits, weight).path_["loss"], alone)


@pytest.mark.parametrize("method", ["implicit", "grid"])
@pytest.mark.parametrize("mapped", [False, True], ids=["array", "memory map"])
def test_memory(method, mapped, tmp_path):
    """At most 1.3 times X is allocated; X itself may be on disk."""
    X, y, S = make_correlated(30_000, 100, 2)
    if mapped:
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
    search = DistilledLogisticRegressionCV(("imitation", "C"), method=method, grid=2)
    tracemalloc.start()
    try:
        search.fit(X, y, teacher_proba=S)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 1.3 * X.nbytes


def test_overlapping_validation_rows(without_copies):
    X, y, logits, weight = make_problem(2, n=90, d=4)
    cv = ShuffleSplit(4, test_size=0.3, random_state=0)
    found = fit(DistilledLogisticRegressionCV("C", cv=cv), X, y, logits, weight)
    assert found.n_splits_ == 4


@pytest.mark.parametrize("storage", [sparse.csr_array, np.asarray])
def test_columns_of_a_design_that_counts(storage):
    """Of a sparse X the Gram matrix of some columns preconditions the fits of folds, too."""
    X = storage(np.random.default_rng(0).normal(size=(20, 6)))
    design = CountedDesign(as_design(X, True))
    taken = design.take_columns(np.array([1, 4, 6]))
    if not sparse.issparse(X):
        assert taken is None
        return
    everything, weight = slice(0, 20), np.arange(20.0)
    expected = design.gram(weight, everything)[np.ix_([1, 4, 6], [1, 4, 6])]
    before = design.multiplications
    np.testing.assert_allclose(taken.gram(weight, everything), expected)
    assert design.multiplications == before + 3 * 20 * 3
