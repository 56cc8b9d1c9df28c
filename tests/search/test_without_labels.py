"""Without a label the search validates on held-out predictions of the teacher."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score

from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV
from sklearn_distill.metrics import get_scorer
from sklearn_distill.model_selection import LabeledKFold
from sklearn_distill.search._cv_loss import CrossValidatedLoss
from sklearn_distill.search._space import Space
from sklearn_distill.students._problem import LossParams, TrainingTargets
from tests.helpers import central_difference

NAMES = ("temperature", "C")
PARAMS = {"temperature": 2.0, "C": 0.7, "tol": 1e-11, "max_iter": 1000}


def problem(K, n=60, d=3, seed=0):
    """Return X, the teacher's probabilities and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    logits = X @ rng.normal(size=(d, K)) + 0.5 * rng.normal(size=(n, K))
    return X, softmax(2 * logits, axis=1), rng.uniform(0.2, 2, size=n)


def loss_by_definition(X, S, weight, folds, validation_temperature=1.0, **params):
    losses = []
    for train, test in folds:
        student = DistilledLogisticRegression(**params, classes=range(S.shape[1]))
        student.fit(X[train], sample_weight=weight[train], teacher_proba=S[train])
        z = student.decision_function(X[test])
        z = np.column_stack([np.zeros(len(z)), z]) if z.ndim == 1 else z
        rows = -(S[test] * log_softmax(z / validation_temperature, axis=1)).sum(axis=1)
        losses.append(np.average(rows, weights=weight[test]))
    return float(np.mean(losses))


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("form", [{}, {"soften_student": False}, {"regularizer": "grabovoy"}])
@pytest.mark.parametrize("validation_temperature", [1.0, 0.5])
def test_loss_and_hypergradient_are_those_of_the_definition(K, form, validation_temperature):
    X, S, weight = problem(K)
    params = PARAMS | form | {"validation_temperature": validation_temperature}
    search = DistilledLogisticRegressionCV(NAMES, cv=3, classes=range(K), **params)
    targets = TrainingTargets.read(search, len(X), None, weight, S, None)
    space = Space.of(NAMES, LossParams.of(search), None)
    folds = search._make_folds(X, targets, {}, weighted=True)
    cv_loss = CrossValidatedLoss(folds, space, None, lambda evaluation: None)
    evaluation = cv_loss.evaluate(space.start_coordinates, "test", gradient=True)

    def loss_at(name, value):
        splits = KFold(3).split(X)
        return loss_by_definition(X, S, weight, splits, **params | {name: value})

    assert evaluation.loss == pytest.approx(loss_at("C", 0.7), rel=1e-8)
    expected = [
        central_difference(lambda t, name=name: loss_at(name, t), params[name], 1e-4)
        for name in NAMES
    ]
    assert_allclose(evaluation.gradient / evaluation.jacobian, expected, rtol=1e-4, atol=1e-8)
    for fold in evaluation.folds:
        assert fold.loss == pytest.approx(np.average(fold.row_losses, weights=fold.sample_weight))


@pytest.mark.parametrize("y", [None, np.full(60, np.nan)])
def test_the_grid_is_grid_search_with_the_teachers_scorer(y):
    X, S, _ = problem(3)
    grid = {"temperature": [0.5, 2.0], "C": [0.01, 1.0, 100.0]}
    ours = DistilledLogisticRegressionCV(
        NAMES, method="grid", grid=grid, classes=range(3), tol=1e-9
    ).fit(X, y, teacher_proba=S)
    theirs = GridSearchCV(
        DistilledLogisticRegression(classes=range(3), tol=1e-9),
        grid,
        scoring=get_scorer("neg_teacher_cross_entropy"),
        cv=LabeledKFold(),
        error_score="raise",
    )
    with config_context(enable_metadata_routing=True):
        theirs.fit(X, y, teacher_proba=S)
    assert {name: getattr(ours, f"{name}_") for name in NAMES} == theirs.best_params_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, abs=1e-7)
    by_name = ours.set_params(scoring="neg_teacher_cross_entropy").fit(X, y, teacher_proba=S)
    assert by_name.best_score_ == pytest.approx(theirs.best_score_, abs=1e-7)
    assert_array_equal(by_name.cv_results_["rank_test_score"][by_name.best_index_], 1)


def test_a_descent_ends_no_worse_than_a_grid():
    X, S, weight = problem(3)
    given = {"sample_weight": weight, "teacher_proba": S}
    grid, descent = (
        DistilledLogisticRegressionCV(NAMES, method=method, classes=range(3)).fit(X, **given)
        for method in ("grid", "implicit")
    )
    assert descent.best_score_ >= grid.best_score_
    best = {name: getattr(descent, f"{name}_") for name in NAMES} | {"tol": 1e-9}
    expected = loss_by_definition(X, S, weight, KFold(5).split(X), **best)
    assert descent.best_score_ == pytest.approx(-expected, abs=1e-4)


