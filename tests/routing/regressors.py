"""The tools of the matrix around a regressor with ``teacher_prediction``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from optuna.distributions import FloatDistribution
from optuna_integration import OptunaSearchCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SelectFromModel
from sklearn.linear_model import LinearRegression, RANSACRegressor
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import Pipeline

from tests.routing.case import Case, Run, called, fitted
from tests.routing.datasets import ONE_COLUMN_TEACHER, POSITIVE_TARGET, REGRESSION, TWO_OUTPUTS
from tests.routing.recording import RecordingRegressor, RoutingData

CV = KFold(3, shuffle=True, random_state=0)
STEP = "student__"
STUDENT = RecordingRegressor(noise_variance=1.0, teacher_noise_variance=0.5)
LAMBDAS = [0.2, 0.8]
GRID = {"imitation": LAMBDAS}
search = partial(GridSearchCV, cv=CV, error_score="raise")


def case(tool: str, run: Run, data: RoutingData = REGRESSION, prefix: str = "") -> Case:
    return Case(tool, run, data, STUDENT, "teacher_prediction", prefix)


def pipeline(student: Any) -> Any:
    return Pipeline([("nothing", "passthrough"), ("student", student)])


def optuna_search(student: Any, **options: Any) -> Any:
    space = {"imitation": FloatDistribution(0, 1)}
    return OptunaSearchCV(
        student, space, cv=CV, n_trials=2, random_state=0, error_score="raise", **options
    )


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
                student, GRID, cv=CV, min_resources=12, random_state=0, error_score="raise"
            )
        ),
    ),
    case("`OptunaSearchCV`", fitted(partial(optuna_search, subsample=0.8))),
    case(
        "`OptunaSearchCV(enable_pruning=True)`",
        fitted(partial(optuna_search, enable_pruning=True, max_iter=2)),
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
        "`learning_curve(exploit_incremental_learning=True)`",
        called(learning_curve, cv=CV, exploit_incremental_learning=True, error_score="raise"),
    ),
]
ENSEMBLES = [
    case(
        "`StackingRegressor`, student as base estimator",
        fitted(
            lambda student: StackingRegressor([("student", student)], LinearRegression(), cv=CV)
        ),
    ),
    case(
        "`StackingRegressor`, student as final estimator",
        fitted(
            lambda student: StackingRegressor(
                [("other", LinearRegression())], student, cv=CV, passthrough=True
            )
        ),
    ),
    case("`VotingRegressor`", fitted(lambda student: VotingRegressor([("student", student)]))),
    case("`BaggingRegressor`", fitted(partial(BaggingRegressor, n_estimators=3, random_state=0))),
    case("`RANSACRegressor`", fitted(partial(RANSACRegressor, min_samples=20, random_state=0))),
]
OTHER_TARGETS = [
    case(
        "`TransformedTargetRegressor`",
        fitted(partial(TransformedTargetRegressor, func=np.log, inverse_func=np.exp)),
        POSITIVE_TARGET,
    ),
    case("`MultiOutputRegressor`", fitted(MultiOutputRegressor), TWO_OUTPUTS),
    case(
        "`MultiOutputRegressor`, one column of predictions",
        fitted(MultiOutputRegressor),
        ONE_COLUMN_TEACHER,
    ),
    case("`RegressorChain`", fitted(RegressorChain), TWO_OUTPUTS),
    case("`RegressorChain`, one column of predictions", fitted(RegressorChain), ONE_COLUMN_TEACHER),
]
SELECTORS = [
    case("`RFECV`", fitted(partial(RFECV, cv=CV))),
    case("`SelectFromModel`", fitted(SelectFromModel)),
]
REGRESSORS = [
    *PIPELINES,
    *SEARCHES,
    *CROSS_VALIDATION,
    *ENSEMBLES,
    *SELECTORS,
    *OTHER_TARGETS,
]
