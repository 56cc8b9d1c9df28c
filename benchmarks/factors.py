"""The chosen factor of the Hessian against each kind: ``python -m benchmarks.factors``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from benchmarks import when_it_pays_cells as tables
from benchmarks.choice import TOL, maker, marked, solve
from benchmarks.logistic import Data, load_fashion, make_correlated, with_ridge_teacher
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions, write_rounds
from benchmarks.search_for_c import make_clusters
from sklearn_distill.datasets import fetch_covertype_sample
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.solvers import _factor_choice, coarse_to_fine

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS = 3
CS = (1.0, 100.0)
KINDS = {
    "joint Hessian": _factor_choice.full_factor,
    "a block per class": _factor_choice.block_factor,
    "moments of the classes": _factor_choice.moments_factor,
}
CHOSEN = "chosen"
GAUSSIAN = (
    (3_000, 20, 5, 0.9),
    (3_000, 100, 3, 0.5),
    (10_000, 50, 3, 0.9),
    (10_000, 100, 5, 0.9),
    (10_000, 100, 10, 0.9),
    (30_000, 30, 10, 0.5),
    (50_000, 50, 20, 0.9),
    (8_000, 200, 20, 0.9),
    (3_000, 300, 5, 0.9),
    (20_000, 300, 4, 0.5),
    (6_000, 600, 3, 0.9),
)
CLUSTERS = ((1_500, 32, 30), (6_000, 64, 100), (20_000, 128, 50), (10_000, 300, 20))


def standardised(X: Any, y: NDArray[Any]) -> Data:
    classes = np.unique(y, return_inverse=True)[1]
    return with_ridge_teacher(StandardScaler().fit_transform(np.asarray(X, dtype=float)), classes)


def of_table(make: Callable[[], Any], n_rows: int | None = None) -> Data:
    table = make()
    return standardised(table.X[:n_rows], table.y[:n_rows])


def fashion(n_rows: int) -> Data:
    X, y, S = load_fashion()
    return X[:n_rows], y[:n_rows], S[:n_rows]


def rare_columns(share: float) -> Data:
    """Add 20 binary columns that are 1 in few rows."""
    X, y, S = make_correlated(50_000, 30, 3)
    rare = np.random.default_rng(0).random((len(X), 20)) < share
    return np.hstack([X, rare]), y, S


DATA: dict[str, Callable[[], Data]] = {
    "digits": lambda: standardised(*load_digits(return_X_y=True)),
    "covertype": lambda: standardised(*fetch_covertype_sample(return_X_y=True)),
    "adult": lambda: of_table(tables.adult),
    "tweets, 300 words": lambda: of_table(tables.sentiment140),
    "MNIST 20,000 × 49": lambda: of_table(tables.mnist, 20_000),
    "Fashion-MNIST 20,000 × 49": lambda: of_table(tables.fashion_mnist, 20_000),
    "Fashion-MNIST 4,000 × 784, float32": lambda: fashion(4_000),
    "Fashion-MNIST 16,000 × 784, float32": lambda: fashion(16_000),
    "50,000 × 50, K = 3, 20 columns in 1 of 1,000 rows": lambda: rare_columns(1e-3),
    "50,000 × 50, K = 3, 20 columns in 1 of 10,000 rows": lambda: rare_columns(1e-4),
    **{
        f"{n:,} × {d}, K = {K}, clusters": lambda n=n, d=d, K=K: with_ridge_teacher(
            *make_clusters(n, d, K)
        )
        for n, d, K in CLUSTERS
    },
    **{
        f"{n:,} × {d}, K = {K}, ρ = {rho:g}": partial(make_correlated, n, d, K, rho)
        for n, d, K, rho in GAUSSIAN
    },
}


def run_benchmark(n_rounds: int = N_ROUNDS, wanted: str = "") -> pd.DataFrame:
    """Return CPU seconds and steps over all rows by data, C and kind of factor, in each round."""
    rows = []
    for name, load in DATA.items():
        if wanted not in name:
            continue
        data = load()
        for C in CS:
            make = maker(data, C)
            kinds = [kind for kind in KINDS if is_measured(kind, *make().shape)]
            for round_ in range(n_rounds):
                for kind in (CHOSEN, *kinds):
                    seconds, n_iter = measure(make, KINDS.get(kind))
                    rows.append((name, C, kind, round_, seconds, n_iter))
    columns = ["data", "C", "factor", "round", "seconds", "n_iter"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def is_measured(kind: str, n_scores: int, n_columns: int) -> bool:
    """Return whether there is such a factor, and it is another one than the others."""
    if kind == "joint Hessian":
        return n_scores * n_columns <= _factor_choice.FULL_HESSIAN_WEIGHTS
    return n_scores > 1


def measure(
    make: Callable[[], SoftTargetObjective], kind: _factor_choice.Make | None
) -> tuple[float, int]:
    """Return the CPU time and the steps of a minimisation, with one kind of factor or any."""
    solutions = []
    all_choices = _factor_choice.choices_of_rows

    def of_kind(*args: Any, **kwargs: Any) -> Any:
        return (choice for choice in all_choices(*args, **kwargs) if kind in (None, choice.make))

    with patch.object(_factor_choice, "choices_of_rows", of_kind):
        seconds = cpu_seconds(lambda: solutions.append(solve(coarse_to_fine, make())))
    return seconds, solutions[0].n_iter


def slowdowns(results: pd.DataFrame) -> pd.DataFrame:
    """Return for each problem the times of all, and the chosen one's over that of the best."""
    median = results.groupby(["data", "C", "factor"], sort=False)["seconds"].median()
    table = 1e3 * median.unstack()[[CHOSEN, *KINDS]]
    order = results[["data", "C"]].drop_duplicates()
    table = table.reindex(pd.MultiIndex.from_frame(order))
    return table.assign(slowdown=table[CHOSEN] / table.min(axis=1))


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    table = slowdowns(results)
    yield "## The choice of a factor\n"
    yield (
        "`python -m benchmarks.factors`: where L-BFGS is preconditioned (`lbfgs, factor first` "
        "above), a model of costs chooses the kind of the Hessian's factor, and the number of rows "
        "of which it is made. The times of a minimisation with it, and with each kind, made of as "
        "many rows as the model chooses for that kind (ms of CPU with one thread, tol = "
        f"{TOL:g}, median of {results['round'].nunique()} rounds). The largest ratio to the best "
        f"is {table['slowdown'].max():.2f}. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| data | C | chosen | " + " | ".join(KINDS) + " | ratio |"
    yield "|---" * (len(KINDS) + 4) + "|"
    for key, row in table.iterrows():
        data, C = key if isinstance(key, tuple) else (key, 1.0)
        times = " | ".join(
            "–" if np.isnan(row[kind]) else f"{row[kind]:.3g}" for kind in (CHOSEN, *KINDS)
        )
        yield f"| {data} | {C:g} | {times} | {marked(row['slowdown'])} |"


if __name__ == "__main__":
    write_rounds(__doc__, CSV, run_benchmark, N_ROUNDS)
