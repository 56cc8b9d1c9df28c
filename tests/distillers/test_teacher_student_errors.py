"""Errors name the argument, its value and the remedy; a failed fit changes nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    ShuffleSplit,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill._validation.indexing import take_aligned
from sklearn_distill.distillers import (
    BornAgainClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.teachers import out_of_fold_proba
from tests.distillers.spies import SpyStudent

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))
Y = np.tile([0, 1], 20)
FRAME = pd.DataFrame(X, columns=list("abcd"))


def model(teacher=None, student=None, **parameters):
    return TeacherStudentClassifier(
        teacher or GaussianNB(), student or DistilledLogisticRegression(), **parameters
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"teacher_features": "privileged"}, "needs privileged_features, which is None"),
        ({"teacher_features": "some"}, "teacher_features"),
        ({"privileged_features": ["z"]}, "names 'z', which X does not have.*no names"),
        ({"privileged_features": [4]}, "names 4, which X does not have: it has 4 columns"),
        ({"privileged_features": [1.5]}, r"names 1.5, which X does not have"),
        ({"privileged_features": []}, "selects none of the 4 columns"),
        ({"privileged_features": [0, 1, 2, 3]}, "selects all of the 4 columns"),
        ({"privileged_features": [True, False]}, "is a mask of 2 columns, X has 4"),
        ({"cv": "postfit"}, "'cv' parameter"),
        ({"cv": 1}, "'cv' parameter|n_splits"),
        ({"random_state": "x"}, "random_state"),
        ({"memory": 3, "random_state": 0}, "memory"),
        ({"memory": "x"}, "memory needs an integer random_state, got None"),
        ({"memory": "x", "random_state": 0, "cv": KFold(3, shuffle=True)}, "deterministic cv"),
        ({"memory": "x", "random_state": 0, "cv": ShuffleSplit(3)}, "deterministic cv"),
        ({"memory": "x", "random_state": 0, "cv": iter([])}, "deterministic cv"),
        ({"student": LogisticRegression()}, "LogisticRegression cannot learn from a teacher"),
        (
            {"student": HistGradientBoostingClassifier()},
            r"such as DistilledBoostingClassifier\(HistGradientBoostingClassifier\(\.\.\.\)\), and",
        ),
        (
            {"student": GridSearchCV(DistilledLogisticRegression(), {"imitation": [0, 1]})},
            "search over its parameters outside of this estimator, as student__imitation",
        ),
        ({"student": DistilledLogisticRegression(imitation=2)}, "imitation"),
        ({"student": DistilledLogisticRegression(classes=[0, 2])}, r"does not name: \[1\]"),
        ({"teacher": KNeighborsClassifier(0)}, "KNeighborsClassifier failed in fold 1 of 5"),
        ({"cv": None, "teacher": KNeighborsClassifier(0)}, "failed on all rows: .*n_neighbors"),
    ],
)
def test_wrong_parameters(parameters, message):
    wrong = model(**parameters)
    with pytest.raises(ValueError, match=message):
        wrong.fit(X, Y)
    assert not [name for name in vars(wrong) if name.endswith("_") or name.startswith("_")]


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (ValueError, {"y": Y[:-1]}, "y has 39 entries, X has 40 rows"),
        (ValueError, {"y": None}, "requires y to be passed.*cv='prefit'"),
        (ValueError, {"y": np.full(40, np.nan)}, "y has no labels"),
        (
            ValueError,
            {"sample_weight": np.ones(39)},
            r"sample_weight has shape \(39,\); .* each of the 40",
        ),
        (
            ValueError,
            {"sample_weight": -np.ones(40)},
            "sample_weight: row 0 is -1; .* 0 or more",
        ),
        (ValueError, {"X_unlabeled": X[:, :3]}, "X_unlabeled has 3 columns, X has 4"),
        (ValueError, {"X_unlabeled": FRAME}, "X_unlabeled is a DataFrame, X a ndarray"),
        (ValueError, {"weight": 1}, "Without it, pass teacher__weight or student__weight"),
        (TypeError, {"student__teacher_proba": Y}, "makes the teacher's predictions"),
        (TypeError, {"student__weight": 1}, "weight"),
    ],
)
def test_wrong_arguments_of_fit(kind, arguments, message):
    wrong = model()
    with pytest.raises(kind, match=message):
        wrong.fit(X, **({"y": Y} | arguments))
    assert not [name for name in vars(wrong) if name.endswith("_") or name.startswith("_")]


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    fitted = model().fit(X, Y)
    student = fitted.student_
    fitted.set_params(student=SpyStudent(classes=[0, 5]))
    with pytest.raises(ValueError, match="does not name"):
        fitted.fit(X[:, :2], Y)
    assert fitted.student_ is student
    assert fitted.n_features_in_ == 4


@pytest.mark.parametrize("width", [1, 2, 5])
def test_other_widths_in_predict(width):
    fitted = model(privileged_features=[0]).fit(X, Y)
    wide = np.ones((3, width))
    with pytest.raises(ValueError, match=f"X has {width} features, .*4 features .* the 3 regular"):
        fitted.predict(wide)
    with pytest.raises(ValueError, match=f"X has {width} features, .* expecting 4 features"):
        model().fit(X, Y).predict(wide)


def test_other_names_in_predict():
    fitted = model(privileged_features=["a"]).fit(FRAME, Y)
    for other in (FRAME[list("bacd")], FRAME[list("cbd")]):
        with pytest.raises(ValueError, match="feature names should match"):
            fitted.predict(other)
    for other in (FRAME[list("abc")], FRAME[list("bc")].assign(z=0)):
        with pytest.raises(ValueError, match=r"X lacks the regular features \['d'\]"):
            fitted.predict(other)
    for other in (FRAME[list("abc")], FRAME[list("abc")].assign(z=0)):
        with pytest.raises(ValueError, match="yet now missing:\n- d"):
            model().fit(FRAME, Y).predict(other)
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.fit(FRAME, Y, X_unlabeled=FRAME[list("bacd")])
    with pytest.raises(NotFittedError):
        model().predict(X)


def test_a_prefit_teacher_that_is_not_fitted_or_has_other_classes():
    with pytest.raises(
        NotFittedError, match=r"cv='prefit' needs a fitted teacher.*FrozenEstimator"
    ):
        model(cv="prefit").fit(X, Y)
    knows_more = GaussianNB().fit(X, np.arange(40) % 3)
    with pytest.raises(ValueError, match=r"GaussianNB on all rows predicts the classes \[2\]"):
        model(knows_more, cv="prefit").fit(X, Y)
    knows_less = GaussianNB().fit(X, Y)
    with pytest.raises(
        ValueError, match=r"not fitted on the classes \[2\].*of all classes, or leave"
    ):
        model(knows_less, cv="prefit").fit(X, np.arange(40) % 3)
    with pytest.raises(ValueError, match=r"predicts the classes \[0, 1\], .*labels \['a', 'b'\]"):
        model(knows_less, cv="prefit").fit(X, np.array(["a", "b"])[Y])


def test_teachers_and_students_without_sample_weight():
    weight = np.linspace(1, 2, 40)
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight"):
        model(KNeighborsClassifier()).fit(X, Y, weight)

    class Unweighted(SpyStudent):
        def fit(self, X, y, *, teacher_proba=None):
            return super().fit(X, y, teacher_proba=teacher_proba)

    with pytest.raises(ValueError, match="student Unweighted takes no sample_weight"):
        model(student=Unweighted()).fit(X, Y, weight)


def test_regression():
    wrong = TeacherStudentRegressor(LinearRegression(), PrivilegedLinearRegression())
    with pytest.raises(ValueError, match="requires y to be passed"):
        wrong.fit(X)
    with pytest.raises(ValueError, match="y has no labels"):
        wrong.fit(X, np.full(40, np.nan))
    with pytest.raises(ValueError, match="takes no teacher_prediction"):
        TeacherStudentRegressor(LinearRegression(), LinearRegression()).fit(X, Y)


def test_take_aligned_leaves_other_values_as_they_are():
    rows = np.array([0, 2])
    for value in (None, "abc", (FRAME,), (X, X, X, X), iter(range(3)), 3, {"a": 1}, {1, 2, 3}):
        assert take_aligned(value, rows, 3) is value
    np.testing.assert_array_equal(take_aligned((1, 2, 3), rows, 3), [1, 3])
    assert take_aligned(FRAME[:3], rows, 3).index.tolist() == [0, 2]


GROUP_SPLITTERS = [GroupKFold(3), LeaveOneGroupOut(), GroupShuffleSplit(2, random_state=0)]


@pytest.mark.parametrize("cv", GROUP_SPLITTERS)
@pytest.mark.parametrize(
    "make",
    [
        lambda cv: model(cv=cv),
        lambda cv: BornAgainClassifier(DistilledLogisticRegression(), n_generations=2, cv=cv),
    ],
)
def test_a_splitter_without_groups_says_how_to_pass_them(make, cv):
    groups = np.arange(40) // 4
    message = f"cv={type(cv).__name__}.* needs groups.*enable_metadata_routing=True"
    estimator = make(cv)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, Y)
    estimator.fit(X, Y, groups=groups)
    grid = {"student__C": [0.1, 1.0]}
    search = GridSearchCV(make(cv), grid, cv=GroupKFold(2), error_score="raise")
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y, groups=groups)
    with config_context(enable_metadata_routing=True):
        search.fit(X, Y, groups=groups)


def test_functions_that_take_groups_name_them_too():
    with pytest.raises(ValueError, match=r"needs groups.*pass groups="):
        out_of_fold_proba(GaussianNB(), X, Y, cv=GroupKFold(3))


def test_another_error_of_a_splitter_stays():
    with pytest.raises(ValueError, match="Cannot have number of splits n_splits=50"):
        model(cv=KFold(50)).fit(X, Y)
