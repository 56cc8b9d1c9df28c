"""Boosted trees distilled from an ensemble, on four tables: ``python -m benchmarks.boosting``.

The teacher averages a forest and boosting; its predictions of the labelled rows are out of fold.
The students have the same trees, and no hyperparameter was tuned. Results are written as they
come: a run that was interrupted goes on where it ended, and a complete one is repeated.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
)
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.covertype import CONFIDENCE, interval
from benchmarks.record import versions, with_part, write_guide
from sklearn_distill import (
    DistilledBoostingClassifier,
    SoftTargetClassifier,
)
from sklearn_distill.datasets import fetch_adult, fetch_covertype_sample
from sklearn_distill.teachers import out_of_fold_proba

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "boosting.md"
N_SPLITS, N_TIMED = 10, 5
N_TIMED_ROWS = (1, 1000)
TEMPERATURES = (0.3, 0.5, 0.7, 1.0, 1.4)
MIN_SPLITS = 2  # for an interval
MIN_PROBA = 1e-3  # of a regressor a class, whose predictions are 2e-16 now and then
TREES = {"max_iter": 100, "max_leaf_nodes": 15, "early_stopping": False, "random_state": 0}


class Table(NamedTuple):
    """Features and labels."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]


class Size(NamedTuple):
    """Numbers of labelled, unlabelled and test rows."""

    labelled: int
    unlabelled: int
    test: int


def covertype() -> Table:
    X, y = fetch_covertype_sample(return_X_y=True)
    return Table(np.asarray(X, dtype=float), np.asarray(y))


def adult() -> Table:
    X, y = fetch_adult(subset="all", return_X_y=True)
    text = X.select_dtypes("category").columns
    encoder = OrdinalEncoder(encoded_missing_value=-1)
    codes = encoder.fit_transform(X[text].astype(object).where(X[text].notna(), np.nan))
    X = np.hstack([X.drop(columns=text).to_numpy(float), codes])
    return Table(X, (y == ">50K").to_numpy(int))


def digits() -> Table:
    X, y = load_digits(return_X_y=True)
    return Table(X, y)


def interactions(n_rows: int = 10_000) -> Table:
    """Draw three classes, whose logits are products and waves of ten features."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 10))
    logits = [
        X[:, 0] * X[:, 1] + X[:, 2],
        X[:, 3] * X[:, 4] - X[:, 5],
        np.sin(2 * X[:, 6]) * X[:, 7] + np.abs(X[:, 8]),
    ]
    gumbel = rng.gumbel(size=(n_rows, 3))
    return Table(X, (1.5 * np.stack(logits, axis=1) + gumbel).argmax(axis=1))


TABLES: dict[str, Callable[[], Table]] = {
    "covertype": covertype,
    "adult": adult,
    "digits": digits,
    "interactions": interactions,
}
# with unlabelled rows, then without
SIZES: dict[str, list[Size]] = {
    "digits": [Size(200, 1000, 597), Size(300, 0, 597), Size(1000, 0, 597)],
} | {
    name: [Size(1000, 5000, 2500), *(Size(n, 0, 2500) for n in (300, 1000, 3000))]
    for name in ("covertype", "adult", "interactions")
}


def make_teacher() -> VotingClassifier:
    """Return an unfitted forest and boosting, whose probabilities are averaged."""
    from lightgbm import LGBMClassifier

    boosting = LGBMClassifier(
        n_estimators=100,
        num_leaves=31,
        learning_rate=0.1,
        colsample_bytree=0.7,
        random_state=0,
        n_jobs=1,
        verbose=-1,
    )
    forest = ExtraTreesClassifier(200, random_state=0)
    return VotingClassifier([("forest", forest), ("boosting", boosting)], voting="soft")


DISTILLED, SHARPENED = "distilled", "distilled, T from the labels"
REGRESSORS, ALONE = "a regressor a class", "labels alone"
STOPPED = "labels alone, stopped early"
KEYS = ["table", *Size._fields, "split"]
TIMED = ("teacher", DISTILLED)
MODELS = ("teacher", DISTILLED, SHARPENED, REGRESSORS, ALONE, STOPPED)
METRICS = {"accuracy": 1, "log_loss": -1}  # and the sign of an improvement
COLUMNS = [*KEYS, "model", "accuracy", "log_loss", "ms_1", "ms_1000", "temperature", "versions"]


def fit_models(table: Table, rows: tuple[NDArray[np.intp], ...]) -> dict[str, Any]:
    """Return the fitted teacher, students and baselines."""
    X, y = table
    labelled, unlabelled, _ = rows
    classes = np.unique(y[labelled])
    teacher = make_teacher().fit(X[labelled], y[labelled])
    out_of_fold = out_of_fold_proba(make_teacher(), X[labelled], y[labelled])
    other = [teacher.predict_proba(X[unlabelled])] if len(unlabelled) else []
    task = {
        "X": X[np.concatenate([labelled, unlabelled])],
        "y": np.concatenate([y[labelled], np.full(len(unlabelled), np.nan)]),
        "teacher_proba": np.concatenate([out_of_fold, *other]),
    }
    T = best_temperature(out_of_fold, y[labelled])
    boosting = HistGradientBoostingClassifier(**TREES)
    regressors = MultiOutputRegressor(HistGradientBoostingRegressor(**TREES))
    students = {
        DISTILLED: DistilledBoostingClassifier(boosting),
        SHARPENED: DistilledBoostingClassifier(boosting, temperature=T, soften_student=False),
        REGRESSORS: SoftTargetClassifier(regressors),
    }
    for student in students.values():
        student.set_params(classes=classes).fit(**task)
    stopped = HistGradientBoostingClassifier(**(TREES | {"early_stopping": True}))
    return {
        "teacher": teacher,
        **students,
        ALONE: boosting.fit(X[labelled], y[labelled]),
        STOPPED: stopped.fit(X[labelled], y[labelled]),
    }


def best_temperature(p: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Return the T that calibrates a teacher's out-of-fold predictions on the labels."""
    log_p = np.log(np.maximum(p, 1e-12))
    return min(TEMPERATURES, key=lambda T: log_loss(y, softmax(log_p / T, axis=1)))


