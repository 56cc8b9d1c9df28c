"""Teachers that need the labels 0, …, K−1, and folds that do not train on a class."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.distillers import BornAgainClassifier, TeacherStudentClassifier
from sklearn_distill.teachers import out_of_fold_proba
from tests.distillers.spies import SpyStudent

X, CODES = make_classification(120, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
STUDENT = DistilledLogisticRegression()


class Booster(ClassifierMixin, BaseEstimator):
    """Refuse labels as XGBClassifier does."""

    def __init__(self, kind=LogisticRegression, random_state=None, class_weight=None):
        self.kind = kind
        self.random_state = random_state
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None):
        self.classes_, expected = np.unique(y), np.arange(len(np.unique(y)))
        if not np.array_equal(self.classes_, expected):
            raise ValueError(
                f"Invalid classes inferred from unique values of `y`.  Expected: {expected}, got "
                f"{self.classes_}"
            )
        self.model_ = self.kind().fit(X, y, sample_weight)
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


class MarginBooster(Booster):
    predict_proba = None

    def __getattribute__(self, name):
        if name == "predict_proba":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def decision_function(self, X):
        return self.model_.decision_function(X)


LABELS = {
    "strings": np.array(["ant", "bee", "cat"]),
    "integers": np.array([1, 3, 7]),
    "codes": np.arange(3),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
def test_teachers_that_need_codes(labels):
    y = labels[CODES]
    weight = np.linspace(1, 2, 120)
    expected = out_of_fold_proba(LogisticRegression(), X, y)
    np.testing.assert_allclose(out_of_fold_proba(Booster(), X, y), expected)
    scaled = make_pipeline(StandardScaler(), Booster())
    alike = make_pipeline(StandardScaler(), LogisticRegression())
    for foreign, own in ((Booster(), LogisticRegression()), (scaled, alike)):
        models = [TeacherStudentClassifier(t, STUDENT, random_state=0) for t in (foreign, own)]
        first, second = (model.fit(X, y, weight) for model in models)
        np.testing.assert_allclose(first.predict_proba(X), second.predict_proba(X))
        np.testing.assert_array_equal(first.teacher_.predict(X), second.teacher_.predict(X))
        np.testing.assert_array_equal(first.teacher_.classes_, labels)


def test_teachers_inside_others_and_with_margins_only():
    y = LABELS["strings"][CODES]
    calibrated = out_of_fold_proba(CalibratedClassifierCV(Booster(), cv=2), X, y, 3)
    expected = out_of_fold_proba(CalibratedClassifierCV(Booster(), cv=2), X, CODES, 3)
    np.testing.assert_allclose(calibrated, expected)
    margins = out_of_fold_proba(MarginBooster(SVC), X, y)
    np.testing.assert_allclose(margins, out_of_fold_proba(SVC(), X, y))


def test_hard_generations_that_need_codes():
    y = LABELS["integers"][CODES]
    options = {"n_generations": 2, "labels": "hard"}
    model = BornAgainClassifier(Booster(), **options).fit(X, y)
    own = BornAgainClassifier(LogisticRegression(), **options).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), own.predict(X))
    np.testing.assert_allclose(model.predict_proba(X), own.predict_proba(X))


def test_a_memory_and_a_clone(tmp_path):
    y = LABELS["strings"][CODES]
    model = TeacherStudentClassifier(Booster(), STUDENT, memory=tmp_path, random_state=0).fit(X, y)
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_an_error_of_another_cause_is_the_teachers_own():
    y = LABELS["strings"][CODES]
    with pytest.raises(ValueError, match=r"Booster failed in fold 1 of 5: Invalid classes"):
        out_of_fold_proba(Booster(class_weight={"ant": 2.0, "bee": 1.0, "cat": 1.0}), X, y)
    with_nan = np.where(np.arange(5) == 2, np.nan, X)
    with pytest.raises(ValueError, match="failed in fold 1 of 5: Input X contains NaN"):
        out_of_fold_proba(LogisticRegression(), with_nan, y)
    weighted = LogisticRegression(class_weight={0: 1.0, 1: 2.0, 2: 3.0})
    with pytest.raises(ValueError, match="failed in fold 1 of 5: The classes"):
        out_of_fold_proba(weighted, X, y)


def rare():
    y = np.array(["a", "b", "rare"])[CODES % 2]
    y[[0, 5]] = "rare"
    return y


def test_a_class_that_a_fold_does_not_train_on():
    y = rare()
    forest = RandomForestClassifier(5, random_state=0)
    model = TeacherStudentClassifier(forest, SpyStudent(), cv=KFold(5))
    with pytest.warns(UserWarning, match=r"is not fitted on the classes \['rare'\] in fold 1 of 5"):
        model.fit(X, y)
    proba = model.student_.fit_args_["proba"]
    assert not proba[:24, 2].any()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert list(model.teacher_.classes_) == ["a", "b", "rare"]
    with pytest.warns(UserWarning, match=r"\['rare'\] in fold 1 of 5"):
        np.testing.assert_array_equal(out_of_fold_proba(forest, X, y, KFold(5)), proba)
    with pytest.warns(UserWarning, match=r"\['rare'\] in fold 1 of 5"):
        codes_only = out_of_fold_proba(Booster(), X, y, KFold(5))
    assert not codes_only[:24, 2].any()
    with pytest.warns(UserWarning, match=r"\['rare'\] in fold 1 of 5"):
        BornAgainClassifier(STUDENT, n_generations=2, cv=KFold(5)).fit(X, y)


def test_a_stratified_fold_has_each_class_and_scores_are_finite():
    y = np.where(np.arange(120) < 4, "rare", rare())
    model = TeacherStudentClassifier(RandomForestClassifier(5, random_state=0), STUDENT, cv=2)
    assert np.isfinite(cross_val_score(model.fit(X, y), X, y, cv=2, error_score="raise")).all()


def test_a_cached_fit_warns_again(tmp_path):
    y = rare()
    model = TeacherStudentClassifier(
        RandomForestClassifier(5, random_state=0), STUDENT, cv=KFold(5), memory=tmp_path,
        random_state=0,
    )  # fmt: skip
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"\['rare'\] in fold 1 of 5"):
            model.fit(X, y)
