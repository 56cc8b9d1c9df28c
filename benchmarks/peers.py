"""What you would write without this package, for the same objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize
from sklearn.linear_model import LogisticRegression

Array = NDArray[Any]


def scipy_lbfgs(
    X: Any, y: Array, teacher_proba: Array, *, temperature: float, imitation: float, tol: float
) -> OptimizeResult:
    """Minimise the objective with scipy's L-BFGS-B and numpy, with C = 1."""
    objective, n_weights = make_objective(
        X, y, teacher_proba, temperature=temperature, imitation=imitation
    )
    options = {"gtol": tol, "ftol": 0.0, "maxiter": 10_000, "maxfun": 20_000}
    return minimize(objective, np.zeros(n_weights), jac=True, method="L-BFGS-B", options=options)


def make_objective(
    X: Any, y: Array, teacher_proba: Array, *, temperature: float, imitation: float
) -> tuple[Callable[[Array], tuple[float, Array]], int]:
    """Return value and gradient as a careful user writes them, and the number of weights."""
    K = teacher_proba.shape[1]
    softened = teacher_proba ** (1 / temperature)
    Q = (softened / softened.sum(axis=1, keepdims=True)).astype(X.dtype)
    Y = np.eye(K, dtype=X.dtype)[y]
    loss = _one_logit if K == 2 else _softmax
    n, d = X.shape
    shape = (1 if K == 2 else K, d + 1)

    def objective(w: Array) -> tuple[float, Array]:
        W = w.reshape(shape)
        Z = np.asarray(X @ W[:, :d].T.astype(X.dtype)) + W[:, d].astype(X.dtype)
        label, label_residual = loss(Z, Y)
        teacher, teacher_residual = loss(Z / temperature, Q)
        value = (1 - imitation) * label + imitation * teacher
        R = (1 - imitation) * label_residual + (imitation / temperature) * teacher_residual
        gradient = np.empty(shape)
        gradient[:, :d] = np.asarray(X.T @ R).T / n + W[:, :d] / n
        gradient[:, d] = R.sum(axis=0) / n
        return value / n + 0.5 / n * (W[:, :d] ** 2).sum(), gradient.ravel()

    return objective, shape[0] * shape[1]


def _softmax(Z: Array, Q: Array) -> tuple[float, Array]:
    top = Z.max(axis=1, keepdims=True)
    P = np.exp(Z - top)
    total = P.sum(axis=1, keepdims=True)
    P /= total
    value = (np.log(total) + top).sum(dtype=np.float64) - np.einsum("nk,nk->", Z, Q)
    return float(value), P - Q


def _one_logit(Z: Array, Q: Array) -> tuple[float, Array]:
    z, q = Z[:, 0], Q[:, 1]
    value = np.logaddexp(0, z).sum(dtype=np.float64) - z @ q
    return float(value), (1 / (1 + np.exp(-z)) - q)[:, None]


def weighted_copies(
    X: Any, y: Array, teacher_proba: Array, *, imitation: float, tol: float, max_iter: int = 10_000
) -> LogisticRegression:
    """Fit scikit-learn's LogisticRegression on K weighted copies of each row (T = 1)."""
    K = teacher_proba.shape[1]
    mixed = imitation * teacher_proba + (1 - imitation) * np.eye(K)[y]
    rows = np.repeat(np.arange(len(y)), K)
    student = LogisticRegression(tol=tol, max_iter=max_iter)
    return student.fit(X[rows], np.tile(np.arange(K), len(y)), sample_weight=mixed.ravel())
