"""Write ``docs/reproduction.md`` from the stored runs of the papers' scripts.

    python -m examples.papers.reproduction        write the page from the files as they are
    python -m examples.papers.reproduction --run  compute the missing small runs first

The published figure of a row agrees with ours if the difference lies within the 95 % interval of
the difference of two means over as many runs, both with the standard deviation of our runs.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count
from scipy import stats

from examples.papers.claims import CONFIDENCE, evaluate_claims
from examples.papers.run_all import experiment_of, run_all
from examples.papers.runs import ROW, Experiment, aggregate, read_runs

AGREES = "agrees"
PAGE = Path(__file__).parents[2] / "docs" / "reproduction.md"
PAPERS = {
    "Grabovoy and Strijov 2022": [
        "examples.papers.grabovoy_strijov_2022.table",
        "examples.papers.grabovoy_strijov_2022.table_twitter",
    ],
    "Gorpinich, Bakhteev and Strijov 2022": [
        "examples.papers.gorpinich_2022.table_synthetic",
        "examples.papers.gorpinich_2022.table_steps",
        "examples.papers.gorpinich_2022.table_fashion_mnist",
        "examples.papers.gorpinich_2022.table_cifar10",
    ],
    "Biryukova": [
        "examples.papers.biryukova.table_students",
        "examples.papers.biryukova.table_generations",
    ],
    "Bayazitov 2022": [
        "examples.papers.bayazitov_2022.table_fashion_mnist",
        "examples.papers.bayazitov_2022.table_imagenette",
        "examples.papers.bayazitov_2022.table_regression",
    ],
    "Sedova, Gorpinich, Bakhteev and Strijov 2022": [
        "examples.papers.sedova_2022.table_cifar10",
        "examples.papers.sedova_2022.table_cifar10_varied",
    ],
}
MODULES = [module for modules in PAPERS.values() for module in modules]
# whether a larger value is better; other measures can only differ
BETTER = {
    "accuracy": 1,
    "cross_entropy": -1,
    "l_real": -1,
    "integral_criterion": -1,
}
INTRODUCTION = """\
# Reproduction

This page shows all tables of the five papers that the scripts in `examples/papers/` reproduce with
the public API. `python -m examples.papers.reproduction` generates it from the stored runs of the
scripts.

- The **scale** is the size of an experiment. "Full" is the published size, as far as the data
  allow. "Medium" has fewer images, steps or epochs, and takes hours on two cores for all tables.
  "Small" has still fewer, and three runs for most tables: `make papers` computes the missing runs,
  which takes about 15 minutes for all tables on two cores, and writes this page. A table is shown
  at the largest scale at which every row has at least two runs. The figures of the other scales are
  in the CSV files next to its script, and its option `--scale` computes more runs.
- **ours** is the mean ± standard deviation over the runs.
- The **verdict** on a row compares it with the published figure: *agrees* if that lies within the
  95 % interval of the difference, otherwise *better*, *worse* or, for measures without a better
  direction, *differs*. It is followed by the difference from the setup of the paper. This is the
  reason to expect another figure; how much of the gap it explains was not measured.
- A **claim** is evaluated on our runs alone, with the 95 % interval of the mean difference between
  runs that share their seed: *holds*, *does not hold*, or *undecided*. Nothing was tuned to make a
  claim hold.
