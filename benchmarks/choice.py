"""What ``solver="auto"`` chooses against all minimisers: ``python -m benchmarks.choice``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import sparse

from benchmarks.logistic import Data, make_correlated, make_text, make_wide
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions, write_rounds
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.losses import SoftTargetObjective, as_design
from sklearn_distill.solvers import (
    Solution,
    coarse_to_fine,
    lbfgs_with_late_factor,
    minimise_in_row_space,
    newton_cholesky,
    newton_on_used_columns,
    scaled_newton,
)
from sklearn_distill.students._logistic import DISTANCE_TOL, select_minimiser
from sklearn_distill.students._problem import LossParams, TrainingTargets, make_problem

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS = 3
TOL = 1e-4
TOLERATED = 1.5
# a slower one is not measured: operations of all Hessians of Newton's method, entries of a Gram
MAX_HESSIAN_FLOPS = 3e8
# and entries of a dense X of Newton's method with conjugate gradients
MAX_NEWTON_CG_ENTRIES = 3e6
NAMES = {
    newton_cholesky: "newton-cholesky",
    coarse_to_fine: "lbfgs, factor first",
    lbfgs_with_late_factor: "lbfgs, factor late",
    minimise_in_row_space: "row-space",
    scaled_newton: "newton-cg",
    newton_on_used_columns: "newton-cg, used columns",
}
DENSE = (
    (100, 5, 2, 0.5),
    (300, 10, 2, 0.5),
    (1_000, 10, 3, 0.9),
    (1_000, 30, 2, 0.5),
    (3_000, 30, 2, 0.9),
    (300, 100, 2, 0.5),
    (1_000, 100, 3, 0.5),
    (300, 30, 10, 0.5),
    (3_000, 20, 10, 0.9),
    (10_000, 20, 2, 0.9),
    (10_000, 100, 2, 0.5),
    (10_000, 100, 5, 0.9),
    (20_000, 300, 2, 0.5),
    (20_000, 300, 2, 0.9),
    (20_000, 300, 5, 0.9),
    (3_000, 300, 2, 0.5),
    (3_000, 300, 2, 0.9),
    (3_000, 300, 10, 0.9),
    (6_000, 800, 2, 0.5),
    (6_000, 800, 2, 0.9),
    (6_000, 800, 5, 0.9),
    (8_000, 784, 10, 0.9),
    (6_000, 1_500, 2, 0.5),
    (6_000, 1_500, 2, 0.9),
    (3_000, 1_500, 5, 0.5),
    (2_000, 1_500, 2, 0.9),
    (1_000, 800, 2, 0.5),
    (1_000, 800, 5, 0.9),
    (100_000, 20, 2, 0.9),
    (100_000, 50, 5, 0.9),
)
WIDE = (
    (300, 400, 2),
    (1_000, 1_300, 2),
    (100, 200, 2),
    (100, 1_000, 3),
    (500, 2_000, 2),
    (500, 5_000, 5),
    (2_000, 5_000, 2),
)
SPARSE = ((300, 40), (2_000, 200), (5_000, 2_000), (20_000, 20_000))
Minimiser = Callable[..., Solution]


def problems() -> Iterator[tuple[str, Data]]:
    """Yield the shapes and their data."""
    for n, d, K, rho in DENSE:
        yield f"{n:,} × {d:,}, K = {K}, ρ = {rho:g}", make_correlated(n, d, K, rho)
    for n, d, K in WIDE:
        yield f"{n:,} × {d:,}, K = {K}, factors", make_wide(n, d, K)
    for n, d in SPARSE:
        yield f"{n:,} × {d:,}, K = 2, sparse", make_text(n, d, words=20)


def run_benchmark(n_rounds: int = N_ROUNDS) -> pd.DataFrame:
    """Return the CPU time of each minimiser on each shape, in each round."""
    rows = []
    for shape, data in problems():
        make = maker(data)
        objective, dense = make(), not sparse.issparse(data[0])
        chosen = select_minimiser("auto", objective, dense=dense)
        minimisers = [one for one in NAMES if one is chosen or is_measured(one, objective, dense)]
        for round_ in range(n_rounds):
            for minimise in minimisers:
                seconds = cpu_seconds(lambda one=minimise, make=make: solve(one, make()))
                rows.append((shape, NAMES[minimise], minimise is chosen, round_, seconds))
    columns = ["shape", "minimiser", "chosen", "round", "seconds"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def maker(data: Data, C: float = 1.0) -> Callable[[], SoftTargetObjective]:
    """Return a function that makes a new objective, without what an earlier fit computed."""
    X, y, S = data
    student = DistilledLogisticRegression(0.5, 2.0, C=C)
    targets = TrainingTargets.read(student, X.shape[0], y, None, S, None)
    params = LossParams.of(student)
    return lambda: make_problem(targets, as_design(X, True), params).objective


def is_measured(minimise: Any, objective: SoftTargetObjective, dense: bool) -> bool:
    """Return whether a minimiser applies to these data, and may not take minutes."""
    n, (K, d) = objective.n_rows, objective.shape
    if minimise is newton_cholesky:
        return n * d**2 * max(1, K * (K - 1) // 2) * 2 + (K * d) ** 3 / 3 < MAX_HESSIAN_FLOPS
    if minimise is minimise_in_row_space:
        return dense and n < 2 * d
    if minimise is coarse_to_fine:
        return d <= 2_000
    if minimise is newton_on_used_columns:
        return objective.used_columns is not None
    if minimise is scaled_newton:
        return not dense or n * d <= MAX_NEWTON_CG_ENTRIES
    return dense or minimise is not lbfgs_with_late_factor


def solve(minimise: Minimiser, objective: SoftTargetObjective) -> Solution:
    """Minimise as a fit at the default tol does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return minimise(
            objective,
            objective.zeros(),
            tol=TOL,
            distance_tol=DISTANCE_TOL * TOL,
            precision=objective.precision,
            max_iter=1_000,
        )


