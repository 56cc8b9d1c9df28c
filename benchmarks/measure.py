"""Interleaved timing, and the peak memory of a run above its level before."""

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
    """A comparison: the same problem solved by several implementations.

    Parameters
    ----------
    name : str
        The problem and the precision.
    runs : dict of str to callable
        The implementations, "ours" among them.
    targets : dict of str to float
        How many times as fast as each competitor ours should be.
    limit : callable
        The bare matrix products of one pass over the data, a lower bound of the time.
    passes_target : float or None
        Target for the time of ours as a multiple of the limit.
    n_bytes : int
        Size of X.
    memory_target : float or None
        Target for the peak memory above X, as a multiple of X.
    extrapolated : dict of str to float
        Factor by which the time of a competitor is multiplied, where only a part of it is run.
    repeats : int
        Number of rounds.
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
    """Run all competitors in turn, in several rounds; return times, ratios and memory."""
    case.runs["ours"]()  # warm up imports and caches
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
    """Time the runs in turn, so that load on the machine affects all of them equally."""
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
    """Return the maximal growth of the resident set during a run, in bytes (Linux)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # return the memory that earlier runs have freed
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _resident("VmRSS")
    run()
    return max(0, _resident("VmHWM") - before)


def _resident(key: str) -> int:
    lines: Iterator[str] = iter(Path("/proc/self/status").read_text().splitlines())
    line = next(line for line in lines if line.startswith(key + ":"))
    return 1024 * int(line.split()[1])


def cpu_seconds(run: Run) -> float:
    """Return the CPU time of a run."""
    start = time.process_time()
    run()
    return time.process_time() - start
