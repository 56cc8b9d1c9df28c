"""Coverage of the report's intervals: ``python -m benchmarks.interval_coverage``.

For each design, 2,000 test sets are drawn, of models that are equally good and of models that are
not, and the intervals of all metrics are compared with the true differences, which are those of
two million rows. The metrics and intervals are those of the report itself. The script writes the
CSV file, and from it the table of the user guide; with ``--page-only`` the CSV file stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, softmax
from tqdm import tqdm

from benchmarks.record import versions, with_part, write_guide
from sklearn_distill.inspection._score import Prediction, difference
from sklearn_distill.inspection._scoring import Metric, read_scoring
from sklearn_distill.inspection._test_set import TestSet
from sklearn_distill.inspection.intervals import split_interval

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "did_it_help.md"
SIZES, N_RUNS, N_TRUTH, LEVEL = (50, 100, 300, 1000), 2000, 2_000_000, 0.95
Rows = NDArray[np.float64]


class Draw(NamedTuple):
    """A test set and the predictions of two models."""

    y: NDArray[Any]
    first: Rows
    second: Rows
    weight: Rows | None = None
    group: NDArray[np.intp] | None = None


Design = Callable[[np.random.Generator, int, bool], Draw]
NOISE = {True: (0.8, 0.8), False: (0.5, 1.2)}  # of the two models' scores, equal or not


def noisy(rng: np.random.Generator, z: Rows, equal: bool) -> Iterator[Rows]:
    """Yield the scores of two models: the true ones and noise, of which half is in common."""
    common = rng.normal(size=z.shape)
    for scale in NOISE[equal]:
        yield z + scale * np.sqrt(0.5) * (common + rng.normal(size=z.shape))


def two_classes(rng: np.random.Generator, n: int, equal: bool, shift: float = 0.0) -> Draw:
    z = 1.5 * rng.normal(size=n) + shift
    y = (rng.random(n) < expit(z)).astype(int)
    return Draw(y, *(np.column_stack([expit(-s), expit(s)]) for s in noisy(rng, z, equal)))


def three_classes(rng: np.random.Generator, n: int, equal: bool) -> Draw:
    z = 1.5 * rng.normal(size=(n, 3)) + [0.5, 0.0, -0.5]
    y = (softmax(z, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return Draw(np.minimum(y, 2), *(softmax(s, axis=1) for s in noisy(rng, z, equal)))


def in_groups(rng: np.random.Generator, n: int, equal: bool) -> Draw:
    """N groups of four rows; the noise of a group's rows is nearly the same."""
    z = np.repeat(1.5 * rng.normal(size=n), 4) + 0.3 * rng.normal(size=4 * n)
    y = (rng.random(4 * n) < expit(z)).astype(int)
    scores = (np.repeat(s, 4) + z for s in noisy(rng, np.zeros(n), equal))
    proba = (np.column_stack([expit(-s), expit(s)]) for s in scores)
    return Draw(y, *proba, group=np.repeat(np.arange(n), 4))


def with_weights(rng: np.random.Generator, n: int, equal: bool) -> Draw:
    """Weights of 1 and 5 that depend on the class, as after undersampling."""
    drawn = two_classes(rng, n, equal, shift=-1.0)
    return drawn._replace(weight=np.where(drawn.y == 1, 1.0, 5.0))


def regression(rng: np.random.Generator, n: int, equal: bool, freedom: float = np.inf) -> Draw:
    z = 1.5 * rng.normal(size=(n, 1))
    errors = rng.standard_t(freedom, size=(n, 1)) if freedom < np.inf else rng.normal(size=(n, 1))
    return Draw(z + errors, *noisy(rng, z, equal))


def f_measure(model: Any, rows: Any, y: Any) -> float:
    """Return the F measure of class 1, as any scorer whose formula the report does not know."""
    predicted = model.predict(rows)
    return float(2 * (predicted & y).sum() / (predicted.sum() + y.sum()))


DEFAULT = None
DESIGNS: dict[str, tuple[Design, Any]] = {
    "two classes": (two_classes, DEFAULT),
    "two classes, 1 of 5 positive": (partial(two_classes, shift=-2.0), DEFAULT),
    "three classes": (three_classes, DEFAULT),
    "groups of 4 rows": (in_groups, ["log_loss", "accuracy"]),
    "weighted classes": (with_weights, ["log_loss", "accuracy"]),
    "any scorer": (two_classes, {"f_measure": f_measure}),
    "regression, normal errors": (regression, DEFAULT),
    "regression, errors of t5": (partial(regression, freedom=5), DEFAULT),
}


def test_set(draw: Draw) -> TestSet:
    n = len(draw.y)
    rows = np.arange(n)
    classes = list(range(draw.first.shape[1])) if draw.y.ndim == 1 else None
    s = np.ones(n) if draw.weight is None else draw.weight
    return TestSet(rows, draw.y, s, rows if draw.group is None else draw.group, n, classes)


def prediction(values: Rows) -> Prediction:
    return Prediction(values, values, np.zeros(len(values), dtype=bool))


def true_differences(draw: Draw, metrics: list[Metric]) -> dict[str, float]:
    test = test_set(draw)
    first, second = (prediction(p) for p in (draw.first, draw.second))
    return {m.name: m.score(second, test).value - m.score(first, test).value for m in metrics}


def compare(draw: Draw, metrics: list[Metric]) -> Iterator[tuple[str, float, float]]:
    test = test_set(draw)
    first, second = (prediction(p) for p in (draw.first, draw.second))
    for metric in metrics:
        d = difference(metric.score(first, test), metric.score(second, test), test, LEVEL)
        yield metric.name, d.low, d.high


