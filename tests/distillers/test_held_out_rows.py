"""A student that stops early, or tunes λ and T: no teacher knows the labels it validates on."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks import early_stopping
from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledNeuralClassifier,
    LinearTrajectory,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.inspection._timed_students import PermutedTeacher, SmoothedLabels
from sklearn_distill.teachers import out_of_fold_proba
from tests.distillers.spies import LedgerTeacher, ValidatingStudent

N = 100
RNG = np.random.default_rng(0)
X = np.column_stack([np.arange(N), RNG.normal(size=(N, 2))])  # the first column numbers the rows
Y = (X[:, 1] + RNG.normal(size=N) > 0).astype(int)
U = np.column_stack([np.arange(N, N + 20), RNG.normal(size=(20, 2))])
PARTLY = np.where(np.arange(N) < 80, Y.astype(float), np.nan)
WEIGHT = RNG.uniform(1, 2, N)
GROUPS = np.arange(N) // 5
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)
MODEL = HistGradientBoostingClassifier(
    max_iter=3, early_stopping=True, validation_fraction=0.2, random_state=0
)
STUDENT = ValidatingStudent(MODEL)
TEACHER = LogisticRegression()


class LedgerRegression(LinearRegression):
    """Record the rows that each clone was fitted on."""

    def fit(self, X, y):
        LedgerTeacher.fitted_rows.append(set(X[:, 0]))
        return super().fit(X, y)


@pytest.fixture(autouse=True)
def empty_ledgers():
    LedgerTeacher.fitted_rows.clear()
    ValidatingStudent.fit_args.clear()


def fits():
    """Return what each clone of the student was passed."""
    return ValidatingStudent.fit_args


def pair(student=STUDENT, teacher=None, **params):
    params = {"cv": FOLDS, "random_state": 0} | params
    return TeacherStudentClassifier(teacher or LedgerTeacher(), student, **params)


def assert_held_out(args, n_validation):
    """Assert that the rows which the student validates on have a label, and known to no teacher."""
    rows = np.asarray(args["rows"])
    numbers = set(np.asarray(args["X"])[rows, 0])
    assert len(numbers) == n_validation
    assert all(numbers.isdisjoint(of_teacher) for of_teacher in LedgerTeacher.fitted_rows)
    assert not pd.isna(np.asarray(args["y"])[rows]).any()
    assert np.isnan(args["proba"][rows]).all()
    assert not np.isnan(args["proba"][~rows]).any()
    return numbers


@pytest.mark.parametrize("y", [Y, PARTLY, Y.astype(str)])
@pytest.mark.parametrize("cv", [4, FOLDS, list(FOLDS.split(X, Y))])
@pytest.mark.parametrize("extra", [None, U])
def test_no_teacher_is_fitted_on_them(y, cv, extra):
    pair(cv=cv).fit(X, y, X_unlabeled=extra)
    (args,) = fits()
    n_labelled = N - pd.isna(y).sum()
    assert_held_out(args, n_labelled // 5)
    n_extra = 0 if extra is None else len(extra)
    assert set(args["X"][:, 0]) == set(range(N + n_extra))
    by_number = dict(zip(args["X"][:, 0], args["y"], strict=True))
    for number, label in enumerate(y):
        assert by_number[number] == label or (pd.isna(by_number[number]) and pd.isna(label))


def test_arguments_keep_their_rows():
    pair(teacher=TEACHER).fit(X, Y, WEIGHT, student__teacher_weight=WEIGHT / 2)
    (args,) = fits()
    numbers = args["X"][:, 0].astype(int)
    np.testing.assert_array_equal(args["weight"], WEIGHT[numbers])
    np.testing.assert_array_equal(args["trust"], WEIGHT[numbers] / 2)
    assert not np.array_equal(numbers, np.arange(N))


def test_a_warning_comes_once():
    with pytest.warns(UserWarning, match="takes no sample_weight") as warned:
        pair().fit(X, Y, WEIGHT)
    assert len(warned) == 1


def test_a_frame_and_a_pipeline():
    same = FunctionTransformer()
    frame = pd.DataFrame(X, columns=["number", "a", "b"], index=range(N, 0, -1))
    pair(make_pipeline(same, STUDENT)).fit(frame, pd.Series(Y, index=frame.index))
    (args,) = fits()
    assert_held_out(args, 20)
    assert list(args["X"].columns) == ["number", "a", "b"]


@pytest.mark.parametrize("control", [PermutedTeacher, SmoothedLabels])
def test_controls_of_a_comparison_leave_them_without_prediction(control):
    control(TEACHER, STUDENT, cv=FOLDS, random_state=0).fit(X, Y)
    assert_held_out(fits()[0], 20)


@pytest.mark.parametrize("routing", [False, True])
def test_groups_are_held_out_together(routing):
    with config_context(enable_metadata_routing=routing):
        pair(cv=GroupKFold(4)).fit(X, Y, groups=GROUPS)
    (args,) = fits()
    numbers = assert_held_out(args, 20)
    assert len({GROUPS[int(number)] for number in numbers}) == 4


@pytest.mark.filterwarnings("ignore:the synthetic samples:UserWarning")
def test_weight_and_augmentation_are_chosen_on_other_rows():
    pair(unlabeled_weight="auto").fit(X, Y, X_unlabeled=U)
    pair(augmentation="munge", n_augmented=20).fit(X, Y)
    everywhere = {frozenset(np.asarray(args["X"])[args["rows"], 0]) for args in fits()}
    assert len(fits()) > 30
    assert len(everywhere) == 1  # also in the folds' students
    for args in fits():
        assert_held_out(args, 20)


def test_the_baseline_has_no_teacher_and_holds_out_rows_itself():
    model = pair(check_teacher=True, teacher=TEACHER).fit(X, Y)
    assert model.teacher_check_ is not None
    assert sum(args["rows"] is None for args in fits()) == 4


@pytest.mark.parametrize(
    ("student", "fit_params"),
    [
        (ValidatingStudent(clone(MODEL).set_params(early_stopping=False)), {}),
        (STUDENT, {"student__X_val": (X[:20],), "student__y_val": (Y[:20],)}),
        (STUDENT, {"student__validation_rows": np.arange(N) < 20}),
    ],
)
def test_none_is_held_out_where_the_student_holds_out_none(student, fit_params):
    pair(student).fit(X, Y, **fit_params)
    assert max(map(len, LedgerTeacher.fitted_rows)) == N


def test_a_fitted_teacher_knows_no_label():
    teacher = LogisticRegression().fit(X, Y)
    pair(teacher=teacher, cv="prefit").fit(X, Y)
    assert fits()[0]["rows"] is None


def test_the_fit_is_that_of_other_rows_for_validation():
    model = pair(teacher=TEACHER).fit(X, Y)
    rows = fits()[0]["rows"]
    held_out = np.isin(X[:, 0], fits()[0]["X"][rows, 0])
    train = X[~held_out], Y[~held_out]
    proba = out_of_fold_proba(TEACHER, *train, cv=FOLDS)
    by_hand = DistilledBoostingClassifier(MODEL).fit(
        *train, teacher_proba=proba, X_val=X[held_out], y_val=Y[held_out]
    )
    np.testing.assert_array_equal(model.predict_proba(X), by_hand.predict_proba(X))


def test_a_regressor():
    y = X[:, 1] + RNG.normal(size=N)
    model = HistGradientBoostingRegressor(max_iter=3, early_stopping=True, random_state=0)
    teacher = LedgerRegression()
    TeacherStudentRegressor(teacher, DistilledBoostingRegressor(model), cv=4).fit(X, y)
    assert sorted(map(len, LedgerTeacher.fitted_rows)) == [67, 67, 68, 68, 90]
    assert len(set.union(*LedgerTeacher.fitted_rows)) == 90


def test_a_network():
    pytest.importorskip("torch", reason="torch is an extra")
    network = DistilledNeuralClassifier(max_epochs=2, early_stopping=True, device="cpu")
    pair(network).fit(X, Y)
    assert {len(rows) for rows in LedgerTeacher.fitted_rows} == {67, 68, 90}
    LedgerTeacher.fitted_rows.clear()
    tuned = DistilledNeuralClassifier(
        max_epochs=2, metaparameter_optimizer=LinearTrajectory(), device="cpu"
    )
    pair(make_pipeline(StandardScaler(), tuned)).fit(X, Y)
    assert {len(rows) for rows in LedgerTeacher.fitted_rows} == {67, 68, 90}


def test_a_network_decides_by_the_number_of_rows():
    pytest.importorskip("torch", reason="torch is an extra")
    network = DistilledNeuralClassifier(hidden_layer_sizes=(2,), device="cpu")
    for n_rows, n_teacher in ((1999, 1999), (2000, 1800)):
        LedgerTeacher.fitted_rows.clear()
        rows = np.column_stack([np.arange(n_rows), RNG.normal(size=n_rows)])
        pair(network, cv=2).fit(rows, np.arange(n_rows) % 2)
        assert max(map(len, LedgerTeacher.fitted_rows)) == n_teacher


def test_a_search_around_it():
    grid = {"student__imitation": [0.5, 1.0]}
    search = GridSearchCV(pair(teacher=TEACHER), grid, cv=3).fit(X, Y)
    assert set(search.best_params_) == set(grid)


def test_too_few_labels_of_a_class():
    with pytest.raises(ValueError, match=r"cannot set aside validation_fraction=0\.2 of the 100"):
        pair(cv=2).fit(X, np.arange(N) // 99)


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_generations_validate_on_the_same_rows(cv, early_stopping):
    model = BornAgainClassifier(
        STUDENT, n_generations=3, cv=cv, early_stopping=early_stopping, random_state=0
    ).fit(X, PARTLY, WEIGHT)
    assert len(model.estimators_) == 3
    held_out = {frozenset(args["X"][args["rows"], 0]) for args in fits()}
    assert len(held_out) == 1
    assert len(*held_out) == (16 if not early_stopping else 15)
    for args in fits():
        np.testing.assert_array_equal(args["weight"], WEIGHT[args["X"][:, 0].astype(int)])
        assert args["proba"] is None or np.isnan(args["proba"][args["rows"]]).all()


def test_the_guide_shows_the_measured_figures():
    page = early_stopping.PAGE.read_text("utf-8")
    assert early_stopping.with_results(page, pd.read_csv(early_stopping.CSV)) == page


def test_on_random_labels_students_stopped_late():
    results = pd.read_csv(early_stopping.CSV).query("table == 'random labels'")
    rounds = results.groupby(["student", "imitation", "held_out_by"])["rounds"].mean().unstack()
    assert (rounds["pair"] < 0.5 * rounds["student"]).all()
    assert rounds["pair"].max() < 5


def test_a_single_generation_learns_from_labels_alone():
    BornAgainClassifier(STUDENT, n_generations=1, random_state=0).fit(X, Y)
    assert fits()[0]["rows"] is None
