"""``unlabeled_weight``: how much the samples count that only the teacher has a target for."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks import debiased as simulation
from benchmarks import unlabeled_weight
from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.distillers import _unlabeled_weight
from tests.distillers.spies import LedgerStudent, LedgerTeacher, SpyRegressor, SpyStudent

N = 60
ALL_X, ALL_Y = make_classification(160, 4, n_informative=3, n_redundant=0, random_state=1)
X, Y, U = ALL_X[:N], ALL_Y[:N], ALL_X[N:100]
PARTLY = np.where(np.arange(N) < 50, Y.astype(float), np.nan)
WEIGHT = np.random.default_rng(0).uniform(0.5, 2.0, N)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
STUDENT = DistilledLogisticRegression(0.0, tol=1e-8)


TEACHER = GaussianNB()


def pair(student=STUDENT, teacher=TEACHER, **params):
    params = {"cv": FOLDS, "random_state": 0} | params
    return TeacherStudentClassifier(teacher, student, **params)


# --- a given weight -------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("value", [0, 0.5, 3.0])
def test_the_total_is_relative_to_the_labelled_samples(weight, value):
    model = pair(SpyStudent(), unlabeled_weight=value).fit(X, PARTLY, weight, X_unlabeled=U)
    passed = model.student_.fit_args_["weight"]
    given = np.ones(N) if weight is None else weight
    np.testing.assert_array_equal(passed[:50], given[:50])
    assert passed[50:].sum() == pytest.approx(value * given[:50].sum())
    np.testing.assert_allclose(passed[50:60] / given[50:], passed[60] / given.mean())
    assert model.unlabeled_weight_ == value
    assert model.unlabeled_results_ is None


def test_a_weight_is_a_number_of_copies():
    three_copies = pair().fit(X, Y, X_unlabeled=np.tile(U, (3, 1)))
    weighed = pair(unlabeled_weight=3 * len(U) / N).fit(X, Y, X_unlabeled=U)
    np.testing.assert_allclose(weighed.student_.coef_, three_copies.student_.coef_, atol=1e-6)


@pytest.mark.parametrize(
    "student",
    [STUDENT, SoftTargetClassifier(DecisionTreeClassifier(random_state=0), imitation=0.5)],
)
def test_weight_zero_leaves_the_samples_out(student):
    left_out = pair(student, unlabeled_weight=0).fit(X, Y, X_unlabeled=U)
    without = pair(student).fit(X, Y)
    np.testing.assert_allclose(left_out.predict_proba(U), without.predict_proba(U), atol=1e-6)


def test_none_leaves_each_sample_the_mean_weight():
    model = pair(SpyStudent()).fit(X, Y, WEIGHT, X_unlabeled=U)
    np.testing.assert_allclose(model.student_.fit_args_["weight"][N:], WEIGHT.mean())
    assert model.unlabeled_weight_ is None
    assert pair(SpyStudent()).fit(X, Y, X_unlabeled=U).student_.fit_args_["weight"] is None


def test_synthetic_samples_are_weighed_as_well():
    model = pair(SpyStudent(), unlabeled_weight=2, augmentation="munge", n_augmented=30)
    passed = model.fit(X, Y, X_unlabeled=U).student_.fit_args_["weight"]
    np.testing.assert_allclose(passed, np.repeat([1, 2 * N / 70], [N, 70]))


@pytest.mark.parametrize("value", [0, 2.0])
def test_a_student_that_chooses_on_folds(value):
    choosing = DistilledLogisticRegressionCV(("C",), method="grid", grid=3, imitation=0.0)
    model = pair(choosing, unlabeled_weight=value).fit(X, Y, X_unlabeled=U)
    other = U if value else U[:1]  # at weight 0 any samples will do
    again = pair(choosing, unlabeled_weight=value).fit(X, Y, X_unlabeled=other)
    np.testing.assert_allclose(model.student_.scores_, again.student_.scores_, atol=1e-6)
    assert model.unlabeled_weight_ == value


def test_of_numbers():
    targets = np.where(np.arange(N) < 50, X[:, 0], np.nan)
    model = TeacherStudentRegressor(LinearRegression(), SpyRegressor(), unlabeled_weight=0.5)
    passed = model.fit(X, targets, X_unlabeled=U).student_.fit_args_["weight"]
    np.testing.assert_allclose(passed, np.repeat([1, 25 / 50], [50, 50]))


def test_in_a_pipeline_and_a_search():
    inside = make_pipeline(StandardScaler(), STUDENT)
    params = {"X_unlabeled": (U,)}
    search = GridSearchCV(pair(inside), {"unlabeled_weight": [0.0, 1.0]}, scoring="neg_log_loss")
    search.fit(X, Y, **params)
    assert search.best_params_["unlabeled_weight"] in (0.0, 1.0)
    with config_context(enable_metadata_routing=True):
        outside = Pipeline(
            [("scale", StandardScaler()), ("pair", pair(unlabeled_weight="auto"))],
            transform_input=["X_unlabeled"],
        ).fit(X, Y, X_unlabeled=U)
        scores = cross_validate(outside, X, Y, params=params)["test_score"]
    assert np.isfinite(scores).all()
    scaler = StandardScaler().fit(X)
    alone = pair(unlabeled_weight="auto").fit(
        scaler.transform(X), Y, X_unlabeled=scaler.transform(U)
    )
    np.testing.assert_allclose(outside.predict_proba(X), alone.predict_proba(scaler.transform(X)))


# --- the debiased form ----------------------------------------------------------------------------


def mean_over_folds(splits, y, samples, weight=None):
    """Return the mean prediction of the folds' teachers, by the weight of their test rows."""
    weight = np.ones(len(y)) if weight is None else weight
    total = 0.0
    for train, test in splits:
        teacher = GaussianNB().fit(X[train], y[train], sample_weight=weight[train])
        total = total + weight[test].sum() * teacher.predict_proba(samples)
    return total / sum(weight[test].sum() for _, test in splits)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_unlabelled_samples_get_the_mean_of_the_folds_teachers(weight):
    model = pair(clone(STUDENT).set_params(debias=0.5)).fit(X, PARTLY, weight, X_unlabeled=U)
    splits = list(FOLDS.split(X[:50], Y[:50]))
    given = np.ones(N) if weight is None else weight
    q = np.empty((100, 2))
    for train, test in splits:
        teacher = GaussianNB().fit(X[train], Y[train], sample_weight=given[train])
        q[test] = teacher.predict_proba(X[test])
    q[50:] = mean_over_folds(splits, Y[:50], np.concatenate([X[50:], U]), given[:50])
    by_hand = (
        clone(STUDENT)
        .set_params(debias=0.5)
        .fit(
            np.concatenate([X, U]),
            np.concatenate([PARTLY, np.full(40, np.nan)]),
            np.concatenate([given, np.full(40, given.mean())]),
            teacher_proba=q,
        )
    )
    np.testing.assert_allclose(model.student_.coef_, by_hand.coef_, atol=1e-6)
    assert model.unlabeled_weight_ == 0.5


