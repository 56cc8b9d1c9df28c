"""Boosted students: equality with the library's own classifier, and the input contract."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    TeacherMissingWarning,
    TeacherStudentClassifier,
)
from sklearn_distill.inspection import count_parameters
from sklearn_distill.search import distillation_objective
from tests.students.boosting_data import cat, data, extreme, hist, light, models, needs

every_model = models(hist, light, extreme, cat)
soft_models = models(hist, light, extreme)  # of any number of classes and temperature
# LightGBM before 4.7 names the columns of an array, and misses the names when it predicts
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


# these teachers are meant to contradict the labels
CONTRADICTS = pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")


def student_of(make, **params):
    return DistilledBoostingClassifier(make(), **params)


def n_classes_of(make):
    return (2,) if make is cat else (2, 3, 5)


def validation_of(make, X, y):
    """Return the arguments by which a library's own classifier gets a validation set."""
    if make is hist:
        return {"X_val": X, "y_val": y}
    if make is light:
        from inspect import signature

        takes = signature(light().fit).parameters
        return {"eval_X": X, "eval_y": y} if "eval_X" in takes else {"eval_set": [(X, y)]}
    return {"eval_set": [(X, y)], "verbose": False}


STOPPING = {
    hist: {"early_stopping": True, "n_iter_no_change": 2, "learning_rate": 1.0, "max_iter": 20},
    light: {"early_stopping_round": 2, "learning_rate": 1.0, "n_estimators": 20},
    extreme: {"early_stopping_rounds": 2, "learning_rate": 1.0, "n_estimators": 20},
    cat: {"early_stopping_rounds": 2, "learning_rate": 1.0, "iterations": 20},
}


# --- equality with the library's own classifier ---------------------------------------------------


@CONTRADICTS
@every_model
@pytest.mark.parametrize("stops", [False, True], ids=["", "early stopping"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
def test_one_hot_targets_give_the_librarys_own_classifier(make, stops, weighted):
    if make is hist and stops:
        pytest.importorskip("sklearn", "1.7", reason="fit has no X_val before scikit-learn 1.7")
    for K in n_classes_of(make):
        X, y, _ = data(K)
        weight = np.random.default_rng(0).uniform(0.2, 3, size=200) if weighted else None
        model = make(**STOPPING[make] if stops else {})
        X_val, y_val = X[200:], y[200:]
        one_hot = np.eye(K)[y[:200]]
        own_validation = validation_of(make, X_val, y_val) if stops else {}
        validation = {"X_val": X_val, "y_val": y_val} if stops else {}
        own = clone(model).fit(X[:200], y[:200], sample_weight=weight, **own_validation)
        expected = own.predict_proba(X)
        for imitation, teacher in ((0, None), (1, one_hot), (0, one_hot[::-1]), (0.3, one_hot)):
            student = DistilledBoostingClassifier(model, imitation=imitation)
            student.fit(X[:200], y[:200], weight, teacher_proba=teacher, **validation)
            if make is hist:
                if imitation != 0.3:  # .3 + .7 rounds
                    np.testing.assert_array_equal(student.predict_proba(X), expected)
            else:
                np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-6)
        assert type(student.estimator_) is type(model)


@models(light, extreme, cat)
def test_the_library_draws_the_same_rows_and_columns(make):
    sampling = {
        light: {"subsample": 0.7, "subsample_freq": 1, "colsample_bytree": 0.5},
        extreme: {"subsample": 0.7, "colsample_bytree": 0.5},
        cat: {"bootstrap_type": "Bernoulli", "subsample": 0.7, "rsm": 0.5},
    }[make]
    X, y, _ = data(2)
    model = make(**sampling)
    student = DistilledBoostingClassifier(model, imitation=0).fit(X, y)
    own = clone(model).fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), own.predict_proba(X), atol=1e-6)


@needs("lightgbm")
def test_lightgbm_predicts_the_mean_where_it_cannot_split():
    X, y, teacher = data(3, n=12)
    student = DistilledBoostingClassifier(light(), imitation=1).fit(X, y, teacher_proba=teacher)
    expected = np.tile(teacher.mean(axis=0), (12, 1))
    np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-9)


