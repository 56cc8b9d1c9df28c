"""Boosted trees on labels and on predictions, with the library's own losses."""

import pickle
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.svm import SVR

from sklearn_distill import DistilledBoostingRegressor, TeacherStudentRegressor
from sklearn_distill._validation.splits import hold_out
from sklearn_distill.search import distillation_objective
from tests.students.boosting_data import (
    LIBRARY,
    cat_numbers,
    extreme_numbers,
    hist_numbers,
    light_numbers,
    models,
    needs,
)

# LightGBM before 4.7 names the columns of an array, and misses the names when it predicts
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")

N = 200
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
Y = np.exp(X[:, 0] / 2) + RNG.random(N)  # positive, for Poisson and gamma
T = np.exp(X[:, 0] / 2) + 0.5 + 0.1 * RNG.random(N)
WEIGHT = RNG.random(N)
STD = 0.1 + RNG.random(N)
every_library = models(hist_numbers, light_numbers, extreme_numbers, cat_numbers)
LOSSES = [
    *((hist_numbers, {"loss": one}) for one in ("absolute_error", "poisson", "gamma")),
    (hist_numbers, {"loss": "quantile", "quantile": 0.3}),
    *((light_numbers, {"objective": one}) for one in ("l1", "quantile", "poisson", "gamma")),
    (light_numbers, {"reg_sqrt": True}),
    *((extreme_numbers, {"objective": f"reg:{one}"}) for one in ("absoluteerror", "gamma")),
    (extreme_numbers, {"objective": "count:poisson"}),
    (extreme_numbers, {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]}),
    *((cat_numbers, {"loss_function": one}) for one in ("MAE", "Quantile:alpha=0.3", "Poisson")),
]
every_loss = pytest.mark.parametrize(
    ("make", "loss"),
    [
        pytest.param(make, loss, marks=[needs(LIBRARY[make])] if make in LIBRARY else [])
        for make, loss in LOSSES
    ],
    ids=lambda one: one.__name__ if callable(one) else next(iter(one.values())),
)


@every_library
def test_without_a_teacher_it_is_the_library_s_regressor(make):
    expected = make().fit(X, Y).predict(X)
    for given in ({}, {"teacher_prediction": T}, {"teacher_prediction": T, "teacher_std": STD}):
        student = DistilledBoostingRegressor(make(), imitation=0).fit(X, Y, **given)
        assert np.array_equal(student.predict(X), expected)
        assert type(student.to_sklearn()) is type(make())
    weighted = make().fit(X, Y, sample_weight=WEIGHT).predict(X)
    student = DistilledBoostingRegressor(make(), imitation=0)
    assert np.array_equal(student.fit(X, Y, WEIGHT, teacher_prediction=T).predict(X), weighted)


@every_library
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_squared_error_has_one_mixed_target(make, weight):
    y, teacher = Y.copy(), T.copy()
    y[:20], teacher[20:40] = np.nan, np.nan
    student = DistilledBoostingRegressor(make(), imitation=0.3)
    student.fit(X, y, weight, teacher_prediction=teacher)
    target = np.concatenate([T[:20], Y[20:40], 0.7 * Y[40:] + 0.3 * T[40:]])
    plain = make().fit(X, target, sample_weight=weight)
    assert np.array_equal(student.predict(X), plain.predict(X))
    assert student.n_taught_rows_ == N - 20
    student.fit(X, None, weight, teacher_prediction=T)
    assert np.array_equal(student.predict(X), make().fit(X, T, sample_weight=weight).predict(X))


@every_library
def test_a_precise_prediction_weighs_more(make):
    """λσ̄²/σ_i² beside 1 − λ; scaling all σ changes nothing."""
    y, teacher = Y.copy(), T.copy()
    y[:20], teacher[20:40] = np.nan, np.nan
    std = np.where(np.isnan(teacher), np.nan, STD)
    student = DistilledBoostingRegressor(make(), imitation=0.3)
    student.fit(X, y, WEIGHT, teacher_prediction=teacher, teacher_std=std)
    taught = ~np.isnan(teacher)
    r = np.median(STD[taught] ** 2) / STD**2
    of_label, of_teacher = np.full(N, 0.7), 0.3 * r
    of_label[:20], of_teacher[:20] = 0, r[:20]
    of_label[20:40], of_teacher[20:40] = 1, 0
    total = of_label + of_teacher
    target = (of_label * np.nan_to_num(y) + of_teacher * np.nan_to_num(teacher)) / total
    plain = make().fit(X, target, sample_weight=WEIGHT * total)
    assert np.allclose(student.predict(X), plain.predict(X), atol=1e-6)
    scaled = clone(student).fit(X, y, WEIGHT, teacher_prediction=teacher, teacher_std=64 * std)
    assert np.array_equal(scaled.predict(X), student.predict(X))


