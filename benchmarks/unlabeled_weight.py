"""The weight of unlabelled samples: ``python -m benchmarks.unlabeled_weight``.

Students with λ = 0 are trained on 1,000 labels, and on a teacher's predictions for 5,000 unlabelled
rows: each with the weight of a labelled one, or with ``unlabeled_weight="auto"``, which also
compares the debiased form for the linear student. No choice depends on the test rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks.boosting import Size, load, split_rows
from benchmarks.covertype import interval
from benchmarks.record import measured, versions, with_part, write_guide
from sklearn_distill import (
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.datasets import make_privileged_classification

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "teacher_student.md"
SIZE, N_SPLITS = Size(1000, 5000, 2500), 10
TEACHERS = {
    "trees": ExtraTreesClassifier(200, min_samples_leaf=3, random_state=0),
    "naive Bayes": GaussianNB(),
}
STUDENTS = {
    "linear": make_pipeline(StandardScaler(), DistilledLogisticRegression(0.0, max_iter=1000)),
    "tree": SoftTargetClassifier(
        DecisionTreeClassifier(
            max_depth=6, min_samples_leaf=20, criterion="entropy", random_state=0
        ),
        imitation=0.0,
    ),
}


TABLES = ("covertype", "adult", "privileged")
WEIGHTS: dict[str, Any] = {"0": 0, "None": None, "auto": "auto"}


def _load(table: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if table != "privileged":
        return load(table)
    data = make_privileged_classification(sum(SIZE), kind="clean_labels", noise=5.0, random_state=0)
    return np.hstack([data.data, data.privileged]), data.target


def measure_split(table: str, split: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one split: a row for each teacher and student."""
    X, y = _load(table)
    labelled, unlabelled, test = split_rows(y, SIZE, split)
    privileged = {}
    if table == "privileged":  # the last column is the teacher's alone
        privileged = {"privileged_features": [-1], "teacher_features": "privileged"}
    for teacher_name, teacher in TEACHERS.items():
        for student_name, student in STUDENTS.items():
            row: dict[str, Any] = {"table": table, **SIZE._asdict(), "split": split}
            row |= {"teacher": teacher_name, "student": student_name}
            for name, weight in WEIGHTS.items():
                model = TeacherStudentClassifier(
                    teacher, student, unlabeled_weight=weight, random_state=0, **privileged
                ).fit(X[labelled], y[labelled], X_unlabeled=X[unlabelled])
                proba = model.predict_proba(X[test])
                row[f"log_loss_{name}"] = log_loss(y[test], proba, labels=model.classes_)
            results = model.unlabeled_results_
            chosen = results.loc[results["loss"].idxmin()]
            row |= {"weight": chosen["unlabeled_weight"], "debiased": chosen["debiased"]}
            yield row | {"versions": versions()}


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    tasks = [(name, split) for split in range(N_SPLITS) for name in TABLES]
    return measured(measure_split, tasks)


def part(results: pd.DataFrame) -> str:
    """Return the table of the guide."""
    lines = [
        '| Table | Teacher | Student | Baseline | each as a labelled one | `"auto"` | chosen |',
        "|---|---|---|---|---|---|---|",
    ]
    for names, rows in results.groupby(["table", "teacher", "student"], sort=False):
        baseline = rows["log_loss_0"]
        cells = [
            _difference((rows[f"log_loss_{name}"] - baseline).to_numpy())
            for name in ("None", "auto")
        ]
        lines.append(
            f"| {' | '.join(names)} | {baseline.mean():.3f} | {' | '.join(cells)} "
            f"| {_chosen(rows)} |"
        )
    return "\n".join(lines)


def _difference(differences: NDArray[np.float64]) -> str:
    low, high = interval(differences, SIZE.labelled + SIZE.unlabelled, SIZE.test)
    return f"{differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def _chosen(rows: pd.DataFrame) -> str:
    """Return how often each weight was chosen."""
    named = [
        f"{'ρ = ' if debiased else ''}{weight:g}"
        for weight, debiased in zip(rows["weight"], rows["debiased"], strict=True)
    ]
    return ", ".join(f"{name} ({n})" for name, n in pd.Series(named).value_counts().items())


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table."""
    return with_part(page, "benchmarks/unlabeled_weight.py", part(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_results)
