"""What a boosting library offers goes on working: constraints, categories, GPUs, its fit."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier

from sklearn_distill import DistilledBoostingClassifier, DistilledBoostingRegressor
from sklearn_distill._validation.indexing import take_any_rows
from tests.students.boosting_data import (
    LIBRARY,
    cat,
    cat_numbers,
    data,
    extreme,
    extreme_numbers,
    hist,
    hist_numbers,
    light,
    light_numbers,
    models,
    needs,
)

# LightGBM before 4.7 names the columns of an array, and misses the names when it predicts
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")
CLASSIFIERS = (hist, light, extreme, cat)
NUMBERS = (hist_numbers, light_numbers, extreme_numbers, cat_numbers)
N_FEATURES = 8
FIRST_TWO = [[0, 1], list(range(2, N_FEATURES))]
INTERACTIONS = {
    hist: {"interaction_cst": FIRST_TWO},
    light: {"interaction_constraints": FIRST_TWO},
    extreme: {"interaction_constraints": str(FIRST_TWO)},
    hist_numbers: {"interaction_cst": FIRST_TWO},
    light_numbers: {"interaction_constraints": FIRST_TWO},
    extreme_numbers: {"interaction_constraints": str(FIRST_TWO)},
}
INCREASING = [1] + [0] * (N_FEATURES - 1)
MONOTONIC = {
    make: {"monotonic_cst" if make in (hist, hist_numbers) else "monotone_constraints": cst}
    for makers, cst in (
        ((hist, hist_numbers, light, light_numbers, cat, cat_numbers), INCREASING),
        ((extreme, extreme_numbers), tuple(INCREASING)),
    )
    for make in makers
}


def fitted(model, X, y, teacher, **fit_params):
    """Return a student of a library's classifier or regressor, fitted on two classes."""
    if is_classifier(model):
        student = DistilledBoostingClassifier(model)
        return student.fit(X, y, teacher_proba=teacher, **fit_params)
    student = DistilledBoostingRegressor(model)
    prediction = np.log(teacher[:, 1] / teacher[:, 0])
    return student.fit(X, 4.0 * y - 2, teacher_prediction=prediction, **fit_params)


def score(student, X):
    """Return the log-odds of the second class, or the prediction."""
    if not is_classifier(student):
        return student.predict(X)
    p = student.predict_proba(X)
    return np.log(p[:, 1] / p[:, 0])


def interaction(student, X):
    """Return how much the effect of the first column depends on the third."""
    rows = np.repeat(X[:20], 4, axis=0)
    rows[:, 0] = np.tile([-1.5, 1.5, -1.5, 1.5], 20)
    rows[:, 2] = np.tile([-1.5, -1.5, 1.5, 1.5], 20)
    return np.abs(score(student, rows).reshape(20, 4) @ [1, -1, -1, 1]).max()


@models(*INTERACTIONS)
def test_interaction_constraints(make):
    X, _, _ = data(2)
    p = 1 / (1 + np.exp(-3 * np.tanh(X[:, 0] * X[:, 2])))
    y, teacher = (p > 0.5).astype(int), np.stack([1 - p, p], axis=1)
    assert interaction(fitted(make(), X, y, teacher), X) > 0.1
    assert interaction(fitted(make(**INTERACTIONS[make]), X, y, teacher), X) < 1e-4


@models(*MONOTONIC)
def test_monotonic_constraints(make):
    X, _, _ = data(2)
    p = 1 / (1 + np.exp(3 * np.tanh(np.abs(X[:, 0]) - 1)))
    y, teacher = (p > 0.5).astype(int), np.stack([1 - p, p], axis=1)
    line = np.repeat(X[:1], 50, axis=0)
    line[:, 0] = np.linspace(-3, 3, 50)
    assert np.diff(score(fitted(make(), X, y, teacher), line)).min() < -0.01
    steps = np.diff(score(fitted(make(**MONOTONIC[make]), X, y, teacher), line))
    assert steps.min() >= -1e-6  # XGBoost's numbers have single precision


