"""Write the page of results from the files of results."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from benchmarks import (
    answers,
    boosting,
    boosting_cost,
    choice,
    covertype,
    dask_scaling,
    factors,
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
    students,
    targets,
    tree_criteria,
)
from benchmarks.rows import REGIONS, Row, reasons, table

# in the order of the page; each writes a file, and has some of rows for the tables by region, a
# method that is told below them, and a section of its own
PARTS: tuple[ModuleType, ...] = (
    small_fits,
    choice,
    factors,
    passes,
    peer_fits,
    covertype,
    linear_search,
    boosting,
    boosting_cost,
    tree_criteria,
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
round; the tables give the median, and min … max. Figures are CPU time with one thread, unless they
stand below [Two threads](#two-threads). `make bench-quick` measures one round of small and medium
problems of all regions in 5 minutes, and prints each ratio beside that of this page.

The **limit** is a lower bound of our time, which is given as a multiple of it. Where it is in
seconds, it is the time of the bare matrix products of one pass over the data (XᵀX for regression).
Memory is the peak memory of the process during the fit above its level before, as a multiple of the
size of X.

The dense logistic problems have standardised features with correlation 0.9^|i−j| unless the name
says otherwise, with T = 2, λ = ½ and C = 1. Where the name ends in a gradient, each implementation
runs until max|∇| is at most that, ours at its loosest `tol` for it. The cost of scipy's L-BFGS
depends on this correlation, and ours hardly does, so that the ratio grows with it. A `*` marks an
extrapolated time:
scikit-learn takes minutes on ten copies of Fashion-MNIST, so that 5 iterations are timed and
multiplied by the number of iterations that scipy's L-BFGS, the same method, needs; of cold grids 9
points are timed.
"""
BY_REGION = """\
## By region

Rows where the alternative is faster than ours stand first, then missed targets, then the others,
each by ascending ratio. [How each script measures](#how-each-script-measures) stands below.
"""
TWO_THREADS = """\
## Two threads

Wall-clock time on shared cores, where BLAS threads wait for each other: it says more about the
machine than about the code. The targets are meant for one thread.
"""


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
    rows = all_rows(results)
    parts = [
        TITLE,
        answers.section(results),
        INTRODUCTION,
        f"Measured on: {machine}.\n",
        BY_REGION,
        *(_region(name, [row for row in rows if row.region == name]) for name in REGIONS),
        "## How each script measures\n",
        *(f"- {part.method(read(part))}" for part in PARTS if hasattr(part, "method")),
        "",
        *("\n".join([*part.section(read(part)), ""]) for part in PARTS if hasattr(part, "section")),
        TWO_THREADS,
        table(students.rows(results["threads"]["2"])),
        targets.section(rows),
    ]
    targets.draw(results)
    path.write_text("\n".join(parts))


def all_rows(results: dict[str, Any]) -> list[Row]:
    """Return the rows of all parts, with one thread."""
    with_rows = (part for part in PARTS if hasattr(part, "rows"))
    of_parts = (row for part in with_rows for row in part.rows(read(part)))
    return [*students.rows(results["threads"]["1"]), *of_parts]


def read(part: ModuleType) -> pd.DataFrame:
    """Read the file that a part has written."""
    return pd.read_csv(part.CSV)


def _region(name: str, rows: list[Row]) -> str:
    parts = [f"### {name.capitalize()}\n", f"{REGIONS[name]}\n", table(rows)]
    return "\n".join([*parts, reasons(rows)] if any(row.is_missed for row in rows) else parts)