def test_a_fitted_teacher_is_the_same_for_all_samples():
    teacher = GaussianNB().fit(ALL_X[100:], ALL_Y[100:])
    debiased = clone(STUDENT).set_params(debias=0.5)
    model = pair(debiased, teacher, cv="prefit").fit(X, Y, X_unlabeled=U)
    both = np.concatenate([X, U])
    y = np.concatenate([Y, np.full(40, np.nan)])
    by_hand = clone(debiased).fit(both, y, teacher_proba=teacher.predict_proba(both))
    np.testing.assert_allclose(model.student_.coef_, by_hand.coef_, atol=1e-6)


def test_calibrated_teachers_are_averaged_after_calibration():
    debiased = clone(STUDENT).set_params(debias=0.5)
    model = pair(debiased, calibrate_teacher="temperature").fit(X, Y, X_unlabeled=U)
    passed = pair(LedgerStudent(debias=0.5, tol=1e-8), calibrate_teacher="temperature")
    LedgerStudent.fit_args.clear()
    passed.fit(X, Y, X_unlabeled=U)
    proba = LedgerStudent.fit_args[-1]["proba"][N:]
    tau, expected = model.teacher_temperature_, np.zeros((40, 2))
    for train, test in FOLDS.split(X, Y):
        q = GaussianNB().fit(X[train], Y[train]).predict_proba(U) ** (1 / tau)
        expected += len(test) / N * q / q.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, expected, atol=1e-6)


