"""The tools slice the rows of boosted students, and of any regressor, like those of the matrix."""

from dataclasses import replace

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    SoftTargetClassifier,
    SoftTargetRegressor,
)
from tests.routing.matrix import CELLS, VERSION, recorded_verdicts
from tests.routing.recording import _Recording


class RecordingBoosting(_Recording, DistilledBoostingClassifier):
    """A DistilledBoostingClassifier that records the arguments of fit."""

    def fit(
        self,
        X,
        y=None,
        sample_weight=None,
        *,
        teacher_proba=None,
        teacher_logits=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        **params,
    ):
        self.record(X, y, teacher_proba)
        return super().fit(
            X,
            y,
            sample_weight,
            teacher_proba=teacher_proba,
            teacher_logits=teacher_logits,
            **params,
        )


class RecordingBoostingOfNumbers(_Recording, DistilledBoostingRegressor):
    """A DistilledBoostingRegressor that records the arguments of fit."""

    def fit(
        self,
        X,
        y=None,
        sample_weight=None,
        *,
        teacher_prediction=None,
        teacher_std=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        **params,
    ):
        self.record(X, y, teacher_prediction)
        return super().fit(X, y, sample_weight, teacher_prediction=teacher_prediction, **params)


class RecordingTree(_Recording, SoftTargetClassifier):
    """A SoftTargetClassifier that records the arguments of fit."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_proba=None, teacher_logits=None):
        self.record(X, y, teacher_proba)
        return super().fit(
            X, y, sample_weight, teacher_proba=teacher_proba, teacher_logits=teacher_logits
        )


class RecordingTreeOfNumbers(_Recording, SoftTargetRegressor):
    """A SoftTargetRegressor that records the arguments of fit."""

    def fit(self, X, y=None, sample_weight=None, *, teacher_prediction=None):
        self.record(X, y, teacher_prediction)
        return super().fit(X, y, sample_weight, teacher_prediction=teacher_prediction)


SMALL = {"max_iter": 2, "max_leaf_nodes": 3, "early_stopping": False}
TREE = DecisionTreeRegressor(max_depth=2, random_state=0)
STUDENTS = {
    "classifier": {
        "boosting": RecordingBoosting(HistGradientBoostingClassifier(**SMALL)),
        "tree": RecordingTree(TREE),
    },
    "regressor": {
        "boosting": RecordingBoostingOfNumbers(HistGradientBoostingRegressor(**SMALL)),
        "tree": RecordingTreeOfNumbers(TREE),
    },
}
# what a tool needs that a student lacks: scikit-learn's histogram boosting has no importances
LACKS = {
    ("`RFECV`", "boosting"): "importance_getter=='auto'",
    **{
        (tool, student): "must support"
        for tool in (
            "`OptunaSearchCV(enable_pruning=True)`",
            "`learning_curve(exploit_incremental_learning=True)`",
        )
        for student in ("boosting", "tree")
    },
}
RECORDED = recorded_verdicts()
OF_STUDENTS = [cell for cell in CELLS if cell[0] in STUDENTS]


@pytest.mark.skipif(VERSION not in RECORDED, reason="another scikit-learn than those recorded")
@pytest.mark.parametrize("student", ["boosting", "tree"])
@pytest.mark.parametrize("cell", OF_STUDENTS, ids=", ".join)
def test_a_tool(cell, student):
    (kind, tool, _), (case, routing) = cell, CELLS[cell]
    verdict = replace(case, student=STUDENTS[kind][student]).verdict(routing)
    lacks = LACKS.get((tool, student))
    assert verdict == RECORDED.loc[cell, VERSION] or (lacks and lacks in verdict)
