"""When distillation pays, on nine tables: ``python -m benchmarks.when_it_pays``.

Tables, numbers of labels, with or without unlabelled samples, kinds of students, and default
values or a choice by cross-validation: each combination is a cell, measured on random splits. No
choice depends on the test rows. The results of a cell are written as it is finished: a run that was
interrupted, or ended by ``--minutes``, goes on where it ended. With ``--page-only`` the user guide
is written from the CSV file as it stands.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t

from benchmarks.record import with_part
from benchmarks.when_it_pays_cells import (
    CHOICES,
    CSV,
    LABELS,
    METRICS,
    STUDENTS,
    TABLES,
    Cell,
    all_cells,
    run_benchmark,
)
from sklearn_distill.inspection import split_interval

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "when_it_pays.md"
CONFIDENCE = 0.95
MIN_SPLITS = 2  # for an interval
SIZES = ["table", "labelled", "unlabelled"]
FORMATS = {"accuracy": (100, 1), "log_loss": (1, 3)}  # factor and digits


class Gain(NamedTuple):
    """A mean gain and half the width of its interval."""

    mean: float
    reach: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0."""
        return int(self.mean > self.reach) - int(self.mean < -self.reach)

    def text(self, metric: str) -> str:
        """Return gain and interval, of accuracy in points, bold where it excludes 0."""
        factor, digits = FORMATS[metric]
        mean, reach = f"{factor * self.mean:+.{digits}f}", f"{factor * self.reach:.{digits}f}"
        return f"**{mean}** ± {reach}" if self.sign else f"{mean} ± {reach}"


