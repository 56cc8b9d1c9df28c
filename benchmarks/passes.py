"""Cost of a pass over the data, and passes of a fit: ``python -m benchmarks.passes``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.logistic import bare_products, make_correlated
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.losses import as_design
from sklearn_distill.students import distilled_logistic
from sklearn_distill.students._problem import LossParams, TrainingTargets, make_problem

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS = 9
SIZES = {"100,000 × 100, K = 5": (100_000, 100, 5), "20,000 × 784, K = 10": (20_000, 784, 10)}
PRODUCTS_TARGET, PASSES_TARGET = 1.2, 8
FITTED = "100,000 × 100, K = 5"


def run_benchmark() -> pd.DataFrame:
    """Return the cost of a pass relative to its bare products, and the passes of a fit."""
    rows = []
    for name, size in SIZES.items():
        X, y, S = make_correlated(*size)
        student = DistilledLogisticRegression(temperature=2.0)
        targets = TrainingTargets.read(student, len(X), y, None, S, None)
        objective = make_problem(targets, as_design(X, True), LossParams.of(student)).objective
        w = np.random.default_rng(0).normal(size=objective.zeros().shape)
        bare = bare_products((X, y, S))
        objective.value_and_gradient(w)  # makes the linear form
        for round_ in range(N_ROUNDS):
            ratio = cpu_seconds(lambda w=w, o=objective: o.value_and_gradient(w)) / cpu_seconds(
                bare
            )
            rows.append((name, "pass / bare products", round_, ratio))
    rows.append((FITTED, "passes of a fit", 0, count_passes(make_correlated(*SIZES[FITTED]))))
    columns = ["data", "what", "round", "value"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def count_passes(data: tuple[Any, Any, Any]) -> float:
    """Return the number of passes of a fit to 1e-6, with two products with X a pass."""
    X, y, S = data
    counter = RowCounter()
    with counter:
        DistilledLogisticRegression(temperature=2.0, tol=1e-6).fit(X, y, teacher_proba=S)
    return counter.rows / (2 * len(X))


class RowCounter:
    """Count the rows of X in the products of all designs made in its context."""

    def __enter__(self) -> RowCounter:
        self.rows = 0
        self._as_design = distilled_logistic.as_design
        distilled_logistic.as_design = self._counting  # type: ignore[assignment]
        return self

    def __exit__(self, *_: Any) -> None:
        distilled_logistic.as_design = self._as_design

    def _counting(self, X: Any, fit_intercept: bool) -> Any:
        design = self._as_design(X, fit_intercept)
        for name in ("scores", "pull_back"):
            setattr(design, name, self._counted(getattr(design, name)))
        return design

    def _counted(self, product: Callable[..., Any]) -> Callable[..., Any]:
        def counting(matrix: Any, rows: slice) -> Any:
            self.rows += rows.stop - rows.start
            return product(matrix, rows)

        return counting


def section(results: pd.DataFrame) -> str:
    """Return the section of the page of benchmarks."""
    return "\n".join([*_lines(results), ""])


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## Cost of a pass over the data\n"
    yield (
        "`python -m benchmarks.passes`: the time of the value and gradient of the objective "
        "(T = 2), as a multiple of that of the two bare products with X (median, min … max of "
        f"{N_ROUNDS} rounds, CPU time with one thread), and the number of passes over all rows in "
        "a fit to 1e-6, where two products with X are a pass. "
        f"Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| data | | ours | target | |"
    yield "|---|---|---|---|---|"
    for (data, what), values in results.groupby(["data", "what"], sort=False)["value"]:
        target = PRODUCTS_TARGET if "bare" in str(what) else PASSES_TARGET
        spread = f" ({values.min():.2f} … {values.max():.2f})" if len(values) > 1 else ""
        verdict = "met" if values.median() <= target else "**missed**"
        yield f"| {data} | {what} | **{values.median():.2f}**{spread} | ≤ {target:g} | {verdict} |"


def main() -> None:
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
