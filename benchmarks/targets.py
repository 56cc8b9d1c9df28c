"""All targets in one table, and one picture of how we stand beside others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks import greedy, neural, passes, peer_searches, search, streaming

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "benchmarks.png"


@dataclass(frozen=True)
class Target:
    """What was aimed at, and what was measured.

    Parameters
    ----------
    what : str
        Which figure.
    ours : float
        The median that was measured.
    sign : {"≥", "≤"}
        Which side of the target is right.
    target : float
        The target.
    """

    what: str
    ours: float
    sign: str
    target: float

    @property
    def is_met(self) -> bool:
        """Whether the figure lies on the right side."""
        return self.ours >= self.target if self.sign == "≥" else self.ours <= self.target

    def line(self) -> str:
        """Return its line of the table."""
        verdict = "met" if self.is_met else "**missed**"
        return f"| {self.what} | {self.ours:.3g} | {self.sign} {self.target:g} | {verdict} |"


def all_targets(results: dict[str, Any]) -> list[Target]:
    """Return the targets of every benchmark, in the page's order."""
    return [
        *_of_students(results["threads"]["1"]),
        *_of_passes(pd.read_csv(passes.CSV)),
        *_of_networks(pd.read_csv(neural.SPEED)),
        *_of_searches(pd.read_csv(search.CSV)),
        *_of_hypergradients(pd.read_csv(greedy.CSV)),
        *_of_streams(pd.read_csv(streaming.CSV)),
    ]


def _of_students(cases: list[dict[str, Any]]) -> Iterator[Target]:
    for case in cases:
        name = case["case"]
        for peer, target in case["targets"].items():
            ratio = case["ratios"][peer]["median"]
            yield Target(f"{name}: times as fast as {peer}", ratio, "≥", target)
        if case["passes_target"] is not None:
            ours = case["passes"]["median"]
            yield Target(f"{name}: multiples of bare XᵀX", ours, "≤", case["passes_target"])
        if case["memory_target"] is not None:
            what = f"{name}: peak memory above X, in multiples of X"
            yield Target(what, case["memory"], "≤", case["memory_target"])


def _of_passes(results: pd.DataFrame) -> Iterator[Target]:
    for (data, what), values in results.groupby(["data", "what"], sort=False)["value"]:
        bare = what == "pass / bare products"
        words = "value and gradient, in bare products" if bare else "passes of a fit to 1e-6"
        goal = passes.PRODUCTS_TARGET if bare else passes.PASSES_TARGET
        yield Target(f"{data}: {words}", float(values.median()), "≤", goal)


def _of_networks(results: pd.DataFrame) -> Iterator[Target]:
    seconds = {way: part["seconds"].to_numpy() for way, part in results.groupby("way")}
    for way, target in neural.TARGETS.items():
        ratio = float(np.median(seconds[way] / seconds["ours"]))
        yield Target(f"neural student: {way}, in multiples of ours", ratio, "≥", target)


def _of_searches(results: pd.DataFrame) -> Iterator[Target]:
    for data in results["data"].unique():
        for what, target in search.TARGETS.items():
            cost = float(np.median(search.costs(results, data, what)))
            yield Target(f"search over {what}, {data}: cold fits", cost, "≤", target)
            excess = search.excess(results, data, what)
            loss = f"search over {what}, {data}: loss above a dense grid's"
            yield Target(loss, excess, "≤", search.LOSS_TARGET)
        for grid, target in search.GRIDS.items():
            what = f"search over λ, T, {data}: times as fast as {grid}"
            yield Target(what, search.slower(results, data, grid), "≥", target)


def _of_hypergradients(results: pd.DataFrame) -> Iterator[Target]:
    for name, case in greedy.CASES.items():
        goals = (case.target, case.target_of_eighth)
        for every, target in zip(greedy.SEARCHES, goals, strict=True):
            if target is not None:
                ratio = float(np.median(greedy.ratios(results, name, every)))
                what = f"hypergradient {every}, {name}: in plain steps"
                yield Target(what, ratio, "≤", target)


def _of_streams(results: pd.DataFrame) -> Iterator[Target]:
    for student, rows in results.groupby("student"):
        away = abs(streaming.exponent(rows) - 1)
        what = f"{student} of a memory map: exponent of a pass's cost in rows, distance from 1"
        yield Target(what, away, "≤", 0.1)


def section(results: dict[str, Any]) -> str:
    """Return the part of the page of benchmarks."""
    targets = all_targets(results)
    n_met = sum(target.is_met for target in targets)
    return "\n".join(
        [
            "## All targets\n",
            f"{n_met} of {len(targets)} are met; the sections below say how each was measured, and "
            "why some are missed.\n",
            "| what | ours | target | |",
            "|---|---:|---:|---|",
            *(target.line() for target in targets),
            "",
            "![Times as long as ours that others take, on a logarithmic scale]"
            "(_static/benchmarks.png)",
            "",
        ]
    )


def slower(results: dict[str, Any]) -> dict[str, float]:
    """Return how many times as long as ours others take, by problem and competitor."""
    found = {
        f"{case['case'].partition(', gradient')[0]}: {peer}": ratio["median"]
        for case in results["threads"]["1"]
        for peer, ratio in case["ratios"].items()
    }
    seconds = pd.read_csv(neural.SPEED).groupby("way")["seconds"].median()
    found |= {
        f"MLP 784-64-10: {way}": seconds[way] / seconds["ours"]
        for way in seconds.index.drop("ours")
    }
    table = pd.read_csv(peer_searches.CSV).groupby(["data", "search"], sort=False)
    times = table["seconds"].median()
    for data in times.index.unique("data"):
        ours = times[data, peer_searches.OURS]
        others = times[data].drop(peer_searches.OURS)
        found |= {f"search, {data}: {name}": value / ours for name, value in others.items()}
    return found


def draw(results: dict[str, Any], path: Path = PICTURE) -> None:
    """Draw how many times as long as ours others take."""
    found = slower(results)
    figure = Figure(figsize=(10, 0.27 * len(found) + 0.9), layout="constrained")
    axes = figure.subplots()
    beyond = [value - 1 for value in found.values()]
    axes.barh(list(found), beyond, left=1, color="tab:blue", height=0.7)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", xlabel="times as long as ours")
    axes.invert_yaxis()
    axes.margins(y=0.01)
    for place, value in enumerate(found.values()):
        axes.annotate(
            f"{value:.3g}", (value, place), (3, 0), textcoords="offset points", va="center"
        )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100, metadata={"Software": None})
