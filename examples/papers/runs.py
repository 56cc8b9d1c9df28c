"""Compute the runs of a table, store each one when it is done, and write the table.

A script defines an :class:`Experiment` and passes it to :func:`main`. Call it from the root of a
clone:

    python -m examples.papers.gorpinich_2022.table_synthetic --scale small --runs 10

It writes three files next to the script ``table_synthetic.py``:

- ``table_synthetic_runs.csv`` has a line for each run. A run is appended when it ends, so that an
  interrupted call can be resumed by calling the script again.
- ``table_synthetic.csv`` has means and standard deviations of all stored runs, by scale.
- ``table_synthetic_claims.csv`` has the verdicts on the claims of the experiment, if there are any.

What many rows or seeds share and takes long, such as the predictions of a teacher, is computed by a
function with the decorator :func:`kept`: the folder ``.kept`` has its results for later calls, and
for other processes. A change of the function itself, or of the version of Python, numpy,
scikit-learn or torch, is noticed, one of what it calls is not; ``make clean`` removes the folder.

The scale "full" is the published one. "medium" takes hours for all tables, and "small" minutes;
:mod:`examples.papers.run_all` computes the missing runs of all tables.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Memory
from tqdm.auto import tqdm

from examples.papers.claims import Claim, Row, evaluate_claims
from sklearn_distill.nets import resolve_device

ROW, RUN = ["method", "setting"], ["scale", "seed", "method", "setting"]
LIBRARIES = ["numpy", "scikit-learn", "torch"]
CIRCUMSTANCES = ["device", "Python", *LIBRARIES]


@dataclass(frozen=True)
class Experiment:
    """A table: its rows, how to compute a run of a row, and the claims about the rows.

    Parameters
    ----------
    script : str
        Path of the script; the tables are written to the same folder.
    rows : sequence of tuple of str
        Method and setting of each row.
    measures : sequence of str
        Names of the measures that a run may return; a row may lack some of them.
    compute : callable
        ``compute(row, seed, scale, device)`` returns a mapping from measures to numbers. The rows
        of a seed are computed one after another and share the data drawn with this seed, so that
        their differences are paired. The seconds of the first row include the data that is cached
        for the others.
    scales : mapping
        The ``scale`` argument of ``compute`` by name, the smallest first; that is the default.
    n_runs : mapping
        Number of seeds by scale, unless the command line gives another one.
    published : mapping, default={}
        The published numbers by row and measure.
    published_std : mapping, default={}
        The published ± of these numbers, the standard deviation of runs, where there is one.
    claims : sequence of Claim, default=()
        The claims to evaluate.
    because : mapping, default={}
        Known differences from the setup of the paper: a clause such as "there are fewer images",
        by a tuple of words that have to be among the scale, method, setting and measure of a row.
    findings : callable or None, default=None
        ``findings(runs)`` returns sentences for the page of the table, with numbers that are
        computed from the stored runs of all scales.
    """

    script: str
    rows: Sequence[Row]
    measures: Sequence[str]
    compute: Callable[[Row, int, Any, str], Mapping[str, float]]
    scales: Mapping[str, Any]
    n_runs: Mapping[str, int]
    published: Mapping[Row, Mapping[str, float]] = field(default_factory=dict)
    published_std: Mapping[Row, Mapping[str, float]] = field(default_factory=dict)
    claims: Sequence[Claim] = ()
    because: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    findings: Callable[[pd.DataFrame], Iterable[str]] | None = None

    @property
    def default_scale(self) -> str:
        """The smallest scale."""
        return next(iter(self.scales))

    @property
    def columns(self) -> list[str]:
        """Columns of the file of runs."""
        return [*RUN, *self.measures, "seconds", *CIRCUMSTANCES]

    def file(self, what: str = "") -> Path:
        """Return the path of a file of the table."""
        script = Path(self.script)
        return script.with_name(f"{script.stem}{what}.csv")

    def reason(self, *words: str) -> str:
        """Return why a row differs from the published one; "" where no reason is given.

        The reason with the most words among those that match the row is returned, and the first of
        them in case of a tie.
        """
        matching = [key for key in self.because if set(key) <= set(words)]
        return self.because[max(matching, key=len)] if matching else ""


def main(experiment: Experiment, arguments: Sequence[str] | None = None) -> None:
    """Compute the missing runs, write the tables and print them.

    Parameters
    ----------
    experiment : Experiment
        The experiment to run.
    arguments : sequence of str or None, default=None
        Command line arguments; None for those of the process.
    """
    spec = sys.modules["__main__"].__spec__  # None for a script that is called by its path
    if experiment.compute.__module__ == "__main__" and spec is not None:
        # other processes know by the script's name what is kept
        experiment = import_module(spec.name).EXPERIMENT
    options = read_options(experiment, arguments)
    device = str(resolve_device(options.device))
    if options.fresh:
        remove_runs(experiment, options.scale)
    missing_rows = missing(experiment, read_runs(experiment), options.scale, options.runs)
    for row, seed in tqdm(missing_rows, unit="run", desc=experiment.file().stem):
        append(experiment, one_run(experiment, row, seed, options.scale, device))
    table, verdicts = write_tables(experiment)
    print(format_table(table[table["scale"] == options.scale]))
    if experiment.claims:
        scale_verdicts = verdicts[verdicts["scale"] == options.scale]
        print(scale_verdicts.to_string(index=False, float_format="{:.4f}".format))


def read_options(
    experiment: Experiment, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=f"Make the table {experiment.file().stem}.")
    add = parser.add_argument
    add("--scale", choices=list(experiment.scales), default=experiment.default_scale)
    add("--runs", type=int, help=f"seeds (default: {dict(experiment.n_runs)})")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto")
    add(
        "--fresh", action="store_true", help="first remove the runs of this scale, not what is kept"
    )
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
        If the run returns an unknown measure or NaN.
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
    run = dict(zip(RUN, (scale, seed, *row), strict=True)) | found
    return run | {"seconds": seconds, "device": device} | versions()


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with a memory on disk, for these versions of the libraries."""

    @wraps(function)
    def remembered(*args: Any) -> Any:
        return memory().cache(function)(*args)

    return remembered


