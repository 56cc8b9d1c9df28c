"""scikit-learn's tools around students that are fitted on labels alone, and meta-estimators.

With a teacher, tests/routing says for each tool what it passes on.
"""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, SelectFromModel, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import RANSACRegressor
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)

X, Y = make_classification(
    90, 4, n_informative=3, n_redundant=0, n_classes=3, class_sep=2.0, random_state=0
)
NAMES = np.array(["a", "b", "c"])[Y]
TWO = np.column_stack([Y > 0, Y == 1]).astype(int)
NUMBERS = X @ [1.0, 2.0, 3.0, 0.0] + np.random.default_rng(0).normal(size=90)
BOTH = np.column_stack([NUMBERS, -NUMBERS])
LINEAR = DistilledLogisticRegression(imitation=0.0)
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)

CLASSIFIERS = {
    "linear": LINEAR,
    "tree": SoftTargetClassifier(TREE, imitation=0.0),
    "teacher and student": TeacherStudentClassifier(GaussianNB(), LINEAR, cv=2),
    "generations": BornAgainClassifier(LINEAR, n_generations=2),
}
REGRESSORS = {
    "linear": PrivilegedLinearRegression(imitation=0.0),
    "tree of numbers": SoftTargetRegressor(TREE, imitation=0.0),
    "teacher and student": TeacherStudentRegressor(TREE, PrivilegedLinearRegression(), cv=2),
}


def searched(estimator):
    """Name a parameter, and two values of it."""
    student = estimator.get_params().get("student", estimator)
    name = "alpha" if hasattr(student, "alpha") else "imitation"
    prefix = "student__" if student is not estimator else ""
    return {prefix + name: [0.0, 0.5 if prefix else 0.0]}


# each returns at least .6 where the tool worked: an accuracy, a number of features, a share
FOR_CLASSES = {
    "AdaBoost": lambda one: AdaBoostClassifier(one, n_estimators=3).fit(X, Y).score(X, Y),
    "Bagging": lambda one: (
        BaggingClassifier(one, n_estimators=3, max_features=0.8, random_state=0)
        .fit(X, Y, sample_weight=np.arange(90) % 4)
        .score(X, Y)
    ),
    "Voting": lambda one: (
        VotingClassifier([("one", one), ("other", GaussianNB())], voting="soft")
        .fit(X, NAMES)
        .score(X, NAMES)
    ),
    "Stacking": lambda one: (
        StackingClassifier([("one", one)], clone(one), cv=2).fit(X, Y).score(X, Y)
    ),
    "RFE": lambda one: RFE(one, n_features_to_select=3).fit(X, Y).score(X, Y),
    "SelectFromModel": lambda one: SelectFromModel(one).fit(X, Y).transform(X).shape[1],
    "sequential": lambda one: (
        SequentialFeatureSelector(one, n_features_to_select=1, cv=2).fit(X, Y).get_support().sum()
    ),
    "calibration": lambda one: CalibratedClassifierCV(one, cv=2).fit(X, Y).score(X, Y),
    "calibration of a frozen one": lambda one: (
        CalibratedClassifierCV(FrozenEstimator(clone(one).fit(X, Y))).fit(X, Y).score(X, Y)
    ),
    "OneVsRest": lambda one: OneVsRestClassifier(one).fit(X, Y).score(X, Y),
    "OneVsOne": lambda one: OneVsOneClassifier(one).fit(X, NAMES).score(X, NAMES),
    "OutputCode": lambda one: (
        OutputCodeClassifier(one, code_size=4, random_state=0).fit(X, Y).score(X, Y)
    ),
    "MultiOutput": lambda one: (MultiOutputClassifier(one).fit(X, TWO).predict(X) == TWO).mean(),
    "chain": lambda one: (ClassifierChain(one, cv=2).fit(X, TWO).predict(X) == TWO).mean(),
    "permutation importance": lambda one: (
        permutation_importance(
            clone(one).fit(X, Y), X, Y, n_repeats=2, random_state=0
        ).importances_mean.max()
        + 0.5
    ),
    "partial dependence": lambda one: np.isfinite(
        partial_dependence(clone(one).fit(X, Y), X, [0], grid_resolution=5).average
    ).mean(),
    "learning curve": lambda one: learning_curve(
        one, X, Y, cv=2, train_sizes=[0.8, 1.0], error_score="raise"
    )[1].mean(),
    "halving": lambda one: (
        HalvingGridSearchCV(one, searched(one), cv=2, error_score="raise", random_state=0)
        .fit(X, Y)
        .score(X, Y)
    ),
    "nested search": lambda one: cross_val_score(
        GridSearchCV(one, searched(one), cv=2), X, Y, cv=2, error_score="raise"
    ).mean(),
    "threshold": lambda one: (
        TunedThresholdClassifierCV(one, cv=2, thresholds=5).fit(X, Y > 0).score(X, Y > 0)
    ),
    "self-training": lambda one: (
        SelfTrainingClassifier(one).fit(X, np.where(np.arange(90) % 3, Y, -1)).score(X, Y)
    ),
    "log-probabilities out of fold": lambda one: (
        cross_val_predict(one, X, Y, cv=2, method="predict_log_proba").argmax(axis=1) == Y
    ).mean(),
}
FOR_NUMBERS = {
    "AdaBoost": lambda one: AdaBoostRegressor(one, n_estimators=3).fit(X, NUMBERS),
    "Bagging": lambda one: BaggingRegressor(one, n_estimators=3, random_state=0).fit(X, NUMBERS),
    "Voting": lambda one: VotingRegressor([("one", one)]).fit(X, NUMBERS),
    "Stacking": lambda one: StackingRegressor([("one", one)], clone(one), cv=2).fit(X, NUMBERS),
    "RFE": lambda one: RFE(one, n_features_to_select=3).fit(X, NUMBERS),
    "transformed target": lambda one: TransformedTargetRegressor(
        one, func=np.negative, inverse_func=np.negative
    ).fit(X, NUMBERS),
    "RANSAC": lambda one: RANSACRegressor(one, min_samples=40, random_state=0).fit(X, NUMBERS),
    "frozen": lambda one: FrozenEstimator(clone(one).fit(X, NUMBERS)).fit(X, NUMBERS),
}


@pytest.mark.parametrize("estimator", CLASSIFIERS.values(), ids=CLASSIFIERS)
@pytest.mark.parametrize("tool", FOR_CLASSES.values(), ids=FOR_CLASSES)
def test_tools_around_classifiers(tool, estimator):
    assert tool(estimator) >= 0.6


@pytest.mark.parametrize("estimator", REGRESSORS.values(), ids=REGRESSORS)
@pytest.mark.parametrize("tool", FOR_NUMBERS.values(), ids=FOR_NUMBERS)
def test_tools_around_regressors(tool, estimator):
    assert tool(estimator).score(X, NUMBERS) >= 0.6


@pytest.mark.filterwarnings("ignore:noise_variance='auto' found a perfect fit")
@pytest.mark.parametrize("estimator", REGRESSORS.values(), ids=REGRESSORS)
@pytest.mark.parametrize("kind", [MultiOutputRegressor, RegressorChain])
def test_several_targets(kind, estimator):
    assert kind(estimator).fit(X, BOTH).score(X, BOTH) >= 0.6