@every_model
def test_class_weights_are_those_of_the_rows(make):
    X, y, teacher = data(2)
    by_class = student_of(make, class_weight={0: 3.0, 1: 0.5})
    by_row = student_of(make)
    weight = np.where(y == 0, 3.0, 0.5)
    by_class.fit(X, y, teacher_proba=teacher)
    by_row.fit(X, y, weight, teacher_proba=teacher)
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X), atol=1e-6)


def test_balanced_class_weights_are_scikit_learns():
    X, y, _ = data(3)
    own = hist(class_weight="balanced").fit(X, y)
    student = student_of(hist, imitation=0, class_weight="balanced").fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), own.predict_proba(X), atol=1e-12)


@models(hist, extreme)
def test_soft_targets_are_weighted_copies(make):
    """At T = 1 a soft target is one row for each class, for trees that count no rows."""
    counts_no_rows = {
        hist: {"min_samples_leaf": 1},
        extreme: {"min_child_weight": 0, "tree_method": "exact"},
    }[make]
    X, y, teacher = data(3, n=100)
    model = make(**counts_no_rows)
    student = DistilledBoostingClassifier(model, imitation=0.6).fit(X, y, teacher_proba=teacher)
    mixed = 0.4 * np.eye(3)[y] + 0.6 * teacher
    copies = DistilledBoostingClassifier(model, imitation=0)
    copies.fit(np.repeat(X, 3, axis=0), np.tile(np.arange(3), 100), mixed.ravel())
    np.testing.assert_allclose(student.predict_proba(X), copies.predict_proba(X), atol=1e-4)


# --- limits in λ and T ----------------------------------------------------------------------------


@every_model
def test_at_high_temperatures_an_unsoftened_student_is_smoothed(make):
    """T → ∞ with T' = 1 is label smoothing."""
    X, y, teacher = data(2)
    hot = student_of(make, imitation=0.4, temperature=1e8, soften_student=False)
    smooth = student_of(make, imitation=0.4)
    hot.fit(X, y, teacher_proba=teacher)
    smooth.fit(X, y, teacher_proba=np.full_like(teacher, 0.5))
    np.testing.assert_allclose(hot.predict_proba(X), smooth.predict_proba(X), atol=1e-5)


@soft_models
def test_at_high_temperatures_a_softened_teacher_vanishes(make):
    """T → ∞ with τ = 1: the labels alone, at whose weight 1 − λ no tree without penalty looks."""
    X, y, teacher = data(3)
    model = make(**{"reg_lambda": 0, "min_child_weight": 0} if make is extreme else {})
    hot = DistilledBoostingClassifier(model, imitation=0.4, temperature=1e8)
    hot.fit(X, y, teacher_proba=teacher)
    alone = DistilledBoostingClassifier(model, imitation=0).fit(X, y)
    np.testing.assert_allclose(hot.predict_proba(X), alone.predict_proba(X), atol=1e-5)


@CONTRADICTS
@soft_models
def test_t_squared_keeps_the_influence_of_the_teacher(make):
    X, y, teacher = data(3)
    effects = []
    for option in (False, True):
        student = student_of(make, temperature=10.0, t_squared=option)
        proba = student.fit(X, y, teacher_proba=teacher).predict_proba(X)
        other = student.fit(X, y, teacher_proba=teacher[:, [1, 2, 0]]).predict_proba(X)
        effects.append(np.abs(proba - other).mean())
    assert effects[1] > 5 * effects[0]


# --- rows without labels or predictions, several teachers, classes --------------------------------


@every_model
def test_missing_labels_and_predictions_follow_the_formula(make):
    """A row with one source is that source with the full weight, and rows of both are mixed."""
    X, y, teacher = data(2)
    labels = y.astype(float)
    labels[:80] = np.nan
    teacher[80:160] = np.nan
    student = student_of(make, imitation=0.3).fit(X, labels, teacher_proba=teacher)
    mixed = 0.7 * np.eye(2)[y] + 0.3 * teacher
    mixed[:80], mixed[80:160] = teacher[:80], np.eye(2)[y[80:160]]
    expected = student_of(make, classes=[0, 1]).fit(X, teacher_proba=mixed)
    np.testing.assert_allclose(student.predict_proba(X), expected.predict_proba(X), atol=1e-6)
    assert student.n_taught_rows_ == 220


