"""Students and searches on a Dask cluster: losing a worker does not change the result."""

import os
import signal

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_distill import (
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    PrivilegedLinearRegression,
)

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

RNG = np.random.default_rng(0)
N, D, K = 4000, 5, 3
X = RNG.normal(size=(N, D))
SCORES = 2 * X @ RNG.normal(size=(D, K))
PROBA = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
Y = np.array([RNG.choice(K, p=p) for p in PROBA])


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


class Deadly:
    """Returns a chunk unchanged; the n-th call kills the worker."""

    def __init__(self, folder, n):
        self.folder = folder
        self.n = n

    def __call__(self, chunk):
        with open(self.folder / "times", "ab") as times:
            times.write(b".")
        if os.path.getsize(self.folder / "times") >= self.n and not self.died:
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return chunk

    @property
    def died(self):
        return (self.folder / "died").exists()


def test_a_worker_that_is_killed_changes_nothing(client, tmp_path):
    rows, y, proba = (da.from_array(a, chunks=(1000, -1)[: a.ndim]) for a in (X, Y, PROBA))
    student = DistilledLogisticRegression(temperature=3.0, tol=1e-8)
    expected = student.fit(rows, y, teacher_proba=proba).coef_
    deadly = Deadly(tmp_path, n=30)
    killed = student.fit(
        rows.map_blocks(deadly, dtype=float, meta=X[:0]), y, teacher_proba=proba
    ).coef_
    assert deadly.died
    np.testing.assert_allclose(killed, expected, atol=1e-8)
    local = student.fit(X, Y, teacher_proba=PROBA).coef_
    np.testing.assert_allclose(killed, local, atol=1e-7)


@pytest.mark.slow
def test_a_killed_worker_changes_no_regression(client, tmp_path):
    rows, y, s = (da.from_array(a, chunks=1000) for a in (X, SCORES[:, 0] + Y, SCORES[:, 0]))
    rows = rows.rechunk({1: -1})
    student = PrivilegedLinearRegression(noise_variance=1.0, teacher_noise_variance=0.5)
    expected = student.fit(rows, y, teacher_prediction=s).coef_
    deadly = Deadly(tmp_path, n=3)
    killed = student.fit(
        rows.map_blocks(deadly, dtype=float, meta=X[:0]), y, teacher_prediction=s
    ).coef_
    assert deadly.died
    np.testing.assert_allclose(killed, expected, atol=1e-8)


def test_targets_that_a_search_sends_are_no_warning_about_large_graphs(client):
    """The warning advises to scatter them, and they would be lost with a worker."""
    rows = da.from_array(X, chunks=(1000, -1))
    persisted = rows.persist()
    search = DistilledLogisticRegressionCV("C", method="grid", grid={"C": [1.0]}, cv=2)
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "30 kB"}):
        search.fit(persisted, Y, teacher_proba=PROBA)
        with pytest.warns(UserWarning, match="large graph"):  # X itself may be too large
            DistilledLogisticRegression().fit(rows, Y, teacher_proba=PROBA)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "n"),
    [
        ({"metaparameters": ("imitation",), "max_evaluations": 3}, 200),
        ({"metaparameters": "C", "method": "grid", "grid": 3}, 60),
    ],
    ids=["descent", "grid"],
)
def test_a_worker_that_is_killed_changes_no_search(client, tmp_path, params, n):
    rows = da.from_array(X, chunks=(1000, -1))
    search = DistilledLogisticRegressionCV(**params, cv=3, tol=1e-7)
    deadly = Deadly(tmp_path, n=n)
    search.fit(rows.map_blocks(deadly, dtype=float, meta=X[:0]), Y, teacher_proba=PROBA)
    assert deadly.died
    assert os.path.getsize(tmp_path / "times") > n + 20  # the search went on
    score, proba = search.best_score_, search.predict_proba(X)
    local = search.fit(X, Y, teacher_proba=PROBA)
    assert score == pytest.approx(local.best_score_, abs=1e-6)
    np.testing.assert_allclose(proba, local.predict_proba(X), atol=1e-4)


@pytest.mark.slow
def test_data_larger_than_the_memory_of_all_workers(tmp_path):
    """1 GB from files, on two workers that may take 400 MiB each; one is killed during the fit."""
    n, d, chunk = 500_000, 250, 20_000
    rng = np.random.default_rng(0)
    w = rng.normal(size=d)
    rows = da.random.default_rng(1).normal(size=(n, d), chunks=(chunk, d))
    da.to_npy_stack(tmp_path / "X", rows)
    rows = da.from_npy_stack(tmp_path / "X", mmap_mode=None)
    logits = (rows @ w).compute()
    y, proba = rng.random(n) < 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-logits))
    assert rows.nbytes > 2 * 400 * 2**20
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    cluster = distributed.LocalCluster(**options, memory_limit="400MiB")
    with cluster, distributed.Client(cluster):
        student = DistilledLogisticRegression(temperature=2.0)
        expected = student.fit(rows, y, teacher_proba=proba).coef_
        deadly = Deadly(tmp_path, n=100)
        deadly_rows = rows.map_blocks(deadly, dtype=float, meta=X[:0])
        killed = student.fit(deadly_rows, y, teacher_proba=proba).coef_
    assert deadly.died
    np.testing.assert_allclose(killed, expected, atol=1e-8)
    assert np.corrcoef(expected[0], w)[0, 1] > 0.99


@pytest.mark.slow
def test_no_worker_is_lost_to_data_larger_than_the_memory_of_all():
    """1.2 GB, drawn anew in each pass, on two workers that may take 400 MiB each."""
    n, d, chunk = 600_000, 250, 10_000
    rows = da.random.default_rng(0).random((n, d), chunks=(chunk, d))  # each draw has its seed
    rng = np.random.default_rng(1)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    cluster = distributed.LocalCluster(**options, memory_limit="400MiB")
    with cluster, distributed.Client(cluster) as client:
        assert rows.nbytes > 1.4 * 2 * 400 * 2**20
        before = set(client.run(os.getpid).values())
        logits = (12 * (rows - 0.5) @ rng.normal(size=d) / d**0.5).compute()
        y, proba = rng.random(n) < 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(-logits))
        student = DistilledLogisticRegression(temperature=2.0)
        search = DistilledLogisticRegressionCV(
            "C", method="grid", grid={"C": [1e-3, 1.0]}, cv=2, refit=False
        )
        models = [clone(model).fit(rows, y, teacher_proba=proba) for model in (student, search)]
        assert set(client.run(os.getpid).values()) == before
        assert len(before) == 2
        X = rows.compute(scheduler="synchronous")
    in_memory = [clone(model).fit(X, y, teacher_proba=proba) for model in (student, search)]
    for model, expected in zip(models, in_memory, strict=True):
        # fits end at the same tol, after sums of chunks in another order
        np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-5)
    assert models[1].best_score_ == pytest.approx(in_memory[1].best_score_, abs=1e-6)
    assert models[1].C_ == in_memory[1].C_