STOPPING = {
    hist: {"early_stopping": True},
    light: {"early_stopping_round": 3},
    extreme: {"early_stopping_rounds": 3},
    cat: {"early_stopping_rounds": 3},
    hist_numbers: {"early_stopping": True},
    light_numbers: {"early_stopping_round": 3},
    extreme_numbers: {"early_stopping_rounds": 3},
    cat_numbers: {"early_stopping_rounds": 3},
}
CATEGORIES = {
    hist: {"categorical_features": "from_dtype"},
    hist_numbers: {"categorical_features": "from_dtype"},
    extreme: {"enable_categorical": True},
    extreme_numbers: {"enable_categorical": True},
    cat: {"cat_features": ["kind"], "learning_rate": 0.3},
    cat_numbers: {"cat_features": ["kind"], "learning_rate": 0.3},
}


@models(*CLASSIFIERS, *NUMBERS)
def test_missing_numbers_and_categories(make):
    """Only the category and whether a number is missing tell the target."""
    rng = np.random.default_rng(0)
    kind, missing = rng.integers(0, 4, size=300), rng.random(300) < 0.5
    frame = pd.DataFrame({"number": rng.normal(size=300), "other": rng.normal(size=300)})
    frame.loc[missing, "number"] = np.nan
    # an order in which no threshold separates the classes
    frame["kind"] = pd.Categorical.from_codes(kind, ["a", "b", "c", "d"])
    frame.index = rng.permutation(300)  # rows are taken by position
    y = ((kind % 2 == 0) ^ missing).astype(int)
    teacher = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    params = CATEGORIES.get(make, {}) | STOPPING[make]
    student = fitted(make(**params), frame, y, teacher)
    assert ((score(student, frame) > 0) == y).mean() > 0.95
    assert np.array_equal(student.estimator_.predict(frame), student.predict(frame))


@needs("lightgbm")
def test_categorical_columns_by_number():
    X, y, teacher = data(2)
    X[:, 1] = np.random.default_rng(0).integers(0, 6, size=len(X))
    y = (X[:, 1] % 2).astype(int)
    teacher = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    numbers = fitted(light(), X, y, teacher)
    categories = fitted(light(), X, y, teacher, categorical_feature=[1])
    assert numbers.estimator_.booster_.dump_model()["tree_info"][0]["num_leaves"] > 2
    root = categories.estimator_.booster_.dump_model()["tree_info"][0]["tree_structure"]
    assert root["decision_type"] == "=="


class ReachedError(Exception):
    """The library was asked to train."""


@models(light, light_numbers, extreme, extreme_numbers)
def test_gpu_parameters_reach_the_library(make, monkeypatch):
    """The library gets the device of the user; no GPU is needed to see it."""
    X, y, teacher = data(2)
    given = {}

    def train(params, *args, **kwargs):
        given.update(params)
        raise ReachedError

    model = make(device="cuda")
    monkeypatch.setattr(f"{LIBRARY[make]}.sklearn.train", train)
    with pytest.raises(ReachedError):
        fitted(model, X, y, teacher)
    assert given["device"] == "cuda"


@models(cat, cat_numbers)
def test_gpu_parameters_reach_catboost(make, monkeypatch):
    X, y, teacher = data(2)
    given = {}

    def fit(self, *args, **kwargs):
        given.update(self.get_params(), callbacks=kwargs.get("callbacks"))
        raise ReachedError

    model = make(task_type="GPU", devices="0:1", learning_rate=0.1)
    monkeypatch.setattr(type(model), "fit", fit)
    with pytest.raises(ReachedError):
        fitted(model, X, y, teacher)
    assert (given["task_type"], given["devices"]) == ("GPU", "0:1")
    assert given["callbacks"] is None, "CatBoost has none on a GPU"


@needs("catboost")
def test_catboost_on_a_gpu_needs_a_learning_rate():
    X, y, teacher = data(2)
    with pytest.raises(ValueError, match=r"task_type='GPU' and no learning_rate.*set the"):
        fitted(cat(task_type="GPU"), X, y, teacher)


@needs("lightgbm")
@pytest.mark.parametrize("make", [light, light_numbers])
def test_callbacks_of_lightgbm(make):
    import lightgbm

    X, y, teacher = data(2)
    history = {}
    model = make(n_estimators=60, learning_rate=0.9)
    callbacks = [lightgbm.early_stopping(3, verbose=False), lightgbm.record_evaluation(history)]
    student = fitted(model, X, y, teacher, callbacks=callbacks)
    assert 0 < student.estimator_.best_iteration_ < 60
    (metric,) = history["valid_0"]
    assert metric == ("cross_entropy" if make is light else "l2")