@every_loss
def test_another_loss_has_each_row_twice(make, loss):
    student = DistilledBoostingRegressor(make(**loss), imitation=0.25)
    r = np.median(STD**2) / STD**2
    for std, precision in ((None, np.ones(N)), (STD, r)):
        student.fit(X, Y, WEIGHT, teacher_prediction=T, teacher_std=std)
        plain = make(**loss).fit(
            np.concatenate([X, X]),
            np.concatenate([Y, T]),
            sample_weight=np.concatenate([0.75 * WEIGHT, 0.25 * precision * WEIGHT]),
        )
        assert np.allclose(student.predict(X), plain.predict(X), rtol=1e-6)
    for imitation, target in ((0, Y), (1, T)):
        student.set_params(imitation=imitation).fit(X, Y, teacher_prediction=T)
        plain = make(**loss).fit(X, target)
        assert np.array_equal(student.predict(X), plain.predict(X))


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "poisson"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.skipif(
    "X_val" not in signature(HistGradientBoostingRegressor.fit).parameters,
    reason="scikit-learn's own fit takes X_val from 1.7 on",
)
def test_early_stopping_is_scikit_learn_s_on_the_same_rows(loss, weight):
    model = HistGradientBoostingRegressor(
        loss=loss, max_iter=60, early_stopping=True, n_iter_no_change=3, random_state=0
    )
    student = DistilledBoostingRegressor(model, imitation=0).fit(X, Y, weight)
    train, held_out = hold_out(np.ones(N, dtype=bool), 0.1, None, 0)
    s, s_val = (None, None) if weight is None else (weight[train], weight[held_out])
    plain = clone(model).fit(
        X[train], Y[train], s, X_val=X[held_out], y_val=Y[held_out], sample_weight_val=s_val
    )
    assert student.estimator_.n_iter_ == plain.n_iter_ < 60
    assert np.array_equal(student.predict(X), plain.predict(X))
    assert np.array_equal(student.estimator_.validation_score_, plain.validation_score_)
    assert np.array_equal(student.estimator_.train_score_, plain.train_score_)
    assert student.estimator_.get_params() == model.get_params()
    assert set(vars(student.estimator_)) == set(vars(plain))
    assert N * 8 not in {getattr(v, "nbytes", 0) for v in vars(student.estimator_).values()}


STOPPING = {
    light_numbers: {"early_stopping_round": 3, "n_estimators": 60},
    extreme_numbers: {"early_stopping_rounds": 3, "n_estimators": 60},
    cat_numbers: {"early_stopping_rounds": 3, "iterations": 60, "learning_rate": 0.3},
    hist_numbers: {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 60},
}


def n_trees(model):
    if hasattr(model, "n_iter_"):
        return model.n_iter_
    name = "best_iteration_" if hasattr(model, "best_iteration_") else "best_iteration"
    return getattr(model, name) + 1


@every_library
def test_early_stopping_watches_labels_if_there_are_any(make):
    y = Y.copy()
    y[50:] = np.nan
    model = make(**STOPPING[make])
    student = DistilledBoostingRegressor(model, imitation=0.5).fit(X, y, teacher_prediction=T)
    assert n_trees(student.estimator_) < 60
    wild = T.copy()
    wild[:50] = 100.0  # that of a validation row is neither trained on nor watched
    student.set_params(imitation=0.0).fit(X, y, teacher_prediction=T)
    expected = student.predict(X)
    assert np.array_equal(student.fit(X, y, teacher_prediction=wild).predict(X), expected)
    student.set_params(imitation=1.0).fit(X, teacher_prediction=T, teacher_std=STD)
    assert n_trees(student.estimator_) < 60


