"""Write the page of results from the files of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import (
    answers,
    boosting,
    boosting_cost,
    choice,
    covertype,
    dask_scaling,
    greedy,
    linear_search,
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
    targets,
    tree_criteria,
)

TITLE = """\
# Benchmarks

This page compares the estimators of this package with what you would write instead, on the same
problem and to the same precision. `make bench` runs the scripts in `benchmarks/` and writes the
page.
"""
INTRODUCTION = """\
## How it is measured

The competitors run in one process, in turn and in several rounds, so that load on the machine
affects all of them equally. A ratio is the time of the competitor divided by ours in the same
round; the tables give the median, and min … max. Figures with one thread are CPU time. Figures with
two threads are wall-clock time on shared cores, where BLAS threads wait for each other: they say
more about the machine than about the code. The targets are meant for one thread.

The **limit** is the time of the bare matrix products of one pass over the data (XᵀX for
regression), a lower bound for every method; our time is given as a multiple of it. Memory is the
peak memory of the process during the fit above its level before, as a multiple of the size of X.

The dense logistic problems have standardised features with correlation 0.9^|i−j| unless the name
says otherwise, with T = 2, λ = ½ and C = 1. The cost of scipy's L-BFGS depends on this correlation,
and ours hardly does, so that the ratio grows with it. A `*` marks an extrapolated time:
scikit-learn takes minutes on ten copies of Fashion-MNIST, so that 5 iterations are timed and
multiplied by the number of iterations that scipy's L-BFGS, the same method, needs.
"""


# why a target is missed, by the beginning of the problem's name; only what profiling has shown
REASONS = {
    "1,000 × 10": (
        "a third of the few milliseconds is spent on validating the arguments; at this size the "
        "rest is Python calls rather than arithmetic, and scipy needs few evaluations."
    ),
    "1,000,000 × 20, K = 2, gradient": (
        "two thirds of the time is spent in the solver, with about four passes over all rows, "
        "and a third on reading the labels, the teacher's predictions and X. scipy needs fewer "
        "evaluations at this correlation than the target assumed. Memory: a row of X takes 160 "
        "bytes, and its label, weight, teacher's logits and target take about 80 while the "
        "targets are computed."
    ),
    "regression 100,000 × 500": (
        "nearly all of the time is the Gram matrix itself; the rest is scikit-learn's check for "
        "finite values and the solves for λ and the variances."
    ),
}


def write_page(results: dict[str, Any], path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    results : dict
        Contents of ``results.json``.
    path : Path
        File to write.
    """
    machine = ", ".join(f"{key} {value}" for key, value in results["machine"].items())
    parts = [TITLE, answers.section(results), INTRODUCTION, f"Measured on: {machine}.\n"]
    for n_threads, cases in results["threads"].items():
        word = "One thread" if n_threads == "1" else "Two threads"
        parts += [f"## {word}\n", _ratios(cases), _limits(cases)]
    parts.append("## Missed targets with one thread\n")
    parts += [_reason(case) for case in results["threads"]["1"] if _misses(case)]
    parts += [
        small_fits.section(pd.read_csv(small_fits.CSV)),
        choice.section(pd.read_csv(choice.CSV)),
        passes.section(pd.read_csv(passes.CSV)),
        peer_fits.section(pd.read_csv(peer_fits.CSV)),
        covertype.section(pd.read_csv(covertype.CSV)),
        linear_search.section(pd.read_csv(linear_search.CSV)),
        boosting.section(pd.read_csv(boosting.CSV)),
        boosting_cost.section(pd.read_csv(boosting_cost.CSV)),
        tree_criteria.section(pd.read_csv(tree_criteria.CSV)),
        neural.section(pd.read_csv(neural.QUALITY)),
        neural_defaults.section(pd.read_csv(neural_defaults.RESULTS)),
        neural_speed.section(pd.read_csv(neural_speed.CSV)),
        search.section(pd.read_csv(search.CSV)),
        search_for_c.section(pd.read_csv(search_for_c.CSV)),
        peer_searches.section(pd.read_csv(peer_searches.CSV)),
        greedy.section(pd.read_csv(greedy.CSV)),
        streaming.section(pd.read_csv(streaming.CSV)),
        dask_scaling.section(pd.read_csv(dask_scaling.CSV)),
        targets.section(results),
    ]
    targets.draw(results)
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
    return f"- **{case['case']}**: {next(known, 'not analysed yet.')}\n"


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
