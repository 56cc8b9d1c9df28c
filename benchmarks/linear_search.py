"""Cost of regressions next to others: ``python -m benchmarks.linear_search``.

A search of 1,000 settings in 10 folds against one fit of PrivilegedLinearRegression, and fits of
more features than rows against scikit-learn's Ridge. CPU seconds, one thread (set
``OMP_NUM_THREADS=1``); the competitors take turns, and the fastest of all rounds counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from tqdm import tqdm

from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from benchmarks.rows import Bound, Row, region_of
from sklearn_distill import PrivilegedLinearRegression, PrivilegedLinearRegressionCV

Array = NDArray[Any]
CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS = 5
N_ROWS, N_COLUMNS = 1_000_000, 50
WIDE = ((500, 1500), (300, 3000), (1000, 1200), (200, 20_000))
FIT, FIT_MISSING = "one fit", "one fit, labels missing"


def run_benchmark(n_rounds: int = N_ROUNDS, wanted: str = "") -> pd.DataFrame:
    """Return seconds of searches and of wide fits, and of what they are compared with."""
    rows = [*searches(n_rounds=n_rounds)] if wanted in f"{N_ROWS:,} × {N_COLUMNS}" else []
    for n, d in tqdm(WIDE, unit="shape"):
        if wanted in f"{n:,} × {d:,}":
            rows += wide((n, d), n_rounds)
    columns = ["problem", "case", "seconds", "compared_with", "its_seconds"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def searches(
    n: int = N_ROWS, d: int = N_COLUMNS, n_rounds: int = N_ROUNDS
) -> Iterator[tuple[Any, ...]]:
    """Yield the time of each search, and that of one fit to the same rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    truth = X @ rng.standard_normal(d)
    y, s = truth + rng.standard_normal(n), truth + rng.standard_normal(n)
    missing = np.where(np.arange(n) % 4 == 0, np.nan, y)
    alphas, imitations = np.append(0, np.logspace(-3, 6, 49)), np.linspace(0, 1, 20)
    mixed = {"alphas": alphas[::2][:20], "imitations": np.linspace(0, 1, 10), "noise_ratios": 5}
    shuffled = KFold(10, shuffle=True, random_state=0)
    student = PrivilegedLinearRegression()
    best = fastest(
        {
            FIT: lambda: student.fit(X, y, teacher_prediction=s),
            FIT_MISSING: lambda: student.fit(X, missing, teacher_prediction=s),
            "α and λ, consecutive folds": lambda: search(
                X, y, s, alphas=alphas, imitations=imitations
            ),
            "α and λ, shuffled folds": lambda: search(
                X, y, s, alphas=alphas, imitations=imitations, cv=shuffled
            ),
            "α, λ and ρ, a quarter of the labels missing": lambda: search(X, missing, s, **mixed),
        },
        n_rounds,
    )
    for name, seconds in best.items():
        if name not in (FIT, FIT_MISSING):
            other = FIT_MISSING if "missing" in name else FIT
            yield f"{n:,} × {d}", name, seconds, other, best[other]


def search(X: Array, y: Array, s: Array, cv: Any = 10, **grid: Any) -> None:
    """Search in 10 folds."""
    model = PrivilegedLinearRegressionCV(**grid, cv=cv).fit(X, y, teacher_prediction=s)
    assert len(model.cv_results_["params"]) == 1000


def wide(shape: tuple[int, int], n_rounds: int = N_ROUNDS) -> Iterator[tuple[Any, ...]]:
    """Yield the times of fits of fewer rows than features, and those of Ridge."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    y = X[:, :5].sum(axis=1) + rng.standard_normal(len(X))
    for alpha in (1.0, 0.0):
        student = PrivilegedLinearRegression(0, alpha=alpha)
        ridge = Ridge(alpha or 1e-10)
        ours, theirs = fastest(
            {"ours": lambda m=student: m.fit(X, y), "Ridge": lambda m=ridge: m.fit(X, y)},
            n_rounds,
        ).values()
        yield f"{shape[0]:,} × {shape[1]:,}", f"a fit, α = {alpha:g}", ours, "Ridge", theirs


def fastest(runs: Mapping[str, Callable[[], Any]], n_rounds: int) -> dict[str, float]:
    """Return the smallest CPU time of each run over interleaved rounds."""
    rounds = [{name: cpu_seconds(run) for name, run in runs.items()} for _ in range(n_rounds)]
    return {name: min(times[name] for times in rounds) for name in runs}


def method(results: pd.DataFrame) -> str:
    """Return how it is measured."""
    return (
        "`python -m benchmarks.linear_search`: `PrivilegedLinearRegressionCV` with 1,000 settings "
        "in 10 folds, whose limit is one fit of `PrivilegedLinearRegression` to the same rows, and "
        "fits of "
        "`PrivilegedLinearRegression` to fewer rows than features against scikit-learn's `Ridge`: "
        f"the fastest of {N_ROUNDS} rounds in turn. About a tenth of "
        "the search in shuffled folds is scikit-learn's shuffling of the row numbers. Measured "
        f"with {results['versions'].iloc[0]}."
    )


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region."""
    for row in results.to_dict("records"):
        problem, peer = f"regression {row['problem']}: {row['case']}", row["compared_with"]
        seconds, other = row["seconds"], row["its_seconds"]
        if peer in (FIT, FIT_MISSING):
            yield Row("searches", problem, seconds, limit=Bound([seconds / other], peer))
        else:
            yield Row(region_of(problem), problem, seconds, peer, [other / seconds])


if __name__ == "__main__":
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")
