"""The table of all targets, and the figure of all speed ratios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from benchmarks import neural_speed, peer_searches, search, streaming, students
from benchmarks.rows import Row, Target

PICTURE = Path(__file__).parents[1] / "docs" / "_static" / "benchmarks.png"


def all_targets(rows: Sequence[Row]) -> list[Target]:
    """Return the targets of the rows, of the losses of searches and of the growth of a pass."""
    return [
        *(target for row in rows for target in row.targets()),
        *search.loss_targets(pd.read_csv(search.CSV)),
        *streaming.targets(pd.read_csv(streaming.CSV)),
    ]


def section(rows: Sequence[Row]) -> str:
    """Return the section of the page of benchmarks."""
    targets = all_targets(rows)
    n_met = sum(target.is_met for target in targets)
    return "\n".join(
        [
            "## All targets\n",
            f"{n_met} of {len(targets)} targets of cost with one thread, of losses of searches and "
            "of growth are met. The reasons of missed ones stand below the tables by region.\n",
            "| what | ours | target |",
            "|---|---:|---|",
            *(f"| {target.what} | {target.ours:.3g} | {target.verdict} |" for target in targets),
            "",
            "![Time of the competitors as a multiple of ours, on a logarithmic scale]"
            "(_static/benchmarks.png)",
            "",
        ]
    )


def speed_ratios(results: dict[str, Any]) -> dict[str, float]:
    """Return the ratios of the figure: linear students of all sizes, a network and searches."""
    networks = neural_speed.rows(pd.read_csv(neural_speed.CSV))
    shown = (
        *students.rows(results["threads"]["1"]),
        *(row for row in networks if row.problem == neural_speed.MIDDLE.name),
        *peer_searches.rows(pd.read_csv(peer_searches.CSV)),
    )
    return {f"{row.problem.partition(', gradient')[0]}: {row.peer}": row.ratio for row in shown}


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
