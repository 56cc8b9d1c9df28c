"""A regressor's teacher whose rows or sign are wrong is noticed, and a right one is not."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingRegressor,
    DistilledNeuralRegressor,
    ImplausibleTeacherWarning,
    PrivilegedLinearRegression,
    SoftTargetRegressor,
    TeacherStudentRegressor,
)
from sklearn_distill._validation.plausible_prediction import check_plausible_prediction
from sklearn_distill.students import _chunks

SHUFFLED = "is correlated with the labels no more than with its rows shuffled"
REVERSED = "is its sign reversed"
STUDENTS = [
    PrivilegedLinearRegression(),
    SoftTargetRegressor(DecisionTreeRegressor(max_depth=2)),
    DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=2)),
    DistilledNeuralRegressor(hidden_layer_sizes=(4,), max_epochs=1, random_state=0),
]
every_student = pytest.mark.parametrize("student", STUDENTS, ids=lambda one: type(one).__name__)


def right_teacher(n, r2=0.8, seed=0):
    """Return features, labels, and expectations that explain this share of their variance."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    expected = X @ [0.5, 0.5, 0.5, 0.5] * np.sqrt(r2)
    return X, expected + np.sqrt(1 - r2) * rng.normal(size=n), expected


def shuffle(values, seed=0):
    return np.random.default_rng(seed).permutation(values)


def messages_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    ours = [one for one in caught if issubclass(one.category, ImplausibleTeacherWarning)]
    assert all(one.filename == __file__ for one in ours)
    return [str(one.message) for one in ours]


def check(y, prediction):
    y, prediction = (np.reshape(values, (len(y), -1)) for values in (y, prediction))
    return messages_of(lambda: check_plausible_prediction(y, prediction))


def fit_messages(student, X, y, method="fit", **teacher):
    return messages_of(lambda: getattr(clone(student), method)(X, y, **teacher))


# --- what warns -----------------------------------------------------------------------------------


@every_student
def test_every_student_warns_once(student):
    X, y, right = right_teacher(300)
    assert not fit_messages(student, X, y, teacher_prediction=right)
    (message,) = fit_messages(student, X, y, teacher_prediction=shuffle(right))
    assert message.startswith("teacher_prediction")
    assert SHUFFLED in message
    (message,) = fit_messages(student, X, y, teacher_prediction=-right)
    assert REVERSED in message


@pytest.mark.parametrize("student", [STUDENTS[0], STUDENTS[3]], ids=lambda one: type(one).__name__)
def test_each_call_of_partial_fit_is_judged_by_its_rows(student):
    X, y, right = right_teacher(300)
    wrong = shuffle(right)
    assert not fit_messages(student, X, y, "partial_fit", teacher_prediction=right)
    (message,) = fit_messages(student, X, y, "partial_fit", teacher_prediction=wrong)
    assert SHUFFLED in message
    few = [values[:49] for values in (X, y)]
    assert not fit_messages(student, *few, "partial_fit", teacher_prediction=-right[:49])


def test_several_outputs_are_judged_together():
    X, y, right = right_teacher(300)
    Y, R = np.column_stack([y, 5 - 2 * y]), np.column_stack([right, 5 - 2 * right])
    assert not check(Y, R)
    (message,) = check(Y, shuffle(R))
    assert SHUFFLED in message
    assert "its columns in the order of those of y" in message
    # the columns of this teacher predict each other's output
    (message,) = check(Y, R[:, ::-1])
    assert REVERSED in message
    for student in (STUDENTS[0], STUDENTS[1], STUDENTS[3]):
        assert not fit_messages(student, X, Y, teacher_prediction=R)
        assert fit_messages(student, X, Y, teacher_prediction=shuffle(R))


def test_an_output_that_claims_nothing_does_not_hide_the_others():
    _, y, right = right_teacher(300)
    noise = np.random.default_rng(1).normal(size=300)
    Y = np.column_stack([y, noise])
    assert not check(Y, np.column_stack([right, np.zeros(300)]))
    assert check(Y, np.column_stack([shuffle(right), np.zeros(300)]))


