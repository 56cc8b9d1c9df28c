"""Teachers as they are and calibrated: ``python -m benchmarks.calibrated_teacher``.

The students are trained on few labels and on the teacher's predictions, of many unlabelled rows,
too. λ and T have their default values: no choice depends on the test rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.boosting import Size, load, split_rows
from benchmarks.covertype import interval
from benchmarks.record import measured, versions, with_part, write_guide
from sklearn_distill import (
    DistilledLogisticRegression,
    TeacherStudentClassifier,
    WorseTeacherWarning,
)

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "teacher_student.md"
TABLES, SIZE, N_SPLITS = ("covertype", "adult"), Size(300, 2000, 2500), 10
CALIBRATIONS = {"none": None, "temperature": "temperature"}
TEACHERS = {
    "naive Bayes": GaussianNB(),
    "boosting": HistGradientBoostingClassifier(random_state=0),
    "SVC": make_pipeline(StandardScaler(), SVC(random_state=0)),
}


def measure_split(name: str, split: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one split: a row for each teacher and calibration."""
    X, y = load(name)
    labelled, unlabelled, test = split_rows(y, SIZE, split)
    student = make_pipeline(StandardScaler(), DistilledLogisticRegression())
    baseline = make_pipeline(StandardScaler(), DistilledLogisticRegression(imitation=0))
    baseline.fit(X[labelled], y[labelled])
    of_baseline = log_loss(y[test], baseline.predict_proba(X[test]), labels=baseline.classes_)
    for teacher_name, teacher in TEACHERS.items():
        for calibration, parameter in CALIBRATIONS.items():
            model = TeacherStudentClassifier(
                teacher, student, calibrate_teacher=parameter, check_teacher=True, random_state=0
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", WorseTeacherWarning)  # is_worse says it
                model.fit(X[labelled], y[labelled], X_unlabeled=X[unlabelled])
            check = model.teacher_check_
            yield {
                "table": name,
                **SIZE._asdict(),
                "split": split,
                "teacher": teacher_name,
                "calibration": calibration,
                "temperature": model.teacher_temperature_,
                "teacher_loss": check.teacher_loss,
                "is_worse": check.is_worse,
                "log_loss": log_loss(y[test], model.predict_proba(X[test]), labels=model.classes_),
                "baseline_log_loss": of_baseline,
                "versions": versions(),
            }


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    tasks = [(name, split) for split in range(N_SPLITS) for name in TABLES]
    return measured(measure_split, tasks)


def part(results: pd.DataFrame) -> str:
    """Return the table of the guide."""
    lines = [
        "| Table | Teacher | τ | warned of | Baseline | Distilled | calibrated | Difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (table, teacher), rows in results.groupby(["table", "teacher"], sort=False):
        of = {name: part.set_index("split") for name, part in rows.groupby("calibration")}
        before, after = of["none"], of["temperature"]
        differences = (after["log_loss"] - before["log_loss"]).to_numpy()
        low, high = interval(differences, SIZE.labelled + SIZE.unlabelled, SIZE.test)
        lines.append(
            f"| {table} | {teacher} | {after['temperature'].median():.2f} "
            f"| {before['is_worse'].sum()} → {after['is_worse'].sum()} of {len(before)} "
            f"| {before['baseline_log_loss'].mean():.3f} | {before['log_loss'].mean():.3f} "
            f"| {after['log_loss'].mean():.3f} "
            f"| {differences.mean():+.3f} [{low:+.3f}, {high:+.3f}] |"
        )
    return "\n".join(lines)


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table."""
    return with_part(page, "benchmarks/calibrated_teacher.py", part(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_results)
