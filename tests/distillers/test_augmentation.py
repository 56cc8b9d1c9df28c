"""Synthetic samples: their targets, what they are generated from, and the gain with its warning."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array, vstack
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.augmentation import munge
from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor
from tests.distillers.spies import (
    CountingTeacher,
    LedgerStudent,
    LedgerTeacher,
    SpyRegressor,
    SpyStudent,
    SpyTeacher,
)

N = 60
X, Y = make_classification(N, 4, n_informative=3, n_redundant=0, random_state=1)
NUMBERED = np.column_stack([np.arange(N), X])
TARGETS = X @ [1.0, -1.0, 0.5, 2.0] + np.random.default_rng(0).normal(size=N)
MISSING = np.arange(N) % 6 == 0
NO_GOOD_TEACHER = pytest.mark.filterwarnings("ignore:the synthetic samples of")
SOME = np.where(MISSING, None, Y.astype(object))


def between(X, n, random_state):
    """Copy rows, and add one half to their numbers."""
    rows = np.random.default_rng(random_state).integers(len(X), size=n)
    return X[rows] + 0.5 * (np.arange(X.shape[1]) == 0)


def copies(X, n, random_state):
    return X[np.random.default_rng(random_state).integers(len(X), size=n)]


def torn(X, n, random_state):
    """Combine the privileged first column with the other columns of different rows."""
    first, second = (copies(X, n, random_state + seed) for seed in (0, 1))
    return np.column_stack([first[:, 0], second[:, 1:]])


def teacher_student(teacher=None, student=None, **parameters):
    parameters = {"augmentation": "munge", "n_augmented": 30, "random_state": 0} | parameters
    return TeacherStudentClassifier(
        teacher or GaussianNB(), student or DistilledLogisticRegression(), **parameters
    )


def test_synthetic_samples_have_a_prediction_and_no_label():
    weight = np.linspace(1, 3, N)
    model = teacher_student(
        SpyTeacher(), SpyStudent(), augmentation=between, privileged_features=[0]
    )
    fit_args = model.fit(NUMBERED, Y, weight).student_.fit_args_
    assert fit_args["X"].shape == (N + 30, 4), "without the privileged column"
    assert {tuple(row) for row in fit_args["X"][N:]} <= {tuple(row) for row in X}
    assert list(fit_args["y"]) == [*Y, *[None] * 30]
    np.testing.assert_array_equal(
        fit_args["proba"][N:], [[1.0, 0.0]] * 30
    )  # no teacher was fitted on row i + ½
    np.testing.assert_allclose(fit_args["weight"], [*weight, *[2.0] * 30])
    again = teacher_student(SpyTeacher(), SpyStudent(), augmentation=copies).fit(NUMBERED, Y)
    assert again.student_.fit_args_["proba"][N:, 1].all(), "the teacher of all rows predicts"


def test_synthetic_samples_follow_the_unlabelled_ones():
    more = NUMBERED[:7] + 100
    model = teacher_student(SpyTeacher(), SpyStudent(), augmentation=between)
    fit_args = model.fit(NUMBERED, SOME, X_unlabeled=more).student_.fit_args_
    np.testing.assert_array_equal(fit_args["X"][N : N + 7], more)
    assert len(fit_args["X"]) == N + 7 + 30


def test_synthetic_samples_of_a_regression():
    model = TeacherStudentRegressor(
        LinearRegression(), SpyRegressor(), augmentation="munge", n_augmented=9, random_state=0
    )
    fit_args = model.fit(X, TARGETS).student_.fit_args_
    assert np.isnan(fit_args["y"][N:]).all()
    np.testing.assert_allclose(
        fit_args["prediction"][N:], model.teacher_.predict(fit_args["X"][N:])
    )
    assert model.augmentation_gain_ == model.augmentation_gain_se_ == 0, "it always predicts zero"


@NO_GOOD_TEACHER
@pytest.mark.parametrize("cv", [4, KFold(3, shuffle=True, random_state=0)])
def test_compared_students_are_trained_on_nothing_of_their_test_fold(cv):
    LedgerTeacher.fitted_rows.clear()
    LedgerStudent.fit_args.clear()
    model = teacher_student(
        LedgerTeacher(), LedgerStudent(imitation=0.1), cv=cv, augmentation=between
    )
    model.fit(NUMBERED, SOME, X_unlabeled=NUMBERED[:7] + 200.5)
    labelled = set(np.flatnonzero(~MISSING).astype(float))
    *compared, last = LedgerStudent.fit_args
    assert len(compared) >= 6
    assert len(compared) % 2 == 0
    assert len(last["X"]) == N + 7 + 30
    for fit_args in compared:
        number = fit_args["X"][:, 0]
        has_label = np.array([label is not None for label in fit_args["y"]])
        held_out = labelled - set(number[has_label])
        assert held_out, "some rows are held out"
        synthetic = number[(number % 1 == 0.5) & (number < 200)]
        assert not held_out & set(synthetic - 0.5), "generated from training rows"
        for row, proba in zip(number, fit_args["proba"][:, 1], strict=True):
            fitted_rows = LedgerTeacher.fitted_rows[round(1000 * proba)]
            assert row not in fitted_rows
            assert not held_out & fitted_rows, "the teacher was fitted on no row of the fold"
    sizes = [len(fit_args["X"]) for fit_args in compared]
    assert max(sizes) - min(sizes) > 15, "with and without synthetic samples"


def by_hand(teacher, student, cv, seed, n_augmented):
    """Compute the gain and its standard error directly, one teacher after the other."""
    splits = list(cv.split(X))
    differences = np.zeros(N)
    for train, test in splits:
        predictions = np.full((N, 2), np.nan)
        for other_train, other_test in splits:
            rows = np.intersect1d(train, other_train)
            if not np.array_equal(test, other_test):
                predictions[other_test] = (
                    clone(teacher).fit(X[rows], Y[rows]).predict_proba(X[other_test])
                )
        n_synthetic = round(n_augmented * len(train) / N)
        synthetic = munge(X[train], n_synthetic, random_state=seed)
        of_synthetic = clone(teacher).fit(X[train], Y[train]).predict_proba(synthetic)
        without = clone(student).fit(X[train], Y[train], teacher_proba=predictions[train])
        with_synthetic = clone(student).fit(
            np.r_[X[train], synthetic],
            np.r_[Y[train].astype(object), [None] * n_synthetic],
            teacher_proba=np.r_[predictions[train], of_synthetic],
        )
        p, q = (fitted.predict_proba(X[test])[np.arange(len(test)), Y[test]]
                for fitted in (without, with_synthetic))  # fmt: skip
        differences[test] = np.log(q) - np.log(p)
    return differences.mean(), differences.std(ddof=1) / np.sqrt(N)


def test_the_gain_equals_its_definition(tmp_path):
    cv, teacher, student = KFold(4), GaussianNB(), DistilledLogisticRegression()
    seeds = []

    def recorded(X, n, random_state):
        seeds.append(random_state)
        return munge(X, n, random_state=random_state)

    model = teacher_student(teacher, student, cv=cv, augmentation=recorded, n_augmented=100).fit(
        X, Y
    )
    assert len(set(seeds)) == 1
    expected = by_hand(teacher, student, cv, seeds[0], 100)
    np.testing.assert_allclose((model.augmentation_gain_, model.augmentation_gain_se_), expected)
    for _ in range(2):
        cached = teacher_student(teacher, student, cv=cv, n_augmented=100, memory=tmp_path).fit(
            X, Y
        )
        assert cached.augmentation_gain_ == model.augmentation_gain_
        np.testing.assert_array_equal(cached.student_.coef_, model.student_.coef_)


def privileged_data(seed, n=150):
    """Return a privileged first column that nearly determines y, and noisy measurements of it."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    measured = hidden[:, None] + rng.normal(size=(n, 3))
    return np.column_stack([hidden, measured]), (hidden + 0.3 * rng.normal(size=n) > 0).astype(int)


