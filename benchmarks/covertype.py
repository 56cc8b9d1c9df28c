"""Distilling boosting into small students on Covertype: ``python -m benchmarks.covertype``.

A thousand rows have labels, and eleven thousand have none. The teacher and the baseline student are
trained on the labels; the distilled student is trained on the labels and on the teacher's
predictions for all rows. λ and T have their default values: no choice depends on the test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.record import versions
from sklearn_distill import (
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.datasets import fetch_covertype_sample
from sklearn_distill.inspection import distillation_report, split_interval

CSV = Path(__file__).with_suffix(".csv")
N_ROWS, N_LABELLED, N_TEST, N_SPLITS = 15120, 1000, 3000, 10
CONFIDENCE, FASTER = 0.95, 10.0
TIME, SIZE = "us_per_row", "n_bytes"

TEACHER = HistGradientBoostingClassifier(random_state=0)
# unfitted students with these parameters
STUDENTS: dict[str, Callable[..., Any]] = {
    "logistic regression": lambda **params: make_pipeline(
        StandardScaler(), DistilledLogisticRegression(**params)
    ),
    "tree of depth 8": lambda **params: SoftTargetClassifier(
        DecisionTreeClassifier(max_depth=8, random_state=0), **params
    ),
}
MODELS = ["teacher", "baseline", "distilled"]
METRICS = {"accuracy": 1, "log_loss": -1}  # and the sign of an improvement


class Split(NamedTuple):
    """Indices of the labelled rows, of the unlabelled ones, and of the test rows."""

    labelled: NDArray[np.intp]
    unlabelled: NDArray[np.intp]
    test: NDArray[np.intp]


def split_rows(y: NDArray[np.int64], seed: int) -> Split:
    rows, test = train_test_split(
        np.arange(len(y)), test_size=N_TEST, stratify=y, random_state=seed
    )
    labelled, unlabelled = train_test_split(
        rows, train_size=N_LABELLED, stratify=y[rows], random_state=seed
    )
    return Split(labelled, unlabelled, test)


def compare(student: Callable[..., Any], X: Any, y: Any, rows: Split, memory: str) -> pd.DataFrame:
    """Return figures of teacher, baseline and distilled student on the test rows."""
    labelled, unlabelled, test = rows
    model = TeacherStudentClassifier(TEACHER, student(), memory=memory, random_state=0)
    model.fit(X[labelled], y[labelled], X_unlabeled=X[unlabelled])
    report = distillation_report(
        teacher=model.teacher_,
        baseline=student(imitation=0).fit(X[labelled], y[labelled]),
        distilled=model.student_,
        X=X[test],
        y=y[test],
    )
    table = report.table.loc[MODELS].assign(**{TIME: lambda table: 1e6 / table["rows_per_second"]})
    return table[[*METRICS, TIME, SIZE]].rename_axis("model").reset_index()


def run_benchmark(n_splits: int = N_SPLITS) -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread; all students share a fitted teacher."""
    X, y = fetch_covertype_sample(return_X_y=True)
    with TemporaryDirectory() as memory, threadpool_limits(1):
        tables = [
            compare(student, X, y, split_rows(y, seed), memory).assign(student=name, split=seed)
            for seed in tqdm(range(n_splits), unit="split")
            for name, student in STUDENTS.items()
        ]
    return pd.concat(tables, ignore_index=True).assign(versions=versions())


def by_split(results: pd.DataFrame, student: str, model: str, column: str) -> NDArray[np.float64]:
    """Return a column of a model in the order of the splits."""
    chosen = results[(results["student"] == student) & (results["model"] == model)]
    return chosen.sort_values("split")[column].to_numpy()


def gain(results: pd.DataFrame, student: str, metric: str) -> NDArray[np.float64]:
    """Return distilled − baseline in each split, positive where the distilled student is better."""
    distilled = by_split(results, student, "distilled", metric)
    return METRICS[metric] * (distilled - by_split(results, student, "baseline", metric))


def interval(
    differences: NDArray[np.float64], n_train: int = N_ROWS - N_TEST, n_test: int = N_TEST
) -> tuple[float, float]:
    """Return the interval of the mean over random splits of these sizes."""
    return split_interval(differences, n_train=n_train, n_test=n_test, confidence_level=CONFIDENCE)


