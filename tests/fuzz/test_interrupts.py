"""Ctrl-C at random calls: state, random numbers and the next fit are as if nothing had happened.

FUZZ_PROBLEMS sets the number of interrupts over all estimators; without it a few estimators are
interrupted once.
"""

import os
import random
import shutil
import sys
import zlib
from copy import deepcopy
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import sklearn_distill
from sklearn_distill import (
    BornAgainClassifier,
    DistilledBoostingClassifier,
    DistilledBoostingRegressor,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    GreedyHypergradient,
    PrivilegedLinearRegression,
    PrivilegedLinearRegressionCV,
    SoftTargetClassifier,
    SoftTargetRegressor,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from tests.students import boosting_data

torch = pytest.importorskip("torch", reason="torch is an extra")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PACKAGE = str(Path(sklearn_distill.__file__).parent)
SMALL = {"hidden_layer_sizes": (3,), "max_epochs": 3, "batch_size": 16, "random_state": 0}
TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
TREE_OF_NUMBERS = DecisionTreeRegressor(max_depth=2, random_state=0)
LOGISTIC = DistilledLogisticRegression(tol=1e-3)
ESTIMATORS = {
    "logistic": LOGISTIC,
    "logistic, Newton": DistilledLogisticRegression(solver="newton-cg", warm_start=True),
    "search": DistilledLogisticRegressionCV(("imitation", "C"), cv=2, max_evaluations=5),
    "grid": DistilledLogisticRegressionCV(
        "imitation", cv=2, method="grid", grid={"imitation": [0.2, 1.0]}
    ),
    "least squares": PrivilegedLinearRegression(),
    "soft targets": SoftTargetClassifier(TREE_OF_NUMBERS),
    "soft targets of numbers": SoftTargetRegressor(TREE_OF_NUMBERS),
    "boosting": DistilledBoostingClassifier(
        HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=3), random_state=0
    ),
    "boosting of numbers": DistilledBoostingRegressor(
        HistGradientBoostingRegressor(
            max_iter=3, max_leaf_nodes=3, early_stopping=True, loss="absolute_error"
        ),
        random_state=0,
    ),
    "generations": BornAgainClassifier(LOGISTIC, n_generations=2, random_state=0),
    "teacher": TeacherStudentClassifier(TREE, LOGISTIC, cv=2, random_state=0),
    "teacher of numbers": TeacherStudentRegressor(
        TREE_OF_NUMBERS, PrivilegedLinearRegression(), cv=2, random_state=0
    ),
    "network": DistilledNeuralClassifier(module__dropout=0.3, **SMALL),
    "network, early stopping": DistilledNeuralClassifier(
        early_stopping=True, n_iter_no_change=2, lr_schedule="cosine", **SMALL
    ),
    "network, warm start": DistilledNeuralClassifier(warm_start=True, **SMALL),
    "network, hypergradient": DistilledNeuralClassifier(
        metaparameter_optimizer=GreedyHypergradient(), **SMALL
    ),
    "network of numbers": DistilledNeuralRegressor(module__dropout=0.3, **SMALL),
    "search of numbers": PrivilegedLinearRegressionCV(cv=2),
}
# a missing library has no estimators here
for make in (boosting_data.light, boosting_data.extreme, boosting_data.cat):
    if find_spec(boosting_data.LIBRARY[make]):
        ESTIMATORS[f"boosting, {make.__name__}"] = DistilledBoostingClassifier(
            make(), soften_student=False, random_state=0
        )
MAKE_THEIR_TEACHER = BornAgainClassifier, TeacherStudentClassifier, TeacherStudentRegressor
NETWORKS = [
    name
    for name, estimator in ESTIMATORS.items()
    # of moving λ and T there are no checkpoints
    if name.startswith("network") and estimator.get_params().get("metaparameter_optimizer") is None
]
N_INTERRUPTS = int(os.environ.get("FUZZ_PROBLEMS", "0"))
SHORT_RUN = ["logistic", "grid", "least squares", "generations", "boosting", "network"]
INTERRUPTED = list(ESTIMATORS) if N_INTERRUPTS else SHORT_RUN
RESUMED = NETWORKS if N_INTERRUPTS else ["network"]


