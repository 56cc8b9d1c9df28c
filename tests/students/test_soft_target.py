"""Any regressor as a student: against scikit-learn's own classifiers, and the input contract."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill.students.soft_target import SoftTargetClassifier, project_on_simplex

TREE = DecisionTreeRegressor(random_state=0)
BOOSTING = MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=2))
REGRESSORS = {
    "tree": TREE,
    "forest": RandomForestRegressor(5, random_state=0),
    "extra trees": ExtraTreesRegressor(5, random_state=0),
    "neighbours": KNeighborsRegressor(3),
    "ridge": Ridge(),
    "boosting": BOOSTING,
    "chain": RegressorChain(Ridge()),
    "pipeline": make_pipeline(StandardScaler(), make_pipeline("passthrough", Ridge())),
    "pipelines": MultiOutputRegressor(make_pipeline(StandardScaler(), Ridge())),
}


def data(n_classes=3, n=120, random_state=0):
    X, y = make_classification(
        n, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=random_state
    )
    rng = np.random.default_rng(random_state)
    teacher = softmax(2 * rng.normal(size=(n, n_classes)) + np.eye(n_classes)[y], axis=1)
    return X, y, teacher


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_regressor_gives_probabilities(name, n_classes):
    X, y, teacher = data(n_classes)
    student = SoftTargetClassifier(REGRESSORS[name], imitation=0.7)
    proba = student.fit(X, y, teacher_proba=teacher).predict_proba(X)
    assert proba.shape == teacher.shape
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(student.predict(X), student.estimator_.predict(X).argmax(axis=1))
    assert student.n_taught_rows_ == len(X)
    assert student.n_features_in_ == 5
    assert not hasattr(REGRESSORS[name], "n_features_in_"), "the regressor itself is not fitted"


@pytest.mark.parametrize(
    ("regressor", "classifier"),
    [
        (TREE, DecisionTreeClassifier(random_state=0)),
        (
            DecisionTreeRegressor(max_depth=3, random_state=0),
            DecisionTreeClassifier(max_depth=3, random_state=0),
        ),
        (
            RandomForestRegressor(5, max_features="sqrt", max_depth=3, random_state=0),
            RandomForestClassifier(5, max_depth=3, random_state=0),
        ),
        (KNeighborsRegressor(4), KNeighborsClassifier(4)),
    ],
    ids=str,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_alone_are_the_classifier_of_its_kind(regressor, classifier, n_classes):
    """Variance of one-hot targets is the Gini impurity; an average of them is a frequency."""
    X, y, _ = data(n_classes)
    student = SoftTargetClassifier(regressor, imitation=0).fit(X, y)
    plain = classifier.fit(X, y)
    np.testing.assert_allclose(student.predict_proba(X), plain.predict_proba(X), atol=1e-12)


def test_ridge_on_labels_is_ridge_classifier():
    X, y, _ = data()
    student = SoftTargetClassifier(Ridge(), imitation=0).fit(X, y)
    np.testing.assert_array_equal(student.predict(X), RidgeClassifier().fit(X, y).predict(X))


@pytest.mark.parametrize("imitation", [0.4, 1.0])
def test_a_soft_target_is_k_weighted_copies(imitation):
    X, y, teacher = data()
    n, K = teacher.shape
    mixed = imitation * teacher + (1 - imitation) * np.eye(K)[y]
    copies = DecisionTreeClassifier(max_depth=3, random_state=0)
    copies.fit(np.repeat(X, K, axis=0), np.tile(np.arange(K), n), mixed.ravel())
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    student = SoftTargetClassifier(tree, imitation=imitation).fit(X, y, teacher_proba=teacher)
    np.testing.assert_allclose(student.predict_proba(X), copies.predict_proba(X), atol=1e-12)


def test_targets_follow_the_formula():
    """A tree with one row in each leaf predicts the targets of the rows."""
    X, _, _ = data(n=6)
    y = np.array([0, 1, 2, np.nan, np.nan, 1])
    logits = np.random.default_rng(0).normal(size=(6, 2, 3))
    logits[2], logits[4, 0] = np.nan, np.nan
    student = SoftTargetClassifier(TREE, imitation=0.25, temperature=3.0)
    student.fit(X, y, teacher_logits=logits)
    q = softmax(logits / 3.0, axis=2)
    one_hot = np.eye(3)
    expected = [
        0.75 * one_hot[0] + 0.25 * q[0].mean(axis=0),
        0.75 * one_hot[1] + 0.25 * q[1].mean(axis=0),
        one_hot[2],
        q[3].mean(axis=0),
        q[4, 1],
        0.75 * one_hot[1] + 0.25 * q[5].mean(axis=0),
    ]
    np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-12)
    assert student.n_taught_rows_ == 5
    assert student.classes_.tolist() == [0, 1, 2]


def test_a_class_that_only_the_teacher_predicts():
    X, y, teacher = data()
    shown = np.where(y == 2, np.nan, y)
    frame = pd.DataFrame(teacher[:, [2, 0, 1]], columns=["2", "0", "1"])
    student = SoftTargetClassifier(TREE, imitation=1.0, classes=[0, 1, 2])
    student.fit(X, shown, teacher_proba=frame)
    np.testing.assert_allclose(student.predict_proba(X), teacher, atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_class_with_mass_has_a_probability_that_is_not_zero(n_classes):
    X, y, _ = data(n_classes)
    for regressor in (DecisionTreeRegressor(random_state=0), LinearRegression()):
        student = SoftTargetClassifier(regressor, imitation=0).fit(X, y)
        far = np.concatenate([X, 100 * X])
        proba = student.predict_proba(far)
        assert proba.min() == np.finfo(float).eps
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-14)
        assert np.isfinite(student.predict_log_proba(far)).all()


def test_a_class_without_mass_has_probability_zero():
    X, y, _ = data()
    student = SoftTargetClassifier(BOOSTING, imitation=0, classes=[-1, 0, 1, 2]).fit(X, y)
    proba = student.predict_proba(X)
    assert (proba[:, 0] == 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    one = SoftTargetClassifier(Ridge(), imitation=0, classes=[0, 1]).fit(
        X, np.ones(len(X), dtype=int)
    )
    np.testing.assert_array_equal(one.predict_proba(X)[0], [0.0, 1.0])


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("name", ["tree", "ridge", "chain", "pipeline", "pipelines"])
def test_weights_reach_the_regressor(name, routing):
    """A weight of zero is a row left out."""
    X, y, teacher = data()
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    kept = weight > 0
    student = SoftTargetClassifier(TREE if name == "tree" else REGRESSORS[name])
    scaler = StandardScaler().fit(X[kept])  # only the last step of a pipeline is weighted
    rows = scaler.transform(X)
    few = clone(student).fit(rows[kept], y[kept], teacher_proba=teacher[kept])
    with config_context(enable_metadata_routing=routing):
        if "pipeline" in name:
            student.fit(rows, y, weight * 2, teacher_proba=teacher)
            plain = clone(student).fit(rows, y, teacher_proba=teacher)
            assert np.abs(student.predict_proba(rows) - plain.predict_proba(rows)).max() > 1e-3
            return
        student.fit(rows, y, weight, teacher_proba=teacher)
    np.testing.assert_allclose(student.predict_proba(rows), few.predict_proba(rows), atol=1e-8)


@pytest.mark.parametrize(
    "regressor",
    [
        KNeighborsRegressor(),
        MultiOutputRegressor(KNeighborsRegressor()),
        make_pipeline(StandardScaler(), KNeighborsRegressor()),
    ],
    ids=str,
)
def test_without_sample_weight_integers_repeat_rows_and_other_weights_are_an_error(regressor):
    X, y, teacher = data()
    student = SoftTargetClassifier(regressor)
    with pytest.raises(ValueError, match=r"sample_weight was given, but the regressor.*whole"):
        student.set_params(imitation=0).fit(X, y, np.linspace(1.0, 2.0, len(X)))
    assert not hasattr(student, "classes_")
    times = np.arange(len(X)) % 4
    rows = np.repeat(np.arange(len(X)), times)
    student.set_params(imitation=0.5)
    again = clone(student).fit(X[rows], y[rows], teacher_proba=teacher[rows])
    for unit in (1.0, 6.0, 0.1):
        student.fit(X.tolist(), y, times * unit, teacher_proba=teacher)
        np.testing.assert_array_equal(student.predict_proba(X), again.predict_proba(X))
    student.set_params(imitation=0)
    np.testing.assert_array_equal(
        student.fit(X, y, np.full(len(X), 0.3)).predict_proba(X),
        clone(student).fit(X, y).predict_proba(X),
    )


@pytest.mark.parametrize("routing", [False, True])
def test_grid_search_slices_the_teacher(routing):
    class Spy(SoftTargetClassifier):
        def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None, teacher_logits=None):
            np.testing.assert_allclose(teacher_proba[:, 1], softmax(X[:, :3], axis=1)[:, 1])
            return super().fit(X, y, sample_weight, teacher_proba=teacher_proba)

    X, y, _ = data()
    grid = {"imitation": [0.2, 0.8], "estimator__max_depth": [1, 3]}
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(Spy(TREE), grid, cv=KFold(3, shuffle=True), error_score="raise")
        search.fit(X, y, teacher_proba=softmax(X[:, :3], axis=1))
    assert search.best_estimator_.n_taught_rows_ == len(X)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_reach_the_regressor_unchanged(frame):
    X, y, teacher = data()
    table = frame({"number": X[:, 0], "word": np.where(X[:, 1] > 0, "up", "down")})
    encoder = make_column_transformer((OneHotEncoder(), ["word"]), (StandardScaler(), ["number"]))
    student = SoftTargetClassifier(make_pipeline(encoder, TREE)).fit(
        table, y, teacher_proba=teacher
    )
    assert student.feature_names_in_.tolist() == ["number", "word"]
    assert student.predict_proba(table).shape == teacher.shape


def test_sparse_lists_and_pickles():
    X, y, teacher = data()
    names = np.array(["a", "b", "c"])[y]
    student = SoftTargetClassifier(TREE).fit(X, names, teacher_proba=teacher)
    expected = student.predict_proba(X)
    again = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    np.testing.assert_array_equal(again.predict(X), student.classes_[expected.argmax(axis=1)])
    for rows in (sparse.csr_array(X), X.tolist()):
        other = clone(student).fit(rows, list(names), teacher_proba=teacher.tolist())
        np.testing.assert_allclose(other.predict_proba(rows), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": None}, "requires y to be passed"),
        ({"y": [0, np.nan] * 60}, "Input y contains NaN"),
        ({"y": [0] * 119}, "y has 119 entries, X has 120 rows"),
        ({"teacher_proba": np.full((119, 3), 1 / 3)}, "teacher_proba has 119 rows, X has 120"),
        ({"teacher_proba": np.full((120, 4), 1 / 4)}, "teacher_proba has 4 columns"),
        ({"teacher_proba": np.full((120, 3), 1 / 2)}, "teacher_proba: row 0 does not sum to 1"),
        (
            {"sample_weight": -np.ones(120)},
            "sample_weight: row 0 is -1; .* 0 or more",
        ),
    ],
)
def test_wrong_input_leaves_nothing_behind(arguments, message):
    X, y, _ = data()
    student = SoftTargetClassifier(TREE)
    before = set(vars(student))
    with pytest.raises(ValueError, match=message):
        student.fit(X, **({"y": y} | arguments))
    assert set(vars(student)) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [("imitation", 1.5), ("temperature", 0.0), ("classes", [1, 0]), ("classes", "abc")],
)
def test_wrong_parameters(name, value):
    X, y, _ = data()
    with pytest.raises(ValueError, match=name):
        SoftTargetClassifier(TREE).set_params(**{name: value}).fit(X, y)


def test_wrong_regressors():
    X, y, _ = data()
    for classifier, instead in {
        KNeighborsClassifier(): "the corresponding regressor",
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}): "the corresponding",
        LogisticRegression(): "DistilledLogisticRegression",
        HistGradientBoostingClassifier(): "DistilledBoostingClassifier\\(HistGradientBoosting",
    }.items():
        with pytest.raises(ValueError, match=f"estimator is a .*, a classifier .*: use {instead}"):
            SoftTargetClassifier(classifier, imitation=0).fit(X, y)
    one_output = HistGradientBoostingRegressor(max_iter=2)
    for regressor in (one_output, make_pipeline(StandardScaler(), one_output)):
        message = r"1d array.*on 3 outputs.*MultiOutputRegressor\(reg.*or .*DistilledBoostingClass"
        with pytest.raises(ValueError, match=message):
            SoftTargetClassifier(regressor, imitation=0).fit(X, y)
    with pytest.raises(
        ValueError, match=r"MultiOutputRegressor\(regressor\) of sklearn.multioutput$"
    ):
        SoftTargetClassifier(SVR(), imitation=0).fit(X, y)


@pytest.mark.parametrize(
    "regressor",
    [
        SVR(),
        HistGradientBoostingRegressor(max_iter=5),
        make_pipeline(StandardScaler(), SVR()),
        GridSearchCV(SVR(), {"C": [0.1, 1.0]}, cv=2),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_two_classes_need_one_output(regressor):
    X, y, teacher = data(2)
    y = np.array(["no", "yes"])[y]
    student = SoftTargetClassifier(regressor, imitation=0.7).fit(X, y, teacher_proba=teacher)
    mixed = 0.3 * (y == "yes") + 0.7 * teacher[:, 1]
    second = student.estimator_.predict(X)
    np.testing.assert_allclose(second, clone(regressor).fit(X, mixed).predict(X), atol=0.01)
    np.testing.assert_allclose(student.predict_proba(X)[:, 1], np.clip(second, 0, 1), atol=1e-12)
    np.testing.assert_array_equal(student.predict(X) == "yes", second > 0.5)
    one_class = SoftTargetClassifier(regressor, imitation=0, classes=["no", "yes"]).fit(
        X, ["yes"] * len(X)
    )
    np.testing.assert_array_equal(one_class.predict_proba(X), [[0.0, 1.0]] * len(X))


@pytest.mark.parametrize("K", [1, 2, 5])
def test_projection_is_the_nearest_point_of_the_simplex(K):
    v = 2 * np.random.default_rng(K).normal(size=(8, K))
    v[0] = 0.0  # all tied
    p = project_on_simplex(v)
    for row, nearest in zip(v, p, strict=True):
        found = minimize(
            lambda w, row=row: ((w - row) ** 2).sum(),
            np.full(K, 1 / K),
            bounds=[(0, 1)] * K,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(nearest, found.x, atol=1e-6)


def test_properties_of_the_projection():
    rng = np.random.default_rng(0)
    inside = rng.dirichlet(np.ones(4), size=50)
    np.testing.assert_allclose(project_on_simplex(inside), inside, atol=1e-15)
    v = rng.normal(size=(50, 4)) * 10.0 ** rng.integers(-3, 9, size=(50, 1))
    p = project_on_simplex(v)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-15)
    np.testing.assert_allclose(project_on_simplex(v + 7.0), p, atol=1e-6)
    np.testing.assert_allclose(project_on_simplex(v[:, ::-1]), p[:, ::-1], atol=1e-15)
    np.testing.assert_array_equal(p.argmax(axis=1), v.argmax(axis=1))
