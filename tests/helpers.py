"""Slow, plain versions of what the package does fast, and finite differences."""

import re
from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp, softmax


def central_difference(
    function: Callable[[float], np.ndarray | float], at: float, step: float
) -> np.ndarray | float:
    return (function(at + step) - function(at - step)) / (2 * step)


def gradient_by_differences(
    function: Callable[[np.ndarray], float], w: np.ndarray, step: float = 1e-6
) -> np.ndarray:
    unit = np.eye(len(w))
    return np.array([central_difference(lambda t, e=e: function(w + t * e), 0, step) for e in unit])


def written_objective(
    scores: np.ndarray,
    codes: np.ndarray,
    teacher_logits: np.ndarray,
    weight: np.ndarray,
    *,
    imitation: float,
    temperature: float,
    soften_student: bool = True,
    t_squared: bool = False,
    class_weight: np.ndarray | None = None,
) -> float:
    """MATHEMATICS §1 row by row: scores (n, K), codes with -1 missing, logits (n, M, K)."""
    c = np.ones(scores.shape[1]) if class_weight is None else class_weight
    student_temperature = temperature if soften_student else 1.0
    tau = student_temperature**2 if t_squared else 1.0
    total = 0.0
    for z, y, teachers, s in zip(scores, codes, teacher_logits, weight, strict=True):
        speaking = [v for v in teachers if not np.isnan(v).any()]
        lam = {(True, True): imitation, (True, False): 0.0, (False, True): 1.0}[
            (bool(y >= 0), bool(speaking))
        ]
        loss = 0.0
        if y >= 0:
            loss += (1 - lam) * c[y] * (logsumexp(z) - z[y])
        if speaking:
            q = np.mean([softmax(v / temperature) for v in speaking], axis=0)
            u = z / student_temperature
            # one copy for each class; those of a labelled row have the weight of its label
            copies = q * (c[y] if y >= 0 else c)
            loss += lam * tau * copies @ (logsumexp(u) - u)
        total += s * loss
    return total


def random_problem(
    rng: np.random.Generator, n: int = 40, d: int = 3, K: int = 3, M: int = 2
) -> dict[str, np.ndarray]:
    """A problem with unlabelled rows, missing teacher predictions and weights."""
    codes = rng.integers(K, size=n)
    codes[: 2 * K] = np.tile(np.arange(K), 2)
    logits = 2 * rng.normal(size=(n, M, K))
    logits[rng.random((n, M)) < 0.3] = np.nan
    missing = np.isnan(logits).all(axis=(1, 2))
    codes[(rng.random(n) < 0.3) & ~missing & (np.arange(n) >= 2 * K)] = -1
    return {
        "X": rng.normal(size=(n, d)),
        "codes": codes,
        "teacher_logits": logits,
        "weight": rng.uniform(0.2, 2.0, size=n),
    }


def label(value):
    """Name a parameter alike in every process: an address in memory is none of its name."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
