"""``teacher_check_``: the teacher against the student's baseline, and the warning."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    KFold,
    RepeatedKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
    WorseTeacherWarning,
)
from tests.distillers.spies import CountingTeacher, LedgerStudent, SpyStudent

N = 90
X, Y = make_classification(N, 6, n_informative=3, n_redundant=3, flip_y=0.15, random_state=3)
TARGETS = X @ [1.0, -1.0, 0.5, 2.0, 0.0, 0.0] + np.random.default_rng(0).normal(size=N)
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)
WORSE = pytest.mark.filterwarnings("ignore::sklearn_distill.WorseTeacherWarning")


def overconfident(X, y, sharpness=20.0):
    """Return a plausible teacher whose logits are too large."""
    fitted = LogisticRegression().fit(X, y)
    fitted.coef_, fitted.intercept_ = sharpness * fitted.coef_, sharpness * fitted.intercept_
    return FrozenEstimator(fitted)


def checked(teacher, student=None, **parameters):
    parameters = {"cv": FOLDS, "check_teacher": True, "random_state": 0} | parameters
    return TeacherStudentClassifier(teacher, student or DistilledLogisticRegression(), **parameters)


def losses(model, features, labels, folds=FOLDS):
    proba = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    return -np.log(np.maximum(proba[np.arange(len(labels)), labels], np.finfo(float).eps))


@pytest.mark.parametrize("privileged", [None, [0, 1]], ids=["all", "privileged"])
@WORSE
def test_the_check_equals_its_definition(privileged):
    check = checked(GaussianNB(), privileged_features=privileged).fit(X, Y).teacher_check_
    of_teacher = losses(GaussianNB(), X, Y)
    of_student = losses(
        DistilledLogisticRegression(imitation=0), X if privileged is None else X[:, 2:], Y
    )
    difference = of_teacher - of_student
    assert check.teacher_loss == pytest.approx(of_teacher.mean())
    assert check.baseline_loss == pytest.approx(of_student.mean())
    assert check.difference == pytest.approx(difference.mean())
    assert check.standard_error == pytest.approx(difference.std(ddof=1) / np.sqrt(N))
    assert check.is_worse == (check.difference > 2 * check.standard_error)


def test_a_worse_teacher_is_warned_of():
    model = checked(overconfident(X, Y), cv="prefit")
    message = (
        r"^teacher FrozenEstimator predicts worse than the student does without it: on samples "
        r"that neither was fitted on, its cross-entropy is [\d.]+ against \.?[\d.]+ \("
    )
    with pytest.warns(WorseTeacherWarning, match=message) as caught:
        model.fit(X, Y)
    assert [one.filename for one in caught] == [__file__]
    assert model.teacher_check_.is_worse
    proba = model.teacher.predict_proba(X)
    assert model.teacher_check_.teacher_loss == pytest.approx(log_loss(Y, proba))


def test_a_good_teacher_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check = checked(LogisticRegression()).fit(X, Y).teacher_check_
    assert abs(check.difference) < 0.05
    assert not check.is_worse


def test_without_the_parameter_nothing_is_fitted_and_no_result_is_stored():
    LedgerStudent.fit_args.clear()
    model = checked(overconfident(X, Y), LedgerStudent(), cv="prefit", check_teacher=False)
    model.fit(X, Y)
    assert len(LedgerStudent.fit_args) == 1
    assert model.teacher_check_ is None


def test_the_teacher_is_fitted_no_more_often_and_the_student_once_a_fold():
    fits = {}
    for check_teacher in (False, True):
        CountingTeacher.fits.clear()
        LedgerStudent.fit_args.clear()
        model = checked(CountingTeacher(15), LedgerStudent(), check_teacher=check_teacher)
        model.fit(X, Y)
        fits[check_teacher] = len(CountingTeacher.fits), len(LedgerStudent.fit_args)
    assert fits == {False: (5, 1), True: (5, 5)}
    *of_folds, last = LedgerStudent.fit_args
    assert all(args["proba"] is None for args in of_folds)
    assert last["proba"].shape == (N, 2)


@WORSE
def test_the_students_fit_is_the_same_with_the_check():
    with_check = checked(GaussianNB()).fit(X, Y)
    without = checked(GaussianNB(), check_teacher=False).fit(X, Y)
    np.testing.assert_array_equal(with_check.student_.coef_, without.student_.coef_)


@WORSE
def test_weights_are_numbers_of_repetitions_in_the_means():
    weight = np.random.default_rng(0).integers(1, 4, size=N).astype(float)
    folds = list(KFold(3).split(X))
    repeated = np.repeat(np.arange(N), weight.astype(int))
    of_repeated = [(np.isin(repeated, a).nonzero()[0], np.isin(repeated, b).nonzero()[0])
                   for a, b in folds]  # fmt: skip
    weighted = checked(GaussianNB(), cv=folds).fit(X, Y, weight).teacher_check_
    of_rows = checked(GaussianNB(), cv=of_repeated).fit(X[repeated], Y[repeated]).teacher_check_
    assert weighted.teacher_loss == pytest.approx(of_rows.teacher_loss)
    assert weighted.baseline_loss == pytest.approx(of_rows.baseline_loss, abs=1e-6)
    plain = checked(GaussianNB(), cv=folds).fit(X, Y).teacher_check_
    assert weighted.teacher_loss != pytest.approx(plain.teacher_loss, rel=1e-3)


@WORSE
def test_rows_without_a_label_and_other_names_of_the_classes():
    some = np.where(np.arange(N) % 6 == 0, None, np.array(["no", "yes"], dtype=object)[Y])
    labelled = np.arange(N) % 6 != 0
    partial = checked(GaussianNB(), cv=3).fit(X, some, X_unlabeled=X[:5] + 0.1).teacher_check_
    alone = checked(GaussianNB(), cv=3).fit(X[labelled], Y[labelled]).teacher_check_
    assert partial.teacher_loss == pytest.approx(alone.teacher_loss)
    assert partial.baseline_loss == pytest.approx(alone.baseline_loss, abs=1e-6)


@WORSE
def test_repeated_folds_average_losses_not_predictions():
    repeated = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    by_hand = []
    for train, test in repeated.split(X):
        proba = clone(GaussianNB()).fit(X[train], Y[train]).predict_proba(X[test])
        by_hand.append(log_loss(Y[test], proba))
    check = checked(GaussianNB(), cv=repeated).fit(X, Y).teacher_check_
    assert check.teacher_loss == pytest.approx(np.mean(by_hand))


@WORSE
@pytest.mark.parametrize(
    "student",
    [
        make_pipeline(StandardScaler(), DistilledLogisticRegression()),
        DistilledLogisticRegressionCV(("imitation", "C"), max_evaluations=2),
    ],
    ids=["pipeline", "search"],
)
def test_students_of_other_kinds(student):
    check = checked(GaussianNB(), student, cv=3).fit(X, Y).teacher_check_
    assert 0 < check.baseline_loss < np.log(2)


def test_a_search_over_imitation_alone_has_no_baseline_and_says_so():
    model = checked(GaussianNB(), DistilledLogisticRegressionCV(("imitation",)), cv=3)
    with pytest.raises(ValueError, match="cannot be fitted without a teacher in fold 1 of 3, with"):
        model.fit(X, Y)
    assert not hasattr(model, "student_")


@WORSE
def test_trust_by_row_is_left_out_of_the_baseline():
    trust = np.linspace(0.1, 1, N)
    plain = checked(GaussianNB()).fit(X, Y).teacher_check_
    trusted = checked(GaussianNB()).fit(X, Y, student__teacher_weight=trust).teacher_check_
    assert trusted == plain


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cv": None}, "cv=None makes none: set cv to folds or 'prefit', or check_teacher=False"),
        ({"student": SpyStudent()}, "student SpyStudent has no predict_proba"),
    ],
    ids=["in-sample", "no probabilities"],
)
def test_a_check_that_is_impossible_is_an_error_before_any_fit(parameters, message):
    CountingTeacher.fits.clear()
    with pytest.raises(ValueError, match=message):
        checked(CountingTeacher(), **parameters).fit(X, Y)
    assert not CountingTeacher.fits


def test_a_fitted_teacher_and_few_labels_or_none_have_no_check():
    teacher = LogisticRegression().fit(X, Y)
    few = np.full(N, np.nan)
    few[:8] = Y[:8]
    assert checked(teacher, cv="prefit").fit(X, few).teacher_check_ is None
    assert checked(teacher, cv="prefit").fit(X).teacher_check_ is None


@pytest.mark.filterwarnings("ignore:teacher LogisticRegression is not fitted on the classes")
def test_a_fold_that_lacks_a_class_has_no_check():
    rare = np.where(np.arange(N) == 0, 2, Y)
    assert checked(LogisticRegression(), cv=KFold(3)).fit(X, rare).teacher_check_ is None


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regression(n_outputs):
    targets = TARGETS if n_outputs == 1 else np.column_stack([TARGETS, -2 * TARGETS])
    student = PrivilegedLinearRegression()

    def check(teacher):
        model = TeacherStudentRegressor(teacher, student, check_teacher=True)
        return model.fit(X, targets).teacher_check_

    good = check(LinearRegression())
    predicted = cross_val_predict(LinearRegression(), X, targets, cv=5)
    assert good.teacher_loss == pytest.approx(np.mean((predicted - targets) ** 2))
    without = PrivilegedLinearRegression(imitation=0)
    predicted = cross_val_predict(without, X, targets, cv=5)
    assert good.baseline_loss == pytest.approx(np.mean((predicted - targets) ** 2))
    assert not good.is_worse
    with pytest.warns(WorseTeacherWarning, match="teacher DummyRegressor .* its squared error is"):
        assert check(DummyRegressor()).is_worse


def test_a_search_of_regression_has_its_baseline_at_lambda_zero():
    model = TeacherStudentRegressor(
        LinearRegression(), PrivilegedLinearRegressionCV(), check_teacher=True, cv=3
    ).fit(X, TARGETS)
    baseline = PrivilegedLinearRegressionCV(imitations=[0.0])
    predicted = cross_val_predict(baseline, X, TARGETS, cv=3)
    expected = np.mean((predicted - TARGETS) ** 2)
    assert model.teacher_check_.baseline_loss == pytest.approx(expected)
