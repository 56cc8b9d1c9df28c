"""Two fits at once, in two threads: bit by bit what one after the other gives."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

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
    TeacherStudentRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
Y = X[:, 0] + RNG.normal(size=300)
SMALL = {"hidden_layer_sizes": (16,), "max_epochs": 4, "batch_size": 32, "random_state": 0}
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


@pytest.fixture(autouse=True)
def _hurried():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


ESTIMATORS = {
    "linear": DistilledLogisticRegression(solver="lbfgs", tol=1e-9),
    "linear, Newton": DistilledLogisticRegression(solver="newton-cg", tol=1e-9),
    "linear, regularised": DistilledLogisticRegression(regularizer="grabovoy", tol=1e-9),
    "linear search": DistilledLogisticRegressionCV(("imitation", "C"), cv=3),
    "linear search, two jobs": DistilledLogisticRegressionCV("temperature", cv=3, n_jobs=2),
    "least squares": PrivilegedLinearRegression(),
    "soft target": SoftTargetClassifier(DecisionTreeRegressor(random_state=0)),
    "boosting": DistilledBoostingClassifier(HistGradientBoostingClassifier(max_iter=5)),
    "boosting of numbers": DistilledBoostingRegressor(HistGradientBoostingRegressor(max_iter=5)),
    "any regressor": SoftTargetRegressor(DecisionTreeRegressor(random_state=0)),
    "neural": DistilledNeuralClassifier(early_stopping=True, **SMALL),
    "neural, dropout": DistilledNeuralClassifier(module__dropout=0.4, **SMALL),
    "neural, numbers": DistilledNeuralRegressor(module__dropout=0.4, **SMALL),
    "teacher": TeacherStudentClassifier(TREE, DistilledLogisticRegression(), cv=3),
    "teacher of numbers": TeacherStudentRegressor(
        DecisionTreeRegressor(max_depth=3, random_state=0), PrivilegedLinearRegression(), cv=3
    ),
    "teacher of a network": TeacherStudentClassifier(
        TREE, DistilledNeuralClassifier(module__dropout=0.4, **SMALL), cv=2
    ),
    "generations": BornAgainClassifier(DistilledLogisticRegression(), n_generations=2, cv=2),
}


WITH_OWN_TEACHER = (TeacherStudentClassifier, TeacherStudentRegressor, BornAgainClassifier)


def fitted(estimator, seed):
    """Return what an estimator answers after a fit to other rows for each seed."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(X), size=200, replace=False)
    table, y = X[rows], Y[rows]
    estimator = clone(estimator)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    if not is_classifier(estimator):
        prediction = {"teacher_prediction": np.tanh(table[:, 0])}
        teacher = {} if isinstance(estimator, WITH_OWN_TEACHER) else prediction
        return estimator.fit(table, y, **teacher).predict(X)
    teacher = 1 / (1 + np.exp(-table[:, 0]))
    proba = {"teacher_proba": np.stack([1 - teacher, teacher], axis=1)}
    teacher = {} if isinstance(estimator, WITH_OWN_TEACHER) else proba
    return estimator.fit(table, (y > 0).astype(int), **teacher).predict_proba(X)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_two_fits_at_once(name):
    estimator, stream = ESTIMATORS[name], torch.get_rng_state()
    seeds = (0, 1)
    alone = [fitted(estimator, seed) for seed in seeds]
    together = Barrier(len(seeds))

    def at_once(seed):
        together.wait()
        return fitted(estimator, seed)

    with ThreadPoolExecutor(len(seeds)) as pool:
        for one, other in zip(alone, pool.map(at_once, seeds), strict=True):
            np.testing.assert_array_equal(one, other)
    assert torch.equal(torch.get_rng_state(), stream), "torch's own stream is the user's"


def test_one_trains_while_another_answers():
    student = DistilledNeuralClassifier(imitation=0, module__dropout=0.4, **SMALL).fit(X, Y > 0)
    before, alone = student.predict_proba(X), fitted(student, 1)
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(fitted, student, 1)
        while not training.done():
            np.testing.assert_array_equal(student.predict_proba(X), before)
        np.testing.assert_array_equal(training.result(), alone)