@soft_models
def test_several_teachers_are_their_mean(make):
    X, y, teacher = data(3)
    two = np.stack([teacher, teacher[:, [1, 2, 0]]], axis=1)
    student = student_of(make).fit(X, y, teacher_proba=two)
    mean = student_of(make).fit(X, y, teacher_proba=two.mean(axis=1))
    np.testing.assert_allclose(student.predict_proba(X), mean.predict_proba(X), atol=1e-5)


@soft_models
def test_a_class_that_only_the_teacher_knows(make):
    X, y, teacher = data(3)
    names = np.array(["a", "b", "c"])
    labels = np.where(y == 1, None, names[y])
    frame = pd.DataFrame(teacher[:, ::-1], columns=["c", "b", "a"])
    student = student_of(make, classes=names, imitation=0.2).fit(X, labels, teacher_proba=frame)
    assert student.classes_.tolist() == ["a", "b", "c"]
    assert (student.predict(X) == "b").sum() > 30
    assert student.predict(X).dtype.kind == "U"


@soft_models
def test_a_class_without_mass_has_hardly_any_probability(make):
    X, y, _ = data(3)
    student = student_of(make, classes=[0, 1, 2, 3], imitation=0).fit(X, y)
    proba = student.predict_proba(X)
    assert proba.shape == (300, 4)
    assert proba[:, 3].max() < 1e-6
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)


@soft_models
def test_permuted_classes_permute_the_prediction(make):
    X, y, teacher = data(3)
    order = np.array([2, 0, 1])
    student = student_of(make).fit(X, y, teacher_proba=teacher)
    renamed = student_of(make).fit(X, order[y], teacher_proba=teacher[:, np.argsort(order)])
    np.testing.assert_allclose(
        renamed.predict_proba(X)[:, order], student.predict_proba(X), atol=1e-5
    )


@every_model
def test_rows_of_weight_zero_are_absent(make):
    X, y, teacher = data(2)
    weight = np.where(np.arange(300) < 200, 1.0, 0.0)
    broken = teacher.copy()
    broken[200:] = -5
    student = student_of(make).fit(X, y, weight, teacher_proba=broken)
    shorter = student_of(make).fit(X[:200], y[:200], np.ones(200), teacher_proba=teacher[:200])
    np.testing.assert_allclose(student.predict_proba(X), shorter.predict_proba(X), atol=1e-6)


@soft_models
def test_a_class_of_weight_zero_has_no_mass(make):
    X, y, _ = data(2)
    student = student_of(make, class_weight={0: 1.0, 1: 0.0}, imitation=0)
    assert student.fit(X, y).predict_proba(X)[:, 1].max() < 1e-6


# --- what the library offers ----------------------------------------------------------------------


@every_model
def test_missing_features_and_frames(make):
    X, y, teacher = data(2)
    X[::5, 2] = np.nan
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(8)])
    student = student_of(make).fit(frame, y, teacher_proba=teacher)
    assert student.feature_names_in_.tolist() == list(frame.columns)
    array = student_of(make).fit(X, y, teacher_proba=teacher)
    np.testing.assert_allclose(student.predict_proba(frame), array.predict_proba(X), atol=1e-6)


@soft_models
def test_categorical_columns(make):
    X, y, teacher = data(3)
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"])
    frame["kind"] = pd.Categorical(np.array(["x", "y", "z"])[y])
    model = make(**{"enable_categorical": True} if make is extreme else {})
    student = DistilledBoostingClassifier(model).fit(frame, y, teacher_proba=teacher)
    assert student.score(frame, y) > 0.95  # the column is the label
    np.testing.assert_allclose(
        student.predict_proba(frame), student.estimator_.predict_proba(frame), atol=1e-12
    )