@cache
def memory() -> Memory:
    """Return the folder of what is kept."""
    folder = ", ".join(f"{name} {number}" for name, number in versions().items())
    return Memory(Path(__file__).with_name(".kept") / folder, verbose=0)


def versions() -> dict[str, str]:
    """Return the versions that the numbers depend on."""
    return {"Python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def missing(
    experiment: Experiment, runs: pd.DataFrame, scale: str, n_runs: int
) -> list[tuple[Row, int]]:
    """Return row and seed of the runs that are not stored, seed by seed."""
    done = set(runs.loc[runs["scale"] == scale, [*ROW, "seed"]].itertuples(index=False, name=None))
    wanted = ((row, seed) for seed in range(n_runs) for row in experiment.rows)
    return [(row, seed) for row, seed in wanted if (*row, seed) not in done]


def read_runs(experiment: Experiment) -> pd.DataFrame:
    """Return the stored runs; an incomplete last line is removed.

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
    return runs.drop_duplicates(RUN)  # concurrent calls may compute a run twice


def largest_complete_scale(experiment: Experiment, runs: pd.DataFrame) -> str | None:
    """Return the largest scale at which every row has at least two runs."""
    n_runs = runs.groupby(["scale", *ROW]).size()
    for scale in reversed(experiment.scales):
        if all(n_runs.get((scale, *row), 0) >= 2 for row in experiment.rows):
            return scale
    return None


def append(experiment: Experiment, run: dict[str, Any]) -> None:
    """Append a run in a single write, since other processes may append theirs."""
    write_header(experiment)
    line = pd.DataFrame([run], columns=experiment.columns)
    text = line.to_csv(header=False, index=False, float_format="%.6g", lineterminator="\n")
    with experiment.file("_runs").open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def write_header(experiment: Experiment) -> None:
    """Write the header of the file of runs, unless it exists."""
    path = experiment.file("_runs")
    with suppress(FileExistsError), path.open("x", encoding="utf-8", newline="") as file:
        file.write(",".join(experiment.columns) + "\n")


def remove_runs(experiment: Experiment, scale: str) -> None:
    """Remove the runs of a scale."""
    runs = read_runs(experiment)
    write(experiment.file("_runs"), runs[runs["scale"] != scale])


def write(file: Path, table: pd.DataFrame) -> None:
    """Write a table."""
    table.to_csv(file, index=False, float_format="%.6g")


def write_tables(experiment: Experiment) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write and return the aggregated runs, and the verdicts on the claims."""
    runs = read_runs(experiment)
    table, verdicts = aggregate(experiment, runs), evaluate_claims(experiment.claims, runs)
    write(experiment.file(), table)
    if experiment.claims:
        write(experiment.file("_claims"), verdicts)
    return table, verdicts


def aggregate(experiment: Experiment, runs: pd.DataFrame) -> pd.DataFrame:
    """Return a line for each scale, row and measure.

    Runs of rows that are no longer in the table are ignored.
    """
    stored = dict(list(runs.groupby(["scale", *ROW])))
    keys = [(scale, *row) for scale in experiment.scales for row in experiment.rows]
    return pd.DataFrame(
        summary(experiment, stored[key], measure)
        for key in keys
        if key in stored
        for measure in experiment.measures
        if stored[key][measure].notna().any()
    )


def summary(experiment: Experiment, row_runs: pd.DataFrame, measure: str) -> dict[str, Any]:
    """Return mean, standard deviation (ddof 1) and range of a measure of a row over its runs."""
    values = row_runs[measure].dropna()
    name = row_runs[["scale", *ROW]].iloc[0].to_dict()
    key = (name["method"], name["setting"])
    published, published_std = (
        known.get(key, {}) for known in (experiment.published, experiment.published_std)
    )
    return {
        **name,
        "measure": measure,
        **values.agg(["mean", "std", "min", "max"]),
        "published": published.get(measure, np.nan),
        "published_std": published_std.get(measure, np.nan),
        "runs": len(values),
        "seconds": row_runs["seconds"].mean(),
        **{
            circumstance: " or ".join(row_runs[circumstance].unique())
            for circumstance in CIRCUMSTANCES
        },
    }


def format_table(table: pd.DataFrame) -> str:
    """Format the rows as text: mean ± standard deviation (published) of each measure."""
    cells = table["mean"].map("{:.3f}".format) + table["std"].map(" ± {:.3f}".format)
    published = table["published"].map(" ({:g})".format).where(table["published"].notna(), "")
    wide = table.assign(cell=cells + published).pivot(index=ROW, columns="measure", values="cell")
    rows, measures = table.drop_duplicates(ROW), table["measure"].drop_duplicates()
    wide = wide.loc[list(rows[ROW].itertuples(index=False, name=None)), list(measures)].fillna("–")
    wide["runs"], wide["seconds"] = rows["runs"].to_numpy(), rows["seconds"].round(1).to_numpy()
    circumstances = [f"{name} {rows[name].iloc[0]}" for name in ["scale", *CIRCUMSTANCES]]
    return f"{', '.join(circumstances)}\n{wide.reset_index().to_string(index=False)}"