def test_in_the_mean_the_debiased_fit_is_that_of_the_labels():
    # repeated features make naive Bayes too sure, in its folds as on unlabelled samples
    rng = np.random.default_rng(0)
    debiased = clone(STUDENT).set_params(debias=0.8)
    shifts = {"debiased": [], "plain": []}
    for _ in range(40):
        features = rng.normal(size=(1200, 2))
        p = 1 / (1 + np.exp(-features @ [1.0, -1.0]))
        labels = (rng.uniform(size=1200) < p).astype(int)
        both = np.repeat(features, 4, axis=1)
        train, more = slice(300), slice(300, 1200)
        alone = clone(STUDENT).fit(both[train], labels[train]).coef_
        for name, student in (("debiased", debiased), ("plain", STUDENT)):
            model = pair(student).fit(both[train], labels[train], X_unlabeled=both[more])
            shifts[name].append((model.student_.coef_ - alone)[0] @ np.repeat([1, -1], 4))
    mean = {name: np.mean(values) for name, values in shifts.items()}
    assert mean["plain"] > 1
    assert abs(mean["debiased"]) < 0.1 * mean["plain"]


def test_the_baseline_of_a_debiased_student_has_no_teacher():
    checks = [
        pair(student, check_teacher=True).fit(X, Y, X_unlabeled=U).teacher_check_
        for student in (STUDENT, clone(STUDENT).set_params(debias=0.5))
    ]
    assert checks[0].baseline_loss == pytest.approx(checks[1].baseline_loss, rel=1e-6)


def test_labelled_rows_that_no_fold_tests_have_no_prediction():
    folds = [(np.arange(20, 60), np.arange(20)), (np.arange(20), np.arange(20, 40))]
    model = pair(clone(STUDENT).set_params(debias=0.5), cv=folds).fit(X, Y, X_unlabeled=U)
    q = np.full((100, 2), np.nan)
    for train, test in folds:
        q[test] = GaussianNB().fit(X[train], Y[train]).predict_proba(X[test])
    q[N:] = sum(GaussianNB().fit(X[train], Y[train]).predict_proba(U) / 2 for train, _ in folds)
    y = np.concatenate([Y, np.full(40, np.nan)])
    by_hand = clone(STUDENT).set_params(debias=0.5)
    by_hand.fit(np.concatenate([X, U]), y, teacher_proba=q)
    np.testing.assert_allclose(model.student_.coef_, by_hand.coef_, atol=1e-6)


# --- "auto" ---------------------------------------------------------------------------------------


def nested_loss(value, *, debiased):
    """Return the nested cross-validated loss of one weight, written out."""
    splits = list(FOLDS.split(X[:50], Y[:50]))
    total = 0.0
    for k, (train, test) in enumerate(splits):
        others = [j for j in range(3) if j != k]
        both = np.concatenate([X[train], X[50:], U])
        q = np.empty((len(both), 2))
        pairs = []
        for j in others:
            without = np.setdiff1d(train, splits[j][1])
            teacher = GaussianNB().fit(X[without], Y[without])
            tested = np.isin(train, splits[j][1])
            q[: len(train)][tested] = teacher.predict_proba(X[train][tested])
            pairs.append((tested.sum(), teacher.predict_proba(both[len(train) :])))
        of_fold = GaussianNB().fit(X[train], Y[train]).predict_proba(both[len(train) :])
        mean = sum(n * of_pair for n, of_pair in pairs) / len(train)
        q[len(train) :] = mean if debiased else of_fold
        y = np.concatenate([Y[train], np.full(50, np.nan)])
        weight = np.repeat([1.0, value * len(train) / 50], [len(train), 50])
        student = clone(STUDENT).set_params(debias=value if debiased else None)
        student.fit(both, y, None if debiased else weight, teacher_proba=q)
        total += log_loss(Y[test], student.predict_proba(X[test]), normalize=False)
    return total / 50


