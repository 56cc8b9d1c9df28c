"""What ``benchmarks.when_it_pays`` measures: tables, teacher and students, one cell at a time."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks import boosting
from benchmarks.boosting import Table
from benchmarks.record import versions
from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledLogisticRegression,
    DistilledLogisticRegressionCV,
    DistilledNeuralClassifier,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.datasets import (
    fetch_adult,
    fetch_fashion_mnist,
    fetch_mnist,
    fetch_sentiment140,
)
from sklearn_distill.metrics import get_scorer

CSV = Path(__file__).with_name("when_it_pays.csv")
N_FOLDS = 3  # of the teacher's predictions, and of the choice
LABELS = (300, 1000, 3000)
N_UNLABELLED, N_TEST = 2000, 2000  # fewer where the table is small
N_WORDS = 300
N_GENERATED = 20_000
IMITATIONS, TEMPERATURES = (0.5, 1.0), (0.5, 1.0)
# (choice, splits, labels): in the order in which they are measured
PLAN = (
    ("default", range(5), LABELS),
    *(("CV", range(3), (n,)) for n in LABELS),
    ("CV", range(3, 5), LABELS),
    ("default", range(5, 10), LABELS),
)


def adult() -> Table:
    X, y = fetch_adult(subset="all", return_X_y=True)
    text = X.select_dtypes("category")
    codes = OneHotEncoder(min_frequency=50, sparse_output=False).fit_transform(text.astype(str))
    return as_table(np.hstack([X.drop(columns=text.columns).to_numpy(float), codes]), y == ">50K")


def breast_cancer() -> Table:
    return as_table(*load_breast_cancer(return_X_y=True))


def mnist() -> Table:
    return as_small_images(*fetch_mnist(subset="all", return_X_y=True))


def fashion_mnist() -> Table:
    return as_small_images(*fetch_fashion_mnist(subset="all", return_X_y=True))


def sentiment140() -> Table:
    texts, y = fetch_sentiment140(subset="train", return_X_y=True)
    # the words are chosen by their frequency, without labels
    counter = CountVectorizer(max_features=N_WORDS, binary=True)
    return as_table(counter.fit_transform(texts[:N_GENERATED]).toarray(), y[:N_GENERATED])


def linear_logits() -> Table:
    """Draw three classes, whose logits are linear in twenty features."""
    rng = np.random.default_rng(0)
    X, gumbel = rng.normal(size=(N_GENERATED, 20)), rng.gumbel(size=(N_GENERATED, 3))
    W = np.random.default_rng(1).normal(size=(20, 3)) / 2
    return as_table(X, (X @ W + gumbel).argmax(axis=1))


def as_table(X: Any, y: Any) -> Table:
    return Table(np.asarray(X, dtype=np.float32), np.unique(y, return_inverse=True)[1])


def as_small_images(X: Any, y: Any) -> Table:
    """Return images of 7×7 pixels, each the mean of 4×4."""
    return as_table(np.asarray(X).reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49), y)


class Source(NamedTuple):
    """A table and its number of rows, which is known without loading it."""

    n_rows: int
    load: Callable[[], Table]


TABLES = {
    "breast cancer": Source(569, breast_cancer),
    "digits": Source(1797, lambda: as_table(*boosting.digits())),
    "covertype": Source(15120, lambda: as_table(*boosting.covertype())),
    "adult": Source(48842, adult),
    "MNIST": Source(70000, mnist),
    "Fashion-MNIST": Source(70000, fashion_mnist),
    "Sentiment140": Source(N_GENERATED, sentiment140),
    "interactions": Source(N_GENERATED, lambda: as_table(*boosting.interactions(N_GENERATED))),
    "linear logits": Source(N_GENERATED, linear_logits),
}
TREES = {"num_leaves": 15, "colsample_bytree": 0.5, "random_state": 0, "n_jobs": 1, "verbose": -1}
TEACHER = VotingClassifier(
    [
        ("forest", ExtraTreesClassifier(100, random_state=0)),
        ("boosting", LGBMClassifier(n_estimators=50, **TREES)),
    ],
    voting="soft",
)
STUDENTS: dict[str, Any] = {
    "linear": DistilledLogisticRegression(),
    "tree": SoftTargetClassifier(
        DecisionTreeClassifier(max_depth=8, min_samples_leaf=5, random_state=0)
    ),
    "boosting": DistilledBoostingClassifier(
        HistGradientBoostingClassifier(
            max_iter=30, max_leaf_nodes=8, early_stopping=False, random_state=0
        )
    ),
    "network": DistilledNeuralClassifier(hidden_layer_sizes=(32,), device="cpu", random_state=0),
}
CHOICES = ("default", "CV")
METRICS = {"accuracy": 1, "log_loss": -1}  # and the sign of an improvement


class Cell(NamedTuple):
    """What is measured on each split."""

    table: str
    labelled: int
    unlabelled: int
    test: int
    student: str
    choice: str


class Data(NamedTuple):
    """The rows of a split; without unlabelled ones, X_unlabelled is None."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    X_unlabelled: NDArray[np.float32] | None
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


