"""Write ``docs/reproduction.md`` and a page for each table from the papers' stored runs.

python -m examples.papers.reproduction        write the pages from the files as they are
python -m examples.papers.reproduction --run  compute the missing small runs first
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count

from examples.papers.agreement import (
    AGREES,
    BETTER,
    DIFFERS,
    MARGINS,
    RELATIVE_MARGIN,
    TOO_FEW,
    WORSE,
    agreement,
)
from examples.papers.claims import DOES_NOT, HOLDS, UNDECIDED, evaluate_claims
from examples.papers.figures import FigurePage
from examples.papers.guides import write_guide
from examples.papers.run_all import experiment_of, run_all
from examples.papers.runs import (
    ROW,
    Experiment,
    aggregate,
    largest_complete_scale,
    read_runs,
)

PAGE = Path(__file__).parents[2] / "docs" / "reproduction.md"
FOLDER = PAGE.with_suffix("")
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
        "examples.papers.sedova_2022.table_adaptive",
    ],
}
FIGURES = {
    "Grabovoy and Strijov 2022": "examples.papers.grabovoy_strijov_2022.figures",
    "Gorpinich, Bakhteev and Strijov 2022": "examples.papers.gorpinich_2022.figures",
    "Biryukova": "examples.papers.biryukova.figures",
    "Bayazitov 2022": "examples.papers.bayazitov_2022.figures",
    "Sedova, Gorpinich, Bakhteev and Strijov 2022": "examples.papers.sedova_2022.figures",
}
MODULES = [module for modules in PAPERS.values() for module in modules]
INTRODUCTION = """\
# Reproduction

The scripts in `examples/papers/` reproduce the tables and figures of the five papers with the
public API. Each table has a page with all of its rows and claims; this page sums them up. The
figures of a paper have a page, too. `python -m examples.papers.reproduction` generates the pages
from the stored runs of the scripts.

"""
_MARGINS = ", ".join(f"{value} of `{name}`" for name, value in MARGINS.items())
EXPLANATION = f"""\
## How to read the tables

- The **scale** is the size of an experiment. "Full" is the published size, as far as the data
  allow. "Medium" has fewer images, steps or epochs, and takes hours on two cores for all tables;
  where "full" would take weeks, "large" has all images and smaller networks. "Small" has the
  fewest, and three runs for most tables: `make papers` computes the missing runs, which takes
  about 15 minutes for all tables on two cores, and writes the pages. A table is shown at the
  largest scale at which every row has at least two runs. The values of the other scales are in
  the CSV files next to its script, and its option `--scale` computes more runs.
- **ours** is the mean ± standard deviation over the runs.
- The verdict on a **value** compares a row with the published value, by the 95 % interval of
  the difference. *{AGREES}*: the interval lies within a margin, which is the published ± or, where
  that is smaller or not given, {_MARGINS}, and
  {RELATIVE_MARGIN:.0%} of other measures. Otherwise, *{BETTER}*, *{WORSE}* or, for measures without
  a better direction, *{DIFFERS}*: the interval excludes 0. The known difference from the setup of
  the paper follows; how much of the gap it explains was not measured. *{TOO_FEW}*: the interval
  neither lies within the margin nor excludes 0. For the interval, the published value is taken as
  a mean of as many runs as ours, with the published ± or, where there is none, with our standard
  deviation. Values may agree although the margin is wider than the gain that the paper reports;
  whether there is a gain is what the claims tell.
- A **claim** is evaluated on our runs alone, by the mean difference between runs that share their
  seed: *{HOLDS}*, *{DOES_NOT}* or *{UNDECIDED}*. The verdict *alone* is that of its own 95 %
  interval; the verdict *of the table* is adjusted for all claims of the table by Holm's method, and
  is the one that is counted above. Scripts name the
  number of runs; where these take long there are fewer. It was raised after the first ones for
  Gorpinich's synthetic data, from 10 to 50, and tables were looked at before all of their runs were
  there. A page tells where a setting was changed after its first runs. A claim on
  `log(images_per_second)` compares natural logarithms, so that exp(gain) is a ratio.
- The intervals are over **runs**: new initial weights and, where a script draws data or a split,
  new data. Images of a fixed test set are the same in all runs; how much a value would change on
  other test images is not part of the interval.