@needs("lightgbm")
def test_fit_params_reach_the_library():
    X, y, teacher = data(3)
    first = student_of(light).fit(X, y, teacher_proba=teacher)
    seen = []

    def callback(environment):
        seen.append(environment.iteration)

    more = student_of(light).fit(
        X,
        y,
        teacher_proba=teacher,
        init_model=first.estimator_,
        feature_name=[f"f{k}" for k in range(8)],
        callbacks=[callback],
    )
    assert len(seen) == 8
    assert more.estimator_.feature_name_[0] == "f0"
    longer = DistilledBoostingClassifier(light(n_estimators=16)).fit(X, y, teacher_proba=teacher)
    np.testing.assert_allclose(more.predict_proba(X), longer.predict_proba(X), atol=1e-6)


@needs("xgboost")
def test_training_continues_from_a_model_of_xgboost():
    X, y, teacher = data(3)
    first = student_of(extreme).fit(X, y, teacher_proba=teacher)
    more = student_of(extreme).fit(
        X, y, teacher_proba=teacher, xgb_model=first.estimator_.get_booster()
    )
    longer = DistilledBoostingClassifier(extreme(n_estimators=16)).fit(X, y, teacher_proba=teacher)
    np.testing.assert_allclose(more.predict_proba(X), longer.predict_proba(X), atol=1e-5)


# --- validation -----------------------------------------------------------------------------------


def n_trees(student):
    model = student.estimator_
    if hasattr(model, "n_iter_"):
        return model.n_iter_
    return model.get_booster().best_iteration + 1 if hasattr(model, "get_booster") else None


@every_model
def test_the_split_is_stratified_by_the_labelled_rows(make):
    X, y, teacher = data(2)
    labels = np.where(np.arange(300) < 100, y, np.nan)
    model = make(**STOPPING[make])
    student = DistilledBoostingClassifier(model, random_state=3)
    student.fit(X, labels, teacher_proba=teacher)
    fraction = 0.1
    _, validation = train_test_split(
        np.arange(100), test_size=fraction, stratify=y[:100], random_state=_split_seed(model, 3)
    )
    train = np.setdiff1d(np.arange(300), validation)
    given = DistilledBoostingClassifier(model, random_state=3).fit(
        X[train],
        labels[train],
        teacher_proba=teacher[train],
        X_val=X[validation],
        y_val=y[validation],
    )
    np.testing.assert_allclose(student.predict_proba(X), given.predict_proba(X), atol=1e-6)


def _split_seed(model, random_state):
    from sklearn_distill._validation.random_state import seeded_clones

    return seeded_clones(model, 1, random_state)[1]


@every_model
def test_without_labels_the_teachers_term_is_watched(make):
    X, _, teacher = data(2)
    teacher = np.maximum(teacher, 0.2)
    teacher /= teacher.sum(axis=1, keepdims=True)
    model = make(**STOPPING[make])
    student = DistilledBoostingClassifier(model, classes=[0, 1], random_state=0)
    student.fit(X, teacher_proba=teacher)
    if make is hist:
        scores = -student.estimator_.validation_score_
        entropy = -(teacher * np.log(teacher)).sum(axis=1).mean()
        assert (scores > 0.9 * entropy).all(), "the cross-entropy is at least the entropy"
        assert len(scores) == student.estimator_.n_iter_ + 1


def test_the_metric_is_the_cross_entropy_of_the_labels():
    X, y, teacher = data(3)
    weight = np.random.default_rng(0).uniform(0.1, 2, size=100)
    student = DistilledBoostingClassifier(hist(early_stopping=True), temperature=2.0)
    student.fit(
        X[:200],
        y[:200],
        teacher_proba=teacher[:200],
        X_val=X[200:],
        y_val=y[200:],
        sample_weight_val=weight,
    )
    expected = log_loss(y[200:], student.predict_proba(X[200:]), sample_weight=weight)
    assert -student.estimator_.validation_score_[-1] == pytest.approx(expected, rel=1e-9)


@needs("lightgbm")
def test_the_metric_of_lightgbm_is_that_of_the_probabilities():
    X, y, teacher = data(3)
    student = student_of(light).fit(
        X[:200], y[:200], teacher_proba=teacher[:200], X_val=X[200:], y_val=y[200:]
    )
    history = student.estimator_.evals_result_["valid_0"]
    assert list(history) == ["cross_entropy"]
    expected = log_loss(y[200:], student.predict_proba(X[200:]))
    assert history["cross_entropy"][-1] == pytest.approx(expected, rel=1e-6)