@every_library
def test_a_validation_set_of_the_user(make):
    student = DistilledBoostingRegressor(make(**STOPPING[make]), imitation=0.5)
    X_val, y_val = X[:40], Y[:40]
    given = {"teacher_prediction": T[40:], "sample_weight_val": WEIGHT[:40]}
    student.fit(X[40:], Y[40:], X_val=X_val, y_val=y_val, **given)
    expected = student.predict(X)
    assert n_trees(student.estimator_) < 60
    student.fit(X[40:], Y[40:], X_val=(X_val,), y_val=(y_val,), **given)
    assert np.array_equal(student.predict(X), expected)
    absent = np.r_[WEIGHT[:40], np.zeros(40)]
    student.fit(
        X[40:],
        Y[40:],
        X_val=np.r_[X_val, X_val],
        y_val=np.r_[y_val, -y_val],
        teacher_prediction=T[40:],
        sample_weight_val=absent,
    )
    assert np.array_equal(student.predict(X), expected)


@every_library
def test_pickling_searching_and_frames(make):
    frame = pd.DataFrame(X, columns=list("abcd"))
    student = DistilledBoostingRegressor(make()).fit(frame, Y, teacher_prediction=pd.Series(T))
    assert list(student.feature_names_in_) == list("abcd")
    copied = pickle.loads(pickle.dumps(student))
    assert np.array_equal(copied.predict(frame), student.predict(frame))
    assert np.array_equal(student.estimator_.predict(frame), student.predict(frame))
    rate = "learning_rate"
    grid = {"imitation": [0.0, 1.0], f"estimator__{rate}": [0.1, 0.3]}
    search = GridSearchCV(DistilledBoostingRegressor(make()), grid, cv=2)
    search.fit(X, Y, teacher_prediction=T, teacher_std=STD)
    assert search.best_estimator_.n_taught_rows_ == N


def test_an_optuna_objective():
    optuna = pytest.importorskip("optuna")
    student, given = DistilledBoostingRegressor(hist_numbers()), {"teacher_prediction": T}
    options = {"cv": KFold(3), "scoring": "neg_mean_squared_error", "params": given}
    space = {"imitation": optuna.distributions.FloatDistribution(0, 1)}
    objective = distillation_objective(student, X, Y, space, **options)
    value = objective(optuna.trial.FixedTrial({"imitation": 0.5}))
    assert np.isclose(value, cross_val_score(student, X, Y, **options).mean())


def test_it_is_a_student_of_a_teacher_that_is_fitted_beside_it():
    student = DistilledBoostingRegressor(hist_numbers())
    model = TeacherStudentRegressor(LinearRegression(), student, cv=2).fit(X, Y)
    assert model.student_.n_taught_rows_ == N
    assert model.predict(X).shape == (N,)


def test_several_teachers():
    teachers = np.stack([T, T + 1], axis=1)[:, :, None]
    teachers[:10, 0] = np.nan
    mean = np.where(np.arange(N) < 10, T + 1, T + 0.5)
    student = DistilledBoostingRegressor(hist_numbers())
    several = student.fit(X, Y, teacher_prediction=teachers).predict(X)
    assert np.allclose(several, student.fit(X, Y, teacher_prediction=mean).predict(X))