@pytest.mark.parametrize("seed", range(3))
def test_samples_with_torn_features_raise_the_warning(seed):
    rows, y = privileged_data(seed)
    model = teacher_student(LogisticRegression(), augmentation=torn, n_augmented=600)
    model.set_params(privileged_features=[0])
    with pytest.warns(
        UserWarning, match=r"synthetic samples of augmentation=<function torn.* hurt: .*cross-en"
    ):
        model.fit(rows, y)
    assert model.augmentation_gain_ < -2 * model.augmentation_gain_se_ < 0
    regression = TeacherStudentRegressor(
        LinearRegression(), PrivilegedLinearRegression(), privileged_features=[0],
        augmentation=torn, n_augmented=600, random_state=0,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="squared error is larger with them by 0"):
        regression.fit(rows, rows[:, 0] + y)


@pytest.mark.parametrize("seed", range(3))
def test_harmless_samples_raise_no_warning(seed):
    rows, y = privileged_data(seed)
    model = teacher_student(LogisticRegression(), augmentation=copies, n_augmented=150)
    model.set_params(privileged_features=[0]).fit(rows, y)  # a warning would be an error
    assert abs(model.augmentation_gain_) < 0.02
    model = TeacherStudentRegressor(
        LinearRegression(), PrivilegedLinearRegression(), privileged_features=[0],
        augmentation=copies, n_augmented=150, random_state=0,
    )  # fmt: skip
    model.fit(rows, rows[:, 0] + y)
    assert abs(model.augmentation_gain_) < 0.02