def test_x_val_in_a_tuple_and_a_fold():
    X, y, teacher = data(2)
    student = DistilledBoostingClassifier(hist(early_stopping=True), random_state=0)
    array = clone(student).fit(
        X[:200], y[:200], teacher_proba=teacher[:200], X_val=X[200:], y_val=y[200:]
    )
    tuples = clone(student).fit(
        X[:200], y[:200], teacher_proba=teacher[:200], X_val=(X[200:],), y_val=(y[200:],)
    )
    np.testing.assert_array_equal(array.predict_proba(X), tuples.predict_proba(X))
    GridSearchCV(student, {"imitation": [0.2, 0.8]}, cv=2, error_score="raise").fit(
        X, y, teacher_proba=teacher, X_val=(X[200:],), y_val=(y[200:],)
    )


# --- the plain model ------------------------------------------------------------------------------


@every_model
def test_the_plain_model_predicts_the_same_without_this_package(make, tmp_path):
    X, y, teacher = data(2)
    weight = np.random.default_rng(0).uniform(0.2, 3, size=len(y))
    student = student_of(make).fit(X, y, weight, teacher_proba=teacher)
    plain = student.to_sklearn()
    assert plain is student.estimator_
    np.save(tmp_path / "X.npy", X)
    path = tmp_path / "plain.pickle"
    path.write_bytes(pickle.dumps(plain))
    own = pickle.dumps(make().fit(X, y, sample_weight=weight))
    assert len(path.read_bytes()) < 1.1 * len(own) + 1000, "it contains no training data"
    code = (
        "import pickle, sys, numpy as np\n"
        "folder = sys.argv[1]\n"
        "with open(folder + '/plain.pickle', 'rb') as f: model = pickle.load(f)\n"
        "np.save(folder + '/p.npy', model.predict_proba(np.load(folder + '/X.npy')))\n"
        "assert not any(name.startswith('sklearn_distill') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), student.predict_proba(X))
    assert clone(plain).get_params() == plain.get_params()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_start_of_lightgbm_is_folded_into_the_trees(n_classes):
    pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    X, y, teacher = data(n_classes)
    for params in (
        {},
        {"linear_tree": True},
        {"min_child_samples": 1000, "feature_pre_filter": False},
    ):
        student = DistilledBoostingClassifier(light(**params)).fit(X, y, teacher_proba=teacher)
        booster = student.estimator_.booster_
        raw = booster.predict(X, raw_score=True)
        scores = raw if n_classes > 2 else np.stack([0 * raw, raw], axis=1)
        np.testing.assert_allclose(softmax(scores, axis=1), student.predict_proba(X), atol=1e-12)
        again = type(booster)(model_str=booster.model_to_string())
        np.testing.assert_array_equal(again.predict(X), booster.predict(X))
        if params.get("min_child_samples"):  # no split: the prediction is the mean target
            mean = (0.5 * np.eye(n_classes)[y] + 0.5 * teacher).mean(axis=0)
            np.testing.assert_allclose(student.predict_proba(X[:1])[0], mean, atol=1e-9)


@every_model
def test_pickles_and_clones(make):
    X, y, teacher = data(2)
    student = student_of(make).fit(X, y, teacher_proba=teacher)
    copy = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(copy.predict_proba(X), student.predict_proba(X))
    again = clone(student).fit(X, y, teacher_proba=teacher)
    np.testing.assert_array_equal(again.predict_proba(X), student.predict_proba(X))
    assert student.estimator.get_params() == make().get_params()


# --- with scikit-learn's tools --------------------------------------------------------------------


def test_search_and_teacher_student():
    X, y, teacher = data(2)
    grid = {"imitation": [0.2, 0.8], "estimator__learning_rate": [0.1, 0.3]}
    search = GridSearchCV(DistilledBoostingClassifier(hist()), grid, cv=2, error_score="raise")
    search.fit(X, y, teacher_proba=teacher)
    assert search.best_estimator_.n_taught_rows_ == 300
    forest = RandomForestClassifier(10, random_state=0)
    model = TeacherStudentClassifier(forest, student_of(hist), cv=2).fit(X, y)
    assert isinstance(model.student_.estimator_, HistGradientBoostingClassifier)
    pipeline = make_pipeline("passthrough", student_of(hist))
    pipeline.fit(X, y, distilledboostingclassifier__teacher_proba=teacher)
    assert pipeline.score(X, y) > 0.5


def test_an_optuna_objective():
    optuna = pytest.importorskip("optuna")
    X, y, teacher = data(2)
    student, given = student_of(hist), {"teacher_proba": teacher}
    options = {"cv": StratifiedKFold(3), "scoring": "neg_log_loss", "params": given}
    space = {
        "imitation": optuna.distributions.FloatDistribution(0, 1),
        "estimator__learning_rate": optuna.distributions.FloatDistribution(0.01, 1, log=True),
    }
    objective = distillation_objective(student, X, y, space, **options)
    params = {"imitation": 0.3, "estimator__learning_rate": 0.2}
    expected = cross_val_score(student.set_params(**params), X, y, **options).mean()
    assert objective(optuna.trial.FixedTrial(params)) == pytest.approx(expected, rel=1e-12)


def test_metadata_routing_and_generations():
    X, y, teacher = data(2)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline("passthrough", student_of(hist))
        pipeline.fit(X, y, teacher_proba=teacher, X_val=X, y_val=y)
        search = GridSearchCV(student_of(hist), {"imitation": [0.5]}, cv=2, error_score="raise")
        search.fit(X, y, teacher_proba=teacher)
    assert pipeline[-1].n_taught_rows_ == search.best_estimator_.n_taught_rows_ == 300
    generations = BornAgainClassifier(student_of(hist), n_generations=2).fit(X, y)
    assert [one.n_taught_rows_ for one in generations.estimators_] == [0, 300]
    student = student_of(hist).fit(X, y, teacher_proba=teacher)
    assert count_parameters(student) == count_parameters(student.estimator_) > 8


def test_a_random_state_seeds_the_estimator_and_the_split():
    X, y, teacher = data(3)
    model = hist(random_state=None, max_features=0.3, early_stopping=True)
    fits = [
        DistilledBoostingClassifier(model, random_state=seed)
        .fit(X, y, teacher_proba=teacher)
        .predict_proba(X)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert np.abs(fits[0] - fits[2]).max() > 0


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        pytest.param(hist, {"class_weight": "balanced"}, "class_weight='balanced'.*sample_weight"),
        pytest.param(hist, {"warm_start": True}, "warm_start=True"),
        pytest.param(hist, {"scoring": "accuracy"}, "scoring='accuracy'"),
        *(
            pytest.param(light, params, message, marks=needs("lightgbm"))
            for params, message in [
                ({"class_weight": {0: 1, 1: 2}}, "class_weight="),
                ({"is_unbalance": True}, "is_unbalance=True"),
                ({"unbalance": True}, "unbalance=True"),
                ({"scale_pos_weight": 2}, "scale_pos_weight=2"),
                ({"objective": "cross_entropy"}, "objective='cross_entropy'"),
                ({"application": "binary"}, "application='binary'"),
                ({"boosting_type": "rf"}, "boosting_type='rf'"),
                ({"metric": "auc"}, "metric='auc'"),
            ]
        ),
        *(
            pytest.param(extreme, params, message, marks=needs("xgboost"))
            for params, message in [
                ({"scale_pos_weight": 2}, "scale_pos_weight=2"),
                ({"objective": "binary:hinge"}, "objective='binary:hinge'"),
                ({"eval_metric": "auc"}, "eval_metric='auc'"),
                ({"base_score": 0.3}, "base_score=0.3"),
            ]
        ),
        *(
            pytest.param(cat, params, message, marks=needs("catboost"))
            for params, message in [
                ({"class_weights": [1, 2]}, "class_weights="),
                ({"auto_class_weights": "Balanced"}, "auto_class_weights='Balanced'"),
                ({"scale_pos_weight": 2.0}, "scale_pos_weight=2.0"),
                ({"loss_function": "MultiClass"}, "loss_function='MultiClass'"),
            ]
        ),
    ],
)
def test_parameters_that_depend_on_labels_are_errors(make, params, message):
    X, y, teacher = data(2)
    student = DistilledBoostingClassifier(make(**params))
    with pytest.raises(ValueError, match=message):
        student.fit(X, y, teacher_proba=teacher)
    assert not hasattr(student, "estimator_")


