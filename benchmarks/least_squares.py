"""PrivilegedLinearRegression against scikit-learn on stacked weighted rows.

All competitors solve the same problem, with n samples that have both a label and a prediction of
the teacher. Without this package you would stack 2n rows: the labels with weight 1 − λ, and the
teacher's predictions with weight λρ.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, Ridge

from benchmarks.measure import Case
from sklearn_distill import PrivilegedLinearRegression

Array = NDArray[Any]
IMITATION, RATIO = 0.5, 2.0


def regression_case(name: str, n: int, d: int, passes_target: float) -> Case:
    """Compare on n rows of standard normal features; the variances are estimated."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    truth = X @ rng.standard_normal(d)
    y, s = (truth + std * rng.standard_normal(n) for std in (1.0, RATIO**-0.5))
    student = PrivilegedLinearRegression(IMITATION)
    return Case(
        name=name,
        runs={
            "ours": lambda: student.fit(X, y, teacher_prediction=s),
            "Ridge(cholesky) on 2n rows": lambda: Ridge(1e-10, solver="cholesky").fit(
                *stacked(X, y, s)
            ),
            "LinearRegression on 2n rows": lambda: LinearRegression().fit(*stacked(X, y, s)),
        },
        targets={"Ridge(cholesky) on 2n rows": 5.0, "LinearRegression on 2n rows": 10.0},
        limit=lambda: X.T @ X,
        n_bytes=X.nbytes,
        memory_target=20e6 / X.nbytes,
        passes_target=passes_target,
    )


CASES = {
    "regression 1,000,000 × 50": partial(regression_case, n=1_000_000, d=50, passes_target=2.1),
    "regression 100,000 × 500": partial(regression_case, n=100_000, d=500, passes_target=1.25),
}


def stacked(X: Array, y: Array, s: Array) -> tuple[Array, Array, Array]:
    """Stack labels and predictions, with their weights."""
    weight = np.repeat([1 - IMITATION, IMITATION * RATIO], len(X))
    return np.concatenate([X, X]), np.concatenate([y, s]), weight
