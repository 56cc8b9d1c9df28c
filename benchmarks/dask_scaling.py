"""Time of a fit and of a search by the number of workers: ``python -m benchmarks.dask_scaling``.

One and two workers are measured, each a process with one thread. From the passes, the CPU time of
one worker and the overhead of passes over tiny chunks, a cost model gives the time of more workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dask.array as da
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster, SchedulerPlugin, wait
from tqdm import tqdm

from benchmarks.record import versions
from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV
from sklearn_distill.chunks._dask import DaskChunks
from sklearn_distill.students._chunked_problem import make_chunk_reader, make_chunked_problem
from sklearn_distill.students._chunks import chunk_data

CSV = Path(__file__).with_suffix(".csv")
N_ROWS, N_COLUMNS, N_CHUNKS = 4 * 10**6, 50, 64
MEASURED, SIMULATED = (1, 2), (8, 64)
N_ROUNDS, N_PASSES = 3, 5
TINY, TINY_CHUNKS = 50, (16, 64, 256)  # rows of a chunk whose arithmetic takes no time
MODELS: dict[str, Callable[[], Any]] = {
    "fit": lambda: DistilledLogisticRegression(temperature=2.0),
    "search": lambda: DistilledLogisticRegressionCV(
        "C", method="grid", grid={"C": [0.01, 0.1, 1.0]}, cv=3, temperature=2.0
    ),
}
Data = tuple[Any, dict[str, Any]]


class TaskCounter(SchedulerPlugin):  # type: ignore[misc]  # distributed is not typed
    """Counts the tasks that workers have finished."""

    name = "task-counter"
    n_tasks = 0

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        """Count a task whose result is in memory."""
        self.n_tasks += start == "processing" and finish == "memory"


class PassTimer:
    """Counts the passes over Dask chunks in a with statement, and the seconds spent in them."""

    def __enter__(self) -> PassTimer:
        self.n_passes, self.seconds = 0, 0.0
        self._stack = ExitStack()
        for name in ("map_reduce", "map_to_list"):
            timed = self._timed(getattr(DaskChunks, name))
            self._stack.enter_context(patch.object(DaskChunks, name, timed))
        return self

    def __exit__(self, *_: Any) -> None:
        self._stack.close()

    def _timed(self, run_pass: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result = run_pass(*args, **kwargs)
            self.n_passes += 1
            self.seconds += time.perf_counter() - start
            return result

        return timed


class Workers:
    """A cluster on this machine, of so many processes with one thread each."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self.cluster = LocalCluster(
            n_workers=n_workers, threads_per_worker=1, memory_limit=0, dashboard_address=":0"
        )
        self.client = Client(self.cluster)
        self.counter = TaskCounter()
        self.cluster.scheduler.add_plugin(self.counter)

    def close(self) -> None:
        """Stop the workers."""
        self.client.close()
        self.cluster.close()

    def measure(self, run: Callable[[], Any]) -> dict[str, float]:
        """Return the cost of a call that uses the cluster."""
        cpu, n_tasks, start = self._cpu_seconds(), self.counter.n_tasks, time.perf_counter()
        with PassTimer() as passes:
            run()
        seconds = time.perf_counter() - start
        return {
            "workers": self.n_workers,
            "seconds": seconds,
            "worker_seconds": self._cpu_seconds() - cpu,
            "client_seconds": seconds - passes.seconds,
            "passes": passes.n_passes,
            "tasks": self.counter.n_tasks - n_tasks,
        }

    def _cpu_seconds(self) -> float:
        return float(sum(self.client.run(time.process_time).values()))