def n_interrupts(n_kinds):
    return max(1, N_INTERRUPTS // n_kinds)


def rng_of(name, i):
    return np.random.default_rng([zlib.crc32(name.encode()), i])


def arguments(estimator, rng):
    """Return random arguments of fit."""
    X = rng.normal(size=(40, 3)).astype(np.float32)
    numbers = X[:, 0] + rng.normal(size=40)
    y = (numbers > 0).astype(int) if is_classifier(estimator) else numbers
    if isinstance(estimator, MAKE_THEIR_TEACHER):
        return {"X": X, "y": y}
    if not is_classifier(estimator):
        return {"X": X, "y": y, "teacher_prediction": X[:, 0] + rng.normal(size=40) / 2}
    return {"X": X, "y": y, "teacher_proba": rng.dirichlet([1, 1], size=40)}


def calls_of(run, at=None):
    """Run, and return the number of calls of the package's functions; Ctrl-C in one of them."""
    count = 0

    def profile(frame, event, arg):
        nonlocal count
        # Python swallows an exception in a generator expression that it is about to delete
        if event != "call" or frame.f_code.co_name == "<genexpr>":
            return
        if frame.f_code.co_filename.startswith(PACKAGE):
            count += 1
            if count == at:
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def interrupt(estimator, given, rng, copy=None):
    """Interrupt a fit in a call that is drawn at random among those of the fit of a copy."""
    n_calls = calls_of(partial((copy or deepcopy(estimator)).fit, **given))
    with pytest.raises(KeyboardInterrupt):
        calls_of(partial(estimator.fit, **given), at=int(rng.integers(n_calls)) + 1)


def random_states():
    return [
        random.getstate(),
        *map(str, np.random.get_state()),  # noqa: NPY002 - the global one is what is tested
        torch.get_rng_state().tolist(),
    ]


def outputs(estimator, X):
    """Return the predictions as bytes."""
    given = getattr(estimator, "predict_proba", estimator.predict)(X)
    return np.asarray(given).tobytes()


def differences(one, other):
    """Return the names of the attributes that are not the very same object."""
    names = one.keys() | other.keys()
    return {name for name in names if one.get(name, "absent") is not other.get(name, "absent")}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_the_estimator_is_as_before_and_the_next_fit_as_the_first(name):
    for i in range(n_interrupts(len(ESTIMATORS))):
        rng = rng_of(name, i)
        estimator, given = clone(ESTIMATORS[name]), arguments(ESTIMATORS[name], rng)
        fresh = clone(estimator).fit(**given)
        refitted = rng.random() < 0.5
        if refitted:
            estimator.fit(**given)
            if estimator.get_params().get("warm_start"):
                fresh.fit(**given)
        before, states = dict(vars(estimator)), random_states()
        expected = outputs(estimator, given["X"]) if refitted else None
        interrupt(estimator, given, rng)
        assert differences(vars(estimator), before) == set(), i
        assert random_states() == states, i
        assert not refitted or outputs(estimator, given["X"]) == expected, i
        estimator.fit(**given)
        assert outputs(estimator, given["X"]) == outputs(fresh, given["X"]), i


@pytest.mark.parametrize("name", RESUMED)
def test_a_resumed_training_is_an_uninterrupted_one(name, tmp_path):
    file, counted = tmp_path / "training" / "file.pt", tmp_path / "counted.pt"
    file.parent.mkdir()
    for i in range(n_interrupts(len(NETWORKS)) // 4 or 1):
        rng = rng_of(name, i)
        given = arguments(ESTIMATORS[name], rng)
        whole = clone(ESTIMATORS[name]).fit(**given)
        states = random_states()
        for _ in range(2):  # interrupted twice, and a copy of the file serves to count the calls
            if file.exists():
                shutil.copy(file, counted)
            interrupt(student(name, file), given, rng, copy=student(name, counted))
            assert {path.name for path in file.parent.iterdir()} <= {file.name}, i
        assert random_states() == states, i
        resumed = student(name, file).fit(**given)
        assert outputs(resumed, given["X"]) == outputs(whole, given["X"]), i
        assert resumed.history_["train_loss"].equals(whole.history_["train_loss"]), i
        assert list(file.parent.iterdir()) == [], i


def student(name, file):
    """Return a student with a checkpoint in this file: not a clone, whose file has another name."""
    kind = type(ESTIMATORS[name])
    return kind(**ESTIMATORS[name].get_params(deep=False) | {"checkpoint": file})


def test_the_interrupts_are_spread_over_the_fit():
    """The first and the last call of the package are both hit."""
    given = arguments(LOGISTIC, rng_of("spread", 0))
    n_calls = calls_of(partial(clone(LOGISTIC).fit, **given))
    assert n_calls > 20
    for at in (1, n_calls):
        with pytest.raises(KeyboardInterrupt):
            calls_of(partial(clone(LOGISTIC).fit, **given), at=at)