class Summary(NamedTuple):
    """A student on the ten splits, against its baseline and the teacher."""

    teacher: float
    baseline: float
    distilled: float
    gain: tuple[float, float, float]
    times_as_fast: float

    @property
    def gap_closed(self) -> float:
        """The share of the gap between baseline and teacher."""
        return (self.distilled - self.baseline) / (self.teacher - self.baseline)


def summarise(results: pd.DataFrame, student: str) -> Summary:
    """Return mean accuracies, the gain with its interval, and the median ratio of times."""
    accuracies = [float(by_split(results, student, model, "accuracy").mean()) for model in MODELS]
    gains = gain(results, student, "accuracy")
    times = [by_split(results, student, model, TIME) for model in ("teacher", "distilled")]
    limits = interval(gains)
    return Summary(
        *accuracies, (float(gains.mean()), *limits), float(np.median(times[0] / times[1]))
    )


def sentence(summary: Summary) -> str:
    """Return the claim of the README about the tree; a test holds both together."""
    gain, low, high = summary.gain
    return (
        f"**{summary.times_as_fast:.0f} times as fast** as its boosting teacher, and "
        f"**{gain:+.3f} accuracy** ({low:+.3f} … {high:+.3f}) over the same tree trained on the "
        f"labels alone: {summary.gap_closed:.0%} of the gap between the tree "
        f"({summary.baseline:.3f}) and the teacher ({summary.teacher:.3f}) closed"
    ).replace("%", " %")


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield _introduction(results)
    for table in (_figures(results), _gains(results), _speeds(results)):
        yield from ("", *table)


def _introduction(results: pd.DataFrame) -> str:
    return f"""\
## Distilling boosting into small students

`python -m benchmarks.covertype`: in Kaggle's Covertype sample {N_LABELLED:,} rows have labels, and
{N_ROWS - N_TEST - N_LABELLED:,} have none. The teacher, `HistGradientBoostingClassifier`, is \
trained on the labels, and
`TeacherStudentClassifier` distils it at the default λ and T, with the other rows as `X_unlabeled`.
The baseline is the same student trained on the labels alone. The tables give means over \
{results["split"].nunique()} random
splits with {N_TEST:,} test rows, and {CONFIDENCE:.0%} intervals of the paired differences (Nadeau
and Bengio's, since the splits share rows). Times are medians for batches of 1,000 rows with
one thread. Measured with {results["versions"].iloc[0]}."""


def _figures(results: pd.DataFrame) -> Iterator[str]:
    yield "| model | accuracy | cross-entropy | µs a row | bytes |"
    yield "|---|---|---|---|---|"
    yield _line(results, next(iter(STUDENTS)), "teacher", "boosting (teacher)")
    for student in STUDENTS:
        yield _line(results, student, "baseline", f"{student}, baseline")
        yield _line(results, student, "distilled", f"{student}, distilled")


def _line(results: pd.DataFrame, student: str, model: str, name: str) -> str:
    accuracy, loss = (by_split(results, student, model, metric).mean() for metric in METRICS)
    time = np.median(by_split(results, student, model, TIME))
    size = by_split(results, student, model, SIZE).mean()
    return f"| {name} | {accuracy:.3f} | {loss:.3f} | {time:.3g} | {size:,.0f} |"


def _gains(results: pd.DataFrame) -> Iterator[str]:
    yield "| distilled − baseline, positive is better | accuracy | splits won | cross-entropy |"
    yield "|---|---|---|---|"
    for student in STUDENTS:
        gains = gain(results, student, "accuracy")
        accuracy, loss = (_gain(results, student, metric) for metric in METRICS)
        yield f"| {student} | {accuracy} | {(gains > 0).sum()} of {len(gains)} | {loss} |"


def _speeds(results: pd.DataFrame) -> Iterator[str]:
    yield "| distilled student against boosting | times as fast (min … max) | target | |"
    yield "|---|---|---|---|"
    for student in STUDENTS:
        ratio = by_split(results, student, "teacher", TIME) / by_split(
            results, student, "distilled", TIME
        )
        spread = f"**{np.median(ratio):.3g}** ({ratio.min():.3g} … {ratio.max():.3g})"
        verdict = "met" if np.median(ratio) >= FASTER else "**missed**"
        yield f"| {student} | {spread} | ≥ {FASTER:.0f} | {verdict} |"


def _gain(results: pd.DataFrame, student: str, metric: str) -> str:
    differences = gain(results, student, metric)
    low, high = interval(differences)
    return f"**{differences.mean():+.3f}** ({low:+.3f} … {high:+.3f})"


if __name__ == "__main__":
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")