def test_the_compared_losses_are_those_of_a_nested_cross_validation():
    results = pair(unlabeled_weight="auto").fit(X, PARTLY, X_unlabeled=U).unlabeled_results_
    loss = results.set_index(["debiased", "unlabeled_weight"])["loss"]
    for value, debiased in ((0.0, False), (1.0, False), (10.0, False), (0.5, True), (1.0, True)):
        expected = nested_loss(value, debiased=debiased)
        assert loss[(debiased, value)] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(results["difference"], results["loss"] - results["loss"][0])
    assert results["standard_error"][0] == 0


def test_the_best_is_fitted_on_all_samples():
    model = pair(unlabeled_weight="auto").fit(X, PARTLY, X_unlabeled=U)
    best = model.unlabeled_results_.loc[model.unlabeled_results_["loss"].idxmin()]
    assert model.unlabeled_weight_ == best["unlabeled_weight"]
    given = (
        pair(clone(STUDENT).set_params(debias=best["unlabeled_weight"]))
        if best["debiased"]
        else pair(unlabeled_weight=best["unlabeled_weight"])
    ).fit(X, PARTLY, X_unlabeled=U)
    np.testing.assert_array_equal(model.student_.coef_, given.student_.coef_)


def test_no_compared_student_hears_a_teacher_that_knows_its_test_labels():
    numbered = np.column_stack([np.arange(N), X])
    extra = np.column_stack([np.arange(N, N + 40), U])
    LedgerTeacher.fitted_rows.clear()
    LedgerStudent.fit_args.clear()
    student = LedgerStudent(0.0, class_weight={0: 1.0, 1: 1.0})  # for which nothing is debiased
    pair(student, LedgerTeacher(), unlabeled_weight="auto").fit(numbered, Y, X_unlabeled=extra)
    compared = LedgerStudent.fit_args[:-1]
    assert len(compared) == 3 * len(_unlabeled_weight.WEIGHTS)
    for fit in compared:
        trained_on = set(fit["X"][:, 0])
        test = set(np.arange(N)) - trained_on
        assert test
        for number in np.unique(np.round(fit["proba"][:, 1] * 1000).astype(int)):
            assert not LedgerTeacher.fitted_rows[number] & test


def test_a_bad_teacher_does_little_harm_and_a_good_one_helps():
    rng = np.random.default_rng(0)
    coef = rng.normal(size=20)
    harm = {"good": [], "bad": []}
    for _ in range(4):
        features = rng.normal(size=(4200, 20))
        p = 1 / (1 + np.exp(-features @ coef))
        labels = (rng.uniform(size=4200) < p).astype(int)
        labelled, more, test = slice(200), slice(200, 1200), slice(1200, 4200)
        others = rng.normal(size=(2000, 20))
        of_others = rng.uniform(size=2000) < 1 / (1 + np.exp(-others @ coef))
        teachers = {
            "good": LogisticRegression().fit(others, of_others),
            "bad": GaussianNB().fit(10 * others, of_others),  # of another scale
        }
        alone = clone(STUDENT).fit(features[labelled], labels[labelled])
        of_alone = log_loss(labels[test], alone.predict_proba(features[test]))
        for name, teacher in teachers.items():
            model = pair(STUDENT, teacher, cv="prefit", unlabeled_weight="auto")
            model.fit(features[labelled], labels[labelled], X_unlabeled=features[more])
            loss = log_loss(labels[test], model.predict_proba(features[test]))
            harm[name].append(loss - of_alone)
    assert np.mean(harm["bad"]) < 0.01
    assert np.mean(harm["good"]) < -0.02


