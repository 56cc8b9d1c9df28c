from itertools import accumulate

import numpy as np
import pytest

from sklearn_distill.inspection import _model_proba


class OneClass:
    def predict_proba(self, X):
        return np.ones((len(X), 1))


@pytest.mark.parametrize(("n_rows", "size"), [(10, 10), (2500, 1000)])
def test_time_is_the_median_call_per_row_of_the_batch(monkeypatch, n_rows, size):
    calls = [0.003, 0.001, 0.050]  # seconds that the timed calls take
    readings = accumulate(step for call in calls for step in (1.0, call))
    monkeypatch.setattr(_model_proba, "perf_counter", lambda: next(readings))
    time = _model_proba.microseconds_per_row(OneClass(), np.zeros((n_rows, 2)), n_rows, n_repeats=3)
    assert time == pytest.approx(3000 / size)
