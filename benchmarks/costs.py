"""Measure the constants of ``sklearn_distill.solvers._costs``: ``python -m benchmarks.costs``.

The constants of passes and Gram matrices are fitted to their times over several shapes, by least
squares of relative errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.linalg.blas import dtrsv
from scipy.linalg.lapack import dpotrf
from scipy.optimize import nnls

from benchmarks.choice import maker
from benchmarks.logistic import make_correlated
from benchmarks.measure import cpu_seconds
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.solvers import _costs
from sklearn_distill.solvers.subsampling import spread_rows

N_ROUNDS = 5
# rows, columns, classes
SHAPES = (
    (3_000, 20, 5),
    (3_000, 100, 3),
    (10_000, 50, 3),
    (10_000, 100, 5),
    (10_000, 100, 10),
    (30_000, 30, 10),
    (20_000, 300, 4),
    (6_000, 600, 2),
    (8_000, 200, 20),
    (20_000, 128, 50),
)
N_OF_COPIES = 1_000_000  # rows
D, D_OF_EIGENVECTORS = 1_000, 300  # columns of factors


def measured() -> dict[str, float]:
    """Return the seconds of each operation, by the name of its constant."""
    passes, grams = [], []
    for n, d, K in SHAPES:
        objective = maker(make_correlated(n, d, K))()
        passes.append((*of_pass(objective), fastest(one_pass(objective))))
        grams.append((n * d, n * d**2, fastest(one_gram(objective))))
    tiny = maker(make_correlated(20, 5, 3))()
    rng = np.random.default_rng(0)
    X, rows = rng.normal(size=(N_OF_COPIES, 20)), spread_rows(N_OF_COPIES, N_OF_COPIES // 8)
    A = np.cov(rng.normal(size=(D, 2 * D)))
    S = A[:D_OF_EIGENVECTORS, :D_OF_EIGENVECTORS]
    L, v = dpotrf(A, lower=1)[0], rng.normal(size=D)
    return {
        "PER_PASS": fastest(one_pass(tiny)),
        "PER_GRAM": fastest(one_gram(tiny)),
        **fitted(("PER_BYTE", "PER_MULTIPLICATION", "PER_SCORE"), passes),
        **fitted(("PER_WEIGHTED_ENTRY", "PER_GRAM_MULTIPLICATION"), grams),
        "PER_COPIED_ENTRY": fastest(lambda: X[rows]) / (len(rows) * X.shape[1]),
        "PER_FACTOR_MULTIPLICATION": fastest(lambda: dpotrf(A, lower=1)) / (D**3 / 3),
        "PER_EIGENVECTOR_MULTIPLICATION": fastest(lambda: eigh(S)) / len(S) ** 3,
        "PER_SOLVED_ENTRY": fastest(lambda: dtrsv(L, dtrsv(L, v, lower=1), lower=1, trans=1))
        / D**2,
    }


def of_pass(objective: SoftTargetObjective) -> tuple[float, float, float]:
    """Return the bytes, multiplications and scores of a pass."""
    n, (K, d) = objective.n_rows, objective.shape
    return 8 * n * d, 2 * n * d * K, n * K


def one_pass(objective: SoftTargetObjective) -> Callable[[], object]:
    """Return value and gradient."""
    w = np.full(objective.zeros().shape, 1e-3)
    return lambda: objective.value_and_gradient(w)


def one_gram(objective: SoftTargetObjective) -> Callable[[], object]:
    """Return the weighted Gram matrix of all rows, tile by tile."""
    design, weight = objective.sums.design, np.full(objective.n_rows, 0.5)
    return lambda: [design.gram(weight[tile], tile) for tile in design.tiles()]


def fitted(names: tuple[str, ...], measured: list[tuple[float, ...]]) -> dict[str, float]:
    """Return the constants that fit times best, where each is of amounts and seconds."""
    table: NDArray[Any] = np.array(measured)
    relative = table[:, :-1] / table[:, -1:]
    constants, _ = nnls(relative, np.ones(len(table)))
    return dict(zip(names, constants, strict=True))


def fastest(run: Callable[[], object]) -> float:
    """Return the CPU time of the fastest of several runs."""
    run()
    return min(cpu_seconds(run) for _ in range(N_ROUNDS))


def lines() -> Iterator[str]:
    """Yield a line for each constant."""
    for name, seconds in measured().items():
        yield f"{name:32} measured {seconds:.1e}, in use {getattr(_costs, name, np.nan):.1e}"


if __name__ == "__main__":
    print("\n".join(lines()))
