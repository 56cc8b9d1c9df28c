"""Rows, columns, labels and weights that teacher and student are fitted on."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.distillers import TeacherStudentClassifier, TeacherStudentRegressor
from sklearn_distill.teachers import out_of_fold_prediction, out_of_fold_proba
from tests.distillers.spies import SpyRegressor, SpyStudent, SpyTeacher

N = 60
X, Y = make_classification(N, 4, n_informative=3, n_redundant=0, random_state=1)
NUMBERED = np.column_stack([np.arange(N), X])
NAMES = ["row", "a", "b", "c", "d"]
FRAME = pd.DataFrame(NUMBERED, columns=NAMES)
TARGETS = X @ [1.0, -1.0, 0.5, 2.0] + np.random.default_rng(0).normal(size=N)
SOME = np.where(np.arange(N) % 3 == 0, None, Y.astype(object))

LOGISTIC = LogisticRegression(solver="newton-cg", tol=1e-10)


@pytest.mark.parametrize("cv", [3, KFold(4, shuffle=True, random_state=0)])
def test_the_student_is_trained_on_out_of_fold_predictions(cv):
    model = TeacherStudentClassifier(SpyTeacher(), SpyStudent(), cv=cv).fit(NUMBERED, Y)
    assert not model.student_.fit_args_["proba"][:, 1].any()
    np.testing.assert_array_equal(model.student_.fit_args_["y"], Y)
    assert len(model.teacher_.labels_of_) == N
    in_sample = TeacherStudentClassifier(SpyTeacher(), SpyStudent(), cv=None).fit(NUMBERED, Y)
    assert in_sample.student_.fit_args_["proba"][:, 1].all()


@pytest.mark.parametrize(
    "privileged", [["row", "c"], [0, 3], [-5, "c"], make_column_selector("r|c")]
)
@pytest.mark.parametrize("teacher_features", ["all", "privileged"])
def test_privileged_columns_never_reach_the_student(privileged, teacher_features):
    model = TeacherStudentClassifier(
        SpyTeacher(),
        SpyStudent(),
        privileged_features=privileged,
        teacher_features=teacher_features,
    ).fit(FRAME, Y)
    X_student = model.student_.fit_args_["X"]
    assert list(X_student.columns) == ["a", "b", "d"]
    assert model.teacher_.n_features_in_ == (5 if teacher_features == "all" else 2)
    assert model.n_features_in_ == 5
    for X_new in (FRAME, FRAME[["a", "b", "d"]]):
        model.predict(X_new)
        pd.testing.assert_frame_equal(model.student_.predict_X_, X_student)


@pytest.mark.parametrize("privileged", [None, ["row"], ["row", "c"]])
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_regular_columns_are_found_by_name_among_further_ones(privileged, kind):
    frame = kind(dict(zip(NAMES, NUMBERED.T, strict=True)))
    student = DistilledLogisticRegression()
    model = TeacherStudentClassifier(LOGISTIC, student, privileged_features=privileged)
    expected = model.fit(frame, Y).predict_proba(frame)
    new = kind({"id": np.arange(N), **{name: frame[name] for name in reversed(NAMES)}})
    np.testing.assert_allclose(model.predict_proba(new), expected)
    some = [name for name in new.columns if name != "row"]
    if privileged is not None:
        np.testing.assert_allclose(model.predict_proba(new[some]), expected)


@pytest.mark.parametrize(
    ("container", "privileged"),
    [
        (NUMBERED.tolist(), [0]),
        (NUMBERED, 0),
        (NUMBERED, np.array([True, False, False, False, False])),
        (csr_array(NUMBERED), [0]),
        (FRAME, "row"),
        (pl.DataFrame(NUMBERED, schema=NAMES), ["row"]),
    ],
    ids=["list", "numpy", "mask", "sparse", "pandas", "polars"],
)
def test_containers(container, privileged):
    student = DistilledLogisticRegression()
    model = TeacherStudentClassifier(LOGISTIC, student, privileged_features=privileged)
    model.fit(container, Y)
    assert model.student_.n_features_in_ == 4
    proba = out_of_fold_proba(LOGISTIC, NUMBERED, Y)
    expected = clone(student).fit(X, Y, teacher_proba=proba)
    np.testing.assert_allclose(model.predict_proba(container), expected.predict_proba(X), atol=1e-6)
    again = clone(model).fit(container, SOME, X_unlabeled=container)
    assert again.student_.n_taught_rows_ == 2 * N


@pytest.mark.parametrize(
    "teacher",
    [
        HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4, random_state=0),
        RandomForestClassifier(3, random_state=0),
        SVC(),
        make_pipeline(StandardScaler(), GaussianNB()),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.parametrize("names", [[0, 1], ["no", "yes"]])
def test_equals_a_student_fitted_on_out_of_fold_probabilities(teacher, names):
    y = np.array(names)[Y]
    student = make_pipeline(StandardScaler(), DistilledLogisticRegression(temperature=2.0))
    model = TeacherStudentClassifier(teacher, student).fit(X, y)
    proba = {"distilledlogisticregression__teacher_proba": out_of_fold_proba(teacher, X, y)}
    expected = clone(student).fit(X, y, **proba)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(model, method)(X), getattr(expected, method)(X))
    np.testing.assert_array_equal(model.classes_, names)


@pytest.mark.parametrize("targets", [TARGETS, np.column_stack([TARGETS, -TARGETS])])
def test_regression_equals_a_student_fitted_on_out_of_fold_predictions(targets):
    model = TeacherStudentRegressor(
        LinearRegression(), PrivilegedLinearRegression(), privileged_features=[3]
    ).fit(X, targets)
    prediction = out_of_fold_prediction(LinearRegression(), X, targets)
    expected = PrivilegedLinearRegression().fit(X[:, :3], targets, teacher_prediction=prediction)
    np.testing.assert_allclose(model.predict(X), expected.predict(X[:, :3]))
    np.testing.assert_allclose(model.predict(X[:, :3]), expected.predict(X[:, :3]))


def test_rows_outside_every_test_fold_have_no_prediction():
    model = TeacherStudentClassifier(SpyTeacher(), SpyStudent(), cv=[(range(40), range(40, N))])
    fit_args = model.fit(NUMBERED, Y).student_.fit_args_
    np.testing.assert_array_equal(np.isnan(fit_args["proba"]).all(axis=1), np.arange(N) < 40)


def test_unlabelled_rows_get_the_prediction_of_the_teacher_of_all_labels():
    weight = np.linspace(1, 3, N)
    model = TeacherStudentClassifier(SpyTeacher(), SpyStudent(), cv=3)
    fit_args = model.fit(NUMBERED, SOME, weight, X_unlabeled=NUMBERED[:10]).student_.fit_args_
    assert set(model.teacher_.labels_of_.values()) == {0, 1}
    assert len(model.teacher_.labels_of_) == 40
    np.testing.assert_array_equal(model.teacher_.weight_, weight[np.arange(N) % 3 > 0])
    assert list(fit_args["y"]) == [*SOME, *[None] * 10]
    fitted_on = np.isin(np.arange(10), list(model.teacher_.labels_of_))
    np.testing.assert_array_equal(fit_args["proba"][N:, 1], fitted_on)
    assert not fit_args["proba"][:N].any(axis=0)[1]
    np.testing.assert_allclose(fit_args["weight"], [*weight, *[2.0] * 10])


def test_unlabelled_rows_of_a_regression():
    some = np.where(np.arange(N) % 3 == 0, np.nan, TARGETS)
    model = TeacherStudentRegressor(LinearRegression(), SpyRegressor())
    fit_args = model.fit(X, some, X_unlabeled=X[:10]).student_.fit_args_
    assert np.isnan(fit_args["y"]).sum() == 30
    np.testing.assert_allclose(fit_args["prediction"][N:], model.teacher_.predict(X[:10]))
    labelled = ~np.isnan(some)
    teacher = LinearRegression().fit(X[labelled], some[labelled])
    np.testing.assert_allclose(fit_args["prediction"][:N][~labelled], teacher.predict(X[~labelled]))


def test_prefit_and_frozen_teachers():
    teacher = GaussianNB().fit(X[:30], Y[:30])
    proba = teacher.predict_proba(X[30:])
    for estimator, cv in (
        (teacher, "prefit"),
        (FrozenEstimator(teacher), "prefit"),
        (FrozenEstimator(teacher), 3),
    ):
        model = TeacherStudentClassifier(estimator, SpyStudent(), cv=cv).fit(X[30:], Y[30:])
        np.testing.assert_allclose(model.student_.fit_args_["proba"], proba)
    regressor = LinearRegression().fit(X[:30], TARGETS[:30])
    model = TeacherStudentRegressor(regressor, PrivilegedLinearRegression(), cv="prefit")
    model.fit(X[30:])
    np.testing.assert_allclose(model.predict(X), regressor.predict(X))


def test_a_fitted_teacher_needs_no_labels():
    teacher = LogisticRegression().fit(X, np.array(["no", "yes"])[Y])
    model = TeacherStudentClassifier(teacher, DistilledLogisticRegression(C=1e4), cv="prefit")
    model.fit(X)
    assert model.score(X, teacher.predict(X)) > 0.9
    nothing = TeacherStudentClassifier(teacher, model.student, cv="prefit").fit(X, [None] * N)
    np.testing.assert_allclose(nothing.student_.coef_, model.student_.coef_)


def test_a_class_that_only_the_teacher_was_fitted_on():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 100)
    rows = np.array([[0, 3], [3, 0], [-3, -3]])[y] + rng.normal(size=(300, 2))
    teacher = LogisticRegression().fit(rows[::2], y[::2])
    labelled = rows[1::2][y[1::2] < 2]
    student = DistilledLogisticRegression(
        temperature=4.0, imitation=0.9, C=100.0, classes=[0, 1, 2]
    )
    model = TeacherStudentClassifier(teacher, student, cv="prefit").fit(
        labelled, np.repeat([0, 1], 50)
    )
    assert (model.predict(rows[y == 2]) == 2).mean() > 0.5


def test_columns_of_strings_for_the_teacher_alone():
    frame = FRAME.assign(kind=np.where(Y == 1, "x", "y"))
    teacher = make_pipeline(
        make_column_transformer(("passthrough", ["a", "b"])), LogisticRegression()
    )
    model = TeacherStudentClassifier(
        teacher, DistilledLogisticRegression(), privileged_features=["kind", "row"]
    ).fit(frame, Y)
    assert list(model.student_.feature_names_in_) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(model.predict(frame), model.predict(frame[["a", "b", "c", "d"]]))


def test_the_student_pickles_without_the_teacher(tmp_path):
    model = TeacherStudentClassifier(
        SpyTeacher(), DistilledLogisticRegression(), privileged_features=[0]
    ).fit(NUMBERED, Y)
    np.save(tmp_path / "X.npy", X)
    (tmp_path / "student.pkl").write_bytes(pickle.dumps(model.student_))
    code = (
        "import pickle, sys, numpy as np; student = pickle.load(open('student.pkl', 'rb'));"
        "assert 'tests' not in sys.modules;"
        "np.save('p.npy', student.predict_proba(np.load('X.npy')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), model.predict_proba(NUMBERED))
    del model.teacher_
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.predict_proba(NUMBERED), model.predict_proba(X))


def test_random_state_seeds_estimators_without_one():
    forest = RandomForestClassifier(3)
    student = DistilledLogisticRegression()
    first, same = (
        TeacherStudentClassifier(forest, student, random_state=3).fit(X, Y) for _ in range(2)
    )
    np.testing.assert_array_equal(first.student_.coef_, same.student_.coef_)
    assert forest.random_state is None
    own = TeacherStudentClassifier(
        RandomForestClassifier(3, random_state=5), student, random_state=3
    )
    assert own.fit(X, Y).teacher_.random_state == 5


def test_the_methods_are_the_students():
    model = TeacherStudentClassifier(GaussianNB(), SpyStudent())
    assert not hasattr(model, "predict_proba")
    assert hasattr(model, "predict")
    assert hasattr(
        TeacherStudentClassifier(GaussianNB(), DistilledLogisticRegression()), "predict_proba"
    )


@pytest.mark.parametrize(
    "privileged",
    [
        np.int64(2),
        np.array(2),
        slice(2, 3),
        slice(-2, -1),
        slice("c", "c"),
        lambda X: slice(2, 3),
        lambda X: slice("c", "c"),
        lambda X: np.int64(2),
        lambda X: np.array([False, False, True, False]),
    ],
    ids=lambda one: "a callable" if callable(one) else repr(one),
)
def test_every_way_to_name_a_column(privileged):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)), columns=list("abcd"))
    y = (X["a"] + X["c"] > 0).astype(int)
    options = {"teacher": LOGISTIC, "student": DistilledLogisticRegression(), "cv": 2}
    expected = TeacherStudentClassifier(privileged_features="c", **options).fit(X, y)
    model = TeacherStudentClassifier(privileged_features=privileged, **options).fit(X, y)
    np.testing.assert_array_equal(model.student_.coef_, expected.student_.coef_)
    assert model.predict(X[["a", "b", "d"]]).shape == (60,)


@pytest.mark.parametrize(
    ("privileged", "message"),
    [
        (slice(0, 0), "selects none of the 4 columns"),
        (slice(None), "selects all of the 4 columns"),
        (lambda X: slice("z", None), "names 'z', which X does not have"),
    ],
)
def test_a_slice_that_splits_nothing(privileged, message):
    X = pd.DataFrame(np.eye(4), columns=list("abcd"))
    model = TeacherStudentClassifier(
        LOGISTIC, DistilledLogisticRegression(), privileged_features=privileged
    )
    with pytest.raises(ValueError, match=message):
        model.fit(X, [0, 1, 0, 1])