def make_data(n: int, n_chunks: int) -> Data:
    """Return features, labels and a teacher's predictions that are held by the workers."""
    rng = da.random.default_rng(0)
    w = np.random.default_rng(1).normal(size=N_COLUMNS) / N_COLUMNS**0.5
    X = rng.normal(size=(n, N_COLUMNS), chunks=(n // n_chunks, -1)).persist()
    p = 1 / (1 + da.exp(-3 * (X @ w)))
    y = (rng.random(n, chunks=p.chunks) < p).astype(int)
    proba = da.stack([1 - p, p], axis=1)
    fit_params = {"y": y.persist(), "teacher_proba": proba.persist()}
    wait([X, *fit_params.values()])  # else the first run would wait for its data
    return X, fit_params


def run_benchmark() -> pd.DataFrame:
    """Return the costs of tiny passes, fits and searches; the numbers of workers take turns."""
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        clusters = [Workers(n) for n in MEASURED]
        for workers in clusters:
            stack.callback(workers.close)
        for n_chunks in TINY_CHUNKS:
            passes = [_on(workers, lambda n=n_chunks: _tiny_pass(n)) for workers in clusters]
            for workers, run in zip(clusters, passes, strict=True):
                _on(workers, run)  # the first one imports the package on the workers
            rows += _rounds("pass", n_chunks, clusters, passes, N_PASSES)
        data = [_on(workers, lambda: make_data(N_ROWS, N_CHUNKS)) for workers in clusters]
        for name, model in MODELS.items():
            runs = [lambda X=X, args=args, m=model: m().fit(X, **args) for X, args in data]
            rows += _rounds(name, N_CHUNKS, clusters, runs, N_ROUNDS)
    return pd.DataFrame(rows).assign(versions=versions())


def _on(workers: Workers, make: Callable[[], Any]) -> Any:
    with workers.client.as_current():
        return make()


def _rounds(
    name: str, n_chunks: int, clusters: list[Workers], runs: list[Callable[[], Any]], n: int
) -> Iterator[dict[str, Any]]:
    """Yield the cost of each run."""
    for i in tqdm(range(n), desc=f"{name}, {n_chunks} chunks"):
        for workers, run in zip(clusters, runs, strict=True):
            cost = _on(workers, lambda w=workers, r=run: w.measure(r))
            yield {"run": name, "chunks": n_chunks, "round": i, **cost}


def _tiny_pass(n_chunks: int) -> Callable[[], Any]:
    """Return an evaluation of the objective with its gradient, on chunks of few rows."""
    X, fit_params = make_data(n_chunks * TINY, n_chunks)
    chunks = chunk_data(X, **fit_params, sample_weight=None)
    reader = make_chunk_reader(MODELS["fit"](), chunks)
    problem, _ = make_chunked_problem(reader, chunks)
    w = problem.objective.zeros()
    return lambda: problem.objective.value_and_gradient(w)


@dataclass(frozen=True)
class Cost:
    """Modelled seconds of a run, by what they are spent on.

    Parameters
    ----------
    client : float
        Between the passes, in which the workers wait.
    overhead : float
        Sending out the tasks of all passes, one after the other, and collecting their results.
    work : float
        Arithmetic of the worker with the most chunks.
    """

    client: float
    overhead: float
    work: float

    @property
    def seconds(self) -> float:
        """Time of the run."""
        return self.client + self.overhead + self.work


def model(results: pd.DataFrame, run: str, n_workers: int) -> Cost:
    """Return the cost of a fit or search with so many workers, each with a core of its own.

    Passes, tasks, client and CPU time are those of one worker, the overheads those of tiny passes
    with as many workers, or the most that are measured.
    """
    cost = summary(results).loc[(run, 1)]
    a_pass, a_task, _ = overheads(results, min(n_workers, max(MEASURED)))
    _, _, cpu_of_task = overheads(results, 1)
    work = cost["worker_seconds"] - cpu_of_task * cost["tasks"]  # of which the overhead has a part
    return Cost(
        float(cost["client_seconds"]),
        float(a_pass * cost["passes"] + a_task * cost["tasks"]),
        float(work) * ceil(N_CHUNKS / n_workers) / N_CHUNKS,
    )


def summary(results: pd.DataFrame) -> pd.DataFrame:
    """Return the least cost of all rounds, by run and number of workers."""
    runs = results[results["run"] != "pass"]
    return runs.groupby(["run", "workers"]).min(numeric_only=True)


def overheads(results: pd.DataFrame, n_workers: int) -> tuple[float, float, float]:
    """Return the seconds of a pass, and of each of its tasks: in all, and of the worker's CPU."""
    tiny = results[(results["run"] == "pass") & (results["workers"] == n_workers)]
    least = tiny.groupby("chunks").min(numeric_only=True)
    tasks, weight = least["tasks"], 1 / least["tasks"]  # errors are relative
    a_task, a_pass = np.polyfit(tasks, least["seconds"], 1, w=weight)
    cpu_of_task = np.polyfit(tasks, least["worker_seconds"], 1, w=weight)[0]
    return float(a_pass), float(a_task), float(cpu_of_task)


def table(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each run and number of workers; the measured seconds are NaN if none."""
    least, rows = summary(results), []
    for run in MODELS:
        for n_workers in (*MEASURED, *SIMULATED):
            cost = model(results, run, n_workers)
            is_measured = n_workers in MEASURED
            seconds = least["seconds"][run, n_workers] if is_measured else cost.seconds
            rows.append(
                {
                    "run": run,
                    "workers": n_workers,
                    "measured": seconds if is_measured else np.nan,
                    "model": cost.seconds,
                    "speed_up": least["seconds"][run, 1] / seconds,
                    "overhead": cost.overhead / cost.seconds,
                    "client": cost.client / cost.seconds,
                    "worker_seconds": least["worker_seconds"].get((run, n_workers), np.nan),
                }
            )
    return pd.DataFrame(rows)


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    a_pass, a_task, _ = overheads(results, max(MEASURED))
    yield "## Workers of a Dask cluster\n"
    yield (
        f"`python -m benchmarks.dask_scaling`: {N_ROWS:,} rows of {N_COLUMNS} columns in float64 "
        f"({N_ROWS * N_COLUMNS * 8 / 1e6:.0f} MB), two classes, T = 2, in {N_CHUNKS} chunks that "
        "the workers hold. The search chooses C of three values by three folds, in "
        f"{_passes(results, 'search')} passes; a fit takes {_passes(results, 'fit')}. A worker is "
        f"a process with one thread. Measured are 1 and 2, the least of {N_ROUNDS} rounds in turn; "
        "they, the scheduler and the client shared the two cores of a machine without other load. "
        f"Measured with {results['versions'].iloc[0]}.\n"
    )
    yield (
        "The model: time = client + overhead of the passes + arithmetic / workers, with the CPU "
        "time of one worker, and a core for each. The overhead is that of passes over chunks of "
        f"{TINY} rows with {max(MEASURED)} workers, {1e3 * a_pass:.0f} ms a pass and "
        f"{1e3 * a_task:.1f} ms for each of its tasks. **8 and 64 workers are simulated**: the "
        "times are those of the model, without the network between machines.\n"
    )
    yield (
        "| | workers | measured, s | model, s | speed-up | model: overhead | model: client | CPU "
        "of all workers, s |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in table(results).to_dict("records"):
        yield (
            f"| {row['run']} | {row['workers']} | {_number(row['measured'], 'simulated')} | "
            f"{row['model']:.3g} | {row['speed_up']:.2f} | {row['overhead']:.0%} | "
            f"{row['client']:.0%} | {_number(row['worker_seconds'], '–')} |"
        )
    yield ""
    yield guide_sentences(results)


def guide_sentences(results: pd.DataFrame) -> str:
    """Return what the results mean for users, as on the page about big data."""
    of_fit = table(results).query("run == 'fit'").set_index("workers")
    of_search = table(results).query("run == 'search'").set_index("workers")
    _, a_task, _ = overheads(results, max(MEASURED))
    least = summary(results).loc[("fit", 1)]
    a_chunk = a_task * least["tasks"] / least["passes"] / N_CHUNKS
    size = N_ROWS * N_COLUMNS * 8 / 1e6
    return (
        f"With {size:.0f} MB in {N_CHUNKS} chunks, a second worker made a fit "
        f"{of_fit['speed_up'][2]:.1f} times and a search {of_search['speed_up'][2]:.1f} times as "
        "fast on two cores that the client shares; a cost model gives "
        f"{of_fit['speed_up'][8]:.1f} and {of_search['speed_up'][8]:.1f} times for 8 workers, "
        f"{of_fit['speed_up'][64]:.1f} and {of_search['speed_up'][64]:.1f} for 64. "
        f"What limits them is the overhead of about {1e3 * a_chunk:.0f} ms for each chunk in each "
        "pass, "
        f"{of_fit['overhead'][64]:.0%} of the time of a fit with 64 workers: use chunks of 100 MB "
        "or more."
    )


def _passes(results: pd.DataFrame, run: str) -> int:
    return int(summary(results)["passes"][run, 1])


def _number(value: float, otherwise: str) -> str:
    return otherwise if np.isnan(value) else f"{value:.3g}"


def main() -> None:
    run_benchmark().to_csv(CSV, index=False, float_format="%.5g")


if __name__ == "__main__":
    main()