def measure_split(name: str, size: Size, split: int) -> list[dict[str, Any]]:
    """Return the rows of the CSV file of one split: a row for each model."""
    table = load(name)
    rows = split_rows(table.y, size, split)
    X, y = table.X[rows[2]], table.y[rows[2]]
    return [
        {
            "table": name,
            **size._asdict(),
            "split": split,
            "model": model,
            **quality(fitted, X, y, MIN_PROBA if model == REGRESSORS else 0.0),
            **(latencies(fitted, X) if model in TIMED and size.unlabelled else {}),
            "temperature": getattr(fitted, "temperature", np.nan),
            "versions": versions(),
        }
        for model, fitted in fit_models(table, rows).items()
    ]


def quality(
    fitted: Any, X: NDArray[np.float64], y: NDArray[np.int64], least: float
) -> dict[str, float]:
    p = np.maximum(fitted.predict_proba(X), least)
    p /= p.sum(axis=1, keepdims=True)
    return {
        "accuracy": float(accuracy_score(y, fitted.classes_[p.argmax(axis=1)])),
        "log_loss": float(log_loss(y, p, labels=fitted.classes_)),
    }


def latencies(fitted: Any, X: NDArray[np.float64]) -> dict[str, float]:
    """Return the time of predictions for one row and for a thousand, in ms."""
    model = fitted.to_sklearn() if hasattr(fitted, "to_sklearn") else fitted
    return {f"ms_{n}": latency(model, np.resize(X, (n, X.shape[1]))) for n in N_TIMED_ROWS}


@cache
def load(name: str) -> Table:
    return TABLES[name]()


def split_rows(y: NDArray[np.int64], size: Size, seed: int) -> tuple[NDArray[np.intp], ...]:
    """Return indices of labelled, unlabelled and test rows, stratified."""
    rest, test = train_test_split(
        np.arange(len(y)), test_size=size.test, stratify=y, random_state=seed
    )
    labelled, rest = train_test_split(
        rest, train_size=size.labelled, stratify=y[rest], random_state=seed
    )
    return labelled, rest[: size.unlabelled], test


def latency(estimator: Any, X: NDArray[np.float64]) -> float:
    """Return the median CPU time of a prediction, in ms."""
    seconds = []
    for _ in range(N_TIMED):
        start = time.process_time()
        estimator.predict_proba(X)
        seconds.append(time.process_time() - start)
    return 1e3 * float(np.median(seconds))


def all_tasks() -> list[tuple[str, Size, int]]:
    """Return table, size and split of each measurement, those with unlabelled rows first."""
    sizes = [(name, size) for name in TABLES for size in SIZES[name]]
    return [
        (*which, i)
        for unlabelled in (True, False)
        for i in range(N_SPLITS)
        for which in sizes
        if (which[1].unlabelled > 0) == unlabelled
    ]


