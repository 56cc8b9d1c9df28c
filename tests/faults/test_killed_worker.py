"""A worker that is killed, as where memory runs out: the error says so, nothing is half-fitted."""

import signal

import numpy as np
import pytest
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV

from sklearn_distill import (
    BornAgainClassifier,
    DistilledLogisticRegression,
    TeacherStudentClassifier,
)
from sklearn_distill.teachers import out_of_fold_proba
from tests.faults.killing import kill_this_process

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.tile([0, 1], 20)

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")


@pytest.fixture(autouse=True)
def _workers():
    """End the workers with the test: the next one gets others."""
    yield
    get_reusable_executor().shutdown(wait=True)


class Forest(ClassifierMixin, BaseEstimator):
    """Fits its parts in processes, one of which is killed."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Parallel(n_jobs=2)(delayed(kill_this_process)() for _ in range(2))
        return self

    def predict(self, X):
        return np.resize(self.classes_, len(X))


class Killed(DistilledLogisticRegression):
    """Its process is killed at a setting of a search."""

    def fit(self, X, y, **answers):
        if self.C == 3.0:
            kill_this_process()
        return super().fit(X, y, **answers)


NAMED = "teacher Forest failed in fold 1 of 2: A worker process .* unexpectedly terminated"


def test_of_a_teacher():
    both = TeacherStudentClassifier(Forest(), DistilledLogisticRegression(), cv=2)
    before = dict(vars(both))
    with pytest.raises(RuntimeError, match=NAMED) as caught:
        both.fit(X, Y)
    assert isinstance(caught.value.__cause__, TerminatedWorkerError)
    assert vars(both) == before
    with pytest.raises(RuntimeError, match=NAMED):
        out_of_fold_proba(Forest(), X, Y, cv=2)


def test_of_a_generation():
    line = BornAgainClassifier(Forest(), labels="hard", n_generations=2)
    before = dict(vars(line))
    with pytest.raises(TerminatedWorkerError, match="unexpectedly terminated") as caught:
        line.fit(X, Y)
    assert caught.value.__notes__ == ["raised by Forest in generation 1"]
    assert vars(line) == before


@pytest.mark.slow
def test_of_a_search_of_scikit_learn():
    student = Killed(imitation=0)
    search = GridSearchCV(student, {"C": [1.0, 3.0]}, cv=2, n_jobs=2)
    with pytest.raises(TerminatedWorkerError, match="unexpectedly terminated"):
        search.fit(X, Y)
    assert not hasattr(search, "best_estimator_")
    assert vars(student) == vars(Killed(imitation=0))
    search.set_params(param_grid={"C": [1.0]}).fit(X, Y)
    assert search.best_params_ == {"C": 1.0}
