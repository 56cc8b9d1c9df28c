"""Ctrl-C in the midst of a fit: the estimator is as before, and the next fit as if nothing was."""

import _thread
import signal
import threading
import time

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    DistilledNeuralRegressor,
    PrivilegedLinearRegression,
    TeacherStudentClassifier,
    TeacherStudentRegressor,
)
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.solvers.least_squares import PrivilegedLeastSquares
from tests.faults.interrupting import (
    TeacherOfClasses,
    TeacherOfNumbers,
    interrupted_in,
    leaves_no_trace,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] + RNG.normal(size=60) > 0).astype(int)
SAYS = np.stack([1 - Y, Y], axis=1) * 0.8 + 0.1
NUMBERS = X @ [1.0, 2.0, 0.0, 0.0] + RNG.normal(size=60)
LINEAR = {"imitation": 0, "tol": 1e-9, "C": 100.0}


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize(
    "estimator",
    [
        DistilledLogisticRegression(solver="lbfgs", **LINEAR),
        DistilledLogisticRegression(solver="newton-cg", warm_start=True, **LINEAR),
        DistilledLogisticRegressionCV("C", imitation=0),
        BornAgainClassifier(DistilledLogisticRegression(solver="lbfgs"), n_generations=2),
        TeacherStudentClassifier(
            TeacherOfClasses(), DistilledLogisticRegression(solver="lbfgs"), cv=2
        ),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {getattr(value, 'solver', '')}"
        if hasattr(value, "fit")
        else str(value)
    ),
)
def test_in_an_evaluation_of_the_objective(estimator, after):
    estimator = clone(estimator)

    def interrupted():
        with interrupted_in(SoftTargetObjective, "value_and_gradient", after, KeyboardInterrupt()):
            estimator.fit(X[:, :3], 1 - Y)

    leaves_no_trace(estimator, lambda: estimator.fit(X, Y), interrupted, X)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_in_a_fold_of_a_search(n_jobs):
    """Folds are threads of this process: none can be killed, but one may fail."""
    search = DistilledLogisticRegressionCV("C", n_jobs=n_jobs)
    alone = threading.active_count()
    for error in (KeyboardInterrupt(), MemoryError("no more")):
        with (
            interrupted_in(SoftTargetObjective, "value_and_gradient", 40, error),
            pytest.raises(type(error)),
        ):
            search.fit(X, Y, teacher_proba=SAYS)
        assert not hasattr(search, "coef_")
    again = search.fit(X, Y, teacher_proba=SAYS)
    fresh = DistilledLogisticRegressionCV("C").fit(X, Y, teacher_proba=SAYS)
    np.testing.assert_array_equal(again.coef_, fresh.coef_)
    assert threading.active_count() <= alone + n_jobs


@pytest.fixture
def listens_to_ctrl_c():
    """A process in the background of a shell ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_no_thread_of_an_interrupted_search_goes_on(monkeypatch):
    original, alone = SoftTargetObjective.value_and_gradient, threading.active_count()
    deadline = time.monotonic() + 30

    def endless(self, w):
        """In a fold's thread: Ctrl-C in the main thread, and then no end."""
        if threading.current_thread() is not threading.main_thread():
            _thread.interrupt_main()
            while time.monotonic() < deadline:
                original(self, w)
        return original(self, w)

    monkeypatch.setattr(SoftTargetObjective, "value_and_gradient", endless)
    with pytest.raises(KeyboardInterrupt):
        DistilledLogisticRegressionCV("C", n_jobs=2, cv=3, solver="lbfgs").fit(
            X, Y, teacher_proba=SAYS
        )
    while threading.active_count() > alone and time.monotonic() < deadline:
        time.sleep(0.01)
    assert time.monotonic() < deadline, "a fold is still being fitted"


def test_rows_of_an_interrupted_partial_fit_do_not_count():
    student = PrivilegedLinearRegression(imitation=0).partial_fit(X[:30], NUMBERS[:30])
    before = dict(vars(student))
    with (
        interrupted_in(PrivilegedLeastSquares, "solve", 0, KeyboardInterrupt()),
        pytest.raises(KeyboardInterrupt),
    ):
        student.partial_fit(X[30:], NUMBERS[30:])
    assert vars(student) == before
    student.partial_fit(X[30:], NUMBERS[30:])
    np.testing.assert_allclose(
        student.coef_, PrivilegedLinearRegression(imitation=0).fit(X, NUMBERS).coef_
    )


def test_in_least_squares():
    student = PrivilegedLinearRegression(imitation=0)

    def interrupted():
        with interrupted_in(PrivilegedLeastSquares, "fit", 0, KeyboardInterrupt()):
            student.fit(X[:, :2], -NUMBERS)

    leaves_no_trace(student, lambda: student.fit(X, NUMBERS), interrupted, X)


@pytest.mark.parametrize("fails_in", [1, 2, 3])
@pytest.mark.parametrize(
    ("kind", "teacher", "student", "y"),
    [
        (TeacherStudentClassifier, TeacherOfClasses(), DistilledLogisticRegression(), Y),
        (TeacherStudentRegressor, TeacherOfNumbers(), PrivilegedLinearRegression(), NUMBERS),
    ],
    ids=["classes", "numbers"],
)
def test_in_a_fit_of_the_teacher(monkeypatch, kind, teacher, student, y, fails_in):
    both = kind(teacher, student, cv=2, privileged_features=[3])

    def interrupted():
        monkeypatch.setattr(type(teacher), "fits", 0)
        monkeypatch.setattr(type(teacher), "fails_in", fails_in)
        both.fit(-X, y[::-1])

    def fit():
        monkeypatch.setattr(type(teacher), "fails_in", 0)
        both.fit(X, y)

    leaves_no_trace(both, fit, interrupted, X)


class Augmentation:
    """Leave mini-batches as they are, and fail at one of them."""

    def __init__(self, fails_at=None):
        self.fails_at = fails_at
        self.batches = 0

    def __call__(self, features, generator):
        self.batches += 1
        if self.batches == self.fails_at:
            raise KeyboardInterrupt
        return features


@pytest.mark.parametrize(
    ("kind", "y"), [(DistilledNeuralClassifier, Y), (DistilledNeuralRegressor, NUMBERS)]
)
@pytest.mark.parametrize("options", [{}, {"warm_start": True, "module__dropout": 0.3}], ids=str)
def test_in_a_mini_batch(kind, y, options):
    sizes = {
        "imitation": 0,
        "hidden_layer_sizes": (4,),
        "max_epochs": 2,
        "batch_size": 20,
        "random_state": 0,
    }
    student, stream = kind(**sizes, **options), torch.get_rng_state()

    def interrupted():
        student.set_params(augmentation=Augmentation(fails_at=5))
        try:
            student.fit(X, y[::-1])
        finally:
            student.set_params(augmentation=None)

    leaves_no_trace(student, lambda: student.fit(X, y), interrupted, X)
    with pytest.raises(KeyboardInterrupt):
        student.set_params(augmentation=Augmentation(fails_at=2)).partial_fit(X, y)
    again = kind(**sizes, **options).fit(X, y)
    np.testing.assert_array_equal(student.predict(X), again.predict(X))
    assert torch.equal(torch.get_rng_state(), stream), "torch's own stream is the user's"
