"""Scorers by ``estimator.classes_``, without the rows that have no label, or by a teacher."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import entropy
from sklearn import config_context
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.metrics import brier_score, get_scorer, get_scorer_names

TEACHER = ["neg_teacher_brier_score", "neg_teacher_cross_entropy", "neg_teacher_kl_divergence"]
PROBABILITY = ["neg_brier_score", "neg_log_loss"]
REGRESSION = ["neg_mean_absolute_error", "neg_root_mean_squared_error", "r2"]


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(120, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
    return X, np.array(["bird", "cat", "dog"])[y]


@pytest.fixture(scope="module")
def model(data):
    return GaussianNB().fit(*data)


@pytest.fixture(scope="module")
def proba(data):
    return RandomForestClassifier(10, random_state=0).fit(*data).predict_proba(data[0])


@pytest.fixture(scope="module")
def regression():
    X, y = make_regression(60, 3, noise=5.0, random_state=0)
    return X, y, LinearRegression().fit(X[:20], y[:20])


# --- by labels


@pytest.mark.parametrize("name", ["neg_log_loss", "accuracy", "balanced_accuracy", "roc_auc_ovr"])
def test_the_score_is_scikit_learns_where_that_has_one(name, data, model):
    X, y = data
    w = np.arange(len(y)) % 3 + 0.5
    ours, theirs = get_scorer(name), sklearn_scorer(name)
    assert_allclose(ours(model, X, y), theirs(model, X, y), rtol=1e-12)
    weighted = ours(model, X, y, sample_weight=w)
    assert_allclose(weighted, theirs(model, X, y, sample_weight=w), rtol=1e-12)


def test_the_brier_score_is_the_metric(data, model):
    X, y = data
    assert get_scorer("neg_brier_score")(model, X, y) == -brier_score(y, model.predict_proba(X))


@pytest.mark.parametrize("name", PROBABILITY)
def test_classes_are_those_of_the_estimator(name, data, model):
    X, y = data
    scorer, rows = get_scorer(name), y != "dog"
    parts = [scorer(model, X[part], y[part]) for part in (rows, ~rows)]
    assert_allclose(np.average(parts, weights=[rows.mean(), 1 - rows.mean()]), scorer(model, X, y))


@pytest.mark.parametrize("name", PROBABILITY)
def test_a_class_that_the_estimator_lacks_has_probability_zero(name, data):
    X, y = data
    known = y != "dog"
    lacking = LogisticRegression().fit(X[known], y[known])
    p = np.column_stack([lacking.predict_proba(X), np.zeros(len(y))])
    full = -log_loss(y, p) if name == "neg_log_loss" else -brier_score(y, p)
    assert_allclose(get_scorer(name)(lacking, X, y), full, rtol=1e-12)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("name", [*PROBABILITY, "accuracy", "neg_expected_calibration_error"])
def test_rows_without_a_label_are_ignored(name, missing, data, model):
    X, y = data
    w = np.arange(len(y)) % 3 + 0.5
    some = y.astype(object)
    some[::3] = missing
    labelled = np.arange(len(y)) % 3 != 0
    expected = get_scorer(name)(model, X[labelled], y[labelled], sample_weight=w[labelled])
    assert_allclose(get_scorer(name)(model, X, some, sample_weight=w), expected, rtol=1e-12)
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    named = GaussianNB().fit(frame, y)
    assert_allclose(
        get_scorer(name)(named, frame, pd.Series(some), sample_weight=w), expected, rtol=1e-12
    )


@pytest.mark.parametrize("name", [*PROBABILITY, "accuracy"])
def test_numbers_as_classes_may_be_floats_beside_nan(name, data):
    X, y = data
    codes = np.unique(y, return_inverse=True)[1]
    student = GaussianNB().fit(X, codes)
    some = codes.astype(float)
    some[60:] = np.nan
    masked = np.ma.masked_array(codes, mask=np.isnan(some))
    expected = get_scorer(name)(student, X[:60], codes[:60])
    assert get_scorer(name)(student, X, some) == expected
    assert get_scorer(name)(student, X, masked) == expected


@pytest.mark.parametrize("name", REGRESSION)
def test_regressors_have_them_too(name, regression):
    X, y, model = regression
    some = y.copy()
    some[::2] = np.nan
    assert get_scorer(name)(model, X, some) == sklearn_scorer(name)(model, X[1::2], y[1::2])


@pytest.mark.parametrize("y", [None, [None] * 120, np.full(120, np.nan)])
@pytest.mark.parametrize("name", ["neg_log_loss", "accuracy"])
def test_no_label_at_all_is_an_error_that_names_the_remedies(name, y, data, model):
    with pytest.raises(ValueError, match=r"no labels.*LabeledKFold.*neg_teacher_cross_entropy"):
        get_scorer(name)(model, data[0], y)


def test_minus_one_is_a_class(data, model):
    X, y = data
    codes = np.unique(y, return_inverse=True)[1] - 1
    student = GaussianNB().fit(X, codes)
    assert_allclose(
        get_scorer("neg_log_loss")(student, X, codes), -log_loss(y, model.predict_proba(X))
    )


def test_every_name_of_scikit_learn_is_its_scorer():
    X, y = make_regression(20, 2, random_state=0)
    model = LinearRegression().fit(X, y)
    for name in ("neg_max_error", "neg_median_absolute_error", "explained_variance"):
        ours = get_scorer(name)
        assert ours(model, X, y + 1) == sklearn_scorer(name)(model, X, y + 1)
        takes_weight = "sample_weight" in ours.get_metadata_routing().score.requests
        assert takes_weight == (name != "neg_max_error")
    for name in get_scorer_names():
        assert get_scorer(name).name == name


# --- by a teacher


@pytest.mark.parametrize("name", TEACHER)
def test_one_hot_predictions_judge_as_labels_do(name, data, model):
    X, y = data
    one_hot = (y[:, None] == model.classes_).astype(float)
    by_labels = "neg_brier_score" if "brier" in name else "neg_log_loss"
    score = get_scorer(name)(model, X, teacher_proba=one_hot)
    assert_allclose(score, get_scorer(by_labels)(model, X, y), rtol=1e-12)


def test_the_kl_divergence_is_the_cross_entropy_less_the_teachers_entropy(data, model, proba):
    scores = {name: get_scorer(name)(model, data[0], teacher_proba=proba) for name in TEACHER}
    difference = scores["neg_teacher_cross_entropy"] - scores["neg_teacher_kl_divergence"]
    assert_allclose(difference, -entropy(proba, axis=1).mean(), rtol=1e-12)
    p = model.predict_proba(data[0])
    assert_allclose(scores["neg_teacher_brier_score"], -((p - proba) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("name", TEACHER)
def test_the_judge_has_all_formats_of_a_teacher(name, data, model, proba):
    X, _ = data
    scorer, w = get_scorer(name), np.arange(len(X)) % 2 + 1.0
    expected = scorer(model, X, teacher_proba=proba, sample_weight=w)
    frame = pd.DataFrame(proba, columns=model.classes_)[["dog", "bird", "cat"]]
    twice = np.stack([proba, proba], axis=1)
    for same in (frame, twice, proba.astype(np.float32)):
        assert_allclose(scorer(model, X, None, teacher_proba=same, sample_weight=w), expected, 1e-6)
    some = proba.copy()
    some[::3] = np.nan
    rows = np.arange(len(X)) % 3 != 0
    of_rest = scorer(model, X[rows], teacher_proba=proba[rows], sample_weight=w[rows])
    assert_allclose(scorer(model, X, teacher_proba=some, sample_weight=w), of_rest, rtol=1e-12)


def test_labels_do_not_matter_to_a_judging_teacher(data, model, proba):
    X, y = data
    for name in TEACHER:
        assert get_scorer(name)(model, X, y, teacher_proba=proba) == get_scorer(name)(
            model, X, teacher_proba=proba
        )


@pytest.mark.parametrize(
    "name", ["neg_teacher_mean_absolute_error", "neg_teacher_root_mean_squared_error"]
)
def test_predictions_judge_regressors(name, regression):
    X, y, model = regression
    prediction = y.copy()
    prediction[::2] = np.nan
    twin = get_scorer(name.replace("teacher_", ""))
    assert get_scorer(name)(model, X, teacher_prediction=prediction) == twin(model, X, prediction)


@pytest.mark.parametrize("name", TEACHER)
def test_without_a_teacher_the_error_says_how_it_reaches_a_scorer(name, data, model):
    with pytest.raises(ValueError, match=r"set_config\(enable_metadata_routing=True\)"):
        get_scorer(name)(model, *data)
    with (
        config_context(enable_metadata_routing=True),
        pytest.raises(ValueError, match=r"teacher_proba.*fit\(X, teacher_proba="),
    ):
        get_scorer(name)(model, *data)


def test_a_scorer_refuses_a_teacher_that_it_would_ignore(data, model, proba):
    with pytest.raises(TypeError, match=r"teacher_proba.*'neg_log_loss'.*sample_weight"):
        get_scorer("neg_log_loss")(model, *data, teacher_proba=proba)


def test_labels_of_another_type_are_an_error(data, model):
    with pytest.raises(ValueError, match=r"labels \[0, 1, 2\].*classes are \['bird'"):
        get_scorer("neg_log_loss")(model, data[0], np.arange(len(data[0])) % 3)


def test_weight_zero_is_absence(data, model, proba):
    X, _ = data
    w, broken = np.ones(len(X)), proba.copy()
    w[::2], broken[::2] = 0, 7.0
    for name in TEACHER:
        score = get_scorer(name)(model, X, teacher_proba=broken, sample_weight=w)
        rest = get_scorer(name)(model, X[1::2], teacher_proba=proba[1::2])
        assert_allclose(score, rest, rtol=1e-12)


def test_predictions_missing_in_every_row_are_an_error(data, model, proba):
    with pytest.raises(ValueError, match="missing in every row"):
        get_scorer(TEACHER[0])(model, data[0], teacher_proba=np.full_like(proba, np.nan))


# --- as scikit-learn's scorers


def test_names_and_copies():
    names = get_scorer_names()
    assert {*TEACHER, *PROBABILITY, *REGRESSION, "accuracy"} <= set(names)
    assert names == sorted(names)
    assert get_scorer("neg_log_loss") is not get_scorer("neg_log_loss")
    function = len
    assert get_scorer(function) is function
    with pytest.raises(ValueError, match=r"'neg_teacher' is no scorer.*neg_teacher_cross_entropy"):
        get_scorer("neg_teacher")


@pytest.mark.parametrize("name", [*TEACHER, *PROBABILITY, "accuracy"])
def test_scorers_are_pickled_copied_and_shown(name):
    scorer = get_scorer(name)
    assert repr(scorer) == f"get_scorer('{name}')"
    for copy in (pickle.loads(pickle.dumps(scorer)), deepcopy(scorer)):
        assert repr(copy) == repr(scorer)


def test_requests_are_kept_where_others_are_set():
    scorer = get_scorer("neg_teacher_cross_entropy")
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        scorer.set_score_request(sample_weight=True)
    with config_context(enable_metadata_routing=True):
        assert scorer.set_score_request(sample_weight=True) is scorer
        requests = scorer.get_metadata_routing().score.requests
        assert requests == {"sample_weight": True, "teacher_proba": True}
        with pytest.raises(TypeError, match=r"teacher_logits.*sample_weight.*teacher_proba"):
            scorer.set_score_request(teacher_logits=True)
        # the scorer of the same name that others get has the default requests
        assert get_scorer(scorer.name).get_metadata_routing().score.requests != requests


@pytest.mark.parametrize("cv", [3, 4])
def test_a_search_slices_the_judges_table(cv, data, proba):
    X, _ = data
    name = "neg_teacher_cross_entropy"
    student = DistilledLogisticRegression(classes=["bird", "cat", "dog"])
    search = GridSearchCV(
        student, {"C": [0.01, 1.0]}, scoring=get_scorer(name), cv=cv, error_score="raise"
    )
    with config_context(enable_metadata_routing=True):
        search.fit(X, teacher_proba=proba)
    rows = np.arange(len(X))
    folds = np.array_split(rows, cv)
    by_hand = [
        [
            get_scorer(name)(
                DistilledLogisticRegression(C=C, classes=student.classes).fit(
                    np.delete(X, test, axis=0), teacher_proba=np.delete(proba, test, axis=0)
                ),
                X[test],
                teacher_proba=proba[test],
            )
            for test in folds
        ]
        for C in (0.01, 1.0)
    ]
    assert_allclose(search.cv_results_["mean_test_score"], np.mean(by_hand, axis=1), rtol=1e-12)


def test_another_table_than_the_trainers_may_judge(data, proba):
    X, y = data
    one_hot = (y[:, None] == np.unique(y)).astype(float)
    student = make_pipeline(StandardScaler(), DistilledLogisticRegression(classes=np.unique(y)))
    with config_context(enable_metadata_routing=True):
        by_labels = get_scorer("neg_log_loss")
        by_other = get_scorer("neg_teacher_cross_entropy")
        by_other.set_score_request(teacher_proba="reference_proba")
        scores = cross_validate(
            student,
            X,
            y,
            cv=3,
            scoring={"labels": by_labels, "other": by_other},
            params={"teacher_proba": proba, "reference_proba": one_hot},
            error_score="raise",
        )
    assert_allclose(scores["test_labels"], scores["test_other"], rtol=1e-12)


def test_weights_reach_a_scorer_that_requests_them(data, proba):
    X, _ = data
    w = np.where(np.arange(len(X)) < 40, 1.0, 1e-9)
    params = {"teacher_proba": proba, "sample_weight": w}
    student = DistilledLogisticRegression(classes=["bird", "cat", "dog"])
    with config_context(enable_metadata_routing=True):
        student.set_fit_request(sample_weight=True)
        scorer = get_scorer("neg_teacher_cross_entropy")
        with pytest.raises(UnsetMetadataPassedError, match="neg_teacher_cross_entropy"):
            cross_validate(student, X, scoring=scorer, params=params)
        scorer.set_score_request(sample_weight=True)
        [score] = cross_validate(
            student,
            X,
            scoring=scorer,
            params=params,
            cv=[(np.arange(60, 120), np.arange(60))],
            error_score="raise",
        )["test_score"]
        fitted = student.fit(X[60:], teacher_proba=proba[60:], sample_weight=w[60:])
    expected = get_scorer("neg_teacher_cross_entropy")(fitted, X[:40], teacher_proba=proba[:40])
    assert_allclose(score, expected, rtol=1e-6)


def test_a_search_with_routing_off_says_what_it_needs(data, proba):
    search = GridSearchCV(
        DistilledLogisticRegression(classes=["bird", "cat", "dog"]),
        {"C": [0.01, 1.0]},
        scoring=get_scorer("neg_teacher_cross_entropy"),
        cv=2,
        error_score="raise",
    )
    with pytest.raises(ValueError, match=r"set_config\(enable_metadata_routing=True\)"):
        search.fit(data[0], teacher_proba=proba)


def test_a_regressors_search_needs_no_labels(regression):
    X, y, _ = regression
    search = GridSearchCV(
        PrivilegedLinearRegression(),
        {"alpha": [0.0, 1e6]},
        scoring=get_scorer("neg_teacher_root_mean_squared_error"),
        cv=3,
        error_score="raise",
    )
    with config_context(enable_metadata_routing=True):
        search.fit(X, teacher_prediction=y)
    assert search.best_params_ == {"alpha": 0.0}


def test_a_judge_with_its_rows_in_another_order_is_an_error():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 2)), index=[f"row {i}" for i in range(40)])
    y = (X[0] > 0).astype(int)
    proba = pd.DataFrame(np.eye(2)[y] * 0.8 + 0.1, X.index)
    model = LogisticRegression().fit(X.to_numpy(), y)
    scorer = get_scorer("neg_teacher_cross_entropy")
    assert np.isfinite(scorer(model, X.to_numpy(), teacher_proba=proba))
    with pytest.raises(ValueError, match="teacher_proba and y have their rows in another order"):
        scorer(model, X.to_numpy(), y, teacher_proba=proba[::-1])
