"""Rows of weight 0 are absent from teacher, folds and generations; and folds that count rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, PredefinedSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)

RNG = np.random.default_rng(0)
N = 60
X = RNG.normal(size=(N, 3))
Y = (X[:, 0] + RNG.normal(size=N) > 0).astype(float)
WEIGHT = np.where(np.arange(N) % 7 == 0, 0.0, 1.0 + np.arange(N) % 2)
PRESENT = WEIGHT > 0
FOLD = np.arange(N) % 3
NEIGHBOURS = KNeighborsClassifier(3)  # counts every row that it is given
LINEAR = DistilledLogisticRegression()
WEIGHTS_ARE_THE_STUDENTS = pytest.mark.filterwarnings("ignore:.*takes no sample_weight")

MODELS = {
    "classes": lambda cv: TeacherStudentClassifier(NEIGHBOURS, LINEAR, cv=cv),
    "numbers": lambda cv: TeacherStudentRegressor(
        KNeighborsRegressor(3), PrivilegedLinearRegression(), cv=cv
    ),
    "synthetic": lambda cv: TeacherStudentClassifier(
        NEIGHBOURS, LINEAR, cv=cv, augmentation="munge", n_augmented=20, random_state=0
    ),
    "generations": lambda cv: BornAgainClassifier(LINEAR, n_generations=3, cv=cv),
}
ROWS = [(np.flatnonzero(k != FOLD), np.flatnonzero(k == FOLD)) for k in range(3)]
FOLDS = {"splits": ROWS, "masks": [(k != FOLD, k == FOLD) for k in range(3)]}
FOLDS["predefined"] = PredefinedSplit(FOLD)


@WEIGHTS_ARE_THE_STUDENTS
@pytest.mark.parametrize("cv", FOLDS.values(), ids=FOLDS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_weight_zero_equals_a_row_left_out(make, cv):
    weighted = make(cv).fit(X, Y, WEIGHT)
    without = make(PredefinedSplit(FOLD[PRESENT])).fit(X[PRESENT], Y[PRESENT], WEIGHT[PRESENT])
    np.testing.assert_array_equal(weighted.predict(X), without.predict(X))
    np.testing.assert_array_equal(weighted.coef_, without.coef_)


@WEIGHTS_ARE_THE_STUDENTS
def test_absent_rows_may_lack_a_label_and_frames_are_cut_by_position():
    index = np.arange(N)[::-1]
    y = pd.Series(np.where(PRESENT, Y, np.nan), index=index)
    frame = pd.DataFrame(X, columns=list("abc"), index=index)
    model = TeacherStudentClassifier(NEIGHBOURS, LINEAR, cv=2).fit(frame, y, WEIGHT)
    without = TeacherStudentClassifier(NEIGHBOURS, LINEAR, cv=2).fit(
        X[PRESENT], Y[PRESENT], WEIGHT[PRESENT]
    )
    np.testing.assert_allclose(model.coef_, without.coef_, rtol=1e-10)
    with pytest.raises(ValueError, match="y has 59 rows and X has 60"):
        TeacherStudentClassifier(NEIGHBOURS, LINEAR).fit(X, Y[1:], WEIGHT)


def test_groups_are_cut_with_the_rows():
    groups = np.arange(N) // 6
    model = TeacherStudentClassifier(GaussianNB(), LINEAR, cv=GroupKFold(3))
    model.fit(X, Y, WEIGHT, groups=groups)
    without = TeacherStudentClassifier(GaussianNB(), LINEAR, cv=GroupKFold(3))
    without.fit(X[PRESENT], Y[PRESENT], WEIGHT[PRESENT], groups=groups[PRESENT])
    np.testing.assert_array_equal(model.coef_, without.coef_)


@pytest.mark.parametrize("make", [MODELS["generations"], MODELS["classes"]])
def test_a_predefined_split_counts_the_rows_of_X(make):
    """Where labels are missing, too: it has an entry for each row."""
    some = np.where(np.arange(N) % 5 == 0, np.nan, Y)
    predefined = make(PredefinedSplit(FOLD)).fit(X, some)
    np.testing.assert_array_equal(predefined.coef_, make(ROWS).fit(X, some).coef_)
    n_labelled = N - N // 5
    with pytest.raises(ValueError, match=f"PredefinedSplit of {n_labelled} entries, and X has 60"):
        make(PredefinedSplit(FOLD[:n_labelled])).fit(X, some)


def test_folds_of_rows_that_X_lacks():
    with pytest.raises(ValueError, match="cv in fold 1 of 1 has row 60, and there are 60 rows"):
        MODELS["classes"]([(np.arange(30), np.arange(30, 61))]).fit(X, Y)

    class TooLong:
        def get_n_splits(self, *args):
            return 1

        def split(self, X, y=None, groups=None):
            yield np.arange(30), np.arange(30, N)

    some = np.where(np.arange(N) % 5 == 0, np.nan, Y)
    with pytest.raises(ValueError, match="has row 59, and there are 48 labelled rows"):
        MODELS["classes"](TooLong()).fit(X, some)


@pytest.mark.parametrize("student", [LINEAR, SoftTargetClassifier(LinearRegression())])
@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_generations_of_a_fold_that_lacks_a_class(student, labels):
    """From the third generation on, a fold's chain is trained on its own predictions."""
    y = np.where(np.arange(N) < 3, 2.0, Y)
    rare, common = np.arange(3), np.arange(3, N)
    cv = [(common[::2], np.r_[rare, common[1::2]]), (np.r_[rare, common[1::2]], common[::2])]
    model = BornAgainClassifier(student, n_generations=4, cv=cv, labels=labels)
    with pytest.warns(UserWarning, match="not fitted on the classes"):
        model.fit(X, y)
    assert model.predict_proba(X).shape == (N, 3)
    assert all(len(one.classes_) == 3 for one in model.estimators_)


def test_the_teacher_s_predictions_are_not_passed_to_a_student_that_has_a_teacher():
    for kind in (TeacherStudentClassifier(GaussianNB(), LINEAR), BornAgainClassifier(LINEAR)):
        with pytest.raises(TypeError, match="makes the teacher's predictions itself"):
            kind.fit(X, Y, student__teacher_proba=np.eye(2)[Y.astype(int)])


@WEIGHTS_ARE_THE_STUDENTS
@pytest.mark.parametrize("make", [MODELS["classes"], MODELS["numbers"], MODELS["generations"]])
def test_without_any_label_the_message_says_what_needs_one(make):
    only_absent_rows_have_one = np.where(PRESENT, np.nan, Y)
    for y, weight in [(np.full(N, np.nan), None), (only_absent_rows_have_one, WEIGHT)]:
        with pytest.raises(ValueError, match=r"y has no labels: the .* must be fitted on some"):
            make(2).fit(X, y, weight)