@CONTRADICTS
@needs("catboost")
def test_catboost_names_the_other_libraries():
    X, y, teacher = data(3)
    for params, labels, what in (({}, y, "3 classes"), ({"temperature": 2.0}, y > 0, "softened")):
        student = student_of(cat, **params)
        proba = teacher if labels is y else teacher[:, 0]
        with pytest.raises(ValueError, match=f"{what}.*LGBMClassifier"):
            student.fit(X, labels, teacher_proba=proba)


def test_wrong_arguments_are_errors():
    X, y, teacher = data(2)
    student = student_of(hist)
    with pytest.raises(TypeError, match=r"RandomForestClassifier.*SoftTargetClassifier"):
        DistilledBoostingClassifier(RandomForestClassifier()).fit(X, y, teacher_proba=teacher)
    with pytest.raises(TypeError, match="eval_set=: pass X_val="):
        student.fit(X, y, teacher_proba=teacher, eval_set=[(X, y)])
    with pytest.raises(TypeError, match="unexpected keyword argument 'teacher_prob'"):
        student.fit(X, y, teacher_prob=teacher)
    with pytest.raises(ValueError, match="both X_val and y_val"):
        student.fit(X, y, teacher_proba=teacher, X_val=X)
    with pytest.raises(ValueError, match="sample_weight_val is given without"):
        student.fit(X, y, teacher_proba=teacher, sample_weight_val=y)
    with pytest.raises(ValueError, match="X_val and y_val: "):
        student.fit(X, y, teacher_proba=teacher, X_val=X, y_val=y + 5)
    with pytest.raises(ValueError, match="row 0 of y_val has no label"):
        student.fit(X, y, teacher_proba=teacher, X_val=X[:2], y_val=[np.nan, 1.0])
    never = DistilledBoostingClassifier(hist(early_stopping=False))
    with pytest.raises(ValueError, match="early_stopping=False: set it to True"):
        never.fit(X, y, teacher_proba=teacher, X_val=X, y_val=y)
    with pytest.raises(ValueError, match="t_squared=True with soften_student=False"):
        student_of(hist, t_squared=True, soften_student=False).fit(X, y, teacher_proba=teacher)
    wrong = teacher.copy()
    wrong[3] = [-1, 2]
    with pytest.raises(ValueError, match=r"row 3 .*negative"):
        student.fit(X, y, teacher_proba=wrong)
    assert not hasattr(student, "classes_")


