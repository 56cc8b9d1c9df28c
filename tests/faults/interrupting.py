"""Ctrl-C at a chosen moment, and what must then be as before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted


@contextmanager
def interrupted_in(owner: Any, name: str, after: int, error: BaseException) -> Iterator[None]:
    """Let a method work ``after`` times, and then raise."""
    method, calls = getattr(owner, name), 0

    def interrupting(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise error
        return method(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, interrupting)
        yield
    assert calls > after, f"{name} was called {calls} times only"


def leaves_no_trace(
    estimator: Any, fit: Callable[[], Any], refit: Callable[[], Any], X: Any
) -> None:
    """Interrupt both: the first leaves an unfitted estimator, the second the fit in between."""
    before = dict(vars(estimator))
    with pytest.raises(KeyboardInterrupt):
        refit()
    assert vars(estimator) == before
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    fit()
    fitted, answers = dict(vars(estimator)), estimator.predict(X)
    with pytest.raises(KeyboardInterrupt):
        refit()
    assert vars(estimator) == fitted
    np.testing.assert_array_equal(estimator.predict(X), answers)


class Teacher(BaseEstimator):
    """Fails in one of its fits, which it counts over all clones."""

    fits = 0
    fails_in = 0

    def fit(self, X, y):
        type(self).fits += 1
        if self.fits == self.fails_in:
            raise KeyboardInterrupt
        self.mean_ = np.mean(X, axis=1).max()
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.mean(X, axis=1)


class TeacherOfClasses(ClassifierMixin, Teacher):
    fits = 0

    def decision_function(self, X):
        return np.mean(X, axis=1)


class TeacherOfNumbers(RegressorMixin, Teacher):
    fits = 0
