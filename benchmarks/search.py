"""What a search of λ, T and C costs: ``python -m benchmarks.search``.

The unit is a cold fit: one fit of DistilledLogisticRegression, from zeros, to the training rows of
a fold, at λ = ½, T = 2, C = 1 and the search's own ``tol``.

Cold grids are too long to run: a sample of their points is fitted, and its mean time multiplied.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from benchmarks.logistic import correlated
from benchmarks.measure import cpu_seconds
from benchmarks.peers import scipy_lbfgs
from benchmarks.record import versions
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import fetch_fashion_mnist
from sklearn_distill.search import DistilledLogisticRegressionCV

CSV = Path(__file__).with_suffix(".csv")
Array = NDArray[Any]
Data = tuple[Array, Array, Array]
N_ROUNDS, N_SPLITS, N_VALUES, TOL = 3, 5, 10, 1e-5
TEMPERATURES = np.geomspace(0.1, 10, N_VALUES)
IMITATIONS = np.linspace(0, 1, N_VALUES)
# every third λ and T of the grid stands for its neighbours
SAMPLED = range(1, N_VALUES, 3)
WHOLE = N_SPLITS * N_VALUES**2 / len(SAMPLED) ** 2
NAMES = {"λ, T": ("imitation", "temperature"), "λ, T, C": ("imitation", "temperature", "C")}
TARGETS = {"λ, T": 40, "λ, T, C": 90}
GRIDS = {"grid of ours": 12, "grid of scipy's L-BFGS": 50}
# above the best of a dense grid
LOSS_TARGET = 1e-4


def datasets() -> dict[str, Callable[[], Data]]:
    """Return how to get the data sets."""
    return {
        "digits": digits,
        "20,000 × 50, K = 5": lambda: correlated(20_000, 50, 5),
        "Fashion-MNIST 8,000 × 784": lambda: fashion(8_000),
    }


def measured(n_rounds: int = N_ROUNDS) -> pd.DataFrame:
    """Return CPU seconds and losses, by data set, what was done, and round."""
    rows = []
    for name, load in tqdm(datasets().items(), unit="data set"):
        data = load()
        for round_ in range(n_rounds):
            rows += [(name, what, round_, *found) for what, found in one_round(data)]
        rows += [(name, what, 0, *found) for what, found in grids(data)]
    columns = ["data", "what", "round", "seconds", "loss"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def one_round(data: Data) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the cost of a cold fit, and those of the searches with what they found."""
    fold = first_fold(data)
    yield "cold fit", (cpu_seconds(lambda: ours_at(fold, 0.5, 2.0)), np.nan)
    for what, names in NAMES.items():
        search = DistilledLogisticRegressionCV(names, tol=TOL)
        yield what, fitted(search, data)


def grids(data: Data) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the costs of grids over λ and T, and the best that one finds."""
    fold = first_fold(data)
    for what, fit in zip(GRIDS, (ours_at, scipy_at), strict=True):
        yield what, (WHOLE * cpu_seconds(lambda fit=fit: over_sample(fold, fit)), np.nan)
    search = DistilledLogisticRegressionCV(NAMES["λ, T"], method="grid", grid=N_VALUES, tol=TOL)
    yield "warm grid", fitted(search, data)


def first_fold(data: Data) -> Data:
    """Return the training rows of the first fold."""
    X, y, S = data
    train = next(StratifiedKFold(N_SPLITS).split(X, y))[0]
    return X[train], y[train], S[train]


def fitted(search: DistilledLogisticRegressionCV, data: Data) -> tuple[float, float]:
    """Return the CPU seconds of a search and the loss that it found."""
    X, y, S = data
    took = cpu_seconds(lambda: search.fit(X, y, teacher_proba=S))
    return took, -search.best_score_


def over_sample(fold: Data, fit: Callable[[Data, float, float], object]) -> None:
    """Fit at the sampled points of the grid, each from zeros."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # some corners of the grid are stiff
        for i in SAMPLED:
            for j in SAMPLED:
                fit(fold, float(IMITATIONS[i]), float(TEMPERATURES[j]))


def ours_at(fold: Data, imitation: float, temperature: float) -> object:
    """Return our fit at C = 1."""
    X, y, S = fold
    return DistilledLogisticRegression(imitation, temperature, tol=TOL).fit(X, y, teacher_proba=S)


def scipy_at(fold: Data, imitation: float, temperature: float) -> object:
    """Return what scipy's L-BFGS finds at C = 1."""
    X, y, S = fold
    return scipy_lbfgs(X, y, S, temperature=temperature, imitation=imitation, tol=TOL)


