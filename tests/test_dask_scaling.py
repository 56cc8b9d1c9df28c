"""The times by the number of Dask workers: the cost model, and the pages written from the file."""

from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("distributed")

from benchmarks import dask_scaling
from benchmarks.__main__ import PAGE

RESULTS = pd.read_csv(dask_scaling.CSV)
TABLE = dask_scaling.table(RESULTS).set_index(["run", "workers"])
GUIDE = Path(__file__).parents[1] / "docs" / "user_guide" / "big_data.md"
# two workers had no core each, which the model supposes
FACTOR = 1.6


def test_the_pages_have_the_results_of_the_file():
    assert "\n".join(dask_scaling.section(RESULTS)) in PAGE.read_text("utf-8")
    words = " ".join(GUIDE.read_text("utf-8").split())
    assert dask_scaling.guide_sentences(RESULTS) in words
    other = RESULTS.assign(seconds=2 * RESULTS["seconds"])
    assert list(dask_scaling.section(other)) != list(dask_scaling.section(RESULTS))
    assert dask_scaling.guide_sentences(other) not in words


@pytest.mark.parametrize("run", dask_scaling.MODELS)
@pytest.mark.parametrize("n_workers", dask_scaling.MEASURED)
def test_the_model_is_near_what_was_measured(run, n_workers):
    measured, modelled = TABLE.loc[(run, n_workers), ["measured", "model"]]
    assert 1 / FACTOR < measured / modelled < FACTOR


@pytest.mark.parametrize("run", dask_scaling.MODELS)
def test_workers_share_the_arithmetic_and_nothing_else(run):
    costs = {n: dask_scaling.model(RESULTS, run, n) for n in (1, 2, 8, 64, 1000)}
    assert costs[8].work == pytest.approx(costs[1].work / 8)
    assert costs[64].work == costs[1000].work  # no more workers than chunks
    assert costs[8].overhead == costs[2].overhead
    assert costs[8].client == costs[1].client
    assert all(min(cost.client, cost.overhead, cost.work) > 0 for cost in costs.values())


@pytest.mark.slow
def test_the_benchmark_runs(monkeypatch):
    small = {"N_ROWS": 4000, "N_COLUMNS": 4, "N_CHUNKS": 4, "N_ROUNDS": 1, "N_PASSES": 1}
    for name, value in small.items():
        monkeypatch.setattr(dask_scaling, name, value)
    monkeypatch.setattr(dask_scaling, "TINY_CHUNKS", (2, 4))
    results = dask_scaling.run_benchmark()
    assert list(results.columns) == list(RESULTS.columns)
    assert set(results["run"]) == {"pass", *dask_scaling.MODELS}
    assert (results[["seconds", "passes", "tasks", "worker_seconds"]] > 0).all(axis=None)