def missing_tasks() -> list[tuple[str, Size, int]]:
    """Return the tasks whose results the file lacks."""
    if not CSV.exists():
        return all_tasks()
    results = pd.read_csv(CSV)
    done = set(zip(*(results[column] for column in KEYS), strict=True))
    return [task for task in all_tasks() if (task[0], *task[1], task[2]) not in done]


def run_benchmark() -> pd.DataFrame:
    """Measure what the file lacks, with one thread; start anew where it is complete."""
    # LightGBM names the columns of an array, and scikit-learn misses the names
    warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
    tasks = missing_tasks()
    if not tasks:
        CSV.unlink()
        tasks = all_tasks()
    with threadpool_limits(1):
        for task in tqdm(tasks, unit="split"):
            rows = pd.DataFrame(measure_split(*task)).reindex(columns=COLUMNS)
            rows.to_csv(CSV, mode="a", header=not CSV.exists(), index=False, float_format="%.6g")
    return pd.read_csv(CSV)


def by_split(results: pd.DataFrame, table: str, size: Size, model: str) -> pd.DataFrame:
    """Return the rows of a model, by split."""
    wanted = {"table": table, **size._asdict(), "model": model}
    chosen = np.logical_and.reduce([results[name] == value for name, value in wanted.items()])
    return results[chosen].set_index("split").sort_index()


def gain(
    results: pd.DataFrame, table: str, size: Size, models: tuple[str, str], metric: str
) -> tuple[float, float, float]:
    """Return mean and interval of the first model's gain over the second, above 0 if better."""
    ours, theirs = (by_split(results, table, size, model)[metric] for model in models)
    gains = METRICS[metric] * (ours - theirs).to_numpy()
    return float(gains.mean()), *interval(gains, sum(size) - size.test, size.test)


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield _introduction(results)
    tables = [_figures(results), _gains(results), _notes(results)]
    if n_splits(results, unlabelled=False) >= MIN_SPLITS:
        tables.append(_without(results))
    for lines in tables:
        yield from ("", *lines)


def n_splits(results: pd.DataFrame, *, unlabelled: bool) -> int:
    """Return the number of splits with, or without, unlabelled rows."""
    return int(results.loc[(results["unlabelled"] > 0) == unlabelled, "split"].nunique())


def _introduction(results: pd.DataFrame) -> str:
    temperatures = ", ".join(f"{T:g}" for T in TEMPERATURES)
    return f"""\
## Distilling an ensemble into boosted trees

`python -m benchmarks.boosting`: the teacher averages the probabilities of 200 extremely randomised
trees and of LightGBM (100 rounds). `DistilledBoostingClassifier` learns at λ = ½ from the labels,
the teacher's out-of-fold predictions of the labelled rows, and its predictions of the unlabelled
ones. Students and baselines are scikit-learn's histogram boosting with {TREES["max_iter"]} rounds
of {TREES["max_leaf_nodes"]} leaves. T is 1, or the one of {temperatures} at which the
out-of-fold predictions have the least log loss on the labels (`soften_student=False`, so that
T < 1 makes the targets sharper). *{STOPPED}*: boosting holds out 10 % of the
labels to end early. *{REGRESSORS}*:
`SoftTargetClassifier(MultiOutputRegressor(HistGradientBoostingRegressor))` on the targets of T = 1,
whose probabilities below {MIN_PROBA:g}, some of them 2e-16, are raised to it. Means over
{n_splits(results, unlabelled=True)} random splits, and {CONFIDENCE:.0%} intervals of the paired
differences (Nadeau and Bengio's, since the splits share rows); times are CPU time with one
thread. Measured with {results["versions"].iloc[0]}."""


def _figures(results: pd.DataFrame) -> Iterator[str]:
    yield "| table, labels + unlabelled | model | accuracy | log loss | ms for 1 row | 1,000 rows |"
    yield "|---|---|---|---|---|---|"
    for table, (size, *_) in SIZES.items():
        for model in MODELS:
            rows = by_split(results, table, size, model)
            times = " | ".join(
                f"{rows[column].median():.3g}" if model in TIMED else "–"
                for column in ("ms_1", "ms_1000")
            )
            yield (
                f"| {table}, {size.labelled:,} + {size.unlabelled:,} | {model} | "
                f"{rows['accuracy'].mean():.3f} | {rows['log_loss'].mean():.3f} | {times} |"
            )


