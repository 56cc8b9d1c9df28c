"""Times are quantiles of single rows and of batches, after a warm-up."""

from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from threadpoolctl import threadpool_info

from sklearn_distill.inspection import latency, predict_latency


class Counting:
    def __init__(self):
        self.n_rows, self.threads = [], set()

    def predict_proba(self, X):
        self.n_rows.append(X.shape[0])
        self.threads |= {pool["num_threads"] for pool in threadpool_info()}
        return np.ones((X.shape[0], 1))


def measure(monkeypatch, seconds, n_rows, **options):
    """Return the times of a model whose timed calls take these seconds."""
    readings = accumulate(step for call in seconds for step in (1.0, call))
    monkeypatch.setattr(latency, "perf_counter", lambda: next(readings))
    model = Counting()
    X = np.zeros((n_rows, 2))
    options = {"n_repeats": 3, "n_threads": 1} | options
    return model, predict_latency(model, X, **options)


@pytest.mark.parametrize(("n_rows", "size"), [(10, 10), (2500, 1000)])
def test_quantiles_of_single_rows_and_the_median_batch(monkeypatch, n_rows, size):
    seconds = [0.003, 0.001, 0.050, 0.2, 0.1, 0.4]  # three single rows, then three batches
    model, times = measure(monkeypatch, seconds, n_rows)
    assert model.n_rows == [1] * 4 + [size] * 4  # a warm-up each, which is not timed
    assert times["latency_p50_us"] == pytest.approx(3000)
    assert times["latency_p99_us"] == pytest.approx(50_000)
    assert times["rows_per_second"] == pytest.approx(size / 0.2)


def test_a_slow_model_is_called_less_often(monkeypatch):
    model, times = measure(monkeypatch, [1.5] * 4, 10, n_repeats=100)
    assert model.n_rows == [1] * 3 + [10] * 3
    assert times["latency_p99_us"] == pytest.approx(1.5e6)


def test_batches_are_no_more_than_five(monkeypatch):
    model, _ = measure(monkeypatch, [0.001] * 25, 10, n_repeats=20)
    assert model.n_rows == [1] * 21 + [10] * 6


def test_threads_are_limited(monkeypatch):
    assert measure(monkeypatch, [0.1] * 6, 10)[0].threads == {1}


@pytest.mark.parametrize(
    "form", [pd.DataFrame, scipy.sparse.coo_array, np.asarray, np.ndarray.tolist]
)
def test_forms_of_X(form):
    model = Counting()
    X = form(np.ones((1500, 3)))
    predict_latency(model, X, n_repeats=2)
    assert model.n_rows == [1] * 3 + [1000] * 3


@pytest.mark.parametrize("name", ["n_repeats", "n_threads"])
def test_counts_are_whole_numbers(name):
    with pytest.raises(ValueError, match=f"{name}=0; pass a whole number, 1 or more"):
        predict_latency(Counting(), np.ones((3, 1)), **{name: 0})


def test_probabilities_are_timed_if_there_are_any():
    calls = []

    class Regressor:
        def predict(self, X):
            calls.append("predict")

    class Classifier(Regressor):
        def predict_proba(self, X):
            calls.append("predict_proba")

    X = np.ones((3, 1))
    predict_latency(Regressor(), X, n_repeats=1)
    predict_latency(Classifier(), X, n_repeats=1)
    predict_latency(Classifier(), X, method="predict", n_repeats=1)
    assert calls == ["predict"] * 4 + ["predict_proba"] * 4 + ["predict"] * 4
