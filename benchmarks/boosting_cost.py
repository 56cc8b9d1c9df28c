"""Time, memory and loss of distilled boosting: ``python -m benchmarks.boosting_cost``.

Each library fits the same number of trees to hard labels, with its own objective, and through
DistilledBoostingClassifier to labels and a teacher's probabilities.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm
from xgboost import XGBClassifier

from benchmarks.measure import Run, interleave, peak_memory
from benchmarks.record import versions
from sklearn_distill import DistilledBoostingClassifier

CSV = Path(__file__).with_suffix(".csv")
N_ROWS, N_FEATURES, N_TREES, N_ROUNDS = 10_000, 20, 100, 5
TIME_TARGET, MEMORY_TARGET, LOSS_TARGET = 1.15, 2.0, 1.005
TIME, MEMORY, LOSS = "time", "peak memory", "log loss"
LIBRARIES: dict[str, Any] = {
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=N_TREES, early_stopping=False),
    "LightGBM": LGBMClassifier(n_estimators=N_TREES, n_jobs=1, verbose=-1),
    "XGBoost": XGBClassifier(n_estimators=N_TREES, n_jobs=1),
}
N_CLASSES = (2, 5, 10)
OBJECTIVES = {2: "`cross_entropy` of LightGBM", 5: "hand-written softmax objective"}


def draw_rows(n_rows: int, K: int, seed: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return features, labels, and the probabilities that the labels are drawn from."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES))
    W = np.random.default_rng(K).normal(size=(2, N_FEATURES, K))
    S = softmax((X @ W[0] + np.maximum(X, 0) @ W[1]) / 2, axis=1)
    y = (S.cumsum(axis=1) > rng.random((n_rows, 1))).argmax(axis=1)
    return X, y, S


def measure_cost(library: str, K: int) -> Iterator[dict[str, Any]]:
    """Yield ratios of time in each round and of the peak memory."""
    X, y, S = draw_rows(N_ROWS, K, 0)
    estimator = LIBRARIES[library]

    def own() -> None:
        clone(estimator).fit(X, y)

    def distilled() -> None:
        DistilledBoostingClassifier(estimator).fit(X, y, teacher_proba=S)

    runs: dict[str, Run] = {"own": own, "distilled": distilled}
    distilled()  # warm up imports and caches
    seconds = interleave(runs, N_ROUNDS, time.process_time)
    for round_, (ours, theirs) in enumerate(zip(seconds["distilled"], seconds["own"], strict=True)):
        yield {"what": TIME, "round": round_, "ours": ours, "theirs": theirs}
    used = {name: peak_memory(run) / 1e6 for name, run in runs.items()}
    yield {"what": MEMORY, "round": 0, "ours": used["distilled"], "theirs": used["own"]}


def measure_loss(K: int) -> Iterator[dict[str, Any]]:
    """Yield the log loss of test labels after the same trees on a teacher's probabilities."""
    for seed in range(N_ROUNDS):
        X, y, S = draw_rows(N_ROWS, K, 2 * seed)
        X_test, y_test, _ = draw_rows(N_ROWS, K, 2 * seed + 1)
        estimator = LIBRARIES["LightGBM"]
        student = DistilledBoostingClassifier(estimator, imitation=1.0)
        ours = student.fit(X, y, teacher_proba=S).predict_proba(X_test)
        theirs = cross_entropy_of_library(X, S, X_test) if K == 2 else by_hand(X, S, X_test)
        yield {
            "what": LOSS,
            "round": seed,
            "ours": mean_loss(y_test, ours),
            "theirs": mean_loss(y_test, theirs),
        }


def mean_loss(y: NDArray[Any], p: NDArray[Any]) -> float:
    return float(-np.log(p[np.arange(len(y)), y]).mean())


def cross_entropy_of_library(X: Any, S: Any, X_test: Any) -> NDArray[Any]:
    """Return probabilities after LightGBM's own objective for probabilities of two classes."""
    params = {"objective": "cross_entropy", "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(params, lightgbm.Dataset(X, label=S[:, 1]), N_TREES)
    p = np.asarray(booster.predict(X_test))
    return np.stack([1 - p, p], axis=1)


def by_hand(X: Any, S: Any, X_test: Any) -> NDArray[Any]:
    """Return probabilities after the objective that one would write: p − q and p(1 − p)."""

    def objective(scores: Any, _: Any) -> tuple[Any, Any]:
        p = softmax(scores, axis=1)
        return p - S, p * (1 - p)

    params = {"objective": objective, "num_class": S.shape[1], "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(params, lightgbm.Dataset(X, label=np.zeros(len(X))), N_TREES)
    return np.asarray(softmax(booster.predict(X_test), axis=1))


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    tasks: list[tuple[str, int, Callable[[], Iterator[dict[str, Any]]]]] = [
        (library, K, lambda library=library, K=K: measure_cost(library, K))
        for library in LIBRARIES
        for K in N_CLASSES
    ]
    tasks += [(name, K, lambda K=K: measure_loss(K)) for K, name in OBJECTIVES.items()]
    with threadpool_limits(1):
        rows = [
            {"against": against, "classes": K, **row}
            for against, K, measure in tqdm(tasks)
            for row in measure()
        ]
    return pd.DataFrame(rows).assign(versions=versions())


def main() -> None:
    # LightGBM names the columns of an array, and scikit-learn misses the names
    warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
