"""Arrays of each kind that may come into ``fit``, right or wrong; a generator draws the numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

Array = np.ndarray[Any, Any]

LABELS: dict[str, Callable[[Array], Any]] = {
    "int": lambda codes: codes * 3 - 4,
    "bool": lambda codes: codes > 0,
    "uint8": lambda codes: (codes % 256).astype(np.uint8),
    "float": lambda codes: codes.astype(float),
    "fraction": lambda codes: codes + 0.5,
    "str": lambda codes: np.array([f"class {code:04d}" for code in codes]),
    "object of int": lambda codes: codes.astype(object),
    "object of str": lambda codes: np.array([f"{code:04d}" for code in codes], dtype=object),
    "strings and numbers": lambda codes: np.array(
        [code or "none" for code in codes.tolist()], dtype=object
    ),
    "Int64": lambda codes: pd.Series(codes, dtype="Int64"),
    "category": lambda codes: pd.Series(pd.Categorical([f"{code:04d}" for code in codes])),
    "list": lambda codes: codes.tolist(),
    "two columns": lambda codes: np.stack([codes, codes], axis=1),
    "complex": lambda codes: codes + 1j,
    "date": lambda codes: codes.astype("datetime64[D]"),
}
FEATURES: dict[str, Callable[[np.random.Generator, Array], Any]] = {
    "normal": lambda rng, X: X,
    "constant": lambda rng, X: np.full_like(X, 3.7),
    "zero": lambda rng, X: np.zeros_like(X),
    "a constant column": lambda rng, X: np.column_stack([np.ones(len(X)), X]),
    "repeated columns": lambda rng, X: np.column_stack([X, X]),
    "whole numbers": lambda rng, X: np.round(X),
    "of many sizes": lambda rng, X: X * 10.0 ** rng.integers(-6, 7, size=X.shape[1]),
    "with NaN": lambda rng, X: spoilt(rng, X, np.nan),
    "with inf": lambda rng, X: spoilt(rng, X, np.inf),
    "no column": lambda rng, X: X[:, :0],
    "one-dimensional": lambda rng, X: X[:, 0],
}


def spoilt(rng: np.random.Generator, values: Array, by: float) -> Array:
    """Return a copy with one entry replaced."""
    values = np.array(values, dtype=float)
    values.flat[rng.integers(values.size)] = by
    return values


def features(rng: np.random.Generator, n: int, d: int, kind: str, table: str) -> Any:
    X = FEATURES[kind](rng, rng.normal(size=(n, d)))
    if table == "list":
        return X.tolist()
    if table == "frame" and X.ndim == 2:
        return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    if table == "csr":
        return sparse.csr_matrix(np.atleast_2d(X))
    if table == "int8":
        return np.clip(np.nan_to_num(10 * X), -128, 127).astype(np.int8)
    return X.astype(table if table != "frame" else "float64")


def codes_of(rng: np.random.Generator, n: int, K: int, kind: str) -> Array:
    """Return class numbers below K."""
    if kind == "one row a class":
        return rng.permutation(np.arange(n) % K)
    if kind == "one class":
        return np.full(n, K - 1)
    codes = rng.integers(K, size=n)
    if kind == "a class alone":
        codes[codes == 0] = K - 1
        codes[0] = 0
    return codes


def labels(rng: np.random.Generator, codes: Array, kind: str, missing: str) -> Any:
    """Return labels of a kind, of which none, some or all are missing."""
    if missing == "y is None":
        return None
    y = LABELS[kind](codes)
    share = {"none": 0.0, "all": 1.0}.get(missing, 0.4)
    gone = rng.random(len(codes)) < share
    if not gone.any() or kind == "two columns":
        return y
    if kind == "float":
        return np.where(gone, np.inf if missing == "infinite" else np.nan, y)
    if isinstance(y, pd.Series):
        return y.mask(gone)
    return [None if absent else label for absent, label in zip(gone, list(y), strict=True)]


def probabilities(rng: np.random.Generator, n: int, K: int, kind: str) -> Array:
    """Return what a teacher says, (n, K)."""
    P = rng.dirichlet(np.full(K, 0.5), size=n)
    row = rng.integers(n)
    if kind == "certain":
        P = np.eye(K)[rng.integers(K, size=n)]
    elif kind == "uniform":
        P = np.full((n, K), 1 / K)
    elif kind == "a class without mass":
        P = np.column_stack([np.zeros(n), rng.dirichlet(np.ones(K - 1), size=n)])
    elif kind == "negative":
        P[row, 0] -= 1
    elif kind == "no distribution":
        P[row] *= 2
    return np.round(P, 4) if kind == "rounded" else P


def logits(rng: np.random.Generator, n: int, K: int, kind: str) -> Array:
    """Return what a teacher says, (n, K)."""
    v = rng.normal(size=(n, K)) * (1e4 if kind == "large" else 3)
    row = rng.integers(n)
    if kind == "with -inf":
        v[row, 1:] = -np.inf
    elif kind == "with +inf":
        v[row, 0] = np.inf
    elif kind == "all -inf":
        v[row] = -np.inf
    return v


def with_missing(rng: np.random.Generator, answers: Array, kind: str) -> Array:
    """Return the answers with rows of NaN; "in part" has a NaN in one column alone."""
    missing = rng.random(len(answers)) < {"some": 0.4, "all": 1.0}.get(kind, 0.0)
    answers = np.where(missing[:, None], np.nan, answers)
    return spoilt(rng, answers, np.nan) if kind == "in part" else answers


def shaped(rng: np.random.Generator, answers: Array, names: list[Any], shape: str) -> Any:
    """Return the answers as a user might hold them."""
    order = rng.permutation(answers.shape[1])
    shapes: dict[str, Callable[[], Any]] = {
        "as it must be": lambda: answers,
        "several": lambda: np.stack([answers, answers[:, ::-1]], axis=1),
        "frame": lambda: pd.DataFrame(
            answers[:, order], columns=np.asarray(names, dtype=object)[order]
        ),
        "flat": lambda: answers[:, -1],
        "wide": lambda: np.column_stack([answers, np.zeros(len(answers))]),
        "short": lambda: answers[:-1],
        "scalar": lambda: 0.5,
    }
    return shapes[shape]()


def weights(rng: np.random.Generator, n: int, kind: str) -> Any:
    """Return weights of the rows."""
    same = {"tiny": 1e-12, "huge": 1e12, "zero": 0.0, "ones": 1.0}
    if kind == "none":
        return None
    weight = np.full(n, same[kind]) if kind in same else rng.uniform(0.1, 3, size=n)
    if kind == "some zero":
        weight[rng.random(n) < 0.6] = 0
    elif kind in ("negative", "NaN"):
        weight = spoilt(rng, weight, -1 if kind == "negative" else np.nan)
    return weight[1:] if kind == "short" else weight


def numbers(rng: np.random.Generator, n: int, m: int, kind: str) -> Array:
    """Return targets of a regression, (n, m)."""
    Y = rng.normal(size=(n, m))
    made: dict[str, Callable[[], Any]] = {
        "normal": lambda: Y,
        "constant": lambda: np.ones_like(Y),
        "large": lambda: 1e8 * Y,
        "some missing": lambda: with_missing(rng, Y, "some"),
        "all missing": lambda: with_missing(rng, Y, "all"),
        "NaN": lambda: spoilt(rng, Y, np.nan),
        "inf": lambda: spoilt(rng, Y, np.inf),
        "words": lambda: np.full(Y.shape, "one"),
        "short": lambda: Y[1:],
    }
    return made[kind]()