def test_of_numbers_chosen():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(460, 30))
    hidden = rng.normal(size=460)
    targets = features.sum(axis=1) + 5 * hidden + 0.1 * rng.normal(size=460)
    both = np.column_stack([features, hidden])
    model = TeacherStudentRegressor(
        Ridge(),
        PrivilegedLinearRegression(0.0, alpha=1e-3),
        privileged_features=[30],
        unlabeled_weight="auto",
    ).fit(both[:60], targets[:60], X_unlabeled=both[60:])
    assert model.unlabeled_weight_ >= 1
    assert list(model.unlabeled_results_["unlabeled_weight"]) == list(_unlabeled_weight.WEIGHTS)


def test_another_weight_is_taken_where_the_best_has_no_minimum(monkeypatch):
    results = pair(unlabeled_weight="auto").fit(X, Y, X_unlabeled=U)
    debiased = results.unlabeled_results_
    fits = []

    class NoDebiasedFit(DistilledLogisticRegression):
        def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None):
            fits.append(self.debias)
            if self.debias is not None:
                raise _unlabeled_weight.NoDebiasedMinimumError("no minimum")
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)

    model = pair(NoDebiasedFit(0.0, tol=1e-8), unlabeled_weight="auto")
    table = model.fit(X, Y, X_unlabeled=U).unlabeled_results_
    assert np.isinf(table.loc[table["debiased"], "loss"]).all()
    plain = ~debiased["debiased"]
    np.testing.assert_allclose(table.loc[plain, "loss"], debiased.loc[plain, "loss"])
    assert set(fits) == {None, 0.25, 0.5, 0.75, 1.0}

    ranked = [
        _unlabeled_weight.UnlabeledWeight(0.5, "debias"),
        _unlabeled_weight.UnlabeledWeight(1.0),
    ]

    def fit(unlabeled):
        if unlabeled.is_debiased:
            raise _unlabeled_weight.NoDebiasedMinimumError("no minimum")
        return "fitted"

    assert _unlabeled_weight.first_with_minimum(ranked, fit) == (ranked[1], "fitted")


@pytest.mark.parametrize("unlabeled", [None, U])
def test_synthetic_samples_are_compared_without_the_debiased_form(unlabeled):
    options = {"augmentation": "munge", "n_augmented": 30}
    model = pair(unlabeled_weight="auto", **options).fit(X, Y, X_unlabeled=unlabeled)
    assert list(model.unlabeled_results_["unlabeled_weight"]) == list(_unlabeled_weight.WEIGHTS)
    assert not model.unlabeled_results_["debiased"].any()
    given = pair(unlabeled_weight=model.unlabeled_weight_, **options)
    given.fit(X, Y, X_unlabeled=unlabeled)
    assert model.augmentation_gain_ == pytest.approx(given.augmentation_gain_, rel=1e-6)


def test_with_privileged_features_and_frames():
    frame, more = (pd.DataFrame(part, columns=list("abcd")) for part in (X, U))
    options = {"privileged_features": ["c", "d"], "unlabeled_weight": "auto"}
    named = pair(**options).fit(frame, Y, X_unlabeled=more)
    by_number = pair(**options | {"privileged_features": [2, 3]}).fit(X, Y, X_unlabeled=U)
    np.testing.assert_allclose(named.student_.coef_, by_number.student_.coef_)
    assert named.student_.n_features_in_ == 2


@pytest.mark.slow
@pytest.mark.parametrize("teacher", [RandomForestClassifier(30, random_state=0), GaussianNB()])
def test_on_random_labels_the_chosen_loss_is_not_below_the_priors(teacher):
    rng = np.random.default_rng(0)
    gains, on_test = [], []
    for _ in range(24):
        features, labels = rng.normal(size=(500, 8)), rng.permutation(np.arange(200) % 2)
        model = pair(teacher=teacher, unlabeled_weight="auto", cv=5)
        model.fit(features[:200], labels, X_unlabeled=features[200:])
        gains.append(np.log(2) - model.unlabeled_results_["loss"].min())
        proba = model.predict_proba(rng.normal(size=(1000, 8)))
        on_test.append(np.log(2) + np.log(proba).mean())
    for gain in (gains, on_test):
        assert np.mean(gain) < 2 * np.std(gain, ddof=1) / np.sqrt(len(gain))


