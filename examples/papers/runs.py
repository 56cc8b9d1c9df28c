"""Run what a table is made of, keep each run as soon as it is done, and write the table.

A script describes its :class:`Experiment` and hands it to :func:`main`. It is called from the root
of a clone:

    python -m examples.papers.gorpinich_2022.table_synthetic --scale small --runs 10

Beside the script ``table_synthetic.py`` then lie ``table_synthetic_runs.csv``, a line for each run,
to which a run is appended when it ends, so that a call that was killed is taken up by the next one;
``table_synthetic.csv``, means and spreads of all runs that are kept, by scale; and, if it makes
claims, ``table_synthetic_claims.csv``.

Of the scales "full" is the published one; "medium" takes hours for all tables, "small" minutes, and
:mod:`examples.papers.run_all` makes the small runs of all.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from examples.papers.claims import Claim, Row, judge
from sklearn_distill.nets import resolve_device

ROW, RUN = ["method", "setting"], ["scale", "seed", "method", "setting"]
LIBRARIES = ["numpy", "scikit-learn", "torch"]
CIRCUMSTANCES = ["device", "Python", *LIBRARIES]


@dataclass(frozen=True)
class Experiment:
    """A table: its rows, how a run of one of them is made, and what is claimed of them.

    Parameters
    ----------
    script : str
        Path of the script, beside which the tables are written.
    rows : sequence of tuple of str
        Method and setting of each row.
    measures : sequence of str
        What a run may tell of; a row may lack some.
    compute : callable
        ``compute(row, seed, scale, device)`` → numbers by measure. Rows of one seed are computed
        one after another and share what the seed draws: their differences are paired. What is
        drawn for the first of them and cached counts among its seconds.
    scales : mapping
        What ``compute`` is given as a scale, by name, the smallest first; that is the default.
    n_runs : mapping
        Seeds by scale, unless the command line tells another number.
    published : mapping, default={}
        The paper's numbers by row and measure.
    claims : sequence of Claim, default=()
        What is to be judged.
    because : mapping, default={}
        Why ours differ from the published numbers: a clause, "there are fewer images", by a tuple
        of the words that a row must have among its scale, method, setting and measure.
    """

    script: str
    rows: Sequence[Row]
    measures: Sequence[str]
    compute: Callable[[Row, int, Any, str], Mapping[str, float]]
    scales: Mapping[str, Any]
    n_runs: Mapping[str, int]
    published: Mapping[Row, Mapping[str, float]] = field(default_factory=dict)
    claims: Sequence[Claim] = ()
    because: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def default_scale(self) -> str:
        """The smallest scale."""
        return next(iter(self.scales))

    @property
    def columns(self) -> list[str]:
        """Columns of the file of runs."""
        return [*RUN, *self.measures, "seconds", *CIRCUMSTANCES]

    def file(self, what: str = "") -> Path:
        """Return the path of a table."""
        script = Path(self.script)
        return script.with_name(f"{script.stem}{what}.csv")

    def reason(self, *words: str) -> str:
        """Return why a row differs from the published one; "" where no reason is given.

        Of the reasons that hold for the row, that of the most words is taken, or the first of them.
        """
        held = [key for key in self.because if set(key) <= set(words)]
        return self.because[max(held, key=len)] if held else ""


def main(experiment: Experiment, arguments: Sequence[str] | None = None) -> None:
    """Make the runs that are missing, write the tables and print them.

    Parameters
    ----------
    experiment : Experiment
        What is run.
    arguments : sequence of str or None, default=None
        The command line, None for the process's own.
    """
    options = read_options(experiment, arguments)
    device = str(resolve_device(options.device))
    if options.fresh:
        forget(experiment, options.scale)
    todo = missing(experiment, read_runs(experiment), options.scale, options.runs)
    for row, seed in tqdm(todo, unit="run", desc=experiment.file().stem):
        append(experiment, one_run(experiment, row, seed, options.scale, device))
    table, verdicts = write_tables(experiment)
    print(shown(table[table["scale"] == options.scale]))
    if experiment.claims:
        of_scale = verdicts[verdicts["scale"] == options.scale]
        print(of_scale.to_string(index=False, float_format="{:.4f}".format))


def read_options(
    experiment: Experiment, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=f"Make the table {experiment.file().stem}.")
    add = parser.add_argument
    add("--scale", choices=list(experiment.scales), default=experiment.default_scale)
    add("--runs", type=int, help=f"seeds (default: {dict(experiment.n_runs)})")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto")
    add("--fresh", action="store_true", help="forget the runs of this scale that are kept")
    options = parser.parse_args(arguments)
    if options.runs is None:
        options.runs = experiment.n_runs[options.scale]
    if options.runs < 1:
        parser.error(f"--runs must be at least 1, got {options.runs}")
    return options


def one_run(experiment: Experiment, row: Row, seed: int, scale: str, device: str) -> dict[str, Any]:
    """Return a line of the file of runs.

    Raises
    ------
    ValueError
        If the run tells of what is no measure, or a number is NaN.
    """
    start = time.perf_counter()
    found = dict(experiment.compute(row, seed, experiment.scales[scale], device))
    seconds = time.perf_counter() - start
    bad = [name for name in found if name not in experiment.measures or np.isnan(found[name])]
    if bad:
        raise ValueError(
            f"{row} with seed {seed} gave {bad[0]}={found[bad[0]]}: a run gives numbers, not NaN, "
            f"for some of {list(experiment.measures)}"
        )
    made = dict(zip(RUN, (scale, seed, *row), strict=True)) | found
    return made | {"seconds": seconds, "device": device} | versions()


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    return {"Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def missing(
    experiment: Experiment, runs: pd.DataFrame, scale: str, n_runs: int
) -> list[tuple[Row, int]]:
    """Return row and seed of the runs that are not kept, seed by seed."""
    done = set(runs.loc[runs["scale"] == scale, [*ROW, "seed"]].itertuples(index=False, name=None))
    wanted = ((row, seed) for seed in range(n_runs) for row in experiment.rows)
    return [(row, seed) for row, seed in wanted if (*row, seed) not in done]


def read_runs(experiment: Experiment) -> pd.DataFrame:
    """Return the runs that are kept; the line of a run that was killed in writing is cut off.

    Raises
    ------
    ValueError
        If the file has other columns.
    """
    file = experiment.file("_runs")
    text = file.read_text("utf-8") if file.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if not whole:
        file.unlink(missing_ok=True)
        return pd.DataFrame(columns=experiment.columns)
    if whole != text:
        file.write_text(whole, "utf-8")
    numbers = {name: [""] for name in experiment.measures}
    words = dict.fromkeys(["scale", *ROW, *CIRCUMSTANCES], str)
    # a method may be called "NA"
    runs = pd.read_csv(file, dtype=words, na_values=numbers, keep_default_na=False)
    if list(runs) != experiment.columns:
        raise ValueError(
            f"{file} has the columns {list(runs)}, and not {experiment.columns}: the table has "
            "changed; remove the file"
        )
    return runs.drop_duplicates(RUN)  # two calls at once may make a run twice


def append(experiment: Experiment, made: dict[str, Any]) -> None:
    """Keep a run, in one write: other processes may append theirs."""
    begin(experiment)
    line = pd.DataFrame([made], columns=experiment.columns)
    text = line.to_csv(header=False, index=False, float_format="%.6g", lineterminator="\n")
    with experiment.file("_runs").open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def begin(experiment: Experiment) -> None:
    """Write the head of the file of runs, unless there is one."""
    path = experiment.file("_runs")
    with suppress(FileExistsError), path.open("x", encoding="utf-8", newline="") as file:
        file.write(",".join(experiment.columns) + "\n")


def forget(experiment: Experiment, scale: str) -> None:
    """Remove the runs of a scale."""
    runs = read_runs(experiment)
    write(experiment.file("_runs"), runs[runs["scale"] != scale])


def write(file: Path, table: pd.DataFrame) -> None:
    """Write a table."""
    table.to_csv(file, index=False, float_format="%.6g")


def write_tables(experiment: Experiment) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write and return what the kept runs say: means and spreads, and verdicts on the claims."""
    runs = read_runs(experiment)
    table, verdicts = aggregate(experiment, runs), judge(experiment.claims, runs)
    write(experiment.file(), table)
    if experiment.claims:
        write(experiment.file("_claims"), verdicts)
    return table, verdicts


