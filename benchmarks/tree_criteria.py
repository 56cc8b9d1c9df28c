"""Trees distilled by Gini impurity and by entropy: ``python -m benchmarks.tree_criteria``.

The teacher is a forest, whose predictions of the labelled rows are out of fold. λ and T have their
default values: no choice depends on the test rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.tree import DecisionTreeClassifier

from benchmarks.boosting import SIZES, TABLES, Size, load, split_rows
from benchmarks.covertype import CONFIDENCE, interval
from benchmarks.record import measured, versions
from sklearn_distill import SoftTargetClassifier
from sklearn_distill.teachers import out_of_fold_proba

CSV = Path(__file__).with_suffix(".csv")
N_SPLITS, DEPTH, N_TREES = 10, 8, 200
CRITERIA = ("gini", "entropy")
METRICS = {"accuracy": 1, "log_loss": -1}  # and the sign of an improvement


def measure_split(name: str, size: Size, split: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one split: a row for each criterion."""
    X, y = load(name)
    labelled, unlabelled, test = split_rows(y, size, split)
    forest = ExtraTreesClassifier(N_TREES, random_state=0)
    proba = out_of_fold_proba(forest, X[labelled], y[labelled])
    more = forest.fit(X[labelled], y[labelled]).predict_proba(X[unlabelled])
    rows = np.concatenate([labelled, unlabelled])
    shown = np.concatenate([y[labelled], np.full(len(unlabelled), np.nan)])
    for criterion in CRITERIA:
        tree = DecisionTreeClassifier(criterion=criterion, max_depth=DEPTH, random_state=0)
        student = SoftTargetClassifier(tree, classes=np.unique(y[labelled]))
        student.fit(X[rows], shown, teacher_proba=np.concatenate([proba, more]))
        p = student.predict_proba(X[test])
        yield {
            "table": name,
            **size._asdict(),
            "split": split,
            "criterion": criterion,
            "accuracy": accuracy_score(y[test], student.classes_[p.argmax(axis=1)]),
            "log_loss": log_loss(y[test], p, labels=student.classes_),
            "versions": versions(),
        }


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    tasks = [(name, SIZES[name][0], split) for split in range(N_SPLITS) for name in TABLES]
    return measured(measure_split, tasks)


def gain(results: pd.DataFrame, table: str, metric: str) -> tuple[float, float, float]:
    """Return mean and interval of the gain by entropy, above 0 if it is better."""
    rows = results[results["table"] == table]
    gini, entropy = (
        rows[rows["criterion"] == criterion].sort_values("split")[metric].to_numpy()
        for criterion in CRITERIA
    )
    size = SIZES[table][0]
    gains = METRICS[metric] * (entropy - gini)
    return float(gains.mean()), *interval(gains, size.labelled + size.unlabelled, size.test)


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## Distilled trees by entropy\n"
    yield (
        f"`python -m benchmarks.tree_criteria`: `SoftTargetClassifier(DecisionTreeClassifier("
        f"criterion=…, max_depth={DEPTH}))` at the default λ and T, with a teacher of {N_TREES} "
        "extremely randomised trees, on the labelled and unlabelled rows of the tables above. "
        f"Means over {results['split'].nunique()} splits, and {CONFIDENCE:.0%} intervals of the "
        f"paired differences. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield (
        "| table | log loss, gini | entropy | gain | accuracy, gini | entropy | gain |\n"
        "|---|---|---|---|---|---|---|"
    )
    means = results.groupby(["table", "criterion"])[list(METRICS)].mean()
    for table in SIZES:
        cells = []
        for metric in ("log_loss", "accuracy"):
            cells += [f"{means.loc[(table, criterion), metric]:.3f}" for criterion in CRITERIA]
            mean, low, high = gain(results, table, metric)
            cells.append(f"**{mean:+.3f}** ({low:+.3f} … {high:+.3f})")
        yield f"| {table} | {' | '.join(cells)} |"


if __name__ == "__main__":
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")