def test_the_mean_of_several_teachers_is_judged():
    X, y, right = right_teacher(300)
    wrong = shuffle(right)
    student = STUDENTS[1]
    both = np.stack([right, right], axis=1)[:, :, None]
    assert not fit_messages(student, X, y[:, None], teacher_prediction=both)
    both = np.stack([wrong, wrong], axis=1)[:, :, None]
    assert fit_messages(student, X, y[:, None], teacher_prediction=both)


def test_heavy_tails():
    """One row of huge labels or predictions neither hides a fault nor makes one."""
    _, y, right = right_teacher(500)
    outlier = np.where(np.arange(500) == 7, -1e6, right)
    assert not check(y, outlier)
    (message,) = check(y, shuffle(outlier))
    assert SHUFFLED in message
    assert not check(np.where(np.arange(500) == 7, -1e6, y), right)
    skewed = np.exp(3 * y)
    assert not check(skewed, np.exp(3 * right))
    assert not check(skewed, right)  # of the logarithm


@pytest.mark.parametrize("kind", ["dask", "memory map"])
def test_rows_read_by_chunks(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(_chunks, "MIN_CHUNKED_BYTES", 0)
    monkeypatch.setattr(_chunks, "CHUNK_BYTES", 100 * 4 * 8)
    X, y, right = right_teacher(400)
    np.save(tmp_path / "X.npy", X)
    as_chunks, rows = np.asarray, np.load(tmp_path / "X.npy", mmap_mode="r")
    if kind == "dask":
        as_chunks = partial(pytest.importorskip("dask.array").from_array, chunks=100)
        rows = as_chunks(X)
    fit = partial(fit_messages, PrivilegedLinearRegression(), rows, as_chunks(y))
    assert not fit(teacher_prediction=as_chunks(right))
    (message,) = fit(teacher_prediction=as_chunks(shuffle(right)))
    assert SHUFFLED in message
    # chunks without a label or without a prediction
    y, right = y.copy(), right.copy()
    y[:100], right[100:200] = np.nan, np.nan
    fit = partial(fit_messages, PrivilegedLinearRegression(), rows, as_chunks(y))
    assert not fit(teacher_prediction=as_chunks(right))
    (message,) = fit(teacher_prediction=as_chunks(-right))
    assert REVERSED in message


def test_a_teacher_that_knows_where_it_is_wrong():
    """A prediction whose standard deviation is above that of the labels claims nothing."""
    X, y, right = right_teacher(600)
    noisy = np.arange(600) % 10 > 0
    rng = np.random.default_rng(1)
    std = np.where(noisy, 30.0, 0.1)
    fit = partial(fit_messages, STUDENTS[2], X, y)
    noise = 30 * rng.normal(size=600)
    assert fit(teacher_prediction=np.where(noisy, noise, right))
    assert not fit(teacher_prediction=np.where(noisy, noise, right), teacher_std=std)
    (message,) = fit(teacher_prediction=np.where(noisy, noise, -right), teacher_std=std)
    assert REVERSED in message
    assert not fit_messages(STUDENTS[2], X, None, teacher_prediction=right, teacher_std=std)


# --- what does not --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [50, 110, 1000])
@pytest.mark.parametrize("r2", [0.0, 0.02, 0.3, 0.98])
@pytest.mark.parametrize("teacher", ["right", "twice too large", "shrunk", "half noise"])
def test_right_teachers(n, r2, teacher):
    for seed in range(30):
        _, y, right = right_teacher(n, r2, seed)
        noise = right.std() * np.random.default_rng(seed + 100).normal(size=n)
        of = {"right": right, "twice too large": 2 * right, "shrunk": right / 9 + 3}
        assert not check(y, of.get(teacher, right + noise))


@pytest.mark.parametrize("heavy", ["t", "Cauchy", "Poisson", "log-normal"])
def test_right_teachers_of_heavy_tails(heavy):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        f = rng.normal(size=300)
        mean = {"Poisson": 0.05 * np.exp(2 * f), "log-normal": np.exp(2 * f)}.get(heavy, f)
        y = {
            "t": lambda f=f, rng=rng: f + rng.standard_t(2, size=300),
            "Cauchy": lambda f=f, rng=rng: f + rng.standard_cauchy(size=300),
            "Poisson": lambda mean=mean, rng=rng: rng.poisson(mean),
            "log-normal": lambda mean=mean, rng=rng: mean * np.exp(rng.normal(size=300)),
        }[heavy]()
        assert not check(np.asarray(y, dtype=float), mean)


def test_predictions_of_full_trees_for_other_rows():
    for seed in range(20):
        X, y, _ = right_teacher(600, 0.7, seed)
        tree = DecisionTreeRegressor(random_state=seed).fit(X[:300], y[:300])
        assert not check(y[300:], tree.predict(X[300:]))


def test_constant_predictions_and_labels_claim_nothing():
    _, y, right = right_teacher(300)
    for constant in (0.0, 0.1, 1e6):
        assert not check(y, np.full(300, constant))
        assert not check(np.full(300, constant), right)


def test_out_of_fold_means_claim_nothing():
    """The mean of the other rows decreases with the label that it leaves out."""
    _, y, _ = right_teacher(300)
    assert np.corrcoef(y, (y.sum() - y) / 299)[0, 1] < -0.99
    assert not check(y, (y.sum() - y) / 299)
    fold = np.arange(300) % 20
    assert not check(y, np.array([y[fold != k].mean() for k in fold]))


def test_other_units_are_no_other_order():
    _, y, right = right_teacher(300)
    for prediction in (1e-3 * right, 1e3 * right, right + 1e6):
        assert not check(y, prediction)


def test_fewer_than_50_rows_with_label_and_prediction_say_nothing():
    X, y, right = right_teacher(300)
    first = np.arange(300) < 49
    student = SoftTargetRegressor(LinearRegression())
    fit = partial(fit_messages, student)
    assert fit(X, y, teacher_prediction=-right)
    assert not fit(X[first], y[first], teacher_prediction=-right[first])
    assert not fit(X, np.where(first, y, np.nan), teacher_prediction=-right)
    assert not fit(X, None, teacher_prediction=-right)
    assert not fit(X, y, teacher_prediction=np.where(first, -right, np.nan))
    for student in STUDENTS:
        weight = first.astype(float)
        assert not fit_messages(student, X, y, sample_weight=weight, teacher_prediction=-right)


def test_missing_rows_and_rows_of_weight_0_are_left_out():
    X, y, right = right_teacher(400)
    half = np.arange(400) < 200
    for student in STUDENTS:
        fit = partial(fit_messages, student, X, y)
        mixed = np.where(half, -right, right)
        assert fit(sample_weight=half.astype(float), teacher_prediction=mixed)
        assert not fit(sample_weight=(~half).astype(float), teacher_prediction=mixed)
        assert fit(teacher_prediction=np.where(half, -right, np.nan))


def test_estimators_that_ask_the_teacher_themselves():
    X, y, _ = right_teacher(200)
    noise = np.random.default_rng(0).normal(size=200)
    wrong = FrozenEstimator(LinearRegression().fit(X, -y))
    student = PrivilegedLinearRegression()
    assert fit_messages(student, X, y, teacher_prediction=wrong.predict(X))
    for model, labels in (
        (TeacherStudentRegressor(wrong, student, cv="prefit"), y),
        (TeacherStudentRegressor(DecisionTreeRegressor(), student, cv=3), noise),
    ):
        assert not messages_of(lambda model=model, labels=labels: model.fit(X, labels))


def test_the_cost_is_bounded():
    """The check of many rows takes some of them."""
    _, y, right = right_teacher(400_000, 0.1)
    assert not check(y, right)
    (message,) = check(y, shuffle(right))
    assert SHUFFLED in message