@needs("xgboost")
@pytest.mark.parametrize("make", [extreme, extreme_numbers])
def test_callbacks_of_xgboost(make):
    import xgboost

    rounds = []

    class Count(xgboost.callback.TrainingCallback):  # the student's estimator is cloned, and so it
        def after_iteration(self, model, epoch, evals_log):
            rounds.append(epoch)
            return len(rounds) == 3

    X, y, teacher = data(2)
    student = fitted(make(callbacks=[Count()]), X, y, teacher)
    assert rounds == [0, 1, 2]
    assert student.estimator_.get_booster().num_boosted_rounds() == 3


@needs("lightgbm")
@pytest.mark.parametrize("make", [light_numbers])
def test_training_of_numbers_continues_from_a_model(make):
    X, y, teacher = data(2)
    first = fitted(make(), X, y, teacher)
    more = fitted(make(), X, y, teacher, init_model=first.estimator_)
    longer = fitted(make(n_estimators=16), X, y, teacher)
    assert np.allclose(more.predict(X), longer.predict(X), atol=1e-6)


@models(*(make for make in (*CLASSIFIERS, *NUMBERS) if make in LIBRARY))
def test_a_missing_library_gives_the_pip_command(make, monkeypatch):
    """A model whose library can no longer be imported, such as one that was unpickled elsewhere."""
    X, y, teacher = data(2)
    model = make()
    monkeypatch.setitem(sys.modules, LIBRARY[make], None)
    command = rf'Distilled\w+ needs {LIBRARY[make]}: pip install "sklearn-distill\[boosting\]"'
    with pytest.raises(ImportError, match=command):
        fitted(model, X, y, teacher)


GROWTH = [
    (light, {"boosting_type": "dart"}),
    (light, {"data_sample_strategy": "goss"}),
    (light, {"extra_trees": True}),
    (light, {"linear_tree": True}),
    (light, {"path_smooth": 1.0}),
    (light, {"max_delta_step": 0.5}),
    (extreme, {"booster": "dart", "rate_drop": 0.5}),
    (extreme, {"booster": "gblinear", "max_depth": None}),
    (extreme, {"multi_strategy": "multi_output_tree"}),
    (extreme, {"num_parallel_tree": 3, "subsample": 0.5, "colsample_bynode": 0.5}),
    (extreme, {"grow_policy": "lossguide", "max_leaves": 5}),
    (extreme, {"tree_method": "approx"}),
    (hist, {"max_features": 0.5}),
    (hist, {"l2_regularization": 1.0, "max_bins": 20}),
    (cat, {"grow_policy": "Lossguide"}),
    (cat, {"bootstrap_type": "Bayesian"}),
    (cat, {"boosting_type": "Ordered"}),
]


@pytest.mark.parametrize(
    ("make", "params"),
    [
        pytest.param(make, params, marks=[needs(LIBRARY[make])] if make in LIBRARY else [])
        for make, params in GROWTH
    ],
    ids=lambda one: one.__name__ if callable(one) else next(iter(one)),
)
def test_every_way_to_grow_trees_is_the_library_s(make, params):
    X, y, _ = data(2 if make is cat else 3)
    student = DistilledBoostingClassifier(make(**params), imitation=0).fit(X, y)
    expected = make(**params).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-6)


def test_without_labels_the_split_is_stratified_by_the_teacher(monkeypatch):
    X, y, teacher = data(3)
    rare = np.argsort(teacher[:, 2])[-30:]
    teacher = np.where(y[:, None] == [0, 1, 2], 0.8, 0.1)
    teacher[y == 2] = [0.6, 0.3, 0.1]
    teacher[rare] = [0.1, 0.1, 0.8]
    rows = []

    def taken(X, indices):
        rows.append(indices)
        return take_any_rows(X, indices)

    monkeypatch.setattr("sklearn_distill.students._boosting.validation_set.take_any_rows", taken)
    student = DistilledBoostingClassifier(hist(early_stopping=True), classes=[0, 1, 2])
    student.fit(X, teacher_proba=teacher)
    validation = min(rows, key=len)
    assert len(validation) == 30
    expected = np.bincount(teacher.argmax(axis=1)) / 10
    assert np.abs(np.bincount(teacher[validation].argmax(axis=1)) - expected).max() < 1