# --- what was measured ----------------------------------------------------------------------------


@pytest.mark.parametrize("script", [simulation, unlabeled_weight])
def test_the_guide_shows_the_measured_figures(script):
    page = script.PAGE.read_text("utf-8")
    assert script.with_results(page, pd.read_csv(script.CSV)) == page


def test_in_the_simulation_it_has_most_of_the_gain_and_no_harm():
    mean = pd.read_csv(simulation.CSV).groupby(["teacher", "method"])["excess_loss"].mean()
    alone, plain, auto = "labels alone", "weight 10, as one each", '`"auto"`'
    assert mean["bad", auto] - mean["bad", alone] < 0.01 < mean["bad", plain] - mean["bad", alone]
    assert mean["good", alone] - mean["good", auto] > 0.8 * (
        mean["good", alone] - mean["good", plain]
    )


# --- what cannot be done --------------------------------------------------------------------------


class NoWeights(SpyStudent):
    """A student without sample_weight."""

    def fit(self, X, y, *, teacher_proba=None):
        """Note the arguments."""
        return super().fit(X, y, teacher_proba=teacher_proba)


DEBIASED = DistilledLogisticRegression(debias=0.5)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            pair(NoWeights(), unlabeled_weight=1.0),
            "unlabeled_weight=1.0 needs a student with sample",
        ),
        (pair(unlabeled_weight="auto", cv=None), "unlabeled_weight='auto' needs predictions for"),
        (pair(unlabeled_weight="auto", cv=2), "on the labels of three folds or more"),
        (
            pair(DistilledLogisticRegressionCV(), unlabeled_weight="auto"),
            "unlabeled_weight='auto' with DistilledLogisticRegressionCV, which chooses",
        ),
        (pair(DEBIASED, unlabeled_weight=1.0), "unlabeled_weight=1.0 with debias=0.5"),
        (pair(DEBIASED, cv=None), "debias=0.5 of the student needs predictions for samples"),
        (pair(DEBIASED, augmentation="munge", n_augmented=9), "with augmentation: synthetic"),
        (pair(unlabeled_weight=-1), "'unlabeled_weight' parameter of TeacherStudentClassifier"),
        (
            pair(DistilledLogisticRegression(temperature=2.0, debias=0.5)),
            "debias=0.5 with temperature=2.0: .* convex only if",
        ),
    ],
)
def test_what_cannot_be_weighed_is_named(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, X_unlabeled=U)


def test_folds_that_lack_a_class_compare_nothing():
    rare = np.where(np.arange(N) == 0, 2, Y)
    model = pair(unlabeled_weight="auto", cv=KFold(3))
    with pytest.raises(ValueError, match="all classes are trained on"):
        model.fit(X, rare, X_unlabeled=U)


@pytest.mark.parametrize("value", [1.0, "auto"])
def test_without_unlabelled_samples_it_has_no_effect(value):
    with pytest.warns(UserWarning, match="unlabeled_weight has no effect, since every sample"):
        model = pair(unlabeled_weight=value).fit(X, Y)
    assert model.unlabeled_weight_ is None


def test_without_labels_there_is_nothing_to_be_relative_to():
    teacher = GaussianNB().fit(X, Y)
    model = pair(teacher=teacher, cv="prefit", unlabeled_weight=1.0)
    with pytest.raises(ValueError, match=r"unlabeled_weight=1 is relative to the weight of label"):
        model.fit(U)


def test_a_debiased_student_without_unlabelled_samples():
    with pytest.raises(ValueError, match="there is no row without a label"):
        pair(DEBIASED, LogisticRegression()).fit(X, Y)