def test_samples_of_a_fitted_teacher_help_with_few_labels():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 8))
    y = (rows.sum(axis=1) + 2 * rng.normal(size=3000) > 0).astype(int)
    teacher = LogisticRegression().fit(rows[1000:], y[1000:])
    student = DistilledLogisticRegression(
        imitation=0.0, C=100.0
    )  # λ = 0: only synthetic samples use the teacher
    model = teacher_student(teacher, student, cv="prefit", n_augmented=400).fit(rows[:60], y[:60])
    assert model.augmentation_gain_ > 2 * model.augmentation_gain_se_ > 0
    baseline = clone(student).fit(rows[:60], y[:60])
    loss, baseline_loss = (
        log_loss(y[100:1000], fitted.predict_proba(rows[100:1000])) for fitted in (model, baseline)
    )
    assert loss < baseline_loss


@pytest.mark.parametrize(
    "parameters",
    [
        {"augmentation": None, "n_augmented": 0},
        {"cv": None},
        {"cv": 2},
        {"cv": [(np.arange(30), np.arange(30, 60))] * 4},
        {"student": SpyStudent()},
        {"teacher": GaussianNB().fit(X, Y), "cv": "prefit"},
    ],
    ids=str,
)
def test_a_gain_that_cannot_be_estimated_is_none(parameters):
    y = Y if parameters.get("cv") != "prefit" else np.where(np.cumsum(Y == 1) > 4, 0, Y) * 1.0
    if parameters.get("cv") == "prefit":
        y[np.flatnonzero(Y == 1)[4:]] = np.nan
    model = teacher_student(**parameters).fit(X, y)
    assert model.augmentation_gain_ is None
    assert model.augmentation_gain_se_ is None


def test_a_fitted_teacher_without_any_label():
    teacher = LogisticRegression().fit(X, Y)
    model = teacher_student(teacher, cv="prefit").fit(X)
    assert model.augmentation_gain_ is None
    assert model.student_.n_taught_rows_ == N + 30


def test_the_gain_is_weighted():
    weight = np.where(np.arange(N) < 30, 1.0, 0.0)
    heavy = teacher_student(cv=KFold(3, shuffle=True, random_state=0)).fit(X, Y, weight)
    even = teacher_student(cv=KFold(3, shuffle=True, random_state=0)).fit(X, Y, np.full(N, 2.0))
    plain = teacher_student(cv=KFold(3, shuffle=True, random_state=0)).fit(X, Y)
    assert heavy.augmentation_gain_ != pytest.approx(plain.augmentation_gain_, rel=1e-2)
    np.testing.assert_allclose(even.augmentation_gain_, plain.augmentation_gain_, atol=2e-2)


@NO_GOOD_TEACHER
def test_random_state_fixes_everything():
    tree = DecisionTreeClassifier(max_features=1)
    first, same, other = (teacher_student(tree, random_state=seed, cv=3) for seed in (3, 3, 4))
    for model in (first, same, other):
        model.fit(X, Y)
    np.testing.assert_array_equal(first.student_.coef_, same.student_.coef_)
    assert first.augmentation_gain_ == same.augmentation_gain_
    assert first.augmentation_gain_ != other.augmentation_gain_


