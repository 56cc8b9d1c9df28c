"""The table of all targets, and the figure of all speed ratios."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks import greedy, neural_speed, passes, peer_fits, peer_searches, search, streaming

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "benchmarks.png"


@dataclass(frozen=True)
class Target:
    """A target and the measured value.

    Parameters
    ----------
    what : str
        The measured quantity.
    ours : float
        The measured median.
    sign : {"≥", "≤"}
        Whether the value has to be at least or at most the target.
    target : float
        The target.
    """

    what: str
    ours: float
    sign: str
    target: float

    @property
    def is_met(self) -> bool:
        """Whether the measured value meets the target."""
        return self.ours >= self.target if self.sign == "≥" else self.ours <= self.target

    def line(self) -> str:
        """Return the line of the table."""
        verdict = "met" if self.is_met else "**missed**"
        return f"| {self.what} | {self.ours:.3g} | {self.sign} {self.target:g} | {verdict} |"


def all_targets(results: dict[str, Any]) -> list[Target]:
    """Return the targets of all benchmarks, in the order of the page."""
    return [
        *_student_targets(results["threads"]["1"]),
        *_pass_targets(pd.read_csv(passes.CSV)),
        *_peer_targets(pd.read_csv(peer_fits.CSV)),
        *_network_targets(pd.read_csv(neural_speed.CSV)),
        *_search_targets(pd.read_csv(search.CSV)),
        *_hypergradient_targets(pd.read_csv(greedy.CSV)),
        *_streaming_targets(pd.read_csv(streaming.CSV)),
    ]


def _student_targets(cases: list[dict[str, Any]]) -> Iterator[Target]:
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


def _pass_targets(results: pd.DataFrame) -> Iterator[Target]:
    for (data, what), values in results.groupby(["data", "what"], sort=False)["value"]:
        bare = what == "pass / bare products"
        words = "value and gradient, in bare products" if bare else str(what)
        goal = passes.target_of(str(data), str(what))
        yield Target(f"{data}: {words}", float(values.median()), "≤", goal)


def _peer_targets(results: pd.DataFrame) -> Iterator[Target]:
    for data, peer, ratio, target in peer_fits.ratios(results):
        yield Target(f"{data}: times as fast as {peer}", float(ratio.median()), "≥", target)
    for data, group in results.groupby("data", sort=False):
        most = peer_fits.memory_target(str(data))
        if most is not None:
            what = f"{data}: peak memory above X, in multiples of X"
            yield Target(what, float(group["memory"].iloc[0]), "≤", most)


def _network_targets(results: pd.DataFrame) -> Iterator[Target]:
    for case, name, ratio in neural_speed.ratios(results):
        words = f"neural student, {case}: {name}, in multiples of ours"
        yield Target(words, float(np.median(ratio)), "≥", neural_speed.TARGETS[name])


def _search_targets(results: pd.DataFrame) -> Iterator[Target]:
    for data in results["data"].unique():
        for what, target in search.TARGETS.items():
            cost = float(np.median(search.costs(results, data, what)))
            yield Target(f"search over {what}, {data}: cold fits", cost, "≤", target)
            loss = search.excess_loss(results, data, what)
            name = f"search over {what}, {data}: loss above a dense grid's"
            yield Target(name, loss, "≤", search.LOSS_TARGET)
        for grid, target in search.GRIDS.items():
            what = f"search over λ, T, {data}: times as fast as {grid}"
            yield Target(what, search.grid_over_search(results, data, grid), "≥", target)


def _hypergradient_targets(results: pd.DataFrame) -> Iterator[Target]:
    for name, case in greedy.CASES.items():
        goals = (case.target, case.eighth_target)
        for every, target in zip(greedy.SEARCHES, goals, strict=True):
            if target is not None:
                ratio = float(np.median(greedy.ratios(results, name, every)))
                what = f"hypergradient {every}, {name}: in plain steps"
                yield Target(what, ratio, "≤", target)


def _streaming_targets(results: pd.DataFrame) -> Iterator[Target]:
    for student, rows in results.groupby("student"):
        away = abs(streaming.exponent(rows) - 1)
        what = f"{student} of a memory map: exponent of a pass's cost in rows, distance from 1"
        yield Target(what, away, "≤", 0.1)


def section(results: dict[str, Any]) -> str:
    """Return the section of the page of benchmarks."""
    targets = all_targets(results)
    n_met = sum(target.is_met for target in targets)
    return "\n".join(
        [
            "## All targets\n",
            f"{n_met} of {len(targets)} targets are met. The sections below describe how each was "
            "measured, and why some are missed.\n",
            "| what | ours | target | |",
            "|---|---:|---:|---|",
            *(target.line() for target in targets),
            "",
            "![Time of the competitors as a multiple of ours, on a logarithmic scale]"
            "(_static/benchmarks.png)",
            "",
        ]
    )


def speed_ratios(results: dict[str, Any]) -> dict[str, float]:
    """Return the time of each competitor as a multiple of ours, by problem and competitor."""
    ratios = {
        f"{case['case'].partition(', gradient')[0]}: {peer}": ratio["median"]
        for case in results["threads"]["1"]
        for peer, ratio in case["ratios"].items()
    }
    ratios |= {
        f"MLP {case}: {name}": float(np.median(ratio))
        for case, name, ratio in neural_speed.ratios(pd.read_csv(neural_speed.CSV))
        if case == neural_speed.MIDDLE.name
    }
    table = pd.read_csv(peer_searches.CSV).groupby(["data", "search"], sort=False)
    search_seconds = table["seconds"].median()
    for data in search_seconds.index.unique("data"):
        ours = search_seconds[data, peer_searches.OURS]
        others = search_seconds[data].drop(peer_searches.OURS)
        ratios |= {f"search, {data}: {name}": value / ours for name, value in others.items()}
    return ratios


def draw(results: dict[str, Any], path: Path = PICTURE) -> None:
    """Draw the time of each competitor as a multiple of ours."""
    ratios = speed_ratios(results)
    figure = Figure(figsize=(10, 0.27 * len(ratios) + 0.9), layout="constrained")
    axes = figure.subplots()
    beyond = [value - 1 for value in ratios.values()]
    axes.barh(list(ratios), beyond, left=1, color="tab:blue", height=0.7)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", xlabel="time as a multiple of ours")
    axes.invert_yaxis()
    axes.margins(y=0.01)
    for place, value in enumerate(ratios.values()):
        axes.annotate(
            f"{value:.3g}", (value, place), (3, 0), textcoords="offset points", va="center"
        )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=100, metadata={"Software": None})