def cell_gains(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the gain of each cell of two splits or more, above 0 if distillation helps.

    The interval, Nadeau and Bengio's, covers other splits of the same table.
    """
    better = METRICS[metric] * (results[f"distilled_{metric}"] - results[f"baseline_{metric}"])
    rows = []
    for key, values in better.groupby([results[name] for name in Cell._fields], sort=False):
        cell = Cell(*key)
        if len(values) >= MIN_SPLITS:
            gain = over_splits(cell, values.to_numpy())
            rows.append({**cell._asdict(), "gain": gain, "mean": gain.mean, "sign": gain.sign})
    return pd.DataFrame(rows)


def over_splits(cell: Cell, values: NDArray[np.float64]) -> Gain:
    n_rest = TABLES[cell.table].n_rows - cell.test
    low, high = split_interval(
        values, n_train=n_rest, n_test=cell.test, confidence_level=CONFIDENCE
    )
    return Gain(float(values.mean()), (high - low) / 2)


def over_tables(values: pd.Series[float]) -> Gain:
    """Return the mean over tables of a value for each; its t interval covers other such tables."""
    quantile = t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return Gain(float(values.mean()), float(quantile * values.std() / np.sqrt(len(values))))


def select(cells: pd.DataFrame, student: str, unlabelled: bool, choice: str) -> pd.DataFrame:
    chosen = (cells["student"] == student) & (cells["choice"] == choice)
    return cells[chosen & ((cells["unlabelled"] > 0) == unlabelled)]


def mean_by_table(cells: pd.DataFrame) -> pd.Series[float]:
    return cells.groupby("table", sort=False)["mean"].mean()


def part(results: pd.DataFrame) -> str:
    """Return what the guide says about the results."""
    cells = {metric: cell_gains(results, metric) for metric in METRICS}
    blocks = [
        _setting(results),
        _sentences(cells["accuracy"]),
        _summary(cells),
        _by_labels(cells["accuracy"]),
        _choices(results),
        *(_details(results, cells["accuracy"], student) for student in STUDENTS),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _setting(results: pd.DataFrame) -> Iterator[str]:
    """Yield what was measured, and which cells were not."""
    n_splits = results.groupby(list(Cell._fields), sort=False)["split"].nunique()
    n_splits = n_splits[n_splits >= MIN_SPLITS]
    counts = []
    for choice, n in n_splits.groupby("choice", sort=False):
        of = sum(cell.choice == choice for cell in all_cells())
        splits = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
        counts.append(f"{len(n)} of {of} cells *{choice}*, on {splits} splits each")
    missing = len(all_cells()) - len(n_splits)
    yield (
        f"Measured were {' and '.join(counts)}; {missing or 'none'} of the cells have not been "
        f"run (–). Measured with {results['versions'].iloc[0]}, in "
        f"{results['seconds'].sum() / 60:.0f} minutes of CPU time."
    )


VERDICTS = {1: "gains", 0: "neither gains nor loses measurably", -1: "loses"}


def _sentences(cells: pd.DataFrame) -> Iterator[str]:
    """Yield what the intervals say of each student, at the default values."""
    for student in STUDENTS:
        clauses = []
        for unlabelled, words in ((True, "with unlabelled samples"), (False, "without them")):
            chosen = select(cells, student, unlabelled, "default")
            gain = over_tables(mean_by_table(chosen))
            clauses.append(
                f"{words} it {VERDICTS[gain.sign]} ({gain.text('accuracy')} points; better in "
                f"{(chosen['sign'] > 0).sum()} of {len(chosen)} cells, worse in "
                f"{(chosen['sign'] < 0).sum()})"
            )
        yield f"- **{student.capitalize()}**: {'; '.join(clauses)}."


def _summary(cells: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Yield the mean gains; the default values once more on the cells whose CV was run."""
    columns = [
        f"{metric.replace('_', ' ')}: {words}"
        for metric in METRICS
        for words in ("default, all cells", "default, where CV was run", "CV")
    ]
    yield f"| student | unlabelled | {' | '.join(columns)} |"
    yield "|---|---|" + "---|" * len(columns)
    for student in STUDENTS:
        for unlabelled in (False, True):
            texts = []
            for metric in METRICS:
                default, chosen = (
                    select(cells[metric], student, unlabelled, choice) for choice in CHOICES
                )
                in_both = default.merge(chosen[SIZES], on=SIZES)
                texts += [_mean_gain(part, metric) for part in (default, in_both, chosen)]
            yield f"| {student} | {'yes' if unlabelled else 'no'} | {' | '.join(texts)} |"


def _mean_gain(chosen: pd.DataFrame, metric: str) -> str:
    """Return the mean gain over the tables, of which there must be two."""
    by_table = mean_by_table(chosen)
    return over_tables(by_table).text(metric) if len(by_table) > 1 else "–"


def _by_labels(cells: pd.DataFrame) -> Iterator[str]:
    """Yield the gains by the number of labels, of the tables that have all of them."""
    first, *_, last = LABELS
    yield f"| accuracy | {' | '.join(f'{n:,} labels' for n in LABELS)} | difference |"
    yield "|---|" + "---|" * (len(LABELS) + 1)
    for student in STUDENTS:
        for unlabelled in (False, True):
            chosen = select(cells, student, unlabelled, "default")
            wide = chosen.pivot(index="table", columns="labelled", values="mean").dropna()
            gains = [over_tables(wide[n]).text("accuracy") for n in LABELS]
            difference = over_tables(wide[first] - wide[last]).text("accuracy")
            name = f"{student}, {'with' if unlabelled else 'without'} unlabelled samples"
            yield f"| {name} | {' | '.join(gains)} | {difference} |"


def _choices(results: pd.DataFrame) -> Iterator[str]:
    """Yield how often the cross-validation chose the baseline, and a low temperature."""
    chosen = results[results["choice"] == "CV"]
    yield "| CV chose | unlabelled | the baseline | else λ > ¾ | else T < 1 |"
    yield "|---|---|---|---|---|"
    for student in STUDENTS:
        for unlabelled in (False, True):
            rows = select(chosen, student, unlabelled, "CV")
            distilled = rows[rows["temperature"].notna()]
            shares = [
                rows["temperature"].isna().mean(),
                (distilled["imitation"] > 0.75).mean(),
                (distilled["temperature"] < 1).mean(),
            ]
            words = " | ".join("–" if np.isnan(share) else f"{share:.0%}" for share in shares)
            yield f"| {student} | {'yes' if unlabelled else 'no'} | {words} |"


def _details(results: pd.DataFrame, cells: pd.DataFrame, student: str) -> Iterator[str]:
    """Yield the table of a student: a row for each table and number of labels."""
    yield f"### {student.capitalize()}: each cell\n"
    yield "| table | labels | teacher | baseline | default | CV | unlabelled, default | CV |"
    yield "|---|---|---|---|---|---|---|---|"
    of_student = results[(results["student"] == student) & (results["choice"] == "default")]
    accuracy = of_student.groupby(["table", "labelled"], sort=False)[
        ["teacher_accuracy", "baseline_accuracy"]
    ].mean()
    gains = {
        (row.table, row.labelled, row.unlabelled > 0, row.choice): row.gain.text("accuracy")
        for row in cells[cells["student"] == student].itertuples()
    }
    for (table, labelled), (teacher, baseline) in accuracy.iterrows():
        texts = [
            gains.get((table, labelled, unlabelled, choice), "–")
            for unlabelled in (False, True)
            for choice in CHOICES
        ]
        values = f"{100 * teacher:.1f} | {100 * baseline:.1f}"
        yield f"| {table} | {labelled:,} | {values} | {' | '.join(texts)} |"


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with what the results say between its marks."""
    return with_part(page, "benchmarks/when_it_pays.py", part(results))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.when_it_pays", description=__doc__)
    parser.add_argument("--page-only", action="store_true", help="write the page from the CSV")
    parser.add_argument("--minutes", type=float, default=np.inf, help="start no cell after these")
    arguments = parser.parse_args()
    if not arguments.page_only:
        run_benchmark(arguments.minutes)
    PAGE.write_text(with_results(PAGE.read_text("utf-8"), pd.read_csv(CSV)), "utf-8")


if __name__ == "__main__":
    main()
