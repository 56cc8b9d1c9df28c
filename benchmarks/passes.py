"""What a pass over the data costs, and how many a fit takes: ``python -m benchmarks.passes``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.logistic import bare_products, correlated
from benchmarks.measure import cpu_seconds
from benchmarks.record import versions
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.losses import as_design
from sklearn_distill.students import distilled_logistic
from sklearn_distill.students._lesson import Lesson, Setting, pose

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS = 9
SIZES = {"100,000 × 100, K = 5": (100_000, 100, 5), "20,000 × 784, K = 10": (20_000, 784, 10)}
PRODUCTS_TARGET, PASSES_TARGET = 1.2, 8
FITTED = "100,000 × 100, K = 5"


def measured() -> pd.DataFrame:
    """Return CPU seconds of a pass and of its bare products by size, and a fit's passes."""
    rows = []
    for name, size in SIZES.items():
        X, y, S = correlated(*size)
        student = DistilledLogisticRegression(temperature=2.0)
        lesson = Lesson.read(student, len(X), y, None, S, None)
        objective = pose(lesson, as_design(X, True), Setting.of(student)).objective
        w = np.random.default_rng(0).normal(size=objective.zeros().shape)
        bare = bare_products((X, y, S))
        objective.value_and_gradient(w)  # makes the linear form
        for round_ in range(N_ROUNDS):
            ratio = cpu_seconds(lambda w=w, o=objective: o.value_and_gradient(w)) / cpu_seconds(
                bare
            )
            rows.append((name, "pass / bare products", round_, ratio))
    rows.append((FITTED, "passes of a fit", 0, passes_of_a_fit(correlated(*SIZES[FITTED]))))
    columns = ["data", "what", "round", "value"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def passes_of_a_fit(data: tuple[Any, Any, Any]) -> float:
    """Return how often a fit to 1e-6 multiplied all of X, in passes of two products each."""
    X, y, S = data
    counted = Counted()
    with counted:
        DistilledLogisticRegression(temperature=2.0, tol=1e-6).fit(X, y, teacher_proba=S)
    return counted.rows / (2 * len(X))


class Counted:
    """Counts the rows that take part in products with X, of a design that is made meanwhile."""

    def __enter__(self) -> Counted:
        self.rows = 0
        self._made = distilled_logistic.as_design
        distilled_logistic.as_design = self._counting  # type: ignore[assignment]
        return self

    def __exit__(self, *_: Any) -> None:
        distilled_logistic.as_design = self._made

    def _counting(self, X: Any, fit_intercept: bool) -> Any:
        design = self._made(X, fit_intercept)
        for name in ("scores", "pull_back"):
            setattr(design, name, self._counted(getattr(design, name)))
        return design

    def _counted(self, product: Callable[..., Any]) -> Callable[..., Any]:
        def counting(matrix: Any, rows: slice) -> Any:
            self.rows += rows.stop - rows.start
            return product(matrix, rows)

        return counting


def section(results: pd.DataFrame) -> str:
    """Return the part of the page of benchmarks."""
    return "\n".join([*_lines(results), ""])


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## What a pass costs\n"
    yield (
        "`python -m benchmarks.passes`: value and gradient of the objective (T = 2), in multiples "
        f"of the two bare products with X (median of {N_ROUNDS} rounds, min … max, CPU time, one "
        "thread), and the passes over all rows that a fit to 1e-6 takes: products with X, two to "
        f"a pass. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| data | | ours | target | |"
    yield "|---|---|---|---|---|"
    for (data, what), values in results.groupby(["data", "what"], sort=False)["value"]:
        target = PRODUCTS_TARGET if "bare" in str(what) else PASSES_TARGET
        spread = f" ({values.min():.2f} … {values.max():.2f})" if len(values) > 1 else ""
        verdict = "met" if values.median() <= target else "**missed**"
        yield f"| {data} | {what} | **{values.median():.2f}**{spread} | ≤ {target:g} | {verdict} |"


def main() -> None:
    measured().to_csv(CSV, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
