"""A class with one labelled row has no mass in a fold: nothing of its size is handed on."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.search import DistilledLogisticRegressionCV
from sklearn_distill.search._validation_loss import ZERO_PROBA_LOSS

pytestmark = pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")


def data_with_a_lone_label(K, n=60, d=4, seed=0, row=0):
    """Return X, labels with one of the last class, and a teacher that excludes this class."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    Z = 2 * X @ rng.normal(size=(d, K - 1))
    y = (Z + rng.gumbel(size=Z.shape)).argmax(axis=1)
    y[row] = K - 1
    S = np.exp(Z)
    return X, y, np.column_stack([S / S.sum(axis=1, keepdims=True), np.zeros(n)])


def loss_by_definition(X, y, teacher, **params):
    losses = []
    for train, test in StratifiedKFold(5).split(X, y):
        student = DistilledLogisticRegression(**params, classes=np.unique(y), tol=1e-9)
        student.fit(X[train], y[train], teacher_proba=teacher[train])
        log_proba = student.predict_log_proba(X[test])[np.arange(len(test)), y[test]]
        losses.append(-log_proba.clip(min=-ZERO_PROBA_LOSS).mean())
    return np.mean(losses)


@pytest.mark.parametrize("K", [4, 6])
@pytest.mark.parametrize("row", [0, 59])  # in the first fold, in the last one
@pytest.mark.parametrize("method", ["implicit", "grid"])
def test_a_search_ends_and_its_loss_is_that_of_the_definition(K, row, method):
    X, y, teacher = data_with_a_lone_label(K, row=row)
    found = DistilledLogisticRegressionCV(("imitation", "C"), method=method, grid=3)
    found.fit(X, y, teacher_proba=teacher)
    expected = loss_by_definition(X, y, teacher, imitation=found.imitation_, C=found.C_)
    assert -found.best_score_ == pytest.approx(expected, abs=1e-3)


def test_without_a_teacher():
    X, y, _ = data_with_a_lone_label(4)
    DistilledLogisticRegressionCV("C", imitation=0).fit(X, y)
