"""DistilledLogisticRegression against scipy's L-BFGS and scikit-learn on K copies."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning

from benchmarks.measure import Case
from benchmarks.peers import make_objective, scipy_lbfgs, weighted_copies
from sklearn_distill import DistilledLogisticRegression
from sklearn_distill.datasets import fetch_fashion_mnist

Array = NDArray[Any]
Data = tuple[Any, Array, Array]
TEMPERATURE, IMITATION = 2.0, 0.5
# rows, columns, classes, and the goal against scipy; at a gradient of 1e-5 its value is within
# about 1e-6 of the minimum
WIDE = ((500, 2_000, 2, 1.5), (500, 5_000, 2, 2.0), (500, 5_000, 5, 2.0), (1_000, 8_000, 2, 2.0))


def wide_case(name: str, n: int, d: int, K: int, target: float) -> Case:
    """Compare on a wide X with common factors."""
    return dense_case(name, make_wide(n, d, K), target, 1.0, repeats=5, tol=1e-5)


def dense_case(
    name: str,
    data: Data,
    target: float | None,
    memory_target: float | None,
    repeats: int = 3,
    tol: float = 1e-6,
) -> Case:
    """Compare on a dense X where both reach max|∇|/Σs ≤ tol, C = 1."""
    return Case(
        name=f"{name}, gradient {tol:g}",
        runs={"ours": ours_to(data, tol), "scipy L-BFGS": with_scipy(data, tol)},
        targets={} if target is None else {"scipy L-BFGS": target},
        limit=bare_products(data),
        n_bytes=data[0].nbytes,
        memory_target=memory_target,
        repeats=repeats,
    )


def text_case(name: str) -> Case:
    """Compare on a sparse X with the statistics of text."""
    data = make_text(20_000, 50_000)
    X, y, S = data
    return Case(
        name=f"{name}, gradient 1e-06",
        runs={
            "ours": ours_to(data, 1e-6),
            "scipy L-BFGS": with_scipy(data, 1e-6),
            "LogisticRegression on copies (T = 1)": lambda: weighted_copies(
                X, y, S, imitation=IMITATION, tol=1e-6
            ),
        },
        targets={"scipy L-BFGS": 1.4, "LogisticRegression on copies (T = 1)": 3.0},
        limit=bare_products(data),
        n_bytes=X.data.nbytes + X.indices.nbytes + X.indptr.nbytes,
    )


def fashion_case(name: str) -> Case:
    """Compare on Fashion-MNIST in float32.

    scikit-learn takes minutes on ten copies, so 5 iterations are timed and multiplied by the number
    of iterations that scipy's L-BFGS, the same method, needs on this problem.
    """
    data = load_fashion()
    X, y, S = data
    n_iter = scipy_lbfgs(
        X, y, S, temperature=TEMPERATURE, imitation=IMITATION, tol=1e-4
    ).nit  # fmt: skip
    copies = "LogisticRegression on copies (T = 1)"
    return Case(
        name=f"{name}, gradient 0.0001",
        runs={
            "ours": ours_to(data, 1e-4),
            "scipy L-BFGS": with_scipy(data, 1e-4),
            copies: lambda: _five_iterations(X, y, S),
        },
        targets={"scipy L-BFGS": 10.0, copies: 40.0},
        limit=bare_products(data),
        n_bytes=X.nbytes,
        memory_target=1.0,
        extrapolated={copies: n_iter / 5},
    )


# functions of the beginning of a name: the data is made when a case is measured
CASES: dict[str, Callable[[str], Case]] = {
    "1,000 × 10, K = 3": lambda name: dense_case(
        name, make_correlated(1_000, 10, 3), 5.0, None, repeats=9
    ),
    "100,000 × 100, K = 5": lambda name: dense_case(
        name, make_correlated(100_000, 100, 5), 20.0, 0.3
    ),
    "1,000,000 × 20, K = 2": lambda name: dense_case(
        name, make_correlated(1_000_000, 20, 2), 20.0, 0.3
    ),
    "1,000,000 × 20, K = 2, independent features": lambda name: dense_case(
        name, make_correlated(1_000_000, 20, 2, 0.0), None, None
    ),
    **{
        f"{n:,} × {d:,}, K = {K}, common factors": partial(wide_case, n=n, d=d, K=K, target=target)
        for n, d, K, target in WIDE
    },
    "sparse text 20,000 × 50,000, K = 2": text_case,
    "Fashion-MNIST 60,000 × 784, float32, K = 10": fashion_case,
}


def ours(data: Data, tol: float) -> Callable[[], object]:
    """Return a fit of DistilledLogisticRegression."""
    X, y, S = data
    student = DistilledLogisticRegression(IMITATION, TEMPERATURE, tol=tol)
    return lambda: student.fit(X, y, teacher_proba=S)


def ours_to(data: Data, gradient: float) -> Callable[[], object]:
    """Return a fit at the loosest tol at which max|∇| is within the bound, where scipy stops too.

    Beside the gradient, tol bounds the distance to the minimiser, so that ours ends far below.
    """
    X, y, S = data
    objective, _ = make_objective(X, y, S, temperature=TEMPERATURE, imitation=IMITATION)
    for tol in gradient * 10.0 ** np.arange(2, 0, -0.5):
        student = DistilledLogisticRegression(IMITATION, TEMPERATURE, tol=tol)
        student.fit(X, y, teacher_proba=S)
        w = np.column_stack([student.coef_, student.intercept_]).ravel()
        if np.abs(objective(w)[1]).max() <= gradient:
            return ours(data, tol)
    return ours(data, gradient)


def with_scipy(data: Data, tol: float) -> Callable[[], object]:
    """Return a fit with scipy's L-BFGS."""
    X, y, S = data
    return lambda: scipy_lbfgs(X, y, S, temperature=TEMPERATURE, imitation=IMITATION, tol=tol)


