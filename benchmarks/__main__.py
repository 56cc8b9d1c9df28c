"""Run all benchmarks, or the named ones, and write the page: ``make bench``."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy
import sklearn
from tqdm import tqdm

from benchmarks import (
    boosting,
    boosting_cost,
    choice,
    covertype,
    dask_scaling,
    greedy,
    least_squares,
    linear_search,
    logistic,
    neural,
    neural_defaults,
    neural_speed,
    passes,
    peer_fits,
    peer_searches,
    search,
    search_for_c,
    small_fits,
    streaming,
    tree_criteria,
)
from benchmarks.measure import measure
from benchmarks.page import write_page

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
STUDENTS = "students"  # measured with one thread and with two
PARTS = {
    part.__name__.rpartition(".")[2]: part
    for part in (
        covertype,
        linear_search,
        boosting,
        boosting_cost,
        tree_criteria,
        small_fits,
        choice,
        passes,
        peer_fits,
        neural,
        neural_defaults,
        neural_speed,
        search,
        search_for_c,
        peer_searches,
        greedy,
        streaming,
        dask_scaling,
    )
}


def main() -> None:
    """Run each benchmark in a separate process, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--page-only", action="store_true", help="write the page from the results")
    known = (STUDENTS, *PARTS)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(known)}")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(known)  # choices= of Python 3.11 rejects an empty list
    if unknown:
        parser.error(f"there is no part {sorted(unknown)}: name some of {', '.join(known)}")
    if arguments.threads:
        print(json.dumps(measure_cases(arguments.threads)))
        return
    for part in () if arguments.page_only else arguments.parts or known:
        measure_students() if part == STUDENTS else run_part(PARTS[part])
    write_page(json.loads(RESULTS.read_text()), PAGE)
    print(f"wrote {PAGE}")


def measure_students() -> None:
    """Measure the linear students, in a separate process for each number of threads.

    BLAS reads the number of threads when it is loaded.
    """
    results: dict[str, Any] = {"machine": machine_info(), "threads": {}}
    for n_threads in (1, 2):
        results["threads"][str(n_threads)] = measure_in_process(n_threads)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def measure_in_process(n_threads: int) -> list[dict[str, object]]:
    """Measure the linear students in a new process with that many threads."""
    command = [sys.executable, "-m", "benchmarks", "--threads", str(n_threads)]
    completed = subprocess.run(
        command, env=with_threads(n_threads), stdout=subprocess.PIPE, check=True
    )
    results: list[dict[str, object]] = json.loads(completed.stdout)
    return results


def run_part(part: ModuleType) -> None:
    """Run a script that writes its own CSV file, with one thread."""
    subprocess.run([sys.executable, "-m", part.__name__], env=with_threads(1), check=True)


def with_threads(n_threads: int) -> dict[str, str]:
    """Return an environment that limits every library to that many threads."""
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return os.environ | dict.fromkeys(variables, str(n_threads))


def measure_cases(n_threads: int) -> list[dict[str, object]]:
    """Measure every case: CPU time for one thread, wall-clock time for several."""
    clock = time.process_time if n_threads == 1 else time.perf_counter
    cases = itertools.chain(logistic.cases(), least_squares.cases())
    bar = tqdm(cases, desc=f"{n_threads} thread(s)", unit="case")
    return [measure(case, clock) for case in bar]


def machine_info() -> dict[str, str]:
    """Return the machine and the versions that the figures depend on."""
    cpu = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": cpu,
        "cores": str(os.cpu_count()),
        "Python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }


if __name__ == "__main__":
    main()