@NO_GOOD_TEACHER
def test_with_memory_a_search_over_the_student_fits_each_teacher_once(tmp_path):
    CountingTeacher.fits.clear()
    model = teacher_student(CountingTeacher(9), cv=4, memory=tmp_path)
    grid = {"student__imitation": [0.1, 0.5], "student__C": [0.5, 1.0]}
    GridSearchCV(model, grid, cv=3).fit(X, Y)
    assert len(CountingTeacher.fits) == (3 + 1) * (4 + 4 * 3 // 2 + 1)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_frames_with_categories(frame):
    table = frame(
        {"a": X[:, 0], "b": X[:, 1], "kind": np.where(X[:, 2] > 0, "up", "down"), "c": X[:, 3]}
    )
    coded = make_column_transformer((OneHotEncoder(), ["kind"]), (StandardScaler(), ["a", "b"]))
    generated = []

    def recorded(X, n, random_state):
        generated.append(munge(X, n, random_state=random_state))
        return generated[-1]

    model = teacher_student(
        make_pipeline(coded, LogisticRegression()),
        make_pipeline(clone(coded), DistilledLogisticRegression()),
        privileged_features=["c"],
        augmentation=recorded,
        cv=3,
    ).fit(table, Y)
    assert len(generated) == 4
    assert all(isinstance(samples, frame) for samples in generated)
    assert all(set(samples["kind"]) == {"up", "down"} for samples in generated)
    assert list(model.student_.feature_names_in_) == ["a", "b", "kind"]
    assert model.student_[-1].n_taught_rows_ == N + 30
    by_name = clone(model).set_params(augmentation="munge").fit(table, Y)
    assert by_name.augmentation_gain_ == model.augmentation_gain_


def test_sparse():
    def sparse_copies(X, n, random_state):
        return vstack([X] * (n // X.shape[0] + 1), format="csr")[:n]

    model = teacher_student(LogisticRegression(), augmentation=sparse_copies).fit(csr_array(X), Y)
    assert model.student_.n_taught_rows_ == N + 30
    assert model.augmentation_gain_ is not None
    with pytest.raises(TypeError, match=r"X is a csr_array: munge.*dense"):
        teacher_student().fit(csr_array(X), Y)


def test_parameters_of_munge_by_partial():
    plain, wide = (teacher_student(augmentation=partial(munge, p=p)).fit(X, Y) for p in (0.5, 1.0))
    np.testing.assert_array_equal(plain.student_.coef_, teacher_student().fit(X, Y).student_.coef_)
    assert not np.array_equal(plain.student_.coef_, wide.student_.coef_)


FRAME = pd.DataFrame(X, columns=list("abcd"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_augmented": 0}, "augmentation='munge' needs n_augmented, which is 0"),
        ({"augmentation": None}, "n_augmented=30 needs an augmentation, which is None"),
        ({"augmentation": "mungo"}, "augmentation"),
        ({"n_augmented": -1}, "n_augmented"),
        ({"n_augmented": 2.5}, "n_augmented"),
        (
            {"augmentation": lambda X, n, random_state: X[:3]},
            r"augmentation returned 3 rows, but \d+ were requested",
        ),
        (
            {"augmentation": lambda X, n, random_state: X.to_numpy()[:n]},
            "what augmentation returned is a ndarray, X a DataFrame",
        ),
        (
            {"augmentation": lambda X, n, random_state: X[["a", "b"]][:n]},
            "what augmentation returned has 2 columns, X has 4",
        ),
        (
            {"augmentation": lambda X, n, random_state: X[list("bacd")][:n]},
            r"what augmentation returned has the columns \['b', 'a'",
        ),
    ],
)
def test_errors(parameters, message):
    wrong = teacher_student(**parameters)
    with pytest.raises(ValueError, match=message):
        wrong.fit(FRAME, Y)
    assert not [name for name in vars(wrong) if name.endswith("_") or name.startswith("_")]


@NO_GOOD_TEACHER
def test_munge_with_missing_numbers():
    rows, y = make_classification(120, 4, random_state=0)
    rows[np.random.default_rng(0).random(rows.shape) < 0.1] = np.nan
    student = make_pipeline(SimpleImputer(), DistilledLogisticRegression())
    model = TeacherStudentClassifier(
        HistGradientBoostingClassifier(max_iter=5),
        student,
        cv=3,
        augmentation="munge",
        n_augmented=60,
        random_state=0,
    ).fit(rows, y)
    assert model.student_[-1].n_taught_rows_ == 180
    assert model.augmentation_gain_ is not None
