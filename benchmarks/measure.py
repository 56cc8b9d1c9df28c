"""CPU time, interleaved, and peak memory above what was there."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Run = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One comparison: the same problem solved by several means.

    Parameters
    ----------
    name : str
        What is solved, to which precision.
    runs : dict of str to callable
        The competitors; "ours" among them.
    targets : dict of str to float
        How many times as fast as a competitor ours should be.
    limit : callable
        The bare matrix products of one pass over the data, which nothing can do without.
    passes_target : float or None
        How many times the limit ours may take.
    n_bytes : int
        Size of X.
    memory_target : float or None
        Largest peak above X, as a multiple of X.
    extrapolated : dict of str to float
        Factor by which a competitor's time stands for the whole, where the whole takes too long.
    repeats : int
        Rounds.
    """

    name: str
    runs: dict[str, Run]
    targets: dict[str, float]
    limit: Run
    n_bytes: int
    memory_target: float | None = None
    passes_target: float | None = None
    extrapolated: dict[str, float] = field(default_factory=dict)
    repeats: int = 3


def measure(case: Case, clock: Callable[[], float] = time.process_time) -> dict[str, Any]:
    """Run all competitors in turn, several rounds, and return times, ratios and memory."""
    case.runs["ours"]()  # imports and caches are not what is measured
    times = interleave({**case.runs, "limit": case.limit}, case.repeats, clock)
    for name, factor in case.extrapolated.items():
        times[name] = [seconds * factor for seconds in times[name]]
    ours = times["ours"]
    ratios = {
        name: [other / own for other, own in zip(times[name], ours, strict=True)]
        for name in case.runs
        if name != "ours"
    }
    return {
        "case": case.name,
        "seconds": {name: summary(values) for name, values in times.items()},
        "ratios": {name: summary(values) for name, values in ratios.items()},
        "passes": summary([own / one for own, one in zip(ours, times["limit"], strict=True)]),
        "targets": case.targets,
        "passes_target": case.passes_target,
        "extrapolated": sorted(case.extrapolated),
        "memory": peak_memory(case.runs["ours"]) / case.n_bytes,
        "megabytes": case.n_bytes / 1e6,
        "memory_target": case.memory_target,
    }


def interleave(
    runs: dict[str, Run], repeats: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Return the seconds of each run, in rounds, so that a busy moment hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            gc.collect()
            start = clock()
            run()
            times[name].append(clock() - start)
    return times


def summary(values: list[float]) -> dict[str, float]:
    """Return min, median and max."""
    ordered = sorted(values)
    return {"min": ordered[0], "median": ordered[len(ordered) // 2], "max": ordered[-1]}


def peak_memory(run: Run) -> int:
    """Return the bytes by which the resident set grew at most during a run (Linux)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # memory that earlier runs freed must not hide what this needs
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to the present size
    before = _resident("VmRSS")
    run()
    return max(0, _resident("VmHWM") - before)


def _resident(key: str) -> int:
    lines: Iterator[str] = iter(Path("/proc/self/status").read_text().splitlines())
    line = next(line for line in lines if line.startswith(key + ":"))
    return 1024 * int(line.split()[1])


def cpu_seconds(run: Run) -> float:
    """Return the CPU time that a run takes."""
    start = time.process_time()
    run()
    return time.process_time() - start
