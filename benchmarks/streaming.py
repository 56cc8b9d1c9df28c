"""Cost of a fit when X is on disk: ``python -m benchmarks.streaming``.

X, the labels and the teacher's predictions are memory maps, with 50 columns and two classes. Each
size is fitted in a separate process whose private memory is limited to 2 GiB. The limit,
``RLIMIT_DATA``, does not count the pages read from the maps, which the system can reclaim.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from benchmarks.rows import Bound, Row, Target
from sklearn_distill import DistilledLogisticRegression, PrivilegedLinearRegression
from sklearn_distill.students import _chunks
from sklearn_distill.students._chunked_problem import make_chunk_reader, make_chunked_problem

CSV = Path(__file__).with_suffix(".csv")
SIZES = [10**5, 10**6, 10**7]
N_COLUMNS, LIMIT, N_PASSES = 50, 2 * 2**30, 5


def write_data(folder: Path, n: int) -> None:
    """Write features, targets and the teacher's predictions of n rows in chunks."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=N_COLUMNS) / N_COLUMNS**0.5
    shapes = {"X": (n, N_COLUMNS), "y": (n,), "proba": (n, 2), "target": (n,), "prediction": (n,)}
    maps = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", shape=shape)
        for name, shape in shapes.items()
    }
    for start in range(0, n, 10**5):
        rows = slice(start, start + 10**5)
        X = rng.normal(size=maps["X"][rows].shape)
        p = 1 / (1 + np.exp(-3 * (X @ w)))
        maps["X"][rows], maps["proba"][rows] = X, np.column_stack([1 - p, p])
        maps["y"][rows] = rng.random(len(p)) < p
        maps["prediction"][rows] = X @ w
        maps["target"][rows] = X @ w + rng.normal(size=len(p))


class PrivateMemory:
    """The peak private memory of this process in a with statement, in MB above the start."""

    def __enter__(self) -> PrivateMemory:
        self._running = True
        self.start = self.peak = _private()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._running = False
        self._thread.join()
        self.megabytes = (self.peak - self.start) / 1e6

    def _watch(self) -> None:
        while self._running:
            self.peak = max(self.peak, _private())
            time.sleep(0.01)


def _private() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssAnon")).split()[1])


def fit(folder: Path) -> None:
    """Fit both students under the memory limit, and print their costs."""
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    _chunks.MIN_CHUNKED_BYTES = 0  # stream small data, too
    data = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    student = DistilledLogisticRegression(temperature=2.0)
    fit_params = {"y": data["y"], "teacher_proba": data["proba"]}
    with PrivateMemory() as memory:
        seconds = cpu_seconds(lambda: student.fit(data["X"], **fit_params))
    a_pass = _seconds_a_pass(student, data["X"], fit_params)
    _print(folder, "logistic", seconds, memory.megabytes, a_pass)
    regression = PrivilegedLinearRegression()
    fit_params = {"y": data["target"], "teacher_prediction": data["prediction"]}
    with PrivateMemory() as memory:
        seconds = cpu_seconds(lambda: regression.fit(data["X"], **fit_params))
    _print(folder, "regression", seconds, memory.megabytes, seconds)


def _seconds_a_pass(student: Any, X: Any, fit_params: dict[str, Any]) -> float:
    """Return the median time of an evaluation of the objective with its gradient."""
    chunks = _chunks.chunk_data(X, **fit_params, sample_weight=None)
    problem, _ = make_chunked_problem(make_chunk_reader(student, chunks), chunks)
    w = problem.objective.zeros()
    problem.objective.value_and_gradient(w)  # computes the targets that are cached
    return float(
        np.median(
            [cpu_seconds(lambda: problem.objective.value_and_gradient(w)) for _ in range(N_PASSES)]
        )
    )


def _print(folder: Path, student: str, seconds: float, megabytes: float, a_pass: float) -> None:
    n = len(np.load(folder / "y.npy", mmap_mode="r"))
    print(f"{student},{n},{seconds:.4g},{a_pass:.4g},{megabytes:.4g}")


def run_benchmark() -> pd.DataFrame:
    """Return seconds and megabytes, by student and size."""
    lines = []
    for n in tqdm(SIZES, unit="size"):
        with tempfile.TemporaryDirectory() as folder:
            write_data(Path(folder), n)
            command = [sys.executable, "-m", "benchmarks.streaming", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            lines += [line.split(",") for line in done.stdout.splitlines()]
    columns = ["student", "rows", "seconds", "seconds_a_pass", "megabytes"]
    return pd.DataFrame(lines, columns=columns).assign(versions=versions())


def exponent(rows: pd.DataFrame) -> float:
    """Return the slope of the log seconds of a pass against the log rows."""
    return float(np.polyfit(np.log(rows["rows"]), np.log(rows["seconds_a_pass"]), 1)[0])


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## X on disk\n"
    yield (
        f"`python -m benchmarks.streaming`: memory maps of {N_COLUMNS} columns in float64, two "
        "classes, T = 2, fitted in a process whose private memory is limited to 2 GiB; its rows "
        "are among the [big](#big) ones. Memory is the peak private memory during the fit "
        'above its level before; "linear growth" is the time for 100,000 rows, scaled by the '
        f"number of rows. Measured with {results['versions'].iloc[0]}.\n"
    )
    for target, (student, part) in zip(targets(results), results.groupby("student"), strict=True):
        yield _growth(str(student), part, target)


def _growth(student: str, rows: pd.DataFrame, target: Target) -> str:
    largest = rows.iloc[-1]
    minutes = largest["seconds"] * 1e9 / largest["rows"] / 60
    passes = ", ".join(f"{seconds:.3g}" for seconds in rows["seconds_a_pass"])
    sizes = ", ".join(f"{n:,}" for n in rows["rows"])
    return (
        f"{student.capitalize()}: a pass takes {passes} s for {sizes} rows. It grows with the "
        f"number of rows to the power of {exponent(rows):.2f} (distance from 1 "
        f"{target.verdict}); 10⁹ rows would take {minutes:.0f} minutes of one "
        f"core, plus the time to read {N_COLUMNS * 8:,} GB in each pass if they do not fit in "
        "memory.\n"
    )


def targets(results: pd.DataFrame) -> Iterator[Target]:
    """Yield the targets of the growth of a pass."""
    for student, part in results.groupby("student"):
        what = f"{student} of a memory map: exponent of a pass's cost in rows, distance from 1"
        yield Target(what, abs(exponent(part) - 1), "≤", 0.1)


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region, without competitors."""
    for student, part in results.groupby("student"):
        for row in part.to_dict("records"):
            n, size = row["rows"], row["rows"] * N_COLUMNS * 8 / 1e6
            linear = part["seconds"].iloc[0] * n / part["rows"].iloc[0]
            yield Row(
                "big",
                f"{student}, memory map of {n:,} × {N_COLUMNS}",
                row["seconds"],
                limit=Bound([row["seconds"] / linear], "linear growth"),
                memory=Bound([row["megabytes"] / size], f"{size:,.0f} MB of X"),
            )


def main() -> None:
    if len(sys.argv) > 1:
        fit(Path(sys.argv[1]))
        return
    run_benchmark().to_csv(CSV, index=False)


if __name__ == "__main__":
    main()
