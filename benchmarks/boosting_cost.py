"""Time, memory and loss of distilled boosting: ``python -m benchmarks.boosting_cost``.

Each library fits the same number of trees to hard labels, with its own objective, and through
DistilledBoostingClassifier to labels and a teacher's probabilities. Names of libraries on the
command line measure only their times and memory, and keep the other rows of the file.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from benchmarks.measure import Run, interleave, peak_memory
from benchmarks.record import versions
from benchmarks.rows import Bound, Row, Target, reason_of
from sklearn_distill import DistilledBoostingClassifier

CSV = Path(__file__).with_suffix(".csv")
N_ROWS, N_FEATURES, N_TREES, N_DRAWS = 10_000, 20, 50, 3
N_ROUNDS = {2: 25, 5: 5, 10: 5}  # by the number of classes: fits of two are short
TIME_TARGET, MEMORY_TARGET, LOSS_TARGET = 1.15, 2.0, 1.005
TIME, SAME_TREES, MEMORY, LOSS = "time", "time of the same trees", "peak memory", "log loss"
Predict = Callable[[Any, Any, Any], NDArray[Any]]  # X, soft labels, X of the test rows
LIBRARIES = ("HistGradientBoosting", "LightGBM", "XGBoost")
LIBRARY_OBJECTIVE = "LightGBM's `cross_entropy`"
BY_HAND = "softmax by hand, with LightGBM's factor K/(K − 1) of the Hessian"
BY_HAND_WITHOUT = "softmax by hand, without the factor"
# why a target is missed; only what profiling has shown
REASONS = {
    "XGBoost": "its rounds of two classes take 4 ms, and those with an objective in Python half a "
    "millisecond to one more. By a profile, a fifth of that is the gradient; the rest is "
    "XGBoost's own: it hands scores, labels and weights over to Python, and gradients back."
}


def make_estimator(library: str) -> Any:
    """Return an unfitted classifier of a library."""
    if library == "LightGBM":
        from lightgbm import LGBMClassifier

        return LGBMClassifier(n_estimators=N_TREES, n_jobs=1, verbose=-1)
    if library == "XGBoost":
        from xgboost import XGBClassifier

        return XGBClassifier(n_estimators=N_TREES, n_jobs=1)
    return HistGradientBoostingClassifier(max_iter=N_TREES, early_stopping=False)


def draw_rows(n_rows: int, K: int, seed: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return features, labels, and the probabilities that the labels are drawn from."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES))
    W = np.random.default_rng(K).normal(size=(2, N_FEATURES, K))
    S = softmax((X @ W[0] + np.maximum(X, 0) @ W[1]) / 2, axis=1)
    y = (S.cumsum(axis=1) > rng.random((n_rows, 1))).argmax(axis=1)
    return X, y, S


def measure_cost(library: str, K: int, n_rounds: int) -> Iterator[dict[str, Any]]:
    """Yield ratios of time in each round and of the peak memory."""
    X, y, S = draw_rows(N_ROWS, K, 0)
    estimator = make_estimator(library)

    def own() -> None:
        clone(estimator).fit(X, y)

    def fit_distilled(teacher_proba: NDArray[Any]) -> None:
        DistilledBoostingClassifier(estimator).fit(X, y, teacher_proba=teacher_proba)

    runs: dict[str, Run] = {
        "own": own,
        "distilled": partial(fit_distilled, S),
        "same trees": partial(fit_distilled, np.eye(K)[y]),
    }
    runs["distilled"]()  # warm up imports and caches
    seconds = interleave(runs, n_rounds, time.process_time)
    for what, name in ((TIME, "distilled"), (SAME_TREES, "same trees")):
        for i, (ours, theirs) in enumerate(zip(seconds[name], seconds["own"], strict=True)):
            yield {"what": what, "round": i, "ours": ours, "theirs": theirs}
    used = {name: peak_memory(runs[name]) / 1e6 for name in ("own", "distilled")}
    yield {"what": MEMORY, "round": 0, "ours": used["distilled"], "theirs": used["own"]}


def measure_loss(K: int, others: dict[str, Predict]) -> Iterator[dict[str, Any]]:
    """Yield the log loss of test labels after the same trees on a teacher's probabilities."""
    for seed in range(N_DRAWS):
        X, y, S = draw_rows(N_ROWS, K, 2 * seed)
        X_test, y_test, _ = draw_rows(N_ROWS, K, 2 * seed + 1)
        student = DistilledBoostingClassifier(make_estimator("LightGBM"), imitation=1.0)
        ours = student.fit(X, y, teacher_proba=S).predict_proba(X_test)
        for other, predict in others.items():
            yield {
                "against": other,
                "what": LOSS,
                "round": seed,
                "ours": log_loss(y_test, ours),
                "theirs": log_loss(y_test, predict(X, S, X_test)),
            }