def bare_products(data: Data) -> Callable[[], object]:
    """Return the two matrix products of one pass over the data."""
    X, _, S = data
    W = np.ones((1 if S.shape[1] == 2 else S.shape[1], X.shape[1]), X.dtype)
    R = np.ones((X.shape[0], len(W)), X.dtype)
    return lambda: (X @ W.T, X.T @ R)


def make_correlated(n: int, d: int, K: int, correlation: float = 0.9) -> Data:
    """Draw standardised features with correlation ρ^|i−j|, labels, and a noisy teacher."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    for j in range(1, d):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    logits = X @ rng.normal(size=(d, K)) / np.sqrt(d) * 2
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return X, y, softmax(logits + 0.3 * rng.normal(size=logits.shape), axis=1)


def make_wide(n: int, d: int, K: int, rank: int = 50) -> Data:
    """Draw standardised features with some common factors, labels, and a noisy teacher."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d))
    X = rng.standard_normal((n, d)) + 0.7 * factors
    X /= X.std(axis=0)
    logits = X @ rng.normal(size=(d, K)) / np.sqrt(d) * 3
    y = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    return X, y, softmax(logits + 0.3 * rng.normal(size=logits.shape), axis=1)


def make_text(n: int, d: int, words: int = 60) -> Data:
    """Draw rows of words, two classes, and a noisy teacher."""
    rng = np.random.default_rng(0)
    X = draw_words(rng, n, d, words)
    logit = 8 * (X @ rng.normal(size=d))
    y = (logit + rng.logistic(size=n) > 0).astype(int)
    p = 1 / (1 + np.exp(-(logit + 0.5 * rng.normal(size=n))))
    return X, y, np.column_stack([1 - p, p])


def draw_words(rng: np.random.Generator, n: int, d: int, words: int = 60) -> Any:
    """Draw rows of about 60 words with Zipfian frequencies, scaled like TF-IDF."""
    frequency = 1 / np.arange(1, d + 1)
    columns = rng.choice(d, size=n * words, p=frequency / frequency.sum())
    counts = sparse.csr_array(
        (np.ones(n * words), (np.repeat(np.arange(n), words), columns)), shape=(n, d)
    )
    counts.sum_duplicates()
    rows_with = np.bincount(counts.indices, minlength=d)
    counts.data *= (np.log((1 + n) / (1 + rows_with)) + 1)[counts.indices]
    return sparse.csr_array(
        counts.multiply(1 / np.sqrt(counts.multiply(counts).sum(axis=1))[:, None])
    )


def load_fashion() -> Data:
    """Load Fashion-MNIST, with a ridge regression on random features as the teacher."""
    return with_ridge_teacher(*fetch_fashion_mnist(return_X_y=True), n_features=512)


def with_ridge_teacher(X: Array, y: Array, n_features: int = 256) -> Data:
    """Return the data with a ridge regression on random features as the teacher."""
    rng, d = np.random.default_rng(0), X.shape[1]
    projection = rng.normal(size=(d, n_features)).astype(X.dtype) / float(np.sqrt(d))
    H = np.maximum(X @ projection, 0)
    A = H.T @ H + 1e-2 * np.mean(H**2) * len(H) * np.eye(n_features)
    logits = 6 * H @ np.linalg.solve(A, H.T @ np.eye(int(y.max()) + 1)[y])
    return X, y, softmax(logits, axis=1)


def _five_iterations(X: Array, y: Array, S: Array) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        weighted_copies(X, y, S, imitation=IMITATION, tol=1e-4, max_iter=5)
