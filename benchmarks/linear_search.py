"""Cost of regressions next to others: ``python -m benchmarks.linear_search``.

A search of 1,000 settings in 10 folds against one fit of PrivilegedLinearRegression, and fits of
more features than rows against scikit-learn's Ridge. CPU seconds, one thread (set
``OMP_NUM_THREADS=1``); the competitors take turns, and the fastest of all rounds counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from benchmarks.measure import cpu_seconds
from sklearn_distill import PrivilegedLinearRegression, PrivilegedLinearRegressionCV

Array = NDArray[Any]
N_ROUNDS = 5


def run_benchmark(n: int = 1_000_000, d: int = 50) -> Iterator[str]:
    """Yield one line for each comparison."""
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
            "one fit": lambda: student.fit(X, y, teacher_prediction=s),
            "one fit, labels missing": lambda: student.fit(X, missing, teacher_prediction=s),
            "1,000 settings of α, λ": lambda: search(X, y, s, alphas=alphas, imitations=imitations),
            "the same, shuffled folds": lambda: search(
                X, y, s, alphas=alphas, imitations=imitations, cv=shuffled
            ),
            "1,000 settings of α, λ, ρ, labels missing": lambda: search(X, missing, s, **mixed),
        }
    )
    for name, seconds in best.items():
        yield f"{n:,} × {d}, {name}: {seconds:.3f} s, {seconds / best['one fit']:.2f} of one fit"
    for shape in ((500, 1500), (300, 3000), (1000, 1200), (200, 20_000)):
        yield from wide(rng.standard_normal(shape), rng)


def search(X: Array, y: Array, s: Array, cv: Any = 10, **grid: Any) -> None:
    """Search in 10 folds."""
    model = PrivilegedLinearRegressionCV(**grid, cv=cv).fit(X, y, teacher_prediction=s)
    assert len(model.cv_results_["params"]) == 1000


def wide(X: Array, rng: np.random.Generator) -> Iterator[str]:
    """Yield the times of fits of fewer rows than features, and those of Ridge."""
    y = X[:, :5].sum(axis=1) + rng.standard_normal(len(X))
    for alpha in (1.0, 0.0):
        student = PrivilegedLinearRegression(0, alpha=alpha)
        ridge = Ridge(alpha or 1e-10)
        ours, theirs = fastest(
            {"ours": lambda m=student: m.fit(X, y), "Ridge": lambda m=ridge: m.fit(X, y)}
        ).values()
        shape = f"{X.shape[0]:,} × {X.shape[1]:,}, α = {alpha:g}"
        yield f"{shape}: {ours:.4f} s, Ridge {theirs:.4f} s, {theirs / ours:.2f} times as fast"


def fastest(runs: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the smallest CPU time of each run over interleaved rounds."""
    rounds = [{name: cpu_seconds(run) for name, run in runs.items()} for _ in range(N_ROUNDS)]
    return {name: min(times[name] for times in rounds) for name in runs}


if __name__ == "__main__":
    for line in run_benchmark():
        print(line)