def aggregate(experiment: Experiment, runs: pd.DataFrame) -> pd.DataFrame:
    """Return a line for each scale, row and measure.

    Runs of rows that the table no longer has are left out.
    """
    kept = dict(list(runs.groupby(["scale", *ROW])))
    keys = [(scale, *row) for scale in experiment.scales for row in experiment.rows]
    return pd.DataFrame(
        summary(experiment, kept[key], measure)
        for key in keys
        if key in kept
        for measure in experiment.measures
        if kept[key][measure].notna().any()
    )


def summary(experiment: Experiment, of_row: pd.DataFrame, measure: str) -> dict[str, Any]:
    """Return mean, standard deviation (ddof 1) and range of a row's measure over its runs."""
    values = of_row[measure].dropna()
    name = of_row[["scale", *ROW]].iloc[0].to_dict()
    published = experiment.published.get((name["method"], name["setting"]), {})
    return {
        **name,
        "measure": measure,
        **values.agg(["mean", "std", "min", "max"]),
        "published": published.get(measure, np.nan),
        "runs": len(values),
        "seconds": of_row["seconds"].mean(),
        **{
            circumstance: " or ".join(of_row[circumstance].unique())
            for circumstance in CIRCUMSTANCES
        },
    }


def shown(table: pd.DataFrame) -> str:
    """Return the rows as text: mean ± standard deviation (published) of each measure."""
    cells = table["mean"].map("{:.3f}".format) + table["std"].map(" ± {:.3f}".format)
    published = table["published"].map(" ({:g})".format).where(table["published"].notna(), "")
    wide = table.assign(cell=cells + published).pivot(index=ROW, columns="measure", values="cell")
    rows, measures = table.drop_duplicates(ROW), table["measure"].drop_duplicates()
    wide = wide.loc[list(rows[ROW].itertuples(index=False, name=None)), list(measures)].fillna("–")
    wide["runs"], wide["seconds"] = rows["runs"].to_numpy(), rows["seconds"].round(1).to_numpy()
    circumstances = [f"{name} {rows[name].iloc[0]}" for name in ["scale", *CIRCUMSTANCES]]
    return f"{', '.join(circumstances)}\n{wide.reset_index().to_string(index=False)}"
