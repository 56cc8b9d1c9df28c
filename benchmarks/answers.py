"""The first section of the page: answers in short, with numbers from the other sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks import boosting_cost, covertype, deployment, neural_speed, search

LARGE = "100,000 × 100, K = 5"  # the linear problem that is quoted


def section(results: dict[str, Any]) -> str:
    """Return the section; each line names the section with its measurement."""
    lines = [
        "## In short\n",
        *_line("What does a student gain?", _gain(), "Distilling boosting into small students"),
        *_line(
            "How fast does it predict?", _prediction(), "the guide [Deploy](user_guide/deploy.md)"
        ),
        *_line("What does a linear student cost?", _linear(results), "Tall"),
        *_line("A boosted one?", _boosted(), "Boosting"),
        *_line("A network?", _network(), "Neural"),
        *_line("Choosing λ and T?", _search(), "Searches"),
        "",
        "Where the alternative is faster than ours, its row stands first in its "
        "[region](#by-region); after it stand missed targets, which "
        "[All targets](#all-targets), at the end, lists among all.\n",
    ]
    return "\n".join(lines)


def _line(question: str, answer: str, where: str) -> Iterator[str]:
    link = where if "](" in where else f"[{where}](#{_anchor(where)})"
    yield f"- **{question}** {answer} ({link})."


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _gain() -> str:
    tree = covertype.summarise(pd.read_csv(covertype.CSV), "tree of depth 8")
    return f"On Covertype with 1,000 labels, a tree of depth 8 is {covertype.sentence(tree)}"


def _prediction() -> str:
    rows = pd.read_csv(deployment.CSV).set_index(["model", "format"])["one_row_us"]
    teacher = rows["teacher", "joblib"] / 1000
    onnx = rows.xs("ONNX", level="format").drop("teacher", errors="ignore")
    students = ", ".join(f"{name} {time:.0f} µs" for name, time in onnx.items())
    return f"A row as ONNX file: {students}; its teacher takes {teacher:.0f} ms"


def _linear(results: dict[str, Any]) -> str:
    case = next(c for c in results["threads"]["1"] if c["case"].startswith(LARGE))
    seconds, ratio = case["seconds"]["ours"]["median"], case["ratios"]["scipy L-BFGS"]["median"]
    return (
        f"{LARGE}: {seconds:.2g} s, {ratio:.0f} times as fast as the same objective by scipy's "
        "L-BFGS"
    )


def _boosted() -> str:
    rows = boosting_cost.rows(pd.read_csv(boosting_cost.CSV))
    costs = [1 / row.ratio for row in rows if not row.problem.endswith("same trees")]
    return (
        f"{min(costs):.2f} to {max(costs):.2f} times the library's own fit on hard labels with as "
        "many trees"
    )


def _network() -> str:
    rows = neural_speed.rows(pd.read_csv(neural_speed.CSV))
    ratios = [row.ratio for row in rows if row.peer == neural_speed.LOOP]
    return f"A hand-written torch loop takes {min(ratios):.2f} to {max(ratios):.2f} times as long"


def _search() -> str:
    results = pd.read_csv(search.CSV)
    ratios = [
        search.grid_over_search(results, data, "grid of ours") for data in results["data"].unique()
    ]
    return (
        f"By exact hypergradients {min(ratios):.0f} to {max(ratios):.0f} times as fast as a grid "
        "of fits of the same student"
    )
