"""Cost of a search for λ, T and C: ``python -m benchmarks.search``.

The unit is a cold fit: a fit of DistilledLogisticRegression to the training rows of a fold, started
from zeros, at λ = ½, T = 2, C = 1 and the ``tol`` of the search.

A whole cold grid takes too long: a sample of its points is fitted, and the mean time multiplied.
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

from benchmarks.logistic import make_correlated
from benchmarks.measure import cpu_seconds
from benchmarks.peers import scipy_lbfgs
from benchmarks.record import versions
from benchmarks.rows import Bound, Row, Target
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import fetch_fashion_mnist
from sklearn_distill.search import DistilledLogisticRegressionCV

CSV = Path(__file__).with_suffix(".csv")
Array = NDArray[Any]
Data = tuple[Array, Array, Array]
N_ROUNDS, N_SPLITS, N_VALUES, TOL = 3, 5, 10, 1e-5
TEMPERATURES = np.geomspace(0.1, 10, N_VALUES)
IMITATIONS = np.linspace(0, 1, N_VALUES)
# every third λ and T of the grid represents its neighbours
SAMPLED = range(1, N_VALUES, 3)
WHOLE = N_SPLITS * N_VALUES**2 / len(SAMPLED) ** 2
NAMES = {"λ, T": ("imitation", "temperature"), "λ, T, C": ("imitation", "temperature", "C")}
TARGETS = {"λ, T": 40, "λ, T, C": 90}
GRIDS = {"grid of ours": 12, "grid of scipy's L-BFGS": 50}
# loss above the best of a dense grid
LOSS_TARGET = 1e-4


def datasets() -> dict[str, Callable[[], Data]]:
    """Return a loader of each data set."""
    return {
        "digits": digits,
        "20,000 × 50, K = 5": lambda: make_correlated(20_000, 50, 5),
        "Fashion-MNIST 8,000 × 784": lambda: fashion(8_000),
    }


def run_benchmark(n_rounds: int = N_ROUNDS, wanted: str = "") -> pd.DataFrame:
    """Return CPU seconds and losses, by data set, quantity and round."""
    rows = []
    for name, load in tqdm(datasets().items(), unit="data set"):
        if wanted not in name:
            continue
        data = load()
        for round_ in range(n_rounds):
            rows += [(name, what, round_, *found) for what, found in time_round(data)]
        rows += [(name, what, 0, *found) for what, found in time_grids(data)]
    columns = ["data", "what", "round", "seconds", "loss"]
    return pd.DataFrame(rows, columns=columns).assign(versions=versions())


def time_round(data: Data) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the cost of a cold fit, and cost and loss of the searches."""
    fold = first_fold(data)
    yield "cold fit", (cpu_seconds(lambda: fit_ours(fold, 0.5, 2.0)), np.nan)
    for what, names in NAMES.items():
        search = DistilledLogisticRegressionCV(names, tol=TOL)
        yield what, time_search(search, data)


def time_grids(data: Data) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the costs of grids over λ and T, and the loss of the warm one."""
    fold = first_fold(data)
    for what, fit in zip(GRIDS, (fit_ours, fit_scipy), strict=True):
        yield what, (WHOLE * cpu_seconds(lambda fit=fit: fit_sampled_grid(fold, fit)), np.nan)
    search = DistilledLogisticRegressionCV(NAMES["λ, T"], method="grid", grid=N_VALUES, tol=TOL)
    yield "warm grid", time_search(search, data)


def first_fold(data: Data) -> Data:
    """Return the training rows of the first fold."""
    X, y, S = data
    train = next(StratifiedKFold(N_SPLITS).split(X, y))[0]
    return X[train], y[train], S[train]


def time_search(search: DistilledLogisticRegressionCV, data: Data) -> tuple[float, float]:
    """Return the CPU seconds of a search and its best loss."""
    X, y, S = data
    seconds = cpu_seconds(lambda: search.fit(X, y, teacher_proba=S))
    return seconds, -search.best_score_


def fit_sampled_grid(fold: Data, fit: Callable[[Data, float, float], object]) -> None:
    """Fit at the sampled points of the grid, each time from zeros."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # some corners of the grid are ill-conditioned
        for i in SAMPLED:
            for j in SAMPLED:
                fit(fold, float(IMITATIONS[i]), float(TEMPERATURES[j]))


