"""The tools of the matrix around a classifier with ``teacher_proba``."""

from __future__ import annotations

from functools import partial
from typing import Any

from optuna.distributions import FloatDistribution
from optuna_integration import OptunaSearchCV
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import SelfTrainingClassifier

from tests.routing.case import Case, Run, called, fitted
from tests.routing.datasets import MULTILABEL, SHORT_TEACHER, THREE_CLASSES, TWO_CLASSES, UNLABELLED
from tests.routing.recording import RecordingClassifier, RoutingData

CV = StratifiedKFold(3, shuffle=True, random_state=0)
STEP = "student__"
STUDENT = RecordingClassifier(max_iter=1000, tol=1e-3)
LAMBDAS = [0.2, 0.8]
GRID = {"imitation": LAMBDAS}
search = partial(GridSearchCV, cv=CV, error_score="raise")


def case(tool: str, run: Run, data: RoutingData = TWO_CLASSES, prefix: str = "") -> Case:
    return Case(tool, run, data, STUDENT, "teacher_proba", prefix)


def pipeline(student: Any) -> Any:
    return Pipeline([("nothing", "passthrough"), ("student", student)])


PIPELINES = [
    case("`Pipeline`", fitted(pipeline), prefix=STEP),
    case(
        "`GridSearchCV` of a `Pipeline`",
        fitted(lambda student: search(pipeline(student), {STEP + "imitation": LAMBDAS})),
        prefix=STEP,
    ),
]
SEARCHES = [
    case("`GridSearchCV`", fitted(lambda student: search(student, GRID))),
    case(
        "`RandomizedSearchCV`",
        fitted(
            lambda student: RandomizedSearchCV(
                student, GRID, n_iter=2, cv=CV, random_state=0, error_score="raise"
            )
        ),
    ),
    case(
        "`HalvingGridSearchCV`",
        fitted(
            lambda student: HalvingGridSearchCV(
                student, GRID, cv=CV, min_resources=24, random_state=0, error_score="raise"
            )
        ),
    ),
    case(
        "`OptunaSearchCV`",
        fitted(
            lambda student: OptunaSearchCV(
                student,
                {"imitation": FloatDistribution(0, 1)},
                cv=CV,
                n_trials=2,
                subsample=0.8,
                random_state=0,
                error_score="raise",
            )
        ),
    ),
]
CROSS_VALIDATION = [
    case("`cross_validate`", called(cross_validate, cv=CV, error_score="raise")),
    case("`cross_val_predict`", called(cross_val_predict, cv=CV)),
    case(
        "`learning_curve`",
        called(learning_curve, cv=CV, shuffle=True, random_state=0, error_score="raise"),
    ),
    case(
        "`validation_curve`",
        called(
            validation_curve,
            param_name="imitation",
            param_range=LAMBDAS,
            cv=CV,
            error_score="raise",
        ),
    ),
]
THRESHOLDS = [
    case("`CalibratedClassifierCV`", fitted(partial(CalibratedClassifierCV, cv=CV))),
    case(
        "`CalibratedClassifierCV(ensemble=False)`",
        fitted(partial(CalibratedClassifierCV, cv=CV, ensemble=False)),
    ),
    case(
        "`TunedThresholdClassifierCV`",
        fitted(partial(TunedThresholdClassifierCV, thresholds=9, cv=CV)),
    ),
    case("`FixedThresholdClassifier`", fitted(FixedThresholdClassifier)),
]
ENSEMBLES = [
    case(
        "`StackingClassifier`, student as base estimator",
        fitted(
            lambda student: StackingClassifier([("student", student)], LogisticRegression(), cv=CV)
        ),
    ),
    case(
        "`StackingClassifier`, student as final estimator",
        fitted(
            lambda student: StackingClassifier(
                [("other", LogisticRegression())], student, cv=CV, passthrough=True
            )
        ),
    ),
    case(
        "`StackingClassifier`, students as base and final estimators",
        fitted(
            lambda student: StackingClassifier(
                [("student", student)], student, cv=CV, passthrough=True
            )
        ),
    ),
    case("`VotingClassifier`", fitted(lambda student: VotingClassifier([("student", student)]))),
    case("`BaggingClassifier`", fitted(partial(BaggingClassifier, n_estimators=3, random_state=0))),
    case("`AdaBoostClassifier`", fitted(partial(AdaBoostClassifier, n_estimators=3))),
]
OTHER_LABELS = [
    case("`OneVsRestClassifier`, two classes", fitted(OneVsRestClassifier)),
    case("`OneVsRestClassifier`, three classes", fitted(OneVsRestClassifier), THREE_CLASSES),
    case(
        "`OneVsRestClassifier`, three classes, student with `classes=`",
        fitted(lambda student: OneVsRestClassifier(clone(student).set_params(classes=[0, 1, 2]))),
        THREE_CLASSES,
    ),
    case("`OneVsOneClassifier`, three classes", fitted(OneVsOneClassifier), THREE_CLASSES),
    case("`MultiOutputClassifier`", fitted(MultiOutputClassifier), MULTILABEL),
    case("`ClassifierChain`", fitted(ClassifierChain), MULTILABEL),
    case("`SelfTrainingClassifier`", fitted(SelfTrainingClassifier), UNLABELLED),
]
OTHER_LENGTHS = [
    case(
        "`GridSearchCV`, predictions as long as a training fold",
        fitted(lambda student: search(student, GRID)),
        SHORT_TEACHER,
    ),
    case(
        "`cross_validate`, predictions as long as a training fold",
        called(cross_validate, cv=CV, error_score="raise"),
        SHORT_TEACHER,
    ),
]
SELECTORS = [
    case("`RFECV`", fitted(partial(RFECV, cv=CV))),
    case("`SelectFromModel`", fitted(SelectFromModel)),
    case(
        "`SequentialFeatureSelector`",
        fitted(partial(SequentialFeatureSelector, n_features_to_select=1, cv=CV)),
    ),
]
CLASSIFIERS = [
    *PIPELINES,
    *SEARCHES,
    *CROSS_VALIDATION,
    *THRESHOLDS,
    *ENSEMBLES,
    *SELECTORS,
    *OTHER_LABELS,
    *OTHER_LENGTHS,
]
