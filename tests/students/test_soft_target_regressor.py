"""Any regressor on the mean of label and prediction."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sklearn_distill import PrivilegedLinearRegression, SoftTargetRegressor, TeacherStudentRegressor
from sklearn_distill.inspection import count_parameters
from sklearn_distill.search import distillation_objective

N = 80
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y = X[:, 0] + RNG.normal(size=N)
T = X[:, 0] + 0.1 * RNG.normal(size=N)
BOTH = np.column_stack([Y, -Y]), np.column_stack([T, -T])
TREE = DecisionTreeRegressor(min_samples_leaf=3, random_state=0)
REGRESSORS = {
    "tree": TREE,
    "forest": RandomForestRegressor(5, random_state=0),
    "neighbours": KNeighborsRegressor(),
    "ridge": Ridge(),
    "pipeline": make_pipeline(StandardScaler(), TREE),
    "boosting": HistGradientBoostingRegressor(max_iter=3),
    "svr": SVR(),
}
every_regressor = pytest.mark.parametrize("name", REGRESSORS)


@every_regressor
def test_it_is_the_regressor_on_the_mean(name):
    student = SoftTargetRegressor(REGRESSORS[name], imitation=0.3).fit(X, Y, teacher_prediction=T)
    plain = clone(REGRESSORS[name]).fit(X, 0.7 * Y + 0.3 * T)
    assert np.array_equal(student.predict(X), plain.predict(X))
    assert np.array_equal(student.to_sklearn().predict(X), plain.predict(X))
    assert student.n_taught_rows_ == N
    copied = pickle.loads(pickle.dumps(student))
    assert np.array_equal(copied.predict(X), student.predict(X))


@every_regressor
def test_without_a_teacher_it_is_the_regressor_on_the_labels(name):
    plain = clone(REGRESSORS[name]).fit(X, Y).predict(X)
    for given in ({}, {"teacher_prediction": T}):
        student = SoftTargetRegressor(REGRESSORS[name], imitation=0).fit(X, Y, **given)
        assert np.array_equal(student.predict(X), plain)


@every_regressor
def test_what_is_missing(name):
    """The source that is available gets the full weight."""
    y, teacher = Y.copy(), T.copy()
    y[:20], teacher[20:40] = np.nan, np.nan
    student = SoftTargetRegressor(REGRESSORS[name], imitation=0.25)
    student.fit(X, y, teacher_prediction=teacher)
    target = np.concatenate([T[:20], Y[20:40], 0.75 * Y[40:] + 0.25 * T[40:]])
    assert np.array_equal(student.predict(X), clone(REGRESSORS[name]).fit(X, target).predict(X))
    assert student.n_taught_rows_ == N - 20
    alone = student.fit(X, teacher_prediction=T).predict(X)
    assert np.array_equal(alone, clone(REGRESSORS[name]).fit(X, T).predict(X))


@pytest.mark.parametrize("name", ["tree", "ridge", "pipeline", "boosting"])
def test_weights_are_the_regressor_s(name):
    weight = RNG.integers(0, 3, N).astype(float)
    y, teacher = Y.copy(), T.copy()
    y[weight == 0], teacher[weight == 0] = np.nan, np.inf
    student = SoftTargetRegressor(REGRESSORS[name]).fit(X, y, weight, teacher_prediction=teacher)
    kept = weight > 0
    prefix = "decisiontreeregressor__" if name == "pipeline" else ""
    plain = clone(REGRESSORS[name]).fit(
        X[kept], 0.5 * Y[kept] + 0.5 * T[kept], **{f"{prefix}sample_weight": weight[kept]}
    )
    assert np.array_equal(student.predict(X), plain.predict(X))


def test_rows_are_repeated_for_a_regressor_without_weights():
    weight = RNG.integers(1, 3, N).astype(float)
    student = SoftTargetRegressor(KNeighborsRegressor()).fit(X, Y, weight, teacher_prediction=T)
    rows = np.repeat(np.arange(N), weight.astype(int))
    plain = KNeighborsRegressor().fit(X[rows], (Y + T)[rows] / 2)
    assert np.allclose(student.predict(X), plain.predict(X))
    with pytest.raises(ValueError, match="a KNeighborsRegressor, has none in its fit"):
        student.fit(X, Y, RNG.random(N), teacher_prediction=T)


@pytest.mark.parametrize("regressor", [TREE, Ridge(), MultiOutputRegressor(SVR())])
def test_several_outputs(regressor):
    y, teacher = BOTH
    student = SoftTargetRegressor(regressor).fit(X, y, teacher_prediction=teacher)
    plain = clone(regressor).fit(X, (y + teacher) / 2)
    assert np.array_equal(student.predict(X), plain.predict(X))
    y = y.copy()
    y[3] = np.nan
    student.fit(X, y, teacher_prediction=teacher)
    assert student.predict(X).shape == (N, 2)
    student.fit(X, teacher_prediction=teacher)
    assert student.predict(X).shape == (N, 2)


def test_outputs_have_the_shape_of_y():
    for y in (Y, Y[:, None]):
        plain = LinearRegression().fit(X, y)
        student = SoftTargetRegressor(LinearRegression(), imitation=0).fit(X, y)
        assert student.predict(X).shape == plain.predict(X).shape == y.shape
        assert student.coef_.shape == plain.coef_.shape


def test_several_teachers_are_averaged_where_they_are_available():
    teachers = np.stack([T, T + 1, -T], axis=1)[:, :, None]
    teachers[:10, 0], teachers[:5, 1], teachers[:2, 2] = np.nan, np.nan, np.nan
    mean = [np.mean(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in teachers]
    student = SoftTargetRegressor(TREE).fit(X, Y, teacher_prediction=teachers)
    same = SoftTargetRegressor(TREE).fit(X, Y, teacher_prediction=mean)
    assert np.allclose(student.predict(X), same.predict(X))
    assert student.n_taught_rows_ == N - 2


def test_frames_and_sparse_features():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    student = SoftTargetRegressor(TREE).fit(
        frame, pd.Series(Y), teacher_prediction=pd.DataFrame({"t": T})["t"]
    )
    plain = SoftTargetRegressor(TREE).fit(X, Y, teacher_prediction=T)
    assert list(student.feature_names_in_) == ["a", "b", "c"]
    assert np.array_equal(student.predict(frame), plain.predict(X))
    assert np.array_equal(student.feature_importances_, plain.feature_importances_)
    plain.fit(sparse.csr_array(X), Y, teacher_prediction=T)
    assert np.allclose(plain.predict(X), student.predict(frame))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher_prediction": T[:-1]}, "teacher_prediction has 79 rows, X has 80"),
        ({"teacher_prediction": BOTH[1]}, "teacher_prediction has 2 outputs, y has 1"),
        ({"teacher_prediction": np.zeros((N, 0, 1))}, "of no prediction"),
        ({"teacher_prediction": np.zeros((N, 1, 1, 1))}, "dim 4"),
        (
            {"y": np.where(X[:, 0] > 0, np.nan, Y), "teacher_prediction": np.full(N, np.nan)},
            "neither a label in y nor",
        ),
        ({"teacher_prediction": np.full(N, np.inf)}, "teacher_prediction contains infinity"),
        ({"y": np.where(np.arange(N) == 3, np.nan, Y)}, "y contains NaN"),
    ],
)
def test_bad_input_is_named_and_nothing_is_fitted(changes, message):
    student = SoftTargetRegressor(TREE, imitation=0.0)
    with pytest.raises(ValueError, match=message):
        student.fit(**{"X": X, "y": Y} | changes)
    assert not hasattr(student, "n_features_in_")


def test_a_teacher_is_missing_in_part_of_the_outputs():
    teachers = np.stack([*BOTH], axis=1)
    teachers[4, 1, 0] = np.nan
    with pytest.raises(ValueError, match=r"row 4 of teacher_prediction\[:, 1\] is NaN in part"):
        SoftTargetRegressor(TREE).fit(X, BOTH[0], teacher_prediction=teachers)


def test_a_classifier_is_refused():
    with pytest.raises(ValueError, match=r"DecisionTreeClassifier, a classifier.*on numbers"):
        SoftTargetRegressor(DecisionTreeClassifier()).fit(X, Y, teacher_prediction=T)


def test_searches_slice_the_teacher_by_row():
    search = GridSearchCV(
        SoftTargetRegressor(TREE), {"imitation": [0.0, 1.0], "estimator__max_depth": [1, 3]}, cv=3
    )
    search.fit(X, Y, teacher_prediction=T)
    assert search.best_estimator_.n_taught_rows_ == N
    cross_val_score(SoftTargetRegressor(TREE), X, Y, params={"teacher_prediction": T})
    objective = distillation_objective(
        SoftTargetRegressor(TREE),
        X,
        Y,
        lambda trial: {"imitation": trial.suggest_float("imitation", 0, 1)},
        cv=KFold(3),
        scoring="neg_mean_squared_error",
        params={"teacher_prediction": T},
    )
    optuna = pytest.importorskip("optuna")
    value = objective(optuna.trial.FixedTrial({"imitation": 0.5}))
    scores = cross_val_score(
        SoftTargetRegressor(TREE),
        X,
        Y,
        cv=KFold(3),
        scoring="neg_mean_squared_error",
        params={"teacher_prediction": T},
    )
    assert np.isclose(abs(value), -scores.mean())


def test_in_a_teacher_student_regressor_a_tree_learns_more_than_from_the_labels():
    X, y = make_friedman1(700, noise=1.0, random_state=0)
    tree = DecisionTreeRegressor(max_depth=5, random_state=0)
    teacher = RandomForestRegressor(20, random_state=0)
    model = TeacherStudentRegressor(teacher, SoftTargetRegressor(tree), random_state=0)
    model.fit(X[:300], y[:300])
    # the out-of-fold predictions mixed by hand
    s = cross_val_predict(teacher, X[:300], y[:300])
    by_hand = clone(tree).fit(X[:300], (y[:300] + s) / 2)
    assert np.allclose(model.predict(X[300:]), by_hand.predict(X[300:]))
    alone = clone(tree).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > alone.score(X[300:], y[300:]) + 0.02
    assert count_parameters(model) == by_hand.tree_.node_count


def test_a_linear_student_is_that_of_privileged_regression_at_equal_variances():
    known = PrivilegedLinearRegression(0.5, noise_variance=1.0, teacher_noise_variance=1.0)
    known.fit(X, Y, teacher_prediction=T)
    student = SoftTargetRegressor(LinearRegression()).fit(X, Y, teacher_prediction=T)
    assert np.allclose(student.coef_, known.coef_)
