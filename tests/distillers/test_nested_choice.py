"""A student that chooses λ, T and C inside a teacher-student estimator: its folds do not leak."""

from functools import partial, wraps

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    ImplausibleTeacherWarning,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] + RNG.normal(size=60) > 0).astype(int)
U = RNG.normal(size=(10, 3))
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)
TEACHER = LogisticRegression(C=10.0)
PARTLY = np.where(np.arange(60) < 50, Y, np.nan)


class ChoosingStudent(ClassifierMixin, BaseEstimator):
    """A student that notes what it is passed."""

    def __init__(self, cv=5):
        self.cv = cv

    def fit(self, X, y, *, teacher_proba=None, fold_teacher_proba=None):
        """Note the arguments."""
        self.classes_ = np.array([0, 1])
        self.teacher_proba_, self.by_fold_ = teacher_proba, fold_teacher_proba
        return self

    def predict(self, X):
        """Predict anything."""
        return np.zeros(len(X), dtype=int)


def proba_without(rows, of):
    """Return the probabilities of a teacher that is fitted without some rows of the labelled."""
    train = np.setdiff1d(np.flatnonzero(~np.isnan(PARTLY)), rows)
    return clone(TEACHER).fit(X[train], PARTLY[train].astype(int)).predict_proba(of)


def test_each_fold_gets_predictions_without_its_test_rows():
    model = TeacherStudentClassifier(TEACHER, ChoosingStudent(), cv=FOLDS)
    student = model.fit(X, PARTLY, X_unlabeled=U).student_
    labelled = np.arange(50)
    tests = [test for _, test in FOLDS.split(X[:50], Y[:50])]
    assert [list(test) for _, test in student.cv] == [list(test) for test in tests]
    for k, by_fold in enumerate(student.by_fold_):
        assert len(by_fold) == 70
        unlabelled = np.concatenate([X[50:], U])
        np.testing.assert_allclose(by_fold[50:], proba_without(tests[k], unlabelled))
        for j, test in enumerate(tests):
            if j != k:
                both = np.union1d(test, tests[k])
                np.testing.assert_allclose(by_fold[test], proba_without(both, X[test]))
        np.testing.assert_array_equal(np.sort(np.concatenate([*student.cv[k]])), labelled)
    out_of_fold = student.teacher_proba_[:50]
    for test in tests:
        np.testing.assert_allclose(out_of_fold[test], proba_without(test, X[test]))


def test_a_student_in_a_pipeline():
    search = DistilledLogisticRegressionCV(("imitation",), max_evaluations=3)
    teacher = GaussianNB()  # its predictions do not depend on the scale
    model = TeacherStudentClassifier(teacher, make_pipeline(StandardScaler(), search), cv=FOLDS)
    fitted = model.fit(X, Y).student_[-1]
    assert fitted.n_splits_ == 4
    alone = TeacherStudentClassifier(teacher, search, cv=FOLDS)
    scaled = alone.fit(StandardScaler().fit_transform(X), Y).student_
    assert fitted.imitation_ == pytest.approx(scaled.imitation_, abs=1e-3)


def test_a_search_with_the_same_predictions_in_each_fold_is_the_usual_one():
    proba = TEACHER.fit(X, Y).predict_proba(X)
    splits = list(FOLDS.split(X, Y))
    search = DistilledLogisticRegressionCV(("imitation", "C"), cv=splits)
    usual = clone(search).fit(X, Y, teacher_proba=proba)
    by_fold = search.fit(X, Y, teacher_proba=proba, fold_teacher_proba=[proba] * 4)
    np.testing.assert_array_equal(by_fold.coef_, usual.coef_)
    np.testing.assert_array_equal(by_fold.path_["loss"], usual.path_["loss"])


def test_a_fold_is_fitted_with_its_own_predictions():
    right = 0.3 + 0.4 * Y + RNG.uniform(-0.2, 0.2, (4, 60))
    proba = np.stack([1 - right, right], axis=-1)
    splits = list(FOLDS.split(X, Y))
    search = DistilledLogisticRegressionCV(
        ("C",), cv=splits, method="grid", grid={"C": [0.1, 1.0]}, imitation=0.7
    ).fit(X, Y, teacher_proba=TEACHER.fit(X, Y).predict_proba(X), fold_teacher_proba=proba)
    losses = []
    for (train, test), of_fold in zip(splits, proba, strict=True):
        student = DistilledLogisticRegression(0.7, C=0.1, tol=1e-8)
        student.fit(X[train], Y[train], teacher_proba=of_fold[train])
        losses.append(log_loss(Y[test], student.predict_proba(X[test])))
    np.testing.assert_allclose(-search.scores_[:, 0, 0, 0], losses, atol=1e-5)


