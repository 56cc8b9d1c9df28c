"""Run all comparisons, or the parts that are named, and write the page: ``make bench``."""

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
    covertype,
    greedy,
    least_squares,
    logistic,
    neural,
    passes,
    peer_searches,
    search,
    streaming,
)
from benchmarks.measure import measure
from benchmarks.page import write_page

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
STUDENTS = "students"  # with one thread and with two
PARTS = {
    part.__name__.rpartition(".")[2]: part
    for part in (covertype, passes, neural, search, peer_searches, greedy, streaming)
}


def main() -> None:
    """Measure, each part in a process of its own, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--page-only", action="store_true", help="write the page from the results")
    known = (STUDENTS, *PARTS)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(known)}")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(known)  # choices= of Python 3.11 refuses to be given none
    if unknown:
        parser.error(f"there is no part {sorted(unknown)}: name some of {', '.join(known)}")
    if arguments.threads:
        print(json.dumps(measured(arguments.threads)))
        return
    for part in () if arguments.page_only else arguments.parts or known:
        measure_students() if part == STUDENTS else alone(PARTS[part])
    write_page(json.loads(RESULTS.read_text()), PAGE)
    print(f"wrote {PAGE}")


def measure_students() -> None:
    """Measure the linear students in one process for each number of threads.

    So BLAS takes that number from the start.
    """
    results: dict[str, Any] = {"machine": machine(), "threads": {}}
    for n_threads in (1, 2):
        results["threads"][str(n_threads)] = in_process(n_threads)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def in_process(n_threads: int) -> list[dict[str, object]]:
    """Return what a fresh process with that many threads measures."""
    command = [sys.executable, "-m", "benchmarks", "--threads", str(n_threads)]
    answer = subprocess.run(
        command, env=with_threads(n_threads), stdout=subprocess.PIPE, check=True
    )
    results: list[dict[str, object]] = json.loads(answer.stdout)
    return results


def alone(part: ModuleType) -> None:
    """Run a script that writes its own file, with one thread, as when it is called by itself."""
    subprocess.run([sys.executable, "-m", part.__name__], env=with_threads(1), check=True)


def with_threads(n_threads: int) -> dict[str, str]:
    """Return an environment in which every library takes that many threads."""
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return os.environ | dict.fromkeys(variables, str(n_threads))


def measured(n_threads: int) -> list[dict[str, object]]:
    """Measure every case; CPU time for one thread, the wall clock for several."""
    clock = time.process_time if n_threads == 1 else time.perf_counter
    cases = itertools.chain(logistic.cases(), least_squares.cases())
    bar = tqdm(cases, desc=f"{n_threads} thread(s)", unit="case")
    return [measure(case, clock) for case in bar]


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
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
