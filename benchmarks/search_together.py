"""Searching λ, T and C together or in part: ``python -m benchmarks.search_together``.

A logistic regression inside a teacher-student estimator, on six tables, with and without
unlabelled samples. With ``--page-only`` the user guide is written from the CSV file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from benchmarks.record import measured, versions, with_part, write_guide
from benchmarks.temperature_grids import TABLES
from benchmarks.when_it_pays_cells import (
    N_FOLDS,
    Cell,
    Data,
    others,
    pair,
    split_rows,
    standardised,
)
from sklearn_distill import DistilledLogisticRegression, DistilledLogisticRegressionCV

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "choosing_lambda_and_t.md"
N_SPLITS, N_LABELLED, N_UNLABELLED, N_TEST = 2, 1000, 2000, 2000
BASELINE = "labels alone, C searched"
SETTINGS = {
    "labels alone, C = 1": "",
    BASELINE: "C",
    "λ = ½, T = 1, C = 1": "",
    "λ and T searched, C = 1": ("imitation", "temperature"),
    "C searched, λ = ½, T = 1": "C",
    "λ, T and C searched": ("imitation", "temperature", "C"),
}


def fit(setting: str, data: Data, memory: str) -> Any:
    """Return the fitted student of a setting."""
    searched = SETTINGS[setting]
    if not setting.startswith("labels alone"):
        student = (
            DistilledLogisticRegressionCV(searched) if searched else DistilledLogisticRegression()
        )
        return pair(student, memory).fit(data.X, data.y, **others(data))
    student = (
        DistilledLogisticRegressionCV(searched, cv=StratifiedKFold(N_FOLDS), imitation=0.0)
        if searched
        else DistilledLogisticRegression(imitation=0.0)
    )
    return standardised(student).fit(data.X, data.y)


def measure_split(table: str, unlabelled: int, split: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one split: a row for each setting."""
    data = split_rows(Cell(table, N_LABELLED, unlabelled, N_TEST, "linear", ""), split)
    with TemporaryDirectory() as memory:  # the settings share their teachers
        for setting in SETTINGS:
            fitted = fit(setting, data, memory)
            last = getattr(fitted, "student_", fitted)["distil"]
            values = {
                name: getattr(last, f"{name}_", getattr(last, name))
                for name in ("imitation", "temperature", "C")
            }
            yield {
                "table": table,
                "unlabelled": unlabelled,
                "split": split,
                "setting": setting,
                **values,
                "test_loss": log_loss(
                    data.y_test, fitted.predict_proba(data.X_test), labels=fitted.classes_
                ),
                "versions": versions(),
            }


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    # LightGBM names the columns of an array, and scikit-learn misses the names
    warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
    # of fits almost without a penalty, at the bounds of the search for C
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    tasks = [
        (table, unlabelled, split)
        for split in range(N_SPLITS)
        for table in TABLES
        for unlabelled in (0, N_UNLABELLED)
    ]
    return measured(measure_split, tasks)


def differences(results: pd.DataFrame, setting: str, unlabelled: int) -> pd.Series[float]:
    """Return the test loss of a setting minus that of the baseline, by table."""
    losses = results[results["unlabelled"] == unlabelled].pivot_table(
        index="table", columns="setting", values="test_loss", sort=False
    )
    return losses[setting] - losses[BASELINE]


def part(results: pd.DataFrame) -> str:
    """Return the table of the guide."""
    settings = [name for name in SETTINGS if name != BASELINE]
    lines = [
        f"| log loss minus that of {BASELINE} | {' | '.join(settings)} |",
        "|---|" + "---|" * len(settings),
    ]
    for unlabelled in (0, N_UNLABELLED):
        by_table = {name: differences(results, name, unlabelled) for name in settings}
        suffix = f" + {unlabelled:,}" if unlabelled else ""
        lines += [
            f"| {table}, {N_LABELLED:,}{suffix} | "
            + " | ".join(f"{values[table]:+.3f}" for values in by_table.values())
            + " |"
            for table in TABLES
        ]
    return "\n".join(lines)


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table between its marks."""
    return with_part(page, "benchmarks/search_together.py", part(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_table)