@pytest.mark.parametrize(
    ("by_fold", "message"),
    [
        (np.full((60, 2), 0.5), r"fold_teacher_proba has the shape \(60, 2\)"),
        (np.full((4, 59, 2), 0.5), r"fold_teacher_proba has the shape \(4, 59, 2\)"),
        (np.full((3, 60, 2), 0.5), "for 3 folds, and cv gives 4"),
    ],
)
def test_wrong_predictions_by_fold(by_fold, message):
    proba = TEACHER.fit(X, Y).predict_proba(X)
    search = DistilledLogisticRegressionCV(cv=list(FOLDS.split(X, Y)))
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y, teacher_proba=proba, fold_teacher_proba=by_fold)
    assert not hasattr(search, "coef_")


def test_swapped_columns_of_one_fold_are_noticed():
    proba = TEACHER.fit(X, Y).predict_proba(X)
    search = DistilledLogisticRegressionCV(("C",), cv=list(FOLDS.split(X, Y)))
    by_fold = [proba, proba, proba[:, ::-1], proba]
    with pytest.warns(ImplausibleTeacherWarning, match="fold_teacher_proba") as caught:
        search.fit(X, Y, teacher_proba=proba, fold_teacher_proba=by_fold)
    assert len(caught) == 1


@pytest.mark.parametrize("drawn", [partial(KFold, 4, shuffle=True), partial(ShuffleSplit, 4)])
def test_folds_drawn_anew_are_not_those_of_the_predictions(drawn):
    proba = TEACHER.fit(X, Y).predict_proba(X)
    search = DistilledLogisticRegressionCV(("C",), cv=drawn())
    with pytest.raises(ValueError, match="fold_teacher_proba with cv="):
        search.fit(X, Y, teacher_proba=proba, fold_teacher_proba=[proba] * 4)
    search.set_params(cv=drawn(random_state=0))
    search.fit(X, Y, teacher_proba=proba, fold_teacher_proba=[proba] * 4)


def test_predictions_by_fold_alone_are_not_enough():
    search = DistilledLogisticRegressionCV(("C",), cv=list(FOLDS.split(X, Y)), imitation=0)
    with pytest.raises(ValueError, match="there is no teacher_proba"):
        search.fit(X, Y, fold_teacher_proba=np.full((4, 60, 2), 0.5))


@pytest.mark.parametrize("cv", [2, None])
def test_a_choice_that_cannot_be_nested_is_named(cv):
    model = TeacherStudentClassifier(TEACHER, DistilledLogisticRegressionCV(("C",)), cv=cv)
    with pytest.warns(UserWarning, match="chooses its metaparameters on labels that the teachers"):
        model.fit(X, Y)


def test_generations_that_choose_are_named():
    student = DistilledLogisticRegressionCV(("C",), max_evaluations=2)
    with pytest.warns(UserWarning, match="each generation is trained on the predictions of one"):
        BornAgainClassifier(student, n_generations=2).fit(X, Y)


def test_a_fitted_teacher_needs_no_nesting():
    teacher = clone(TEACHER).fit(X[30:], Y[30:])
    model = TeacherStudentClassifier(teacher, ChoosingStudent(), cv="prefit").fit(X[:30], Y[:30])
    assert model.student_.by_fold_ is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "teacher",
    [RandomForestClassifier(50, random_state=0), SVC(random_state=0)],
    ids=["forest", "svc"],
)
def test_on_random_labels_the_chosen_loss_is_that_with_a_teacher_of_other_labels(teacher):
    # The prior is no bound: the best of many settings is better by chance, with C alone, too.
    rng, search = np.random.default_rng(0), DistilledLogisticRegressionCV(cv=FOLDS)
    scores = []
    for _ in range(16):
        rows, others = (
            (rng.normal(size=(200, 8)), rng.permutation(np.arange(200) % 2)) for _ in range(2)
        )
        nested = TeacherStudentClassifier(teacher, search, cv=FOLDS, random_state=0)
        outside = TeacherStudentClassifier(clone(teacher).fit(*others), search, cv="prefit")
        scores.append([model.fit(*rows).student_.best_score_ for model in (nested, outside)])
    gains = np.subtract(*np.transpose(scores))
    assert np.mean(gains) < 2 * np.std(gains, ddof=1) / np.sqrt(len(gains))
    # the predictions out of fold, which know the labels of the test rows, gain .022
    assert np.mean(scores, axis=0) == pytest.approx(np.log(0.5), abs=0.008)


