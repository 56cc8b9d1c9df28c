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
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from examples.papers.runs import CONFIDENCE, Experiment, aggregate, judge, main, read_runs

AGREES = "agrees"
PAGE = Path(__file__).parents[2] / "docs" / "reproduction.md"
PAPERS = {
    "Grabovoy and Strijov 2022": [
        "grabovoy_strijov_2022.table",
        "grabovoy_strijov_2022.table_twitter",
    ],
    "Gorpinich, Bakhteev and Strijov 2022": [
        "gorpinich_2022.table_synthetic",
        "gorpinich_2022.table_steps",
        "gorpinich_2022.table_fashion_mnist",
        "gorpinich_2022.table_cifar10",
    ],
    "Biryukova": ["biryukova.table_students", "biryukova.table_generations"],
    "Bayazitov 2022": [
        "bayazitov_2022.table_fashion_mnist",
        "bayazitov_2022.table_imagenette",
        "bayazitov_2022.table_regression",
    ],
    "Sedova, Gorpinich, Bakhteev and Strijov 2022": [
        "sedova_2022.table_cifar10",
        "sedova_2022.table_cifar10_varied",
    ],
}
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
the files of runs beside the scripts, and `make papers` makes the runs of the small scale first.

- **ours** is mean ± standard deviation over the runs; the **scale** is "small" unless the table
  says "full", which is the published one.
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
    for paper, scripts in PAPERS.items():
        modules = [import_module(f"examples.papers.{script}") for script in scripts]
        yield paper, [(inspect.getdoc(module) or "", module.EXPERIMENT) for module in modules]


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
    for scale, of_scale in runs.groupby("scale", sort=False):
        table = aggregate(experiment, of_scale)
        parts += [circumstances(str(scale), table), rows(experiment, table)]
        parts.append(claims(experiment, of_scale))
    return "\n".join(parts)


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
        for row in judge(experiment, runs).to_dict("records")
    ]
    return "\n".join(lines) + "\n"


def run_all() -> None:
    """Make the runs of the small scale that are missing."""
    for _, tables in experiments():
        for _, experiment in tables:
            main(experiment, ["--scale", "small"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write docs/reproduction.md.")
    parser.add_argument("--run", action="store_true", help="make the missing small runs first")
    if parser.parse_args().run:
        run_all()
    PAGE.write_text(page(), "utf-8")