""".replace("%", " %").replace("  %", " %")
VERDICTS = (HOLDS, DOES_NOT, UNDECIDED)
AGREEMENTS = (AGREES, BETTER, WORSE, DIFFERS, TOO_FEW)


@dataclass(frozen=True)
class Table:
    """A table of a paper: its script and the runs of the scale that is shown.

    Parameters
    ----------
    module : str
        Import name of the script.
    title, about : str
        First line, and rest, of its docstring.
    experiment : Experiment
        The experiment of the script.
    scale : str or None
        The scale that is shown; None if no scale is complete.
    runs : DataFrame
        The runs of this scale.
    """

    module: str
    title: str
    about: str
    experiment: Experiment
    scale: str | None
    runs: pd.DataFrame

    @property
    def name(self) -> str:
        """The name of its page."""
        return page_name(self.module)

    @cached_property
    def verdicts(self) -> Counter[str]:
        """How many claims hold, do not hold, and are undecided, adjusted for their number."""
        evaluated = evaluate_claims(self.experiment.claims, self.runs)
        return Counter(evaluated["verdict_holm"] if len(evaluated) else [])

    @cached_property
    def agreements(self) -> Counter[str]:
        """How many values agree with the published ones, differ, and have too few runs."""
        rows = aggregate(self.experiment, self.runs).to_dict("records") if self.scale else []
        return Counter(agreement(row) for row in rows if not np.isnan(row["published"]))


def page_name(module: str) -> str:
    """Return the name of a page: that of the paper, and that of the script."""
    return "-".join(module.split(".")[-2:])


def tables() -> Iterator[tuple[str, list[Table]]]:
    """Yield each paper with its tables."""
    for paper, modules in PAPERS.items():
        yield paper, [read_table(module) for module in modules]


def read_table(module: str) -> Table:
    """Read the stored runs of a script, of the largest complete scale."""
    experiment = experiment_of(module)
    return make_table(module, *title_and_about(module), experiment)


def title_and_about(module: str) -> tuple[str, str]:
    """Return the first line, and the rest, of a docstring."""
    title, _, about = (inspect.getdoc(import_module(module)) or "").partition("\n")
    return title.rstrip("."), about


def make_table(module: str, title: str, about: str, experiment: Experiment) -> Table:
    """Choose the largest complete scale of an experiment."""
    runs = read_runs(experiment)
    scale = largest_complete_scale(experiment, runs)
    return Table(module, title, about, experiment, scale, runs[runs["scale"] == scale])


def pages() -> dict[Path, str]:
    """Return the text of each page."""
    papers = list(tables())
    of_tables = {
        FOLDER / f"{table.name}.md": section(table) for _, of_paper in papers for table in of_paper
    }
    of_figures = {
        FOLDER / f"{page_name(module)}.md": figures(module) for module in FIGURES.values()
    }
    return {PAGE: overview(papers)} | of_tables | of_figures


def overview(papers: Sequence[tuple[str, list[Table]]]) -> str:
    """Return the page that sums up all tables."""
    parts = [INTRODUCTION + _counts(papers), EXPLANATION]
    for paper, of_paper in papers:
        parts.append(f"## {paper}\n")
        lines = [*map(_line, of_paper), *map(_figures_line, filter(None, [FIGURES.get(paper)]))]
        parts.append("\n".join(lines) + "\n")
    names = [table.name for _, of_paper in papers for table in of_paper]
    names += map(page_name, FIGURES.values())
    pages = "\n".join(f"reproduction/{name}" for name in names)
    return "\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{pages}\n```\n"])


def _counts(papers: Sequence[tuple[str, list[Table]]]) -> str:
    """Return a table with a line for each paper: its claims and values by verdict."""
    lines = [
        "| paper | claims | hold | do not hold | undecided | published values | agree | better | "
        "worse | differ otherwise | too few runs |",
        "|---|" + "---:|" * 10,
    ]
    for paper, of_paper in papers:
        verdicts = sum((table.verdicts for table in of_paper), Counter())
        agreements = sum((table.agreements for table in of_paper), Counter())
        cells = [
            verdicts.total(),
            *(verdicts[verdict] for verdict in VERDICTS),
            agreements.total(),
            *(agreements[verdict] for verdict in AGREEMENTS),
        ]
        lines.append(f"| {paper} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _line(table: Table) -> str:
    """Return what is said of a table below its paper."""
    link = f"- [{table.title}](reproduction/{table.name}.md)"
    if table.scale is None:
        return f"{link}: no scale has two runs of every row yet"
    n_runs = table.runs.groupby(ROW).size().min()
    hold, do_not, undecided = (table.verdicts[verdict] for verdict in VERDICTS)
    of_claims = f"of its claims {hold} hold, {do_not} do not, {undecided} are undecided"
    return f"{link}: scale {table.scale}, {n_runs} runs; {of_claims}"


def _figures_line(module: str) -> str:
    """Return the link to the figures of a paper."""
    title, _ = title_and_about(module)
    return f"- Figures: [{title}](reproduction/{page_name(module)}.md)"


def figures(module: str) -> str:
    """Return the page of the figures of a paper: its docstring, the figures and the findings."""
    page: FigurePage = import_module(module).FIGURES
    title, about = title_and_about(module)
    folder = Path(os.path.relpath(Path(page.script).parent, FOLDER)).as_posix()
    parts = [f"# {title}\n", without_code(about)]
    parts += [f"![{text}]({folder}/{file})\n\n*{text}*\n" for file, text in page.captions.items()]
    parts += [f"{finding}\n" for finding in page.findings()]
    return "\n".join([*parts, "[All tables and figures](../reproduction.md).\n"])


def section(table: Table) -> str:
    """Return the page of a table: its docstring, its rows and its claims."""
    parts = [f"# {table.title}\n", without_code(table.about)]
    if table.scale is None:
        return "\n".join([*parts, "No scale has two runs of every row yet.\n"])
    means = aggregate(table.experiment, table.runs)
    parts += findings(table.experiment)
    parts += [conditions(table.scale, means), claims(table.experiment, table.runs)]
    parts += [rows(table.experiment, means), "[All tables and their legend](../reproduction.md).\n"]
    return "\n".join(filter(None, parts))


def findings(experiment: Experiment) -> list[str]:
    """Return the paragraphs that a script computes from its stored runs."""
    if experiment.findings is None:
        return []
    return [f"{sentence}\n" for sentence in experiment.findings(read_runs(experiment))]


def without_code(text: str) -> str:
    """Return the paragraphs of a docstring without code blocks, as Markdown."""
    parts = [part.strip("\n") for part in text.split("\n\n")]
    prose = [part for part in parts if part and not part.startswith("    ")]
    text = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", "\n\n".join(prose))
    return text.replace("``", "`") + "\n"


def conditions(scale: str, table: pd.DataFrame) -> str:
    """Return the conditions that the values depend on."""
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
        std = "" if np.isnan(row["published_std"]) else f" ± {row['published_std']}"
        spread = round(row["std"], 9)  # for equal numbers it may be a rounding error
        lines.append(
            f"| {row['method']} | {row['setting']} | {row['measure']} | "
            f"{str(row['published']) + std if known else '–'} | "
            f"{row['mean']:.4g} ± {spread:.2g} | {row['runs']} | "
            f"{verdict_with_reason(experiment, row) if known else ''} |"
        )
    return "\n".join(lines) + "\n"


def verdict_with_reason(experiment: Experiment, row: dict[str, Any]) -> str:
    """Return the verdict on a row, with the known difference where the value does not agree."""
    found = agreement(row)
    reason = experiment.reason(row["scale"], row["method"], row["setting"], row["measure"])
    unexplained = {AGREES, TOO_FEW}
    return f"{found}; known difference: {reason}" if reason and found not in unexplained else found


def claims(experiment: Experiment, runs: pd.DataFrame) -> str:
    """Return the claims in Markdown; the empty string if there are none."""
    if not experiment.claims:
        return ""
    lines = ["| claim | gain | 95 % | runs | alone | of the table |", "|---|---:|---|---:|---|---|"]
    lines += [
        f"| {row['claim']} | {row['gain']:+.4f} | {row['low']:+.4f} … {row['high']:+.4f} | "
        f"{row['runs']} | {row['verdict']} | **{row['verdict_holm']}** |"
        for row in evaluate_claims(experiment.claims, runs).to_dict("records")
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the pages; with ``--run``, compute their missing runs first."""
    options = read_options(arguments)
    problems = run_all(MODULES, options.scale, options.jobs) if options.run else []
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, "utf-8")
    write_guide()
    if problems:
        sys.exit("\n".join(["Some runs could not be computed.", *problems]))


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write docs/reproduction.md.")
    add = parser.add_argument
    add("--run", action="store_true", help="compute the missing runs of a scale first")
    add("--scale", choices=["small", "medium", "full"], default="small", help="scale for --run")
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