def _gains(results: pd.DataFrame) -> Iterator[str]:
    yield (
        "| gain of the distilled student, positive is better | over | log loss, T = 1 | > 0 | "
        "log loss, T from the labels | > 0 | accuracy, T = 1 |"
    )
    yield "|---|---|---|---|---|---|---|"
    for table, (size, *_) in SIZES.items():
        for other in (ALONE, STOPPED, REGRESSORS):
            cells = []
            for model in (DISTILLED, SHARPENED):
                mean, low, high = gain(results, table, size, (model, other), "log_loss")
                verdict = "met" if low > 0 else "**missed**"
                cells += [_interval(mean, low, high), "–" if other == STOPPED else verdict]
            accuracy = _interval(*gain(results, table, size, (DISTILLED, other), "accuracy"))
            yield f"| {table} | {other} | {' | '.join(cells)} | {accuracy} |"


def _notes(results: pd.DataFrame) -> Iterator[str]:
    chosen = results[(results["model"] == SHARPENED) & (results["unlabelled"] > 0)]
    for table in TABLES:
        values = chosen.loc[chosen["table"] == table, "temperature"].value_counts().sort_index()
        counts = ", ".join(f"{T:g} ({n} splits)" for T, n in values.items())
        yield f"- {table}: the labels choose T = {counts}."
    yield (
        "\nWhere the labels choose T < 1, the teacher is underconfident, and a student at T = 1 "
        "learns to be so as well. Where they choose T > 1, the teacher is overconfident by the "
        "noise of its predictions, over which the student averages, so that T = 1 does as well."
    )
    yield (
        "\nOn adult a regressor a class loses too little for an interval above 0: of two classes, "
        "its squared error has its minimum at the same probabilities, and its steps differ from "
        "those of the cross-entropy where p(1 − p) is far from ¼."
    )


def _without(results: pd.DataFrame) -> Iterator[str]:
    yield f"Without unlabelled rows ({n_splits(results, unlabelled=False)} splits), T = 1:\n"
    yield (
        "| table | labels | log loss: teacher | distilled | gain over labels alone | over stopped "
        "early | over a regressor a class | accuracy, gain over labels alone |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for table, (_, *sizes) in SIZES.items():
        for size in sizes:
            if len(by_split(results, table, size, DISTILLED)) < MIN_SPLITS:
                continue  # a run that was ended early
            teacher, ours = (
                f"{by_split(results, table, size, model)['log_loss'].mean():.3f}"
                for model in ("teacher", DISTILLED)
            )
            gains = [
                _interval(*gain(results, table, size, (DISTILLED, other), metric))
                for other, metric in [
                    (ALONE, "log_loss"),
                    (STOPPED, "log_loss"),
                    (REGRESSORS, "log_loss"),
                    (ALONE, "accuracy"),
                ]
            ]
            yield f"| {table} | {size.labelled:,} | {teacher} | {ours} | {' | '.join(gains)} |"


def _interval(mean: float, low: float, high: float) -> str:
    return f"**{mean:+.3f}** ({low:+.3f} … {high:+.3f})"


def guide_table(results: pd.DataFrame) -> str:
    """Return the table of the page of the user guide."""
    lines = ["| log loss (accuracy) | " + " | ".join(SIZES) + " |", "|---|" + "---|" * len(SIZES)]
    for model in (ALONE, STOPPED, REGRESSORS, DISTILLED, SHARPENED, "teacher"):
        cells = []
        for table, (size, *_) in SIZES.items():
            means = by_split(results, table, size, model)[["log_loss", "accuracy"]].mean()
            cells.append(f"{means['log_loss']:.3f} ({means['accuracy']:.3f})")
        lines.append(f"| {model} | {' | '.join(cells)} |")
    for column, what in (("ms_1", "1 row"), ("ms_1000", "1,000 rows")):
        cells = []
        for table, (size, *_) in SIZES.items():
            slow, fast = (by_split(results, table, size, m)[column].median() for m in TIMED)
            cells.append(f"{slow:.3g} → {fast:.3g}")
        lines.append(f"| ms for {what}, teacher → distilled | {' | '.join(cells)} |")
    few, many = SIZES["digits"][0], SIZES["adult"][0]
    caption = (
        f"{many.labelled:,} labels and {many.unlabelled:,} unlabelled samples (digits: "
        f"{few.labelled} and {few.unlabelled:,}), means over "
        f"{n_splits(results, unlabelled=True)} splits. The teacher averages extremely randomised "
        "trees and LightGBM. Times are CPU time with one thread."
    )
    return "\n".join([*lines, "", caption]) + "\n"


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page of the user guide with the table between its marks."""
    return with_part(page, "benchmarks/boosting.py", guide_table(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_table)