"""


def experiments() -> Iterator[tuple[str, list[tuple[str, Experiment]]]]:
    """Yield each paper with the docstrings and experiments of its scripts."""
    for paper, modules in PAPERS.items():
        about = [inspect.getdoc(import_module(module)) or "" for module in modules]
        yield paper, list(zip(about, map(experiment_of, modules), strict=True))


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION]
    for paper, tables in experiments():
        parts.append(f"## {paper}\n")
        parts += [section(about, experiment) for about, experiment in tables]
    return "\n".join(parts)


def section(about: str, experiment: Experiment) -> str:
    """Return the section of a script: its docstring, its table and its claims."""
    title, _, rest = about.partition("\n")
    runs = read_runs(experiment)
    parts = [f"### {title.rstrip('.')}\n", without_code(rest)]
    scale = largest_complete_scale(experiment, runs)
    if scale is None:
        return "\n".join([*parts, "No scale has two runs of every row yet.\n"])
    scale_runs = runs[runs["scale"] == scale]
    table = aggregate(experiment, scale_runs)
    parts += [conditions(scale, table), rows(experiment, table), claims(experiment, scale_runs)]
    return "\n".join(parts)


def largest_complete_scale(experiment: Experiment, runs: pd.DataFrame) -> str | None:
    """Return the largest scale at which every row has at least two runs."""
    n_runs = runs.groupby(["scale", *ROW]).size()
    for scale in reversed(experiment.scales):
        if all(n_runs.get((scale, *row), 0) >= 2 for row in experiment.rows):
            return scale
    return None


def without_code(text: str) -> str:
    """Return the paragraphs of a docstring without code blocks, as Markdown."""
    parts = [part.strip("\n") for part in text.split("\n\n")]
    prose = [part for part in parts if part and not part.startswith("    ")]
    text = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", "\n\n".join(prose))
    return text.replace("``", "`") + "\n"


def conditions(scale: str, table: pd.DataFrame) -> str:
    """Return the conditions that the figures depend on."""
    about = {name: table[name].iloc[0] for name in ("Python", "numpy", "scikit-learn", "torch")}
    libraries = ", ".join(f"{name} {version}" for name, version in about.items())
    minutes = table.drop_duplicates(["method", "setting"])
    total = float((minutes["seconds"] * minutes["runs"]).sum()) / 60
    return (
        f"Scale **{scale}**; {total:.0f} minutes in all on {table['device'].iloc[0]}, a shared "
        f"machine; {libraries}.\n"
    )


def rows(experiment: Experiment, table: pd.DataFrame) -> str:
    """Return the table in Markdown."""
    lines = [
        "| | | measure | published | ours | runs | verdict |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for row in table.to_dict("records"):
        known = not np.isnan(row["published"])
        spread = round(row["std"], 9)  # for equal numbers it may be a rounding error
        lines.append(
            f"| {row['method']} | {row['setting']} | {row['measure']} | "
            f"{row['published'] if known else '–'} | {row['mean']:.4g} ± {spread:.2g} | "
            f"{row['runs']} | {verdict_with_reason(experiment, row) if known else ''} |"
        )
    return "\n".join(lines) + "\n"


def verdict_with_reason(experiment: Experiment, row: dict[str, Any]) -> str:
    """Return the verdict on a row, with the reason where it differs from the published figure."""
    found = verdict(row)
    reason = experiment.reason(row["scale"], row["method"], row["setting"], row["measure"])
    return f"{found}, because {reason}" if reason and found != AGREES else found


def verdict(row: dict[str, Any]) -> str:
    """Compare a row with its published figure."""
    gap = row["mean"] - row["published"]
    n = row["runs"]
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * row["std"] * np.sqrt(2 / n)
    if abs(gap) <= half:
        return AGREES
    direction = BETTER.get(str(row["measure"]), 0) * np.sign(gap)
    return {1: "better", -1: "worse"}.get(direction, "differs")


def claims(experiment: Experiment, runs: pd.DataFrame) -> str:
    """Return the claims in Markdown; the empty string if there are none."""
    if not experiment.claims:
        return ""
    lines = ["| claim | gain | 95 % | runs | |", "|---|---:|---|---:|---|"]
    lines += [
        f"| {row['claim']} | {row['gain']:+.4f} | {row['low']:+.4f} … {row['high']:+.4f} | "
        f"{row['runs']} | **{row['verdict']}** |"
        for row in evaluate_claims(experiment.claims, runs).to_dict("records")
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page; with ``--run``, compute its missing runs first."""
    options = read_options(arguments)
    problems = run_all(MODULES, options.jobs) if options.run else []
    PAGE.write_text(page(), "utf-8")
    if problems:
        sys.exit("\n".join(["Some runs could not be computed.", *problems]))


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write docs/reproduction.md.")
    add = parser.add_argument
    add("--run", action="store_true", help="compute the missing small runs first")
    add(
        "--jobs",
        type=int,
        default=cpu_count(),
        help="number of processes for --run, of up to 1.5 GB each (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    return options


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted; the finished runs are stored.")
