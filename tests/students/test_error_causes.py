"""Errors name what the user did, and what to do instead."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
)

N = 60
X, Y = make_classification(N, 5, random_state=0)
PROBA = LogisticRegression().fit(X, Y).predict_proba(X)
LOGITS = np.log(PROBA)
MARGINS = LOGITS - LOGITS.mean(axis=1, keepdims=True)
LOG_ODDS = LOGITS[:, 1] - LOGITS[:, 0]
CLASSIFIERS = {
    "logistic": DistilledLogisticRegression(),
    "search": DistilledLogisticRegressionCV(("imitation",), cv=2),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(max_depth=2, random_state=0)),
    "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=2)),
    "network": DistilledNeuralClassifier(max_epochs=2, random_state=0),
}
META = {
    "teacher-student": TeacherStudentClassifier(
        LogisticRegression(), DistilledLogisticRegression()
    ),
    "born again": BornAgainClassifier(DistilledLogisticRegression(), n_generations=2),
}
REGRESSORS = [
    PrivilegedLinearRegression(),
    DistilledNeuralRegressor(max_epochs=1),
    DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=2)),
    SoftTargetRegressor(DecisionTreeRegressor(max_depth=2)),
]


SOFT_LABELS = [PROBA, pd.DataFrame(PROBA), np.eye(2)[Y], PROBA[:, 1]]
# a matrix of 0 and 1 is several labels for a network, which warns of one-hot rows


@pytest.mark.parametrize(
    ("name", "y"),
    [
        (name, y)
        for y in SOFT_LABELS
        for name in [*CLASSIFIERS, *META]
        if name != "network" or y is not SOFT_LABELS[2]
    ],
)
def test_soft_labels_as_y(name, y):
    message = r"(?s)y.*Soft labels are passed as teacher_proba=, with y=None"
    with pytest.raises(ValueError, match=message):
        (CLASSIFIERS | META)[name].fit(X, y)
    if name in CLASSIFIERS:
        with pytest.raises(ValueError, match=message):
            CLASSIFIERS[name].fit(X, y, teacher_proba=PROBA)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("logits", [LOGITS, MARGINS, pd.DataFrame(MARGINS), MARGINS[:, None]])
def test_logits_as_teacher_proba(name, logits):
    with pytest.raises(ValueError, match="if these are logits, pass them as teacher_logits="):
        CLASSIFIERS[name].fit(X, Y, teacher_proba=logits)


def test_log_odds_and_percentages_in_one_dimension():
    with pytest.raises(
        ValueError, match=r"not between 0 and 1.*log-odds are passed as teacher_log"
    ):
        DistilledLogisticRegression().fit(X, Y, teacher_proba=LOG_ODDS)
    for percent in (100 * PROBA[:, 1], 100 * PROBA[:, 1:]):
        with pytest.raises(ValueError, match=r"not between 0 and 1.*divided by 100"):
            DistilledLogisticRegression(classes=[0, 1]).fit(X, teacher_proba=percent)


def test_a_wrong_probability_is_no_logit():
    wrong = PROBA.copy()
    wrong[3] = [-0.1, 1.1]
    with pytest.raises(ValueError, match=r"row 3 has a negative probability: \[-0\.1, 1\.1\]$"):
        DistilledLogisticRegression().fit(X, Y, teacher_proba=wrong)


@pytest.mark.parametrize("student", [*CLASSIFIERS.values(), *META.values(), *REGRESSORS])
def test_a_teacher_as_the_third_argument(student):
    with pytest.raises(ValueError, match=r"third argument of fit is sample_weight.*keyword-only"):
        student.fit(X, Y, PROBA)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("convert", [sparse.csr_matrix, sparse.coo_array])
@pytest.mark.parametrize("argument", ["teacher_proba", "teacher_logits"])
def test_sparse_teachers(name, convert, argument):
    if argument == "teacher_proba" and hasattr(CLASSIFIERS[name], "partial"):
        return  # what is not stored is unknown
    with pytest.raises(ValueError, match=rf"{argument} is a sparse co?.*pass {argument}\.toarray"):
        CLASSIFIERS[name].fit(X, Y, **{argument: convert(PROBA)})


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("convert", [np.array, pd.DataFrame, pl.DataFrame])
def test_a_list_of_teachers(name, convert):
    with pytest.raises(ValueError, match=r"list of 2 teachers: pass.*combine_teachers.*np.stack"):
        CLASSIFIERS[name].fit(X, Y, teacher_proba=[convert(PROBA)] * 2)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_column_for_two_classes(name):
    student = CLASSIFIERS[name]
    expected = student.fit(X, Y, teacher_proba=PROBA[:, 1]).predict_proba(X)
    one_column, two_teachers = PROBA[:, 1:], np.stack([PROBA[:, 1:]] * 2, axis=1)
    log_odds = LOG_ODDS[:, None]
    for teacher in (
        {"teacher_proba": one_column},
        {"teacher_proba": two_teachers},
        {"teacher_logits": log_odds},
        {"teacher_logits": np.stack([log_odds] * 2, axis=1)},
    ):
        student.fit(X, Y, **teacher)
        np.testing.assert_allclose(student.predict_proba(X), expected, atol=1e-5)


def test_a_message_lists_ten_classes():
    rows, wide = np.zeros((200, 1)), np.full((200, 7), 1 / 7)
    y = np.arange(200)
    with pytest.raises(
        ValueError, match=r"classes are \[0, .* 9, \.\.\. \(200 in all\)\]"
    ) as caught:
        DistilledLogisticRegression().fit(rows, y, teacher_proba=wide)
    assert "11" not in str(caught.value)
    wrong = np.full((200, 200), 1.0)
    with pytest.raises(ValueError, match=r"row 0 does not sum.*\(200 in all\)") as caught:
        DistilledLogisticRegression().fit(rows, y, teacher_proba=wrong)
    assert len(str(caught.value)) < 500
    with pytest.raises(ValueError, match=r"class_weight has keys \['x'\].*\(200 in all\)"):
        DistilledLogisticRegression(class_weight={"x": 1.0}).fit(rows, y)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_dict_of_teachers(name):
    with pytest.raises(ValueError, match="teacher_logits is a dict of 2 teachers: pass"):
        CLASSIFIERS[name].fit(X, Y, teacher_logits={"a": LOGITS, "b": LOGITS})


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_labels_of_the_teacher(name):
    names = np.array(["no", "yes"])[Y]
    with pytest.raises(ValueError, match=r"array of numbers: .*'(no|yes)'.*not its labels$"):
        CLASSIFIERS[name].fit(X, names, teacher_proba=names)
    three = np.arange(N) % 3
    with pytest.raises(ValueError, match="teacher's predict_proba returns and its predict does"):
        CLASSIFIERS[name].fit(X, three, teacher_proba=three)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("name", META)
def test_predictions_for_an_estimator_that_makes_them(name, routing):
    prefix = "" if routing else "student__"
    with config_context(enable_metadata_routing=routing):
        for argument in ("teacher_proba", "teacher_logits"):
            with pytest.raises(TypeError, match=rf"itself and takes no {argument}: leave"):
                META[name].fit(X, Y, **{prefix + argument: PROBA})


def test_a_message_gives_six_digits():
    wrong = np.full((N, 2), 1 / 3)
    with pytest.raises(ValueError, match=r"\[0\.333333, 0\.333333\]"):
        DistilledLogisticRegression().fit(X, Y, teacher_proba=wrong)
    both = np.stack([PROBA, wrong], axis=1)
    both[0] = 1 / 3
    with pytest.raises(ValueError, match=r"\[\[0\.333333, 0\.333333\], \[0\.333333, 0\.333333\]\]"):
        DistilledLogisticRegression().fit(X, Y, teacher_proba=both)
