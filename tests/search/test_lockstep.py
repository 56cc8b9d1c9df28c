"""A grid whose folds go in lockstep has the losses and coefficients of fits of their own."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from benchmarks.search_for_c import make_clusters
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.search import DistilledLogisticRegressionCV, _lockstep, distilled_logistic_cv
from tests.fuzz.searches import SearchProblem
from tests.search.problems import make_problem, split

CS = [0.01, 1.0, 100.0]
GRID = {"imitation": [0.2, 0.8], "temperature": [1.0, 2.0], "C": CS}


@pytest.fixture
def in_lockstep(monkeypatch):
    """Let small data go in lockstep, too, and count the fits that do."""
    monkeypatch.setattr(distilled_logistic_cv, "newton_pays", lambda *shape: False)
    evaluate, n_fits = _lockstep.LockstepFits.evaluate, []

    def counted(self, *args, **kwargs):
        results = evaluate(self, *args, **kwargs)
        n_fits.append(0 if results is None else len(results))
        return results

    monkeypatch.setattr(_lockstep.LockstepFits, "evaluate", counted)
    return n_fits


def by_definition(X, y, logits, weight, values, folds, **params):
    """Return the validation loss and the coefficients of fits of the students themselves."""
    losses, coefs = [], []
    for train, test in folds:
        student = DistilledLogisticRegression(**values, **params, tol=1e-10, max_iter=1000)
        student.fit(X[train], y[train], weight[train], teacher_logits=logits[train])
        P = student.predict_log_proba(X[test])[np.arange(len(test)), y[test].astype(int)]
        losses.append(-weight[test] @ P / weight[test].sum())
        coefs.append(np.column_stack([student.coef_, student.intercept_]))
    return losses, coefs


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"t_squared": True},
        {"soften_student": False},
        {"class_weight": "balanced"},
        {"regularizer": "continuous_categorical"},
        {"solver": "lbfgs"},
    ],
    ids=str,
)
def test_losses_and_coefficients_are_those_of_students(K, params, in_lockstep):
    X, y, logits, weight = make_problem(K, n=90, d=4)
    folds = list(split(y))
    search = DistilledLogisticRegressionCV(
        tuple(GRID), method="grid", grid=GRID, cv=folds, tol=1e-9, max_iter=1000, **params
    ).fit(X, y, weight, teacher_logits=logits)
    assert sum(in_lockstep) >= 3 * 12
    for i, imitation in enumerate(GRID["imitation"]):
        for j, temperature in enumerate(GRID["temperature"]):
            for k, C in enumerate(CS):
                values = {"imitation": imitation, "temperature": temperature, "C": C}
                losses, coefs = by_definition(X, y, logits, weight, values, folds, **params)
                np.testing.assert_allclose(-search.scores_[:, i, j, k], losses, atol=1e-6)
                found = search.coefs_paths_[:, i, j, k]
                np.testing.assert_allclose(found, coefs, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("container", [np.float32, sparse.csr_array, sparse.csc_matrix], ids=str)
def test_representations(container, in_lockstep):
    X, y, logits, weight = make_problem(3, n=90, d=4)
    search = DistilledLogisticRegressionCV("C", method="grid", grid={"C": CS}, cv=3, tol=1e-6)
    dense = search.fit(X, y, weight, teacher_logits=logits).scores_
    scores = search.fit(container(X), y, weight, teacher_logits=logits).scores_
    np.testing.assert_allclose(scores, dense, atol=1e-4)
    assert sum(in_lockstep) >= 18


def test_rows_without_weight_change_nothing(in_lockstep):
    X, y, logits, weight = make_problem(3, n=90, d=4)
    search = DistilledLogisticRegressionCV("C", method="grid", grid={"C": CS}, cv=3, tol=1e-8)
    scores = search.fit(X, y, weight, teacher_logits=logits).scores_
    coef = search.coef_
    more = [np.concatenate([a, a[:20]]) for a in (X, y, weight, logits)]
    more[2][90:] = 0
    search.fit(*more[:3], teacher_logits=more[3])
    np.testing.assert_allclose(search.scores_, scores, atol=1e-7)
    np.testing.assert_allclose(search.coef_, coef, atol=1e-5)


def test_folds_with_other_classes_are_fitted_one_by_one(in_lockstep):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), np.arange(90) % 2
    y[:2] = 2  # both in the validation rows of the first fold
    folds = [(np.arange(30, 90), np.arange(30)), (np.arange(60), np.arange(60, 90))]
    search = DistilledLogisticRegressionCV(
        "C", method="grid", grid={"C": CS}, cv=folds, imitation=0.0, tol=1e-9
    ).fit(X, y)
    assert sum(in_lockstep) == 0
    for f, (train, test) in enumerate(folds):
        student = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(X[train], y[train])
        seen = test[np.isin(y[test], student.classes_)]
        P = student.predict_proba(X[seen])[np.arange(len(seen)), y[seen]]
        unseen = 36.04 * (len(test) - len(seen))
        expected = (unseen - np.log(P).sum()) / len(test)
        assert search.scores_[f, 0, 0, 1] == pytest.approx(-expected, abs=1e-2)


@pytest.mark.parametrize(
    "data",
    [
        lambda: load_digits(return_X_y=True),
        lambda: make_clusters(600, 16, 20),
        lambda: make_clusters(200, 400, 2),
    ],
    ids=["digits", "clusters", "wide"],
)
def test_by_default_the_choice_is_that_of_exact_fits(data, in_lockstep):
    X, y = data()
    X = X / np.abs(X).max()
    grid = {"C": np.logspace(-3, 4, 8)}
    params = {"cv": StratifiedKFold(3), "method": "grid", "grid": grid, "imitation": 0.0}
    search = DistilledLogisticRegressionCV("C", **params).fit(X, y)
    exact = DistilledLogisticRegressionCV("C", **params, tol=1e-9, max_iter=2000).fit(X, y)
    assert sum(in_lockstep) >= 2 * 3 * 8
    assert search.C_ == exact.C_
    assert search.best_score_ == pytest.approx(exact.best_score_, abs=1e-3)
    losses, exact_losses = (-s.scores_.mean(axis=0).ravel() for s in (search, exact))
    difference = exact_losses - exact_losses.min()
    # of a clearly worse setting it is known that it is
    assert (np.abs(losses - exact_losses) <= 1e-3 + 0.5 * difference).all()
    np.testing.assert_allclose(search.predict_proba(X), exact.predict_proba(X), atol=1e-4)


def test_settings_that_may_be_the_best_are_fitted_again(in_lockstep):
    X, y = load_digits(return_X_y=True)
    params = {"cv": StratifiedKFold(3), "method": "grid", "imitation": 0.0}
    grid = {"C": [0.1, 20.0, 20.01]}
    search = DistilledLogisticRegressionCV("C", **params, grid=grid).fit(X / 16, y)
    assert search.path_["stage"].tolist() == ["grid"] * 3 + ["check"] * 2
    assert len(search.cv_results_["params"]) == 3


def test_a_scorer_gets_fits_that_are_all_as_exact(in_lockstep):
    X, y = load_digits(return_X_y=True)
    params = {"cv": StratifiedKFold(3), "method": "grid", "grid": {"C": CS}, "imitation": 0.0}
    search = DistilledLogisticRegressionCV("C", **params, scoring="accuracy").fit(X / 16, y)
    exact = DistilledLogisticRegressionCV("C", **params, scoring="accuracy", tol=1e-9)
    exact.fit(X / 16, y)
    np.testing.assert_allclose(search.scores_, exact.scores_, atol=2 / 599)


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_scorer_judges_exact_fits_with_weak_penalties_too():
    """Where probabilities are nearly 0 or 1, the expected change of the loss was too small."""
    problem = SearchProblem.draw_larger(5)
    search = DistilledLogisticRegressionCV(
        "C",
        method="grid",
        grid={"C": np.logspace(0, 4, 3)},
        scoring="neg_log_loss",
        classes=range(problem.n_classes),
    ).fit(problem.X, problem.y, problem.weight, teacher_logits=problem.logits)
    exact = problem.losses([(0.5, 1.0, C) for C in search.Cs_])
    # a gradient of 0.03/C is left; the expected change of the loss left 4e-3
    np.testing.assert_allclose(-search.scores_.mean(axis=0).ravel(), exact, rtol=5e-4)


def test_fits_that_do_not_converge_warn(in_lockstep):
    X, y, logits, weight = make_problem(3, n=90, d=4)
    search = DistilledLogisticRegressionCV("C", method="grid", grid={"C": CS}, cv=3, max_iter=1)
    with pytest.warns(Warning, match="fits in folds stopped before"):
        search.set_params(refit=False).fit(X, y, weight, teacher_logits=logits)