class TestRegression:
    """The same of numbers: PrivilegedLinearRegressionCV in TeacherStudentRegressor."""

    FOLDS = KFold(4)
    NUMBERS = X[:, 0] + RNG.normal(size=60)

    def test_each_fold_gets_predictions_without_its_test_rows(self, monkeypatch):
        passed = {}
        fit = PrivilegedLinearRegressionCV.fit

        @wraps(fit)
        def noted(self, *args, **params):
            passed.update(params)
            return fit(self, *args, **params)

        monkeypatch.setattr(PrivilegedLinearRegressionCV, "fit", noted)
        student = PrivilegedLinearRegressionCV([1.0], imitations=[0.0, 0.5, 1.0])
        TeacherStudentRegressor(Ridge(), student, cv=self.FOLDS).fit(X, self.NUMBERS)
        tests = [test for _, test in self.FOLDS.split(X)]
        for k, by_fold in enumerate(passed["fold_teacher_prediction"]):
            for j, test in enumerate(tests):
                if j != k:
                    train = np.setdiff1d(np.arange(60), np.union1d(test, tests[k]))
                    teacher = Ridge().fit(X[train], self.NUMBERS[train])
                    np.testing.assert_allclose(by_fold[test], teacher.predict(X[test]))

    def test_scores_are_those_of_the_student_fitted_in_each_fold(self):
        right = self.NUMBERS + 0.3 * RNG.normal(size=(4, 60))
        splits = list(self.FOLDS.split(X))
        search = PrivilegedLinearRegressionCV([1.0], imitations=[0.3, 0.8], cv=self.FOLDS)
        search.fit(X, self.NUMBERS, teacher_prediction=right[0], fold_teacher_prediction=right)
        for i, imitation in enumerate(search.imitations_):
            for k, (train, test) in enumerate(splits):
                student = PrivilegedLinearRegression(
                    imitation, alpha=1.0, noise_variance=1.0, teacher_noise_variance=1.0
                )
                student.fit(X[train], self.NUMBERS[train], teacher_prediction=right[k][train])
                error = np.mean((student.predict(X[test]) - self.NUMBERS[test]) ** 2)
                score = search.cv_results_[f"split{k}_test_score"][i]
                assert -score == pytest.approx(error, rel=1e-9)

    def test_equal_predictions_in_all_folds_are_the_usual_search(self):
        right = self.NUMBERS + 0.3 * RNG.normal(size=60)
        usual = PrivilegedLinearRegressionCV(5, cv=self.FOLDS)
        by_fold = clone(usual)
        usual.fit(X, self.NUMBERS, teacher_prediction=right)
        by_fold.fit(X, self.NUMBERS, teacher_prediction=right, fold_teacher_prediction=[right] * 4)
        mean = "mean_test_score"
        np.testing.assert_allclose(by_fold.cv_results_[mean], usual.cv_results_[mean], rtol=1e-10)
        np.testing.assert_allclose(by_fold.coef_, usual.coef_, rtol=1e-10)

    def test_wrong_shapes(self):
        search = PrivilegedLinearRegressionCV(3, cv=self.FOLDS)
        given = {"teacher_prediction": self.NUMBERS, "fold_teacher_prediction": np.ones((3, 60))}
        with pytest.raises(ValueError, match=r"has the shape \(3, 60\): pass .* the 4 folds"):
            search.fit(X, self.NUMBERS, **given)

    def test_other_folds_in_each_call(self):
        search = PrivilegedLinearRegressionCV(3, cv=KFold(4, shuffle=True))
        given = {"teacher_prediction": self.NUMBERS, "fold_teacher_prediction": np.ones((4, 60))}
        with pytest.raises(ValueError, match="fold_teacher_prediction with cv=KFold"):
            search.fit(X, self.NUMBERS, **given)

    def test_a_fold_in_another_order_is_noticed(self):
        rng = np.random.default_rng(1)
        features = rng.normal(size=(200, 2))
        numbers = features[:, 0] + 0.1 * rng.normal(size=200)
        by_fold = [numbers, numbers, rng.permutation(numbers), numbers]
        search = PrivilegedLinearRegressionCV(3, cv=self.FOLDS)
        with pytest.warns(ImplausibleTeacherWarning, match="fold_teacher_prediction is") as caught:
            search.fit(
                features, numbers, teacher_prediction=numbers, fold_teacher_prediction=by_fold
            )
        assert len(caught) == 1