def digits() -> Data:
    """Return the 8 × 8 digits with an out-of-fold teacher."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y, out_of_fold_teacher(X / 16, y)


def fashion(n: int) -> Data:
    """Return the first rows of Fashion-MNIST with an out-of-fold teacher."""
    X, y = fetch_fashion_mnist(return_X_y=True)
    return X[:n], y[:n], out_of_fold_teacher(X[:n], y[:n])


def out_of_fold_teacher(X: Array, y: Array, width: int = 512) -> Array:
    """Return answers of a ridge regression on random features that never saw the row."""
    K = int(y.max()) + 1
    projection = np.random.default_rng(0).normal(size=(X.shape[1], width)).astype(X.dtype)
    H = np.maximum(X @ projection / np.sqrt(X.shape[1]), 0)
    logits = np.empty((len(y), K))
    for train, test in StratifiedKFold(N_SPLITS).split(X, y):
        A = H[train].T @ H[train] + 1e-2 * np.mean(H**2) * len(train) * np.eye(width)
        logits[test] = 10 * H[test] @ np.linalg.solve(A, H[train].T @ np.eye(K)[y[train]])
    return softmax(logits, axis=1)


def section(results: pd.DataFrame) -> str:
    """Return the part of the page of benchmarks."""
    return "\n".join([*_lines(results), ""])


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## What a search of λ, T and C costs\n"
    yield (
        "`python -m benchmarks.search`: `DistilledLogisticRegressionCV` with 5 folds, in multiples "
        "of one fit from zeros to the training rows of a fold at λ = ½, T = 2, C = 1 in the same "
        f"round (median, min … max of {results['round'].max() + 1} rounds, CPU time with one "
        f"thread). The loss is that above the best of a warm {N_VALUES} × {N_VALUES} grid over λ "
        "and T; below 0 the search found better, and with C it has one more to choose. Measured "
        f"with {results['versions'].iloc[0]}.\n"
    )
    yield "| data | over | cold fits | target | loss above the grid's | target |"
    yield "|---|---|---|---|---|---|"
    for name in results["data"].unique():
        for what, target in TARGETS.items():
            ratio, loss = costs(results, name, what), excess(results, name, what)
            yield (
                f"| {name} | {what} | **{np.median(ratio):.0f}** ({ratio.min():.0f} … "
                f"{ratio.max():.0f}) | {verdict('≤', np.median(ratio), target)} | {loss:+.1e} | "
                f"{verdict('≤', loss, LOSS_TARGET)} |"
            )
    yield ""
    yield (
        f"What a {N_VALUES} × {N_VALUES} grid over λ and T with 5 folds costs in its place, as a "
        "multiple of the search (cold grids are extrapolated from 9 of their settings):\n"
    )
    yield "| data | warm grid | " + " | ".join(f"{grid} | target" for grid in GRIDS) + " |"
    yield "|---" * (2 + 2 * len(GRIDS)) + "|"
    for name in results["data"].unique():
        cells = [f"{slower(results, name, 'warm grid'):.1f}"]
        for grid, target in GRIDS.items():
            times = slower(results, name, grid)
            cells += [f"**{times:.0f}**", verdict("≥", times, target)]
        yield f"| {name} | " + " | ".join(cells) + " |"


def verdict(sign: str, value: float, target: float) -> str:
    """Return the target and whether it is met."""
    met = value <= target if sign == "≤" else value >= target
    return f"{sign} {target:g}: {'met' if met else '**missed**'}"


def costs(results: pd.DataFrame, data: str, what: str) -> NDArray[np.float64]:
    """Return the cost in cold fits, by round."""
    table = results[results["data"] == data].pivot(index="round", columns="what", values="seconds")
    return (table[what] / table["cold fit"]).to_numpy()


def excess(results: pd.DataFrame, data: str, what: str) -> float:
    """Return the loss found above that of the grid."""
    losses = results[results["data"] == data].groupby("what")["loss"].first()
    return float(losses[what] - losses["warm grid"])


def slower(results: pd.DataFrame, data: str, grid: str) -> float:
    """Return the cost of a grid over that of the search for λ and T."""
    times = results[results["data"] == data].groupby("what")["seconds"].median()
    return float(times[grid] / times["λ, T"])


def main() -> None:
    """Measure and write the file of results."""
    measured().to_csv(CSV, index=False, float_format="%.8g")


if __name__ == "__main__":
    main()