class Choice(NamedTuple):
    """Baseline and distilled student; these are the same where the baseline was chosen."""

    baseline: Any
    distilled: Any
    imitation: float
    temperature: float


@cache
def load(name: str) -> Table:
    return TABLES[name].load()


def all_cells() -> list[Cell]:
    """Return the cells for which the tables have enough rows."""
    cells = []
    for table, (n, _) in TABLES.items():
        test = min(N_TEST, 3 * n // 10)
        for labelled in LABELS:
            unlabelled = min(N_UNLABELLED, n - test - labelled)
            if unlabelled > 0:
                cells += [
                    Cell(table, labelled, others, test, student, choice)
                    for others in (0, unlabelled)
                    for student in STUDENTS
                    for choice in CHOICES
                ]
    return cells


def split_rows(cell: Cell, seed: int) -> Data:
    """Return stratified rows of a split: of the same labels and test rows for every student."""
    X, y = load(cell.table)
    size = boosting.Size(cell.labelled, cell.unlabelled, cell.test)
    labelled, unlabelled, test = boosting.split_rows(y, size, seed)
    X_unlabelled = X[unlabelled] if cell.unlabelled else None
    return Data(X[labelled], y[labelled], X_unlabelled, X[test], y[test])


def standardised(student: Any) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("distil", student)])


def pair(student: Any, memory: str) -> TeacherStudentClassifier:
    return TeacherStudentClassifier(
        TEACHER,
        standardised(student),
        cv=N_FOLDS,
        memory=memory,
        keep_teacher=False,
        random_state=0,
    )


def alone(student: Any) -> Pipeline:
    return standardised(clone(student).set_params(imitation=0.0))


def others(data: Data) -> dict[str, Any]:
    # a tuple: a search passes it on as it is
    return {} if data.X_unlabelled is None else {"X_unlabeled": (data.X_unlabelled,)}


def by_default(name: str, data: Data, memory: str) -> Choice:
    """Fit baseline and student with λ = ½ and T = 1."""
    student = STUDENTS[name]
    distilled = pair(student, memory).fit(data.X, data.y, **others(data))
    return Choice(alone(student).fit(data.X, data.y), distilled, 0.5, 1.0)


def by_cv(name: str, data: Data, memory: str) -> Choice:
    """Choose λ and T, or the baseline, by the cross-validated log loss of the labels."""
    student = STUDENTS[name]
    scoring = get_scorer("neg_log_loss")
    prefix = "student__distil__"
    grid = {f"{prefix}imitation": IMITATIONS, f"{prefix}temperature": TEMPERATURES}
    search = GridSearchCV(pair(student, memory), grid, scoring=scoring, cv=N_FOLDS, refit=False)
    search.fit(data.X, data.y, **others(data))
    of_baseline = cross_val_score(alone(student), data.X, data.y, scoring=scoring, cv=N_FOLDS)
    baseline = alone(student).fit(data.X, data.y)
    if of_baseline.mean() >= search.best_score_:
        return Choice(baseline, baseline, 0.0, np.nan)
    best = search.best_params_
    distilled = pair(student, memory).set_params(**best).fit(data.X, data.y, **others(data))
    return Choice(baseline, distilled, best[f"{prefix}imitation"], best[f"{prefix}temperature"])