def coverage(intervals: pd.DataFrame, truth: dict[str, float]) -> pd.DataFrame:
    """Return by metric the share of intervals that contain the truth, lie above it, or below."""
    intervals = intervals.dropna()  # a test set of one class has no area under the curve
    true = intervals["metric"].map(truth)
    above, below = intervals["low"] > true, intervals["high"] < true
    sides = pd.DataFrame({"metric": intervals["metric"], "above": above, "below": below})
    sides["coverage"] = 1.0 - above - below
    sides["width"] = intervals["high"] - intervals["low"]
    return sides.groupby("metric", sort=False).mean().reset_index()


def cases(n_runs: int, sizes: tuple[int, ...]) -> Iterator[pd.DataFrame]:
    """Yield the coverage of each design, size, and pair of models."""
    for name, (design, scoring) in tqdm(DESIGNS.items(), unit="design"):
        metrics = read_scoring(scoring, not name.startswith("regression"), 15)
        for equal in (True, False):
            rng = np.random.default_rng(0)
            truth = dict.fromkeys((metric.name for metric in metrics), 0.0)
            if not equal:
                truth = true_differences(
                    design(rng, N_TRUTH // (4 if "4" in name else 1), equal), metrics
                )
            for n in sizes:
                drawn = [
                    row for _ in range(n_runs) for row in compare(design(rng, n, equal), metrics)
                ]
                frame = pd.DataFrame(drawn, columns=["metric", "low", "high"])
                pair = "equally good" if equal else "different"
                yield coverage(frame, truth).assign(design=name, models=pair, n=n)


def ridge(X: Rows, y: Rows) -> Rows:
    """Return the coefficients of ridge regressions, one for each leading index."""
    gram = np.swapaxes(X, -1, -2) @ X + np.eye(X.shape[-1])
    return np.linalg.solve(gram, np.swapaxes(X, -1, -2) @ y[..., None])[..., 0]


def splits(n_runs: int, equal: bool, n: int = 200, n_splits: int = 10) -> pd.DataFrame:
    """Return the coverage of ``split_interval``: two ridge regressions of five features each.

    The true difference is that of the expected mean squared errors over training sets.
    """
    rng, n_test, k = np.random.default_rng(0), n // 5, 5
    beta = np.concatenate([np.full(k, 0.3), np.full(k, 0.3 if equal else 0.2)])

    def fit(X: Rows, y: Rows) -> list[Rows]:
        return [ridge(X[..., :k], y), ridge(X[..., k:], y)]

    def risks(b: list[Rows]) -> Rows:
        """Return the exact difference of the errors: the features are standard normal."""
        gaps = [((one - beta[part]) ** 2).sum(-1) for one, part in zip(b, PARTS, strict=True)]
        others = [(beta[k:] ** 2).sum(), (beta[:k] ** 2).sum()]
        return gaps[1] + others[1] - gaps[0] - others[0]

    PARTS = (slice(0, k), slice(k, 2 * k))
    X = rng.normal(size=(N_TRUTH // 100, n - n_test, 2 * k))
    true = 0.0 if equal else float(risks(fit(X, X @ beta + rng.normal(size=X.shape[:2]))).mean())
    rows = []
    for _ in range(n_runs):
        X = rng.normal(size=(n, 2 * k))
        y = X @ beta + rng.normal(size=n)
        order = np.array([rng.permutation(n) for _ in range(n_splits)])
        train, test = order[:, n_test:], order[:, :n_test]
        b = fit(X[train], y[train])
        errors = [
            ((y[test] - (X[test][..., part] @ one[..., None])[..., 0]) ** 2).mean(axis=1)
            for one, part in zip(b, PARTS, strict=True)
        ]
        rows.append(
            (
                "mean_squared_error",
                *split_interval(errors[1] - errors[0], n_train=n - n_test, n_test=n_test),
            )
        )
    frame = pd.DataFrame(rows, columns=["metric", "low", "high"])
    pair = "equally good" if equal else "different"
    name = f"{n_splits} splits, refitted"
    return coverage(frame, {"mean_squared_error": true}).assign(design=name, models=pair, n=n)


def run_benchmark(n_runs: int = N_RUNS, sizes: tuple[int, ...] = SIZES) -> pd.DataFrame:
    """Return the rows of the CSV file."""
    tables = [*cases(n_runs, sizes), *(splits(n_runs, equal) for equal in (True, False))]
    frame = pd.concat(tables, ignore_index=True).assign(runs=n_runs, versions=versions())
    first = ["design", "models", "n", "metric"]
    return frame[first + [column for column in frame if column not in first]]


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table of these results."""
    return with_part(page, "benchmarks/interval_coverage.py", "\n".join(_table(results)))


def _table(results: pd.DataFrame) -> Iterator[str]:
    sizes = sorted(results["n"].unique())
    yield f"| design | metric | {' | '.join(f'n = {n}' for n in sizes)} |"
    yield f"|---|---|{'---|' * len(sizes)}"
    for (design, metric), rows in results.groupby(["design", "metric"], sort=False):
        cells = (
            " / ".join(f"{100 * c:.1f}" for c in rows[rows["n"] == n]["coverage"]) for n in sizes
        )
        name = metric.replace("_", " ")
        yield f"| {design} | {name} | {' | '.join(cell or '–' for cell in cells)} |"
    yield ""
    runs = results["runs"].iloc[0]
    yield (
        f"Coverage in percent of 95 % intervals in {runs:,} simulated test sets, of equally good / "
        "of different models; the simulation's standard error is 0.5. In the last row n is the "
        f"number of all rows of the splits. Computed with {results['versions'].iloc[0]}."
    )


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_results)
