"""Write ``docs/reproduction.md`` from the runs that are kept beside the papers' scripts.

    python -m examples.papers.reproduction        the page, from the files as they are
    python -m examples.papers.reproduction --run  first the missing runs of the small scale

The published figure of a row agrees with ours where it lies within the 95 % interval of the
difference of two means over as many runs, with the spread of our runs in both.
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

from examples.papers.claims import CONFIDENCE, judge
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
# whether more of a measure is better; of others one can only say that they differ
BETTER = {
    "accuracy": 1,
    "cross_entropy": -1,
    "l_real": -1,
    "integral_criterion": -1,
}
INTRODUCTION = """\
# Reproduction

Every table of the five papers that the scripts in `examples/papers/` make, with the public API
alone. No number on this page was typed: `python -m examples.papers.reproduction` writes it from
the files of runs beside the scripts.

- The **scale** says how large an experiment is. "Full" is the published size, as far as data allow.
  "Medium" has fewer images, steps or epochs, and takes hours on two cores for all tables. "Small"
  has still fewer, and of most tables three runs: `make papers` makes those that are missing, which
  takes about 15 minutes for all tables on two cores, and writes this page. A table is shown at the
  largest scale of which every row has two runs or more; the figures of the others are in the CSV
  files beside its script, whose `--scale` makes more.
- **ours** is mean ± standard deviation over the runs.
- A **verdict** on a row compares with the published figure: *agrees* if that lies within the 95 %
  interval of the difference, else *better*, *worse* or, where more is not better, *differs*, with
  what was done otherwise than in the paper. That is why one must expect another figure, and not a
  measurement of how much it explains.
- A **claim** is judged by ours alone, by the 95 % interval of the mean difference between runs that
  share all that their seed draws: *holds*, *does not hold*, *undecided*. Nothing was tuned until it
  held.
"""


def experiments() -> Iterator[tuple[str, list[tuple[str, Experiment]]]]:
    """Yield each paper with what its scripts say of themselves and what they run."""
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
    """Return what a script says of itself, its table and its claims."""
    title, _, rest = about.partition("\n")
    runs = read_runs(experiment)
    parts = [f"### {title.rstrip('.')}\n", without_code(rest)]
    scale = shown_scale(experiment, runs)
    if scale is None:
        return "\n".join([*parts, "No scale has two runs of every row yet.\n"])
    of_scale = runs[runs["scale"] == scale]
    table = aggregate(experiment, of_scale)
    parts += [circumstances(scale, table), rows(experiment, table), claims(experiment, of_scale)]
    return "\n".join(parts)


def shown_scale(experiment: Experiment, runs: pd.DataFrame) -> str | None:
    """Return the largest scale of which every row has two runs or more."""
    n_runs = runs.groupby(["scale", *ROW]).size()
    for scale in reversed(experiment.scales):
        if all(n_runs.get((scale, *row), 0) >= 2 for row in experiment.rows):
            return scale
    return None


def without_code(text: str) -> str:
    """Return the paragraphs of a docstring that are prose, as Markdown."""
    parts = [part.strip("\n") for part in text.split("\n\n")]
    prose = [part for part in parts if part and not part.startswith("    ")]
    text = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", "\n\n".join(prose))
    return text.replace("``", "`") + "\n"


def circumstances(scale: str, table: pd.DataFrame) -> str:
    """Return what the figures depend on."""
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
        spread = round(row["std"], 9)  # of equal numbers it may be rounding alone
        lines.append(
            f"| {row['method']} | {row['setting']} | {row['measure']} | "
            f"{row['published'] if known else '–'} | {row['mean']:.4g} ± {spread:.2g} | "
            f"{row['runs']} | {explained(experiment, row) if known else ''} |"
        )
    return "\n".join(lines) + "\n"


def explained(experiment: Experiment, row: dict[str, Any]) -> str:
    """Compare a row with what was published of it, and say why they differ where they do."""
    found = verdict(row)
    reason = experiment.reason(row["scale"], row["method"], row["setting"], row["measure"])
    return f"{found}, because {reason}" if reason and found != AGREES else found


def verdict(row: dict[str, Any]) -> str:
    """Compare a row with what was published of it."""
    gap = row["mean"] - row["published"]
    n = row["runs"]
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * row["std"] * np.sqrt(2 / n)
    if abs(gap) <= half:
        return AGREES
    direction = BETTER.get(str(row["measure"]), 0) * np.sign(gap)
    return {1: "better", -1: "worse"}.get(direction, "differs")


def claims(experiment: Experiment, runs: pd.DataFrame) -> str:
    """Return the claims in Markdown; nothing where there are none."""
    if not experiment.claims:
        return ""
    lines = ["| claim | gain | 95 % | runs | |", "|---|---:|---|---:|---|"]
    lines += [
        f"| {row['claim']} | {row['gain']:+.4f} | {row['low']:+.4f} … {row['high']:+.4f} | "
        f"{row['runs']} | **{row['verdict']}** |"
        for row in judge(experiment.claims, runs).to_dict("records")
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page, on request after the runs that it lacks."""
    options = read_options(arguments)
    lacking = run_all(MODULES, options.jobs) if options.run else []
    PAGE.write_text(page(), "utf-8")
    if lacking:
        sys.exit("\n".join(["Not all runs could be made.", *lacking]))


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write docs/reproduction.md.")
    add = parser.add_argument
    add("--run", action="store_true", help="make the missing small runs first")
    add(
        "--jobs",
        type=int,
        default=cpu_count(),
        help="processes of --run, of up to 1.5 GB each (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    return options


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped; the runs that were done are kept.")
