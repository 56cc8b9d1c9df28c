"""Fixed costs: small fits, searches of many, predictions: ``python -m benchmarks.small_fits``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from benchmarks.logistic import make_correlated, ours, with_scipy
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from benchmarks.rows import Row
from sklearn_distill import DistilledLogisticRegression

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS = 3
TOL = 1e-4
# samples, features, classes, fits a round
SIZES = ((100, 5, 2, 20), (300, 10, 2, 10), (1_000, 30, 2, 5), (300, 10, 3, 10), (1_000, 10, 3, 5))
N_CS, N_PREDICTIONS = 200, 300
TARGETS = {
    "fit to 100 × 5, K = 2, teacher": 1.1,
    "GridSearchCV of 1,000 fits to 300 × 10": 1.8,
    "predict of one row": 1 / 1.1,
    "predict_proba of one row": 1 / 1.1,
}
Runs = tuple[str, Callable[[], object], str, Callable[[], object], int]


def run_benchmark(n_rounds: int = N_ROUNDS, wanted: str = "") -> pd.DataFrame:
    """Return the time of the competitor over ours, in each round of the wanted cases."""
    rows = []
    for what, run, peer, run_peer, repeats in cases():
        if wanted not in what:
            continue
        run(), run_peer()
        for round_ in range(n_rounds):
            own = cpu_seconds(repeated(run, repeats)) / repeats
            other = cpu_seconds(repeated(run_peer, repeats)) / repeats
            rows.append((what, peer, round_, 1e3 * own, other / own))
    columns = ["what", "instead", "round", "ours_ms", "ratio"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def cases() -> Iterator[Runs]:
    """Yield the comparisons: ours, the competitor, and how often each runs in a round."""
    for n, d, K, repeats in SIZES:
        data = make_correlated(n, d, K, 0.5)
        name = f"fit to {n:,} × {d}, K = {K}"
        yield f"{name}, teacher", ours(data, TOL), "scipy L-BFGS", with_scipy(data, TOL), repeats
        X, y, _ = data
        yield (
            f"{name}, labels alone",
            lambda X=X, y=y: DistilledLogisticRegression(0.0).fit(X, y),
            "LogisticRegression",
            lambda X=X, y=y: LogisticRegression(max_iter=1000).fit(X, y),
            repeats,
        )
    X, y, _ = make_correlated(300, 10, 2, 0.5)
    yield (
        f"GridSearchCV of {5 * N_CS:,} fits to 300 × 10",
        lambda: grid_search(DistilledLogisticRegression(0.0)).fit(X, y),
        "LogisticRegression",
        lambda: grid_search(LogisticRegression(max_iter=1000)).fit(X, y),
        1,
    )
    fitted, plain = DistilledLogisticRegression(0.0).fit(X, y), LogisticRegression().fit(X, y)
    for method in ("predict", "predict_proba"):
        predict, predict_plain = getattr(fitted, method), getattr(plain, method)
        yield (
            f"{method} of one row",
            lambda predict=predict: predict(X[:1]),
            "LogisticRegression",
            lambda predict=predict_plain: predict(X[:1]),
            N_PREDICTIONS,
        )


def grid_search(estimator: object) -> GridSearchCV:
    """Return a search over C in 5 folds."""
    return GridSearchCV(estimator, {"C": np.logspace(-3, 3, N_CS)}, cv=5, refit=False)


def repeated(run: Callable[[], object], repeats: int) -> Callable[[], object]:
    """Return a function that runs several times."""
    return lambda: [run() for _ in range(repeats)]


def method(results: pd.DataFrame) -> str:
    """Return how it is measured."""
    return (
        "`python -m benchmarks.small_fits`: tiny fits and predictions (T = 2, λ = ½, "
        f"tol = {TOL:g}; {N_ROUNDS} rounds). Our fits end nearer to the minimum than those of the "
        "others at the same tol, which bound the gradient alone. "
        f"Measured with {results['versions'].iloc[0]}."
    )


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region."""
    for what, group in results.groupby("what", sort=False):
        region = "searches" if "GridSearchCV" in str(what) else "tiny"
        seconds, peer = group["ours_ms"].median() / 1e3, group["instead"].iloc[0]
        yield Row(region, str(what), seconds, peer, group["ratio"], TARGETS.get(str(what)))


if __name__ == "__main__":
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")
