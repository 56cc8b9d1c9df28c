"""Measure the constants of ``sklearn_distill.solvers._costs``: ``python -m benchmarks.costs``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg.blas import dsyrk, dtrsv
from scipy.linalg.lapack import dpotrf

from benchmarks.measure import cpu_seconds
from sklearn_distill.losses import RowSums, as_design
from sklearn_distill.solvers import _costs
from sklearn_distill.targets import LogPartitionTerm, SoftTargets

N_ROUNDS = 5
N, D, K = 3_000, 1_500, 20


def measured() -> dict[str, float]:
    """Return the seconds of each operation, by the name of its constant."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    A = X.T @ X
    L, v = dpotrf(A, lower=1)[0], rng.normal(size=D)
    solved = fastest(lambda: dtrsv(L, dtrsv(L, v, lower=1), lower=1, trans=1))
    read, multiplied = fastest(one_pass(X, 2)), fastest(one_pass(X, K))
    scored = fastest(one_pass(X[:, :1], K))
    return {
        "PER_BYTE": read / X.nbytes,
        "PER_MULTIPLICATION": (multiplied - scored) / (2 * X.size * K),
        "PER_SCORE": scored / (N * K),
        "PER_GRAM_MULTIPLICATION": fastest(lambda: dsyrk(1.0, X.T)) / (N * D**2),
        "PER_FACTOR_MULTIPLICATION": fastest(lambda: dpotrf(A, lower=1)) / (D**3 / 3),
        "PER_SOLVED_ENTRY": solved / D**2,
    }


def one_pass(X: np.ndarray, n_classes: int) -> Callable[[], object]:
    """Return value and gradient of one term over X."""
    weight = np.ones(len(X))
    linear = np.full((n_classes, len(X)), 1 / n_classes)
    targets = SoftTargets(linear, (LogPartitionTerm(weight, 1.0),))
    sums = RowSums(as_design(X, True), targets, weight)
    W = np.full((sums.n_scores, sums.n_columns), 1e-3)
    return lambda: sums.value_and_gradient(W)


def fastest(run: Callable[[], object]) -> float:
    """Return the CPU time of the fastest of several runs."""
    return min(cpu_seconds(run) for _ in range(N_ROUNDS))


if __name__ == "__main__":
    for name, seconds in measured().items():
        print(f"{name:28} measured {seconds:.1e}, in use {getattr(_costs, name):.1e}")
