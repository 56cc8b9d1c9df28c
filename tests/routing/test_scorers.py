"""Scorers that judge by the teacher get the rows of the validation fold, in every tool."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.model_selection import permutation_test_score

from sklearn_distill.metrics._scorer import Scorer
from sklearn_distill.metrics.scorers import get_scorer
from tests.routing.classifiers import (
    CV,
    GRID,
    LAMBDAS,
    RFECV,
    STEP,
    STUDENT,
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
from tests.routing.recording import UNKNOWN, rows_of

SEEN = []


class RecordingScorer(Scorer):
    """The teacher's cross-entropy, which records the samples and the predictions that it gets."""

    def __init__(self):
        super().__init__("neg_teacher_cross_entropy", "teacher_proba")

    def _score(self, estimator, X, judged_by, sample_weight):
        SEEN.append((np.asarray(X), np.asarray(judged_by)))
        return get_scorer(self.name)(estimator, X, teacher_proba=judged_by)


OPTIONS = {"cv": CV, "scoring": RecordingScorer()}


def fit(make):
    return lambda X, y, params: make().fit(X, y, **params)


def call(function, **options):
    return lambda X, y, params: function(
        STUDENT,
        X,
        y,
        cv=CV,
        scoring=RecordingScorer(),
        params=params,
        error_score="raise",
        **options,
    )


TOOLS = {
    "GridSearchCV": fit(lambda: search(STUDENT, GRID, scoring=RecordingScorer())),
    "GridSearchCV of a Pipeline": fit(
        lambda: search(pipeline(STUDENT), {STEP + "imitation": LAMBDAS}, scoring=RecordingScorer())
    ),
    "RandomizedSearchCV": fit(
        lambda: RandomizedSearchCV(STUDENT, GRID, n_iter=2, random_state=0, **OPTIONS)
    ),
    "HalvingGridSearchCV": fit(
        lambda: HalvingGridSearchCV(STUDENT, GRID, min_resources=24, random_state=0, **OPTIONS)
    ),
    "cross_validate": call(cross_validate),
    "cross_validate, several": lambda X, y, params: cross_validate(
        STUDENT,
        X,
        y,
        cv=CV,
        scoring={"teacher": RecordingScorer(), "labels": sklearn_scorer("accuracy")},
        params=params,
        error_score="raise",
    ),
    "learning_curve": call(learning_curve, shuffle=True, random_state=0),
    "validation_curve": call(validation_curve, param_name="imitation", param_range=LAMBDAS),
    "SequentialFeatureSelector": fit(
        lambda: SequentialFeatureSelector(STUDENT, n_features_to_select=1, **OPTIONS)
    ),
    "RFECV": fit(lambda: RFECV(STUDENT, **OPTIONS)),
    "permutation_test_score": lambda X, y, params: permutation_test_score(
        STUDENT, X, y, n_permutations=2, random_state=0, params=params, **OPTIONS
    ),
    "OptunaSearchCV": fit(
        lambda: OptunaSearchCV(
            STUDENT, {"imitation": FloatDistribution(0, 1)}, n_trials=2, random_state=0, **OPTIONS
        )
    ),
}


@pytest.mark.filterwarnings("ignore")  # about experimental tools
@pytest.mark.parametrize("tool", TOOLS)
def test_the_judge_is_sliced_with_the_validation_fold(tool):
    SEEN.clear()
    data = TWO_CLASSES
    with config_context(enable_metadata_routing=True):
        TOOLS[tool](data.X, data.y, {"teacher_proba": data.teacher})
    assert SEEN
    for X, judged_by in SEEN:
        rows = rows_of(X, data.X)
        assert UNKNOWN not in rows
        np.testing.assert_array_equal(rows_of(judged_by, data.teacher), rows)