def test_any_format_of_the_teacher():
    X, S, _ = problem(3)
    search = DistilledLogisticRegressionCV(("C",), imitation=1.0, classes=["a", "b", "c"])
    expected = search.fit(X, teacher_proba=S).C_
    frame = pd.DataFrame(S, columns=["a", "b", "c"])[["c", "a", "b"]]
    assert_allclose(search.fit(X, teacher_proba=frame).C_, expected)
    assert_allclose(search.fit(X, teacher_logits=np.log(S)).C_, expected)
    twice = np.stack([S, np.full_like(S, np.nan)], axis=1)
    assert_allclose(search.fit(X, teacher_proba=twice).C_, expected)
    weight = np.ones(len(X))
    weight[:9], S[:9] = 0, np.nan  # absent rows
    rest = search.fit(X[9:], teacher_proba=S[9:]).C_
    assert_allclose(search.fit(X, None, weight, teacher_proba=S).C_, rest)
    y = np.where(weight == 0, "a", None)  # an absent label is none
    assert_allclose(search.fit(X, y, weight, teacher_proba=S).C_, rest)


def test_groups_are_held_out_together():
    X, S, _ = problem(3)
    groups, params = np.arange(60) % 7, {"method": "grid", "grid": 2, "classes": range(3)}
    by_splitter, by_folds = (
        DistilledLogisticRegressionCV(("C",), imitation=1.0, cv=cv, **params).fit(
            X, teacher_proba=S, groups=groups
        )
        for cv in (LabeledKFold(3), list(GroupKFold(3).split(X, groups=groups)))
    )
    assert_array_equal(by_splitter.scores_, by_folds.scores_)


def test_some_labels_validate_alone():
    X, S, _ = problem(3)
    y = np.where(np.arange(60) < 40, S.argmax(axis=1), np.nan)
    search = DistilledLogisticRegressionCV(("imitation",), method="grid", grid=3, classes=range(3))
    other = S.copy()
    found = search.fit(X, y, teacher_proba=other)
    theirs = GridSearchCV(
        DistilledLogisticRegression(classes=range(3), tol=1e-5),
        {"imitation": [0, 0.5, 1]},
        scoring=get_scorer("neg_log_loss"),
        cv=LabeledKFold(),
    ).fit(X, y, teacher_proba=S)
    scores = theirs.cv_results_["mean_test_score"]
    assert_allclose(found.cv_results_["mean_test_score"], scores, atol=1e-4)


def test_a_search_over_the_imitation_is_void_without_labels():
    X, S, _ = problem(3)
    search = DistilledLogisticRegressionCV(classes=range(3))
    with pytest.raises(ValueError, match=r"no labels.*metaparameters=\('temperature', 'C'\)"):
        search.fit(X, teacher_proba=S)
    assert not hasattr(search, "classes_")


def test_a_score_by_labels_needs_some():
    X, S, _ = problem(3)
    search = DistilledLogisticRegressionCV(
        ("C",), imitation=1.0, method="grid", scoring="accuracy", classes=range(3)
    )
    with pytest.raises(ValueError, match=r"y has no labels.*neg_teacher_cross_entropy"):
        search.fit(X, teacher_proba=S)


def test_a_teacher_judges_on_the_labelled_rows_if_there_are_some():
    X, S, weight = problem(3)
    y = np.where(np.arange(60) < 40, S.argmax(axis=1), np.nan)
    name, grid = "neg_teacher_brier_score", {"C": [0.01, 1.0]}
    ours = DistilledLogisticRegressionCV(
        ("C",), method="grid", grid=grid, scoring=name, classes=range(3), tol=1e-9
    ).fit(X, y, weight, teacher_proba=S)
    with config_context(enable_metadata_routing=True):
        theirs = GridSearchCV(
            DistilledLogisticRegression(classes=range(3), tol=1e-9).set_fit_request(
                sample_weight=True
            ),
            grid,
            scoring=get_scorer(name).set_score_request(sample_weight=True),
            cv=LabeledKFold(),
        ).fit(X, y, teacher_proba=S, sample_weight=weight)
    scores = theirs.cv_results_["mean_test_score"]
    assert_allclose(ours.cv_results_["mean_test_score"], scores, atol=1e-7)


def test_the_search_is_cross_validated_without_labels():
    X, S, _ = problem(3)
    search = DistilledLogisticRegressionCV(
        ("C",), imitation=1.0, method="grid", grid=2, cv=2, classes=range(3)
    )
    scorer = get_scorer("neg_teacher_cross_entropy")
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            search, X, scoring=scorer, cv=3, params={"teacher_proba": S}, error_score="raise"
        )
    by_hand = [
        scorer(search.fit(X[train], teacher_proba=S[train]), X[test], teacher_proba=S[test])
        for train, test in KFold(3).split(X)
    ]
    assert_allclose(scores, by_hand)


def test_the_score_by_a_teacher_is_the_scorers():
    X, S, _ = problem(3)
    name = "neg_teacher_cross_entropy"
    search = DistilledLogisticRegressionCV(
        ("C",), imitation=1.0, method="grid", grid=2, scoring=name, classes=range(3)
    ).fit(X, teacher_proba=S)
    with pytest.raises(ValueError, match=r"call get_scorer\('neg_teacher_cross_entropy'\)\(search"):
        search.score(X, S.argmax(axis=1))
    assert get_scorer(name)(search, X, teacher_proba=S) < 0