def slowdowns(results: pd.DataFrame) -> pd.DataFrame:
    """Return for each shape the chosen and the best minimiser, and the ratio of their times."""
    median = results.groupby(["shape", "minimiser"], sort=False)["seconds"].median()
    chosen = results[results["chosen"]].drop_duplicates("shape").set_index("shape")["minimiser"]
    rows = []
    for shape, times in median.groupby(level=0, sort=False):
        seconds = times.droplevel(0)
        own, best = chosen[shape], seconds.idxmin()
        rows.append((shape, own, 1e3 * seconds[own], best, 1e3 * seconds[best]))
    columns = ["shape", "chosen", "chosen_ms", "best", "best_ms"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(slowdown=table["chosen_ms"] / table["best_ms"])


def marked(slowdown: float) -> str:
    """Return a ratio, in bold where it is more than is tolerated."""
    return f"{slowdown:.2f}" if slowdown <= TOLERATED else f"**{slowdown:.2f}**"


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    table, n_rounds = slowdowns(results), results["round"].nunique()
    yield "## The choice of a solver\n"
    yield (
        '`python -m benchmarks.choice`: what `solver="auto"` chooses, and the fastest of all '
        "minimisers that take less than minutes (T = 2, λ = ½, tol = "
        f"{TOL:g}, CPU time with one thread, median of {n_rounds} round(s)). No choice should take "
        f"more than {TOLERATED:g} times as long as the best; the largest ratio is "
        f"{table['slowdown'].max():.2f}. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| data | chosen | ms | best | ms | ratio |"
    yield "|---|---|---|---|---|---|"
    for _, row in table.iterrows():
        yield (
            f"| {row['shape']} | {row['chosen']} | {row['chosen_ms']:.3g} | {row['best']} | "
            f"{row['best_ms']:.3g} | {marked(row['slowdown'])} |"
        )


if __name__ == "__main__":
    write_rounds(__doc__, CSV, run_benchmark, N_ROUNDS)