def fit_ours(fold: Data, imitation: float, temperature: float) -> object:
    """Fit DistilledLogisticRegression at C = 1."""
    X, y, S = fold
    return DistilledLogisticRegression(imitation, temperature, tol=TOL).fit(X, y, teacher_proba=S)


def fit_scipy(fold: Data, imitation: float, temperature: float) -> object:
    """Minimise with scipy's L-BFGS at C = 1."""
    X, y, S = fold
    return scipy_lbfgs(X, y, S, temperature=temperature, imitation=imitation, tol=TOL)


def digits() -> Data:
    """Return the 8 × 8 digits with an out-of-fold teacher."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y, out_of_fold_ridge(X / 16, y)


def fashion(n: int) -> Data:
    """Return the first rows of Fashion-MNIST with an out-of-fold teacher."""
    X, y = fetch_fashion_mnist(return_X_y=True)
    return X[:n], y[:n], out_of_fold_ridge(X[:n], y[:n])


def out_of_fold_ridge(X: Array, y: Array, width: int = 512) -> Array:
    """Return out-of-fold probabilities of a ridge regression on random features."""
    K = int(y.max()) + 1
    projection = np.random.default_rng(0).normal(size=(X.shape[1], width)).astype(X.dtype)
    H = np.maximum(X @ projection / np.sqrt(X.shape[1]), 0)
    logits = np.empty((len(y), K))
    for train, test in StratifiedKFold(N_SPLITS).split(X, y):
        A = H[train].T @ H[train] + 1e-2 * np.mean(H**2) * len(train) * np.eye(width)
        logits[test] = 10 * H[test] @ np.linalg.solve(A, H[train].T @ np.eye(K)[y[train]])
    return softmax(logits, axis=1)


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## Cost of a search for λ, T and C\n"
    yield (
        "`python -m benchmarks.search`: `DistilledLogisticRegressionCV` with 5 folds. Its limit is "
        "a cold fit in the same round: a fit from zeros to the training rows of a "
        "fold, at λ = ½, T = 2 and C = 1 "
        f"({results['round'].max() + 1} rounds). The loss is the "
        f"difference from the best of a warm {N_VALUES} × {N_VALUES} grid over λ and T; it is "
        "negative where the search finds a better value, and a search over C has one more "
        f"hyperparameter to choose. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| search | loss above the grid's | target |"
    yield "|---|---|---|"
    for target in loss_targets(results):
        yield f"| {target.what.partition(': loss')[0]} | {target.ours:+.1e} | {target.verdict} |"


def loss_targets(results: pd.DataFrame) -> Iterator[Target]:
    """Yield the targets of the losses."""
    for data in results["data"].unique():
        for what in NAMES:
            words = f"{data}: search over {what}: loss above a dense grid's"
            yield Target(words, excess_loss(results, data, what), "≤", LOSS_TARGET)


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region: the limit is beside the first competitor."""
    seconds = results.groupby(["data", "what"])["seconds"].median()
    for data in results["data"].unique():
        limits = {
            what: Bound(costs(results, data, what), "a cold fit", most)
            for what, most in TARGETS.items()
        }
        for grid in (*GRIDS, "warm grid"):
            yield Row(
                "searches",
                f"{data}: search over λ, T",
                seconds[data, "λ, T"],
                f"{N_VALUES} × {N_VALUES} {grid}" + (" *" if grid in GRIDS else ""),
                [grid_over_search(results, data, grid)],
                GRIDS.get(grid),
                limit=limits.pop("λ, T", None),
            )
        for what, limit in limits.items():
            yield Row("searches", f"{data}: search over {what}", seconds[data, what], limit=limit)


def costs(results: pd.DataFrame, data: str, what: str) -> NDArray[np.float64]:
    """Return the cost of a search in cold fits, by round."""
    table = results[results["data"] == data].pivot(index="round", columns="what", values="seconds")
    return (table[what] / table["cold fit"]).to_numpy()


def excess_loss(results: pd.DataFrame, data: str, what: str) -> float:
    """Return the loss of a search minus that of the grid."""
    losses = results[results["data"] == data].groupby("what")["loss"].first()
    return float(losses[what] - losses["warm grid"])


def grid_over_search(results: pd.DataFrame, data: str, grid: str) -> float:
    """Return the cost of a grid relative to that of the search for λ and T."""
    times = results[results["data"] == data].groupby("what")["seconds"].median()
    return float(times[grid] / times["λ, T"])


if __name__ == "__main__":
    run_benchmark().to_csv(CSV, index=False, float_format="%.8g")
