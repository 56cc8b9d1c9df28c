"""The search finds the minimum of slower searches, and is a scikit-learn estimator."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_predict,
)

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill._validation.splits import labelled_splits, with_unlabelled
from sklearn_distill.search import DistilledLogisticRegressionCV
from sklearn_distill.search._cv_fold import CVFold
from tests.search.problems import cross_validated_loss, make_problem
from tests.students.test_distilled_logistic import data

GRID = {"imitation": [0.2, 0.7], "temperature": [1.0, 3.0], "C": [0.1, 10.0]}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_grid_is_grid_search(n_classes):
    X, y, teacher = data(n_classes)
    ours = DistilledLogisticRegressionCV(tuple(GRID), method="grid", grid=GRID, tol=1e-9)
    ours.fit(X, y, teacher_proba=teacher)
    theirs = GridSearchCV(DistilledLogisticRegression(tol=1e-9), GRID, scoring="neg_log_loss")
    theirs.fit(X, y, teacher_proba=teacher)
    names = [f"param_{name}" for name in GRID]
    columns = [f"split{k}_test_score" for k in range(5)] + ["mean_test_score", "std_test_score"]
    of_ours, of_theirs = (
        pd.DataFrame(search.cv_results_).sort_values(names).reset_index(drop=True)
        for search in (ours, theirs)
    )
    np.testing.assert_allclose(of_ours[columns], of_theirs[columns], atol=1e-7)
    np.testing.assert_array_equal(of_ours["rank_test_score"], of_theirs["rank_test_score"])
    assert {name: getattr(ours, f"{name}_") for name in GRID} == theirs.best_params_
    assert ours.cv_results_["params"][ours.best_index_] == theirs.best_params_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, abs=1e-7)
    np.testing.assert_allclose(ours.coef_, theirs.best_estimator_.coef_, atol=1e-5)


ALL = ("imitation", "temperature", "C")


@pytest.mark.parametrize(
    ("K", "names"),
    [
        *itertools.product([2, 3], [("imitation",), ("temperature", "C")]),
        (2, ALL),
        pytest.param(3, ALL, marks=pytest.mark.slow),
    ],
)
def test_no_dense_grid_finds_better(K, names):
    """With missing predictions and labels, and with weights; the loss is that of the definition."""
    X, y, logits, weight = make_problem(K, n=120)
    found = DistilledLogisticRegressionCV(names, cv=3, tol=1e-8)
    found.fit(X, y, weight, teacher_logits=logits)
    dense = clone(found).set_params(method="grid", grid=9).fit(X, y, weight, teacher_logits=logits)
    assert found.best_score_ >= dense.best_score_ - 1e-4
    chosen = {name: getattr(found, f"{name}_") for name in ("imitation", "temperature", "C")}
    expected = cross_validated_loss(X, y, logits, weight, tol=1e-8, **chosen)
    assert -found.best_score_ == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_never_worse_than_its_coarse_grid(seed):
    X, y, logits, weight = make_problem(3, seed=seed, n=80)
    names = ("imitation", "temperature")
    found = DistilledLogisticRegressionCV(names, cv=3, tol=1e-8)
    found.fit(X, y, weight, teacher_logits=logits)
    coarse = found.path_[found.path_["stage"] == "coarse"]
    assert len(coarse) == 16
    for params in coarse[list(names)].to_dict("records"):
        loss = cross_validated_loss(X, y, logits, weight, tol=1e-8, **params)
        assert -found.best_score_ <= loss + 1e-6


def test_digits_within_a_dense_grid():
    X, y = load_digits(return_X_y=True)
    X, y = X[:400] / 16, y[:400]
    # the teacher is fitted to all pixels, the student to every second one
    teacher = cross_val_predict(
        LogisticRegression(C=0.1, max_iter=500), X, y, method="predict_proba"
    )
    X = X[:, ::2]
    names = ("imitation", "temperature")
    found = DistilledLogisticRegressionCV(names).fit(X, y, teacher_proba=teacher)
    dense = clone(found).set_params(method="grid", grid=10).fit(X, y, teacher_proba=teacher)
    assert found.best_score_ >= dense.best_score_ - 1e-4
    assert found.n_fits_ < 0.2 * dense.n_fits_


def test_the_refit_is_that_of_the_student():
    X, y, teacher = data(3)
    found = DistilledLogisticRegressionCV(tol=1e-9).fit(X, y, teacher_proba=teacher)
    student = DistilledLogisticRegression(
        found.imitation_, found.temperature_, C=found.C_, tol=1e-9
    ).fit(X, y, teacher_proba=teacher)
    np.testing.assert_allclose(found.predict_proba(X), student.predict_proba(X), atol=1e-7)
    assert found.n_taught_rows_ == len(y)
    assert found.n_iter_.shape == (1,)


@pytest.mark.parametrize("method", ["implicit", "grid"])
def test_parallel_folds_change_nothing(method):
    X, y, teacher = data(3)
    sequential, parallel = (
        DistilledLogisticRegressionCV(("imitation", "C"), method=method, grid=3, n_jobs=n).fit(
            X, y, teacher_proba=teacher
        )
        for n in (None, 2)
    )
    pd.testing.assert_frame_equal(
        sequential.path_.drop(columns="seconds"), parallel.path_.drop(columns="seconds")
    )
    np.testing.assert_array_equal(sequential.coef_, parallel.coef_)


def test_sparse_is_dense():
    X, y, teacher = data(3)
    X = X * (np.abs(X) > 0.5)
    of_dense, of_sparse = (
        DistilledLogisticRegressionCV(tol=1e-8).fit(A, y, teacher_proba=teacher)
        for A in (X, sparse.csr_array(X))
    )
    assert of_dense.best_score_ == pytest.approx(of_sparse.best_score_, abs=1e-5)
    # the two searches stop at metaparameters that differ by the tolerance of the search
    np.testing.assert_allclose(of_dense.predict_proba(X), of_sparse.predict_proba(X), atol=1e-3)


def test_fixed_metaparameters_stay():
    X, y, teacher = data(2)
    found = DistilledLogisticRegressionCV("C", imitation=0.3, temperature=2.5)
    found.fit(X, y, teacher_proba=teacher)
    assert (found.imitation_, found.temperature_) == (0.3, 2.5)
    assert list(found.cv_results_["params"][0]) == ["C"]


def test_bounds_hold():
    X, y, teacher = data(2)
    bounds = {"imitation": (0.1, 0.2), "C": (1e-3, 1e-2)}
    found = DistilledLogisticRegressionCV(("imitation", "C"), bounds=bounds)
    found.fit(X, y, teacher_proba=teacher)
    for name, (low, high) in bounds.items():
        assert found.path_[name].between(low, high).all()


def n_fits(path):
    """Return the number of fits: a check on some folds counts those of its coarse point, too."""
    settings = ["imitation", "temperature", "C"]
    coarse = path[path["stage"] == "coarse"].set_index(settings)["n_folds"]
    on_some = (path["stage"] == "check") & (path["n_folds"] < path["n_folds"].max())
    checked = path[on_some].set_index(settings).index
    return path["n_folds"].sum() - coarse.loc[checked].sum()


def test_path_and_results_agree():
    X, y, teacher = data(3)
    found = DistilledLogisticRegressionCV().fit(X, y, teacher_proba=teacher)
    full = found.path_[found.path_["n_folds"] == 5]
    full = full.groupby(["imitation", "temperature", "C"], sort=False).last()
    np.testing.assert_allclose(-found.cv_results_["mean_test_score"], full["loss"])
    assert found.n_fits_ == n_fits(found.path_)
    assert full["projected_gradient"].iloc[found.best_index_] < 0.05
    assert (found.path_["passes"] > 0).all()
    assert found.n_splits_ == 5


def test_unlabelled_rows_train_and_never_validate():
    X, y, teacher = data(3)
    missing = y.astype(float)
    missing[::3] = np.nan
    grid = {"imitation": [0.5]}
    found = DistilledLogisticRegressionCV(("imitation",), cv=3, method="grid", grid=grid, tol=1e-9)
    found.fit(X, missing, teacher_proba=teacher)
    expected = cross_validated_loss(
        X, missing, np.log(teacher), np.ones(len(y)), imitation=0.5, tol=1e-9
    )
    assert -found.best_score_ == pytest.approx(expected, abs=1e-7)


def test_groups_and_iterables_of_folds():
    X, y, teacher = data(3)
    groups = np.arange(len(y)) % 10
    cv = GroupKFold(4)
    by_groups = DistilledLogisticRegressionCV(("C",), cv=cv)
    by_groups.fit(X, y, teacher_proba=teacher, groups=groups)
    given = DistilledLogisticRegressionCV(("C",), cv=list(cv.split(X, y, groups)))
    given.fit(X, y, teacher_proba=teacher)
    np.testing.assert_array_equal(given.coef_, by_groups.coef_)
    assert by_groups.n_splits_ == 4


def test_unlabelled_rows_of_a_validated_group_do_not_train():
    groups = np.repeat(np.arange(5), 4)
    codes = np.tile([0, 1, 0, -1], 5)
    present = codes >= 0
    splits = labelled_splits(
        GroupKFold(5), np.zeros((20, 1)), codes, present, {"groups": groups}, is_class=True
    )
    found = with_unlabelled(splits, present, groups)
    for train, test in found:
        assert not set(groups[train]) & set(groups[test])
        assert (codes[test] >= 0).all()
        assert len(train) == 16


def test_shuffled_folds_of_a_splitter():
    X, y, teacher = data(3)
    cv = StratifiedKFold(3, shuffle=True, random_state=1)
    found = DistilledLogisticRegressionCV(("imitation",), cv=cv).fit(X, y, teacher_proba=teacher)
    assert found.n_splits_ == 3


def test_float32_stays():
    X, y, teacher = data(3)
    found = DistilledLogisticRegressionCV(("imitation",)).fit(
        X.astype(np.float32), y, teacher_proba=teacher
    )
    assert found.coef_.dtype == np.float32


def test_pickle_and_clone():
    X, y, teacher = data(2)
    found = DistilledLogisticRegressionCV(("imitation",)).fit(X, y, teacher_proba=teacher)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))
    np.testing.assert_array_equal(found.to_sklearn().predict(X), found.predict(X))
    assert not hasattr(clone(found), "coef_")


def test_verbose_shows_a_bar(capsys):
    X, y, teacher = data(2)
    DistilledLogisticRegressionCV(("imitation",), verbose=1).fit(X, y, teacher_proba=teacher)
    assert "DistilledLogisticRegressionCV" in capsys.readouterr().err
    DistilledLogisticRegressionCV(("imitation",)).fit(X, y, teacher_proba=teacher)
    assert capsys.readouterr().err == ""


def test_no_convergence_is_one_warning_for_all_folds():
    X, y, teacher = data(3)
    search = DistilledLogisticRegressionCV(
        ("imitation",), method="grid", grid=2, max_iter=1, tol=1e-9
    )
    with pytest.warns(ConvergenceWarning) as caught:
        search.fit(X, y, teacher_proba=teacher)
    assert "10 of 10 fits in folds" in str(caught[0].message)
    assert len(caught) == 2  # the last fit's own too


def test_bounds_that_leave_little_room():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
    p = 1 / (1 + np.exp(-X[:, 0]))
    search = DistilledLogisticRegressionCV(("imitation",), bounds={"imitation": (0.4, 0.4 + 1e-6)})
    search.fit(X, y, teacher_proba=p)  # and no division by zero
    assert search.imitation_ == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize("is_rare", [True, False])
def test_a_fold_has_a_factor_of_its_own_where_the_first_fold_lacks_a_column(monkeypatch, is_rare):
    shared = []
    ask = CVFold.has_columns_of
    monkeypatch.setattr(
        CVFold, "has_columns_of", lambda *args: shared.append(ask(*args)) or shared[-1]
    )
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 30))
    logits = X[:, :3] + 0.3 * rng.normal(size=(600, 3))
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    if is_rare:  # in the validation rows of the first fold alone
        X[:, 3] = 0
        X[:20, 3] = 5.0
    search = DistilledLogisticRegressionCV(["imitation", "temperature"], cv=KFold(3))
    search.fit(X, y, teacher_proba=softmax(logits, axis=1))
    assert shared
    assert not any(shared) if is_rare else all(shared)
