"""DistilledLogisticRegressionCV against grids: in cold-fit equivalents and in time.

A cold-fit equivalent is the CPU time of one fit of DistilledLogisticRegression, from zeros, to the
training rows of a fold, at λ = ½, T = 2, C = 1 and the search's own ``tol``.

The grids are too long to run: a sample of their points is fitted, and its mean time multiplied.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold

from benchmarks.logistic import correlated
from benchmarks.measure import Case
from benchmarks.peers import scipy_lbfgs
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import fetch_fashion_mnist
from sklearn_distill.search import DistilledLogisticRegressionCV

Array = NDArray[Any]
Data = tuple[Array, Array, Array]
N_SPLITS, N_VALUES, TOL = 5, 10, 1e-5
TEMPERATURES = np.geomspace(0.1, 10, N_VALUES)
IMITATIONS = np.linspace(0, 1, N_VALUES)
# every third λ and T of the grid stands for its neighbours
SAMPLED = range(1, N_VALUES, 3)
GRID_OF_OURS = "10 × 10 grid, DistilledLogisticRegression"
GRID_OF_SCIPY = "10 × 10 grid, scipy L-BFGS"


def cases() -> Iterator[Case]:
    """Yield the comparisons over (λ, T), then over (λ, T, C)."""
    for name, data in datasets():
        yield search_case(name, data, ("imitation", "temperature"), equivalents=40.0)
        yield search_case(name, data, ("imitation", "temperature", "C"), equivalents=90.0)


def datasets() -> Iterator[tuple[str, Data]]:
    """Yield the data sets, one at a time."""
    yield "digits", digits()
    yield "20,000 × 50, K = 5", correlated(20_000, 50, 5)
    yield "Fashion-MNIST 8,000 × 784, float32", fashion(8_000)


def search_case(name: str, data: Data, names: tuple[str, ...], equivalents: float) -> Case:
    """Compare one search; its limit is a cold fit, so that "passes" are cold-fit equivalents."""
    X, y, S = data
    search = DistilledLogisticRegressionCV(names, tol=TOL)
    train = next(StratifiedKFold(N_SPLITS).split(X, y))[0]
    fold = X[train], y[train], S[train]
    runs = {"ours": lambda: search.fit(X, y, teacher_proba=S)}
    targets, extrapolated = {}, {}
    if len(names) == 2:
        runs |= {
            GRID_OF_OURS: lambda: over_sample(fold, ours_at),
            GRID_OF_SCIPY: lambda: over_sample(fold, scipy_at),
        }
        targets = {GRID_OF_OURS: 12.0, GRID_OF_SCIPY: 50.0}
        whole = N_SPLITS * N_VALUES**2 / len(SAMPLED) ** 2
        extrapolated = {GRID_OF_OURS: whole, GRID_OF_SCIPY: whole}
    return Case(
        name=f"search over {', '.join(names)}: {name}",
        runs=runs,
        targets=targets,
        limit=lambda: ours_at(fold, 0.5, 2.0),
        n_bytes=X.nbytes,
        passes_target=equivalents,
        extrapolated=extrapolated,
        repeats=1,
    )


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


@dataclass(frozen=True)
class Cost:
    """What a search cost, and what it found.

    Parameters
    ----------
    case : str
        Data set and metaparameters.
    equivalents : float
        CPU time over that of a cold fit.
    passes : float
        Passes over the training rows of one fold, by multiplications with X.
    n_fits : int
        Fits in folds.
    loss : float
        Cross-validated loss found.
    """

    case: str
    equivalents: float
    passes: float
    n_fits: int
    loss: float


def costs() -> Iterator[Cost]:
    """Measure the searches alone, in the unit that the machine's speed cancels from."""
    for name, (X, y, S) in datasets():
        train = next(StratifiedKFold(N_SPLITS).split(X, y))[0]
        fold = X[train], y[train], S[train]
        for names in (("imitation", "temperature"), ("imitation", "temperature", "C")):
            search = DistilledLogisticRegressionCV(names, tol=TOL)
            one = sorted(seconds(lambda fold=fold: ours_at(fold, 0.5, 2.0)) for _ in range(3))[1]
            whole = seconds(lambda s=search, X=X, y=y, S=S: s.fit(X, y, teacher_proba=S))
            passes = float(search.path_["passes"].sum())
            case = f"{name}: {', '.join(names)}"
            yield Cost(case, whole / one, passes, search.n_fits_, -search.best_score_)


def seconds(run: Callable[[], object]) -> float:
    """Return the CPU time of a run."""
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    for cost in costs():
        print(cost, flush=True)
