"""The page of results, written from the JSON; no number is typed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import (
    covertype,
    greedy,
    neural,
    passes,
    peer_searches,
    search,
    streaming,
    targets,
)

INTRODUCTION = """\
# Benchmarks

Our estimators against what a user would write instead, solving the same problem to the same
precision. `make bench` runs this page's script (`benchmarks/`): all competitors in turn, in rounds,
in one process, so that a busy moment hits all alike. A ratio is the competitor's time over ours in
the same round; the table gives its median, and min … max. One thread is CPU time; two threads are
the wall clock, on cores that others share: there BLAS threads wait for each other, and the figures
say more about the machine than about the code. The targets are meant for one thread. The **limit**
is the bare matrix products of one pass over the data (for regression XᵀX), which nothing can do
without; ours is given in multiples of it. Memory is the peak of the process during the fit above
what was there before, as a multiple of X.

The dense logistic problems have standardised features with correlation 0.9^|i−j| unless the name
says otherwise; T = 2, λ = ½, C = 1. What scipy's L-BFGS needs depends on that correlation, what
ours needs hardly does, so the ratio grows with it. A `*` marks a time that was extrapolated:
scikit-learn's minutes on ten copies of Fashion-MNIST are 5 timed iterations, times the number of
iterations that scipy's L-BFGS, the same method, needs.
"""


# why a target is missed, by the beginning of the problem's name: looked into, not guessed
REASONS = {
    "1,000 × 10": (
        "a third of the few milliseconds goes into reading and checking the arguments; at this "
        "size the rest is Python calls, not arithmetic, and scipy needs few evaluations."
    ),
    "1,000,000 × 20, K = 2, gradient": (
        "two thirds of the time is the solver, with about four passes over all rows; a third is "
        "reading labels, teacher and X. scipy needs fewer evaluations at this correlation than "
        "the target assumed. Memory: a row of X has 160 bytes, and its label, weight, teacher's "
        "logits and target need about 80 while the targets are made."
    ),
    "regression 100,000 × 500": (
        "the Gram matrix itself is nearly all of it; above the bare product are scikit-learn's "
        "check for finite values and the solves for λ and the variances."
    ),
}


def write_page(results: dict[str, Any], path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    results : dict
        Contents of results.json.
    path : Path
        Where to write.
    """
    machine = ", ".join(f"{key} {value}" for key, value in results["machine"].items())
    parts = [INTRODUCTION, f"Measured on: {machine}.\n", targets.section(results)]
    targets.draw(results)
    for n_threads, cases in results["threads"].items():
        word = "One thread" if n_threads == "1" else "Two threads"
        parts += [f"## {word}\n", _ratios(cases), _limits(cases)]
    parts.append("## Missed with one thread, and why\n")
    parts += [_reason(case) for case in results["threads"]["1"] if _misses(case)]
    parts += [
        passes.section(pd.read_csv(passes.CSV)),
        covertype.section(pd.read_csv(covertype.CSV)),
        neural.section(pd.read_csv(neural.QUALITY), pd.read_csv(neural.SPEED)),
        search.section(pd.read_csv(search.CSV)),
        peer_searches.section(pd.read_csv(peer_searches.CSV)),
        greedy.section(pd.read_csv(greedy.CSV)),
        streaming.section(pd.read_csv(streaming.CSV)),
    ]
    path.write_text("\n".join(parts))


def _misses(case: dict[str, Any]) -> bool:
    slower = [case["ratios"][name]["median"] < goal for name, goal in case["targets"].items()]
    passes, memory = case["passes_target"], case["memory_target"]
    return (
        any(slower)
        or (passes is not None and case["passes"]["median"] > passes)
        or (memory is not None and case["memory"] > memory)
    )


def _reason(case: dict[str, Any]) -> str:
    known = (text for name, text in REASONS.items() if case["case"].startswith(name))
    return f"- **{case['case']}**: {next(known, 'not looked into yet.')}\n"


def _ratios(cases: list[dict[str, Any]]) -> str:
    rows = [
        "| problem | ours, s | instead | times as slow | target | |",
        "|---|---|---|---|---|---|",
    ]
    for case in cases:
        ours = case["seconds"]["ours"]["median"]
        for name, ratio in case["ratios"].items():
            star = " *" if name in case["extrapolated"] else ""
            target = case["targets"].get(name)
            rows.append(
                f"| {case['case']} | {ours:.3g} | {name}{star} | **{ratio['median']:.3g}** "
                f"({ratio['min']:.3g} … {ratio['max']:.3g}) | {_target('≥', target)} | "
                f"{_verdict(target is None or ratio['median'] >= target, target)} |"
            )
    return "\n".join(rows) + "\n"


def _limits(cases: list[dict[str, Any]]) -> str:
    rows = [
        "| problem | limit, s | ours / limit | target | | memory / X | target | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        passes, goal = case["passes"]["median"], case["passes_target"]
        memory, most = case["memory"], case["memory_target"]
        rows.append(
            f"| {case['case']} | {case['seconds']['limit']['median']:.3g} | {passes:.3g} | "
            f"{_target('≤', goal)} | {_verdict(goal is None or passes <= goal, goal)} | "
            f"{memory:.2g} of {case['megabytes']:.3g} MB | {_target('≤', most)} | "
            f"{_verdict(most is None or memory <= most, most)} |"
        )
    return "\n".join(rows) + "\n"


def _target(sign: str, target: float | None) -> str:
    return "–" if target is None else f"{sign} {target:.3g}"


def _verdict(met: bool, target: float | None) -> str:
    if target is None:
        return ""
    return "met" if met else "**missed**"
