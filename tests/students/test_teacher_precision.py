"""Predictions as they are met: rounded, in half precision, and not normalised."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor

from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    SoftTargetClassifier,
    SoftTargetRegressor,
)
from sklearn_distill.metrics import cross_entropy_from_proba
from sklearn_distill.teachers import combine_teachers

N, K = 60, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4))
Y = np.arange(N) % K
LOGITS = 2 * RNG.normal(size=(N, K))
PROBA = softmax(LOGITS, axis=1)
CLASSIFIERS = {
    "logistic": DistilledLogisticRegression(),
    "search": DistilledLogisticRegressionCV(("imitation",), cv=2),
    "tree": SoftTargetClassifier(DecisionTreeRegressor(max_depth=2, random_state=0)),
    "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=2)),
    "network": DistilledNeuralClassifier(max_epochs=2, random_state=0),
}
ROUNDED = {
    "two decimals": PROBA.round(2),
    "float16": PROBA.astype(np.float16),
    "float16 tensor": torch.tensor(PROBA, dtype=torch.float16),
    "bfloat16 tensor": torch.tensor(PROBA, dtype=torch.bfloat16, requires_grad=True),
}
VOTES = RNG.multinomial(5, [0.5, 0.3, 0.2], size=N).astype(float)


def as_numbers(values):
    if isinstance(values, torch.Tensor):
        values = values.detach().double().numpy()
    return values.astype(float)


@pytest.mark.parametrize("kind", ROUNDED)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_rounded_rows_are_renormalised(name, kind):
    student, p = CLASSIFIERS[name], as_numbers(ROUNDED[kind])
    assert np.abs(p.sum(axis=1) - 1).max() > 1e-4
    expected = student.fit(X, Y, teacher_proba=p / p.sum(axis=1, keepdims=True)).predict_proba(X)
    student.fit(X, Y, teacher_proba=ROUNDED[kind])
    np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-4)


def test_a_sum_at_the_limit():
    rounded = np.tile([0.05, 0.06, 0.1, 0.42, 0.16, 0.23], (6, 1))  # 1.02, but for rounding
    student = DistilledLogisticRegression(classes=range(6))
    student.fit(X[:6], teacher_proba=rounded)
    expected = student.predict_proba(X)
    student.fit(X[:6], teacher_proba=rounded / 1.02)
    np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-4)


def test_features_in_bfloat16_for_a_network():
    features, network = torch.tensor(X, dtype=torch.bfloat16), CLASSIFIERS["network"]
    expected = network.fit(as_numbers(features), Y, teacher_proba=PROBA).predict_proba(X)
    network.fit(features, Y, teacher_proba=PROBA)
    np.testing.assert_array_equal(network.predict_proba(X), expected)
    network.predict_proba(features)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_logits_in_bfloat16(name):
    student, logits = CLASSIFIERS[name], torch.tensor(LOGITS, dtype=torch.bfloat16)
    expected = student.fit(X, Y, teacher_logits=as_numbers(logits)).predict_proba(X)
    student.fit(X, Y, teacher_logits=logits)
    np.testing.assert_array_equal(student.predict_proba(X), expected)


@pytest.mark.parametrize(
    "student",
    [
        PrivilegedLinearRegression(),
        DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=2)),
        SoftTargetRegressor(DecisionTreeRegressor(max_depth=2, random_state=0)),
        DistilledNeuralRegressor(max_epochs=2, random_state=0),
    ],
)
def test_predictions_and_weights_in_bfloat16(student):
    s, weight = (
        torch.tensor(values, dtype=torch.bfloat16) for values in (LOGITS[:, 0], VOTES[:, 0])
    )
    student.fit(X, LOGITS[:, 1], as_numbers(weight), teacher_prediction=as_numbers(s))
    expected = student.predict(X)
    student.fit(X, LOGITS[:, 1], weight, teacher_prediction=s)
    np.testing.assert_array_equal(student.predict(X), expected)


def test_an_embedding_and_several_teachers_in_bfloat16():
    student = DistilledNeuralClassifier(max_epochs=2, embedding_weight=1.0, random_state=0)
    embedding = torch.tensor(X, dtype=torch.bfloat16)
    expected = student.fit(X, Y, teacher_embedding=as_numbers(embedding)).predict_proba(X)
    student.fit(X, Y, teacher_embedding=embedding)
    np.testing.assert_array_equal(student.predict_proba(X), expected)
    p = torch.tensor(PROBA, dtype=torch.bfloat16)
    np.testing.assert_array_equal(combine_teachers([p, p]), combine_teachers([as_numbers(p)] * 2))


class Items(torch.utils.data.Dataset):
    def __init__(self, proba):
        self.proba = proba

    def __len__(self):
        return N

    def __getitem__(self, i):
        return X[i], Y[i], self.proba[i]


def test_a_dataset_in_bfloat16():
    student = DistilledNeuralClassifier(classes=[0, 1, 2], max_epochs=2, random_state=0)
    p = torch.tensor(PROBA, dtype=torch.bfloat16)
    expected = student.fit(Items(as_numbers(p))).predict_proba(X)
    np.testing.assert_array_equal(student.fit(Items(p)).predict_proba(X), expected)


@pytest.mark.parametrize("scale", [0.979, 1.021, 0.5, 2.0])
def test_a_row_farther_from_1_is_an_error(scale):
    wrong = PROBA.copy()
    wrong[7] *= scale
    with pytest.raises(ValueError, match=r"teacher_proba: row 7 does not sum to 1 within 0\.02"):
        DistilledLogisticRegression().fit(X, Y, teacher_proba=wrong)


@pytest.mark.filterwarnings("ignore::sklearn_distill.ImplausibleTeacherWarning")  # random numbers
def test_one_dimension_has_the_same_tolerance():
    y = np.minimum(Y, 1)
    almost = np.clip(PROBA[:, 0] * 3, 0, 1)
    expected = DistilledLogisticRegression().fit(X, y, teacher_proba=almost).coef_
    above = np.where(almost == 1, 1.01, almost)
    student = DistilledLogisticRegression().fit(X, y, teacher_proba=above)
    np.testing.assert_allclose(student.coef_, expected, rtol=0.02)
    for wrong in (90.0, 1.03, -0.01):
        above[3] = wrong
        message = f"teacher_proba: row 3 is {wrong:g}, not between 0 and 1.*divided by 100"
        with pytest.raises(ValueError, match=message):
            student.fit(X, y, teacher_proba=above)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_votes_say_how_to_normalise(name):
    student = CLASSIFIERS[name]
    with pytest.raises(ValueError, match=r"P / P\.sum\(1, keepdims=True\).*combine_teachers"):
        student.fit(X, Y, teacher_proba=VOTES)
    with pytest.raises(ValueError, match=r"P\.div\(P\.sum\(axis=1\), axis=0\)"):
        student.fit(X, Y, teacher_proba=pd.DataFrame(VOTES))
    student.fit(X, Y, teacher_proba=VOTES / VOTES.sum(1, keepdims=True))
    with pytest.raises(ValueError, match="these are percentages: divide by 100"):
        student.fit(X, Y, teacher_proba=100 * PROBA.round(3))


def test_metrics_do_not_renormalise():
    with pytest.raises(ValueError, match=r"sum to 1 within 0\.001"):
        cross_entropy_from_proba(PROBA * 1.01, PROBA)