@every_library
def test_a_seed_of_the_student_is_enough(make):
    model = make(**STOPPING[make])
    if make is not cat_numbers:  # which has a seed of its own by default
        model.set_params(random_state=None)
    one, same, other = (
        DistilledBoostingRegressor(model, random_state=seed)
        .fit(X, Y, teacher_prediction=T)
        .predict(X)
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_parameters_of_the_library_s_fit_are_passed_on():
    pytest.importorskip("lightgbm")
    codes = X.copy()
    codes[:, 1] = RNG.integers(0, 4, N)
    student = DistilledBoostingRegressor(light_numbers(), imitation=0)
    student.fit(codes, Y, categorical_feature=[1])
    plain = light_numbers().fit(codes, Y, categorical_feature=[1])
    assert np.array_equal(student.predict(codes), plain.predict(codes))
    model = light_numbers(early_stopping_round=2, n_estimators=50)
    student = DistilledBoostingRegressor(model).fit(X, Y, teacher_prediction=T, eval_metric="l1")
    assert "l1" in student.estimator_.best_score_["valid_0"]


@every_library
@pytest.mark.parametrize("name", ["eval_set", "init_score", "baseline"])
def test_what_fit_sets_itself_is_refused(make, name):
    with pytest.raises(TypeError, match=f"fit got {name}="):
        DistilledBoostingRegressor(make()).fit(X, Y, teacher_prediction=T, **{name: Y})


def own_loss(y, z):
    return z - y, np.ones_like(y)


@pytest.mark.parametrize(
    ("make", "params", "message"),
    [
        (hist_numbers, {"warm_start": True}, "warm_start=True: each fit starts anew"),
        (hist_numbers, {"scoring": "r2"}, "scoring='r2': early stopping watches the loss"),
        (light_numbers, {"class_weight": "balanced"}, "class_weight='balanced': a regression has"),
        (light_numbers, {"is_unbalance": True}, "is_unbalance=True: a regression has no classes"),
        (light_numbers, {"boosting_type": "rf"}, "'rf'.*RandomForestRegressor.*SoftTargetRegress"),
        (light_numbers, {"objective": own_loss}, "objective=<function own_loss.*name of one"),
        (extreme_numbers, {"objective": own_loss}, "objective=<function own_loss.*name of one"),
        (extreme_numbers, {"scale_pos_weight": 2}, "scale_pos_weight=2: a regression has no class"),
        (cat_numbers, {"loss_function": own_loss}, "loss_function=<function own_loss.*name of one"),
    ],
)
def test_parameters_that_are_void_or_silently_wrong(make, params, message):
    if make in LIBRARY:
        pytest.importorskip(LIBRARY[make])
    student = DistilledBoostingRegressor(make(**params))
    before = set(vars(student))
    with pytest.raises(ValueError, match=message):
        student.fit(X, Y, teacher_prediction=T)
    assert set(vars(student)) == before


@pytest.mark.parametrize("estimator", [SVR(), HistGradientBoostingClassifier(), 3])
def test_other_models_are_refused(estimator):
    with pytest.raises(TypeError, match=r"boosts one of HistGradientBoostingRegressor.*SoftTarget"):
        DistilledBoostingRegressor(estimator).fit(X, Y, teacher_prediction=T)


def replaced(values, row, value):
    values = values.copy()
    values[row] = value
    return values


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher_std": replaced(STD, 3, 0.0)}, "teacher_std: row 3 is 0; give a positive"),
        ({"teacher_std": replaced(STD, 4, -1.0)}, "teacher_std: row 4 is -1; give a positive"),
        ({"teacher_std": replaced(STD, 5, np.nan)}, "teacher_std: row 5 is nan; give a positive"),
        ({"teacher_std": replaced(STD, 6, np.inf)}, "teacher_std: row 6 is inf; give a positive"),
        ({"teacher_std": STD[:-1]}, r"teacher_std has shape \(199,\), X has 200 rows"),
        ({"teacher_std": 0.5}, r"teacher_std has shape \(\), X has 200 rows"),
        ({"teacher_std": ["a"] * N}, "teacher_std must be an array of numbers"),
        ({"teacher_std": STD, "teacher_prediction": None}, "teacher_std is given without"),
        ({"y": np.c_[Y, Y], "teacher_prediction": np.c_[T, T]}, "has 2 outputs.*MultiOutputRegres"),
        ({"y": None, "teacher_prediction": np.c_[T, T]}, r"\(n_samples, n_teachers, 1\)"),
        ({"X_val": X}, "pass both X_val and y_val"),
        ({"X_val": X, "y_val": replaced(Y, 0, np.nan)}, "y_val must give a number for each row"),
        ({"X_val": X, "y_val": Y}, "early_stopping=False: set it to True"),
        ({"sample_weight_val": WEIGHT}, "sample_weight_val is given without"),
    ],
)
def test_bad_input_is_named_and_nothing_is_fitted(changes, message):
    student = DistilledBoostingRegressor(hist_numbers(early_stopping=False))
    before = set(vars(student))
    with pytest.raises(ValueError, match=message):
        student.fit(**{"X": X, "y": Y, "teacher_prediction": T} | changes)
    assert set(vars(student)) == before


def test_standard_deviations_of_absent_and_missing_predictions_are_not_read():
    weight, teacher = replaced(WEIGHT, 0, 0.0), replaced(T, 1, np.nan)
    student = DistilledBoostingRegressor(hist_numbers())
    one, other = (
        student.fit(
            X, Y, weight, teacher_prediction=teacher, teacher_std=replaced(STD, [0, 1], value)
        ).predict(X)
        for value in (np.nan, 1e9)
    )
    assert np.array_equal(one, other)


def test_a_column_of_labels_is_announced():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        DistilledBoostingRegressor(hist_numbers()).fit(X, Y[:, None], teacher_prediction=T)
