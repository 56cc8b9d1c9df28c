"""The tools of the matrix around a scorer that judges by the teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.model_selection import permutation_test_score

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.metrics import get_scorer
from sklearn_distill.metrics._scorer import Scorer
from tests.routing.case import Case, Run, called
from tests.routing.classifiers import (
    CV,
    GRID,
    LAMBDAS,
    RFECV,
    STEP,
    FloatDistribution,
    HalvingGridSearchCV,
    OptunaSearchCV,
    RandomizedSearchCV,
    SequentialFeatureSelector,
    cross_validate,
    learning_curve,
    pipeline,
    search,
    validation_curve,
)
from tests.routing.datasets import TWO_CLASSES
from tests.routing.recording import Fit, RoutingData, _Recording, rows_of

# not a recording one: the rows of the scorer are the verdict
STUDENT = DistilledLogisticRegression(max_iter=1000, tol=1e-3)


class RecordingScorer(_Recording, Scorer):
    """The teacher's cross-entropy, which records the samples and the predictions that it gets."""

    def __init__(self) -> None:
        super().__init__("neg_teacher_cross_entropy", "teacher_proba")

    def _score(self, estimator: Any, X: Any, judged_by: Any, sample_weight: Any) -> float:
        X = np.asarray(X)
        # labels do not matter to it
        y = TWO_CLASSES.y[rows_of(X, TWO_CLASSES.X)]
        self.fits.append(Fit(X, y, np.asarray(judged_by)))
        return float(get_scorer(self.name)(estimator, X, teacher_proba=judged_by))


JUDGE = RecordingScorer()
OPTIONS = {"cv": CV, "scoring": JUDGE}


def fitted(make: Callable[[], Any]) -> Run:
    """Return a function that fits a tool, which has its student already."""
    return lambda _, data, params: make().fit(data.X, data.y, **params)


def case(tool: str, run: Run) -> Case:
    return Case(tool, run, TWO_CLASSES, STUDENT, "teacher_proba")


def permutations(student: Any, data: RoutingData, params: dict[str, Any]) -> object:
    return permutation_test_score(
        student, data.X, data.y, n_permutations=2, random_state=0, params=params, **OPTIONS
    )


SCORERS = [
    case("`GridSearchCV`", fitted(lambda: search(STUDENT, GRID, scoring=JUDGE))),
    case(
        "`GridSearchCV` of a `Pipeline`",
        fitted(lambda: search(pipeline(STUDENT), {STEP + "imitation": LAMBDAS}, scoring=JUDGE)),
    ),
    case(
        "`RandomizedSearchCV`",
        fitted(
            lambda: RandomizedSearchCV(
                STUDENT, GRID, n_iter=2, random_state=0, error_score="raise", **OPTIONS
            )
        ),
    ),
    case(
        "`HalvingGridSearchCV`",
        fitted(
            lambda: HalvingGridSearchCV(
                STUDENT, GRID, min_resources=24, random_state=0, error_score="raise", **OPTIONS
            )
        ),
    ),
    case(
        "`OptunaSearchCV`",
        fitted(
            lambda: OptunaSearchCV(
                STUDENT,
                {"imitation": FloatDistribution(0, 1)},
                n_trials=2,
                random_state=0,
                error_score="raise",
                **OPTIONS,
            )
        ),
    ),
    case("`cross_validate`", called(cross_validate, error_score="raise", **OPTIONS)),
    case(
        "`cross_validate`, several scorers",
        called(
            cross_validate,
            cv=CV,
            scoring={"teacher": JUDGE, "labels": sklearn_scorer("accuracy")},
            error_score="raise",
        ),
    ),
    case(
        "`learning_curve`",
        called(learning_curve, shuffle=True, random_state=0, error_score="raise", **OPTIONS),
    ),
    case(
        "`validation_curve`",
        called(
            validation_curve,
            param_name="imitation",
            param_range=LAMBDAS,
            error_score="raise",
            **OPTIONS,
        ),
    ),
    case("`permutation_test_score`", permutations),
    case("`RFECV`", fitted(lambda: RFECV(STUDENT, **OPTIONS))),
    case(
        "`SequentialFeatureSelector`",
        fitted(lambda: SequentialFeatureSelector(STUDENT, n_features_to_select=1, **OPTIONS)),
    ),
]