def test_a_forgotten_teacher_is_a_warning():
    X, y, _ = data(2)
    with pytest.warns(TeacherMissingWarning):
        student_of(hist).fit(X, y)
    student_of(hist, imitation=0).fit(X, y)


def test_x_val_far_from_x_is_a_warning():
    X, y, teacher = data(2)
    with pytest.warns(UserWarning, match="X_val lies far outside"):
        student_of(hist).fit(X, y, teacher_proba=teacher, X_val=X + 1000, y_val=y)


@needs("xgboost")
@needs("xgboost")
def test_fewer_rows_than_classes_of_xgboost_are_an_error():
    X, teacher = np.arange(3.0)[:, None], np.full((3, 4), 0.25)
    student = DistilledBoostingClassifier(extreme(), classes=range(4))
    with pytest.raises(ValueError, match="X has 3 rows to train on, and XGBClassifier needs"):
        student.fit(X, [0, 1, 2], teacher_proba=teacher)


def test_an_old_xgboost_is_named(monkeypatch):
    X, y, teacher = data(2)
    monkeypatch.setattr("xgboost.__version__", "2.1.4")
    with pytest.raises(ImportError, match=r"needs xgboost 3\.2, and 2\.1\.4 is installed"):
        student_of(extreme).fit(X, y, teacher_proba=teacher)