def cross_entropy_of_library(X: Any, S: Any, X_test: Any) -> NDArray[Any]:
    """Return probabilities after LightGBM's own objective for probabilities of two classes."""
    import lightgbm

    params = {"objective": "cross_entropy", "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(params, lightgbm.Dataset(X, label=S[:, 1]), N_TREES)
    p = np.asarray(booster.predict(X_test))
    return np.stack([1 - p, p], axis=1)


def by_hand(X: Any, S: Any, X_test: Any, factor: float = 1.0) -> NDArray[Any]:
    """Return probabilities after the objective that one would write: p − q and p(1 − p)."""
    import lightgbm

    def objective(scores: Any, _: Any) -> tuple[Any, Any]:
        p = softmax(scores, axis=1)
        return p - S, factor * p * (1 - p)

    params = {"objective": objective, "num_class": S.shape[1], "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(params, lightgbm.Dataset(X, label=np.zeros(len(X))), N_TREES)
    return np.asarray(softmax(booster.predict(X_test), axis=1))


OBJECTIVES: dict[int, dict[str, Predict]] = {
    2: {LIBRARY_OBJECTIVE: cross_entropy_of_library},
    5: {BY_HAND: partial(by_hand, factor=5 / 4), BY_HAND_WITHOUT: by_hand},
}


def run_benchmark(n_rounds: int | None = None, wanted: str = "") -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread; those of a wanted cost without losses."""
    costs = measure_costs(LIBRARIES, n_rounds, wanted)
    if wanted:
        return costs
    with threadpool_limits(1):
        losses = [
            {"classes": K, **row}
            for K, others in OBJECTIVES.items()
            for row in measure_loss(K, others)
        ]
    return pd.concat([costs, pd.DataFrame(losses)]).assign(versions=versions())


def measure_costs(
    libraries: Sequence[str], n_rounds: int | None = None, wanted: str = ""
) -> pd.DataFrame:
    """Return the rows of times and memory of some libraries, with one thread."""
    with threadpool_limits(1):
        rows = [
            {"against": library, "classes": K, **row}
            for library in libraries
            for K, usual in N_ROUNDS.items()
            if wanted in f"{library}, K = {K}"
            for row in measure_cost(library, K, n_rounds or usual)
        ]
    return pd.DataFrame(rows).assign(versions=versions())


def remeasure_costs(libraries: Sequence[str], results: pd.DataFrame) -> pd.DataFrame:
    """Return the results with new rows of times and memory of some libraries, at their place."""
    old = results["against"].isin(libraries)
    order = {library: i for i, library in enumerate(LIBRARIES)}
    merged = pd.concat([results[~old], measure_costs(libraries)])
    return merged.sort_values(
        "against", key=lambda names: names.map(order).fillna(len(order)), kind="stable"
    )


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## Cost of boosting with a teacher\n"
    yield (
        "`python -m benchmarks.boosting_cost`: `DistilledBoostingClassifier` with a teacher "
        f"against the library's own fit to hard labels, {N_ROWS:,} × {N_FEATURES}, {N_TREES} "
        "rounds of boosting; 5 to 25 rounds. *Same trees*: the teacher's probabilities are the "
        "labels, so that the trees are those of the own fit; those on softer targets have other "
        f"sizes. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield (
        "Log loss on test labels after LightGBM's "
        f"{N_TREES} rounds on a teacher's probabilities (λ = 1), ours against other objectives "
        f"(mean of {N_DRAWS} draws). Without its factor the Hessian is smaller and each step "
        "longer, as at a learning rate K/(K − 1) times as large; such trees are others.\n"
    )
    yield "| K | objective | its log loss | ours | ours / its | target |"
    yield "|---|---|---|---|---|---|"
    for (K, other), part in results[results["what"] == LOSS].groupby(
        ["classes", "against"], sort=False
    ):
        ours, theirs = part["ours"].mean(), part["theirs"].mean()
        ratio = ours / theirs
        goal = "–" if other == BY_HAND_WITHOUT else Target("", ratio, "≤", LOSS_TARGET).verdict
        yield f"| {K} | {other} | {theirs:.4f} | {ours:.4f} | **{ratio:.4f}** | {goal} |"


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region: the ratio is the own fit over ours."""
    for (library, K), group in results[results["what"] != LOSS].groupby(
        ["against", "classes"], sort=False
    ):
        parts = dict(iter(group.groupby("what")))
        ours, own = parts[MEMORY][["ours", "theirs"]].iloc[0]
        memory = Bound([ours / own], f"{own:.1f} MB of the own fit", MEMORY_TARGET)
        for what, name in ((TIME, ""), (SAME_TREES, ", same trees")):
            part = parts[what]
            yield Row(
                "boosting",
                f"{library}, K = {K}{name}",
                part["ours"].median(),
                "own fit",
                part["theirs"] / part["ours"],
                1 / TIME_TARGET,
                memory=memory if what == TIME else None,
                reason=reason_of(library, REASONS),
            )


def main() -> None:
    # LightGBM names the columns of an array, and scikit-learn misses the names
    warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boosting_cost", description=__doc__)
    parser.add_argument("libraries", nargs="*", metavar="library", help=f"of {LIBRARIES}")
    libraries = parser.parse_args().libraries
    results = remeasure_costs(libraries, pd.read_csv(CSV)) if libraries else run_benchmark()
    results.to_csv(CSV, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