def linear_by_cv(name: str, data: Data, memory: str) -> Choice:
    """Choose λ, T and C, or the baseline with its own C, by the nested cross-validated loss."""
    baseline = standardised(
        DistilledLogisticRegressionCV("C", cv=StratifiedKFold(N_FOLDS), imitation=0.0)
    ).fit(data.X, data.y)
    distilled = pair(DistilledLogisticRegressionCV(), memory)
    distilled.fit(data.X, data.y, **others(data))
    chosen = distilled.student_["distil"]
    if baseline["distil"].best_score_ >= chosen.best_score_:
        return Choice(baseline, baseline, 0.0, np.nan)
    return Choice(baseline, distilled, chosen.imitation_, chosen.temperature_)


def measure_cell(cell: Cell, split: int, memory: str) -> dict[str, Any]:
    """Return the row of the CSV file of a cell and a split."""
    data = split_rows(cell, split)
    fit = by_default if cell.choice == "default" else by_cv
    fit = linear_by_cv if fit is by_cv and cell.student == "linear" else fit
    start = time.process_time()
    choice = fit(cell.student, data, memory)
    seconds = time.process_time() - start
    return {
        **cell._asdict(),
        "split": split,
        **{f"teacher_{name}": value for name, value in teacher_quality(*cell[:4], split).items()},
        **{f"baseline_{name}": value for name, value in quality(choice.baseline, data).items()},
        **{f"distilled_{name}": value for name, value in quality(choice.distilled, data).items()},
        "imitation": choice.imitation,
        "temperature": choice.temperature,
        "seconds": seconds,
        "versions": versions(),
    }


@lru_cache(maxsize=2)
def teacher_quality(*which: Any) -> dict[str, float]:
    """Return the quality of the teacher of all students with these rows."""
    *sizes, split = which
    data = split_rows(Cell(*sizes, student="", choice=""), split)
    return quality(clone(TEACHER).fit(data.X, data.y), data)


def quality(fitted: Any, data: Data) -> dict[str, float]:
    p = fitted.predict_proba(data.X_test)
    return {
        "accuracy": float(accuracy_score(data.y_test, fitted.classes_[p.argmax(axis=1)])),
        "log_loss": float(log_loss(data.y_test, p, labels=fitted.classes_)),
    }


def all_tasks() -> list[tuple[Cell, int]]:
    """Return cells and splits, in the order in which they are measured."""
    return [
        (cell, split)
        for choice, splits, labels in PLAN
        for split in splits
        for cell in all_cells()
        if cell.choice == choice and cell.labelled in labels
    ]


def missing_tasks() -> list[tuple[Cell, int]]:
    """Return the tasks whose results the file lacks."""
    if not CSV.exists():
        return all_tasks()
    results = pd.read_csv(CSV)
    keys = zip(*(results[column] for column in (*Cell._fields, "split")), strict=True)
    done = {(Cell(*key[:-1]), key[-1]) for key in keys}
    return [task for task in all_tasks() if task not in done]


def run_benchmark(minutes: float) -> None:
    """Measure what the file lacks, with one thread, until the time is up."""
    torch.set_num_threads(1)
    # LightGBM names the columns of an array, and scikit-learn misses the names
    warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
    # of logistic regressions almost without a penalty, at the bounds of the search for C
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    deadline = time.monotonic() + 60 * minutes
    by_teacher = groupby(missing_tasks(), lambda task: (*task[0][:2], task[1]))
    groups = [list(tasks) for _, tasks in by_teacher]
    with threadpool_limits(1), tqdm(total=sum(map(len, groups)), unit="cell") as bar:
        for tasks in groups:
            with TemporaryDirectory() as memory:  # the students share their teachers
                for task in tasks:
                    if time.monotonic() > deadline:
                        return
                    write_row(measure_cell(*task, memory))
                    bar.update()


def write_row(row: dict[str, Any]) -> None:
    frame = pd.DataFrame([row])
    frame.to_csv(CSV, mode="a", header=not CSV.exists(), index=False, float_format="%.6g")
