"""The objective of a study over missing labels, rare classes, or a teacher alone."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from optuna.distributions import FloatDistribution
from optuna.trial import FixedTrial
from scipy.special import softmax
from sklearn import config_context
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.metrics import get_scorer
from sklearn_distill.model_selection import LabeledKFold
from sklearn_distill.search import distillation_objective

N = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
S = softmax(3 * X @ RNG.normal(size=(3, 3)), axis=1)
STUDENT = DistilledLogisticRegression(classes=[0, 1, 2])
SPACE = {"C": FloatDistribution(0.01, 100)}
TRIAL = FixedTrial({"C": 0.7})
NAME = "neg_teacher_cross_entropy"


def by_hand(y, cv, name, groups=None):
    scores = []
    for train, test in cv.split(X, y, groups):
        model = DistilledLogisticRegression(C=0.7, classes=[0, 1, 2])
        model.fit(X[train], None if y is None else y[train], teacher_proba=S[train])
        judge = {"teacher_proba": S[test]} if "teacher" in name else {}
        scores.append(get_scorer(name)(model, X[test], None if y is None else y[test], **judge))
    return np.mean(scores)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("scoring", [NAME, get_scorer(NAME)], ids=["name", "object"])
def test_a_teacher_judges_without_labels(routing, scoring):
    with config_context(enable_metadata_routing=routing):
        objective = distillation_objective(
            STUDENT, X, None, SPACE, scoring=scoring, params={"teacher_proba": S}
        )
    copy = pickle.loads(pickle.dumps(objective))
    assert_allclose([objective(TRIAL), copy(TRIAL)], by_hand(None, KFold(5), NAME), rtol=1e-12)


def test_the_judge_is_found_behind_a_pipelines_prefix():
    pipeline = make_pipeline(StandardScaler(with_mean=False, with_std=False), STUDENT)
    step = "distilledlogisticregression__"
    objective = distillation_objective(
        pipeline,
        X,
        None,
        {f"{step}C": SPACE["C"]},
        scoring=NAME,
        params={f"{step}teacher_proba": S},
    )
    score = objective(FixedTrial({f"{step}C": 0.7}))
    assert_allclose(score, by_hand(None, KFold(5), NAME), rtol=1e-12)


@pytest.mark.parametrize("missing", [np.nan, None])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy", NAME])
@pytest.mark.parametrize("groups", [None, np.arange(N) // 3])
def test_only_labelled_rows_validate(missing, scoring, groups):
    y = np.where(np.arange(N) % 2 == 0, S.argmax(axis=1), missing)
    objective = distillation_objective(
        STUDENT, X, y, SPACE, cv=3, scoring=scoring, params={"teacher_proba": S}, groups=groups
    )
    expected = by_hand(y, LabeledKFold(3), scoring, groups)
    assert_allclose(objective(TRIAL), expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:The least populated class")  # the case
def test_folds_without_a_rare_class_are_scored():
    y = np.where(np.arange(N) < 3, 2, S[:, :2].argmax(axis=1))
    objective = distillation_objective(
        STUDENT, X, y, SPACE, scoring="neg_log_loss", params={"teacher_proba": S}
    )
    assert_allclose(objective(TRIAL), by_hand(y, LabeledKFold(5), "neg_log_loss"), rtol=1e-12)


def test_a_regressors_predictions_judge():
    prediction = X @ [1.0, 2.0, 3.0]
    objective = distillation_objective(
        PrivilegedLinearRegression(),
        X,
        None,
        {"alpha": FloatDistribution(0, 1)},
        scoring="neg_teacher_root_mean_squared_error",
        params={"teacher_prediction": prediction},
    )
    assert objective(FixedTrial({"alpha": 0.0})) == pytest.approx(0, abs=1e-9)


def test_a_score_of_no_label_and_a_judge_that_is_missing_are_errors_at_once():
    params = {"teacher_proba": S}
    with pytest.raises(ValueError, match=r"scoring=None.*neg_teacher_cross_entropy"):
        distillation_objective(STUDENT, X, None, SPACE, params=params)
    y = np.arange(N) % 3
    for routing in (False, True):
        with (
            config_context(enable_metadata_routing=routing),
            pytest.raises(ValueError, match=r"judges by teacher_proba.*params"),
        ):
            distillation_objective(STUDENT, X, y, SPACE, scoring=NAME)
