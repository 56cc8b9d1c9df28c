"""Which temperatures a search should try: ``python -m benchmarks.temperature_grids``.

Students of four kinds on six tables, with 1,000 labels and 2,000 unlabelled samples, at each λ
and T. A grid chooses by the log loss of 1,000 further labelled rows, and is judged on test rows.
With ``--page-only`` the user guide is written from the CSV file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.metrics import log_loss

from benchmarks.boosting import Size, split_rows
from benchmarks.record import measured, versions, with_part, write_guide
from benchmarks.when_it_pays import over_tables
from benchmarks.when_it_pays_cells import STUDENTS, TEACHER, alone, load, standardised
from sklearn_distill.teachers import out_of_fold_proba

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "choosing_lambda_and_t.md"
TABLES = (
    "covertype",
    "adult",
    "MNIST",
    "Sentiment140",
    "interactions",
    "linear logits",
)
N_SPLITS, N_LABELLED, N_UNLABELLED, N_VALIDATION, N_TEST = 2, 1000, 2000, 1000, 2000
IMITATIONS = (0.5, 1.0)
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 3.0)
GRIDS = {
    "1": (1.0,),
    "1, 3": (1.0, 3.0),
    "½, 1": (0.5, 1.0),
    "½, 1, 2": (0.5, 1.0, 2.0),
    "¼, ½, 1, 2": (0.25, 0.5, 1.0, 2.0),
}


def measure_split(table: str, split: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one split: a row for each student, λ and T."""
    X, y = load(table)
    size = Size(N_LABELLED, N_UNLABELLED + N_VALIDATION, N_TEST)
    labelled, rest, test = split_rows(y, size, split)
    unlabelled, validation = rest[:N_UNLABELLED], rest[N_UNLABELLED:]
    teacher = clone(TEACHER).fit(X[labelled], y[labelled])
    q = out_of_fold_proba(TEACHER, X[labelled], y[labelled])
    fit_params = {
        "X": X[np.concatenate([labelled, unlabelled])],
        "y": np.concatenate([y[labelled], np.full(N_UNLABELLED, np.nan)]),
        "distil__teacher_proba": np.concatenate([q, teacher.predict_proba(X[unlabelled])]),
    }
    for name, student in STUDENTS.items():
        baseline = alone(student).fit(X[labelled], y[labelled])
        models = {(0.0, np.nan): baseline}
        for imitation in IMITATIONS:
            for temperature in TEMPERATURES:
                model = standardised(clone(student)).set_params(
                    distil__imitation=imitation,
                    distil__temperature=temperature,
                    distil__classes=np.unique(y),
                )
                models[imitation, temperature] = model.fit(**fit_params)
        for (imitation, temperature), model in models.items():
            losses = {
                f"{part}_loss": log_loss(y[rows], model.predict_proba(X[rows]), labels=np.unique(y))
                for part, rows in (("validation", validation), ("test", test))
            }
            yield {
                "table": table,
                "split": split,
                "student": name,
                "imitation": imitation,
                "temperature": temperature,
                **losses,
                "versions": versions(),
            }


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    torch.set_num_threads(1)
    # LightGBM names the columns of an array, and scikit-learn misses the names
    warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
    tasks = [(table, split) for split in range(N_SPLITS) for table in TABLES]
    return measured(measure_split, tasks)


def chosen_losses(results: pd.DataFrame, grid: tuple[float, ...]) -> pd.Series[float]:
    """Return the test loss of what a grid chooses among the baseline and λ = ½, 1 with its T."""
    tried = results[results["temperature"].isna() | results["temperature"].isin(grid)]
    best = tried.loc[tried.groupby(["student", "table", "split"])["validation_loss"].idxmin()]
    return best.set_index(["student", "table", "split"])["test_loss"]


def part(results: pd.DataFrame) -> str:
    """Return the tables of the guide."""
    return "\n\n".join("\n".join(lines) for lines in (_by_temperature(results), _by_grid(results)))


def _by_temperature(results: pd.DataFrame) -> Iterator[str]:
    names = [f"T = {T:g}" for T in TEMPERATURES if T != 1]
    yield f"| log loss minus that at T = 1 | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for student in STUDENTS:
        cells = [
            over_tables(over_one(results, student, T)).text("log_loss")
            for T in TEMPERATURES
            if T != 1
        ]
        yield f"| {student} | {' | '.join(cells)} |"


def over_one(results: pd.DataFrame, student: str, T: float) -> pd.Series[float]:
    """Return the test loss at T minus that at T = 1 of each table, each with its better λ."""
    of_student = results[(results["student"] == student) & results["temperature"].notna()]
    losses = of_student.groupby(["table", "temperature", "imitation"])["test_loss"].mean()
    best = losses.groupby(level=["table", "temperature"]).min().unstack()
    return best[T] - best[1.0]


def _by_grid(results: pd.DataFrame) -> Iterator[str]:
    names = [name for name in GRIDS if name != "1"]
    yield f"| log loss minus that of T = 1 alone | {' | '.join(f'T of {n}' for n in names)} |"
    yield "|---|" + "---|" * len(names)
    for student in STUDENTS:
        cells = [over_tables(over_default(results, student, n)).text("log_loss") for n in names]
        yield f"| {student} | {' | '.join(cells)} |"


def over_default(results: pd.DataFrame, student: str, grid: str) -> pd.Series[float]:
    """Return the test loss of what a grid chooses minus that of T = 1 alone, of each table."""
    ours, one = (
        chosen_losses(results, GRIDS[name])[student].groupby("table").mean() for name in (grid, "1")
    )
    return ours - one


def with_tables(page: str, results: pd.DataFrame) -> str:
    """Return the page with the tables between its marks."""
    return with_part(page, "benchmarks/temperature_grids.py", part(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_tables)
