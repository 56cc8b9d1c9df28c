"""Early stopping by labels that the teachers know: ``python -m benchmarks.early_stopping``.

A student is trained on out-of-fold predictions and stops early by a tenth of its own rows, whose
labels the teachers of the other rows were fitted on; or ``TeacherStudentClassifier`` holds out
these rows before it fits the teachers. On random labels nothing is to be learnt.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.boosting import Size, Table, load, split_rows
from benchmarks.covertype import interval
from benchmarks.record import measured, versions, with_part, write_guide
from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledNeuralClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.teachers import out_of_fold_proba

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "teacher_student.md"
TABLES, SIZE, N_SPLITS = ("random labels", "covertype", "interactions"), Size(3000, 0, 2500), 5
IMITATIONS = (0.5, 1.0)
TEACHER = ExtraTreesClassifier(100, random_state=0)
STUDENTS: dict[str, Any] = {
    "network": DistilledNeuralClassifier(hidden_layer_sizes=(32,), device="cpu", random_state=0),
    "boosting": DistilledBoostingClassifier(
        HistGradientBoostingClassifier(
            max_iter=300, max_leaf_nodes=8, early_stopping=True, random_state=0
        )
    ),
}


def random_labels() -> Table:
    """Return balanced labels of two classes that no feature tells apart."""
    rng = np.random.default_rng(0)
    n_rows = 2 * (SIZE.labelled + SIZE.test)
    return Table(rng.normal(size=(n_rows, 5)), rng.permutation(np.arange(n_rows) % 2))


def rounds(student: Any) -> int:
    """Return the number of epochs or trees of a class that were trained, the last ones undone."""
    if isinstance(student, DistilledNeuralClassifier):
        return int(student.history_["valid_loss"].idxmin())
    return int(np.argmax(student.estimator_.validation_score_))


def measure_split(name: str, split: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one split: for each student, λ and way to hold out."""
    torch.set_num_threads(1)
    X, y = random_labels() if name == "random labels" else load(name)
    train, _, test = split_rows(y, SIZE, split)
    X_train, y_train = X[train], y[train]
    proba = out_of_fold_proba(TEACHER, X_train, y_train)
    with TemporaryDirectory() as memory:  # the students share their teachers
        for student_name, student in STUDENTS.items():
            for imitation in IMITATIONS:
                distil = clone(student).set_params(imitation=imitation)
                model = Pipeline([("scale", StandardScaler()), ("distil", distil)])
                by_student = clone(model).fit(X_train, y_train, distil__teacher_proba=proba)
                pair = TeacherStudentClassifier(TEACHER, model, memory=memory, random_state=0)
                before_teacher = pair.fit(X_train, y_train).student_
                for held_out, fitted in (("student", by_student), ("pair", before_teacher)):
                    yield {
                        "table": name,
                        "split": split,
                        "student": student_name,
                        "imitation": imitation,
                        "held_out_by": held_out,
                        "rounds": rounds(fitted["distil"]),
                        "log_loss": log_loss(y[test], fitted.predict_proba(X[test])),
                        "versions": versions(),
                    }


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    return measured(measure_split, [(name, split) for name in TABLES for split in range(N_SPLITS)])


def part(results: pd.DataFrame) -> str:
    """Return the table of the guide."""
    lines = [
        "| Table | Student | λ | rounds | held out first | log loss "
        "| held out first | difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    keys = ["table", "student", "imitation"]
    for (table, student, imitation), rows in results.groupby(keys, sort=False):
        of = {name: part.set_index("split") for name, part in rows.groupby("held_out_by")}
        late, honest = of["student"], of["pair"]
        differences = (honest["log_loss"] - late["log_loss"]).to_numpy()
        low, high = interval(differences, SIZE.labelled, SIZE.test)
        lines.append(
            f"| {table} | {student} | {imitation:g} | {late['rounds'].mean():.0f} "
            f"| {honest['rounds'].mean():.0f} | {late['log_loss'].mean():.3f} "
            f"| {honest['log_loss'].mean():.3f} "
            f"| {differences.mean():+.3f} [{low:+.3f}, {high:+.3f}] |"
        )
    return "\n".join(lines)


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table."""
    return with_part(page, "benchmarks/early_stopping.py", part(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_results)
