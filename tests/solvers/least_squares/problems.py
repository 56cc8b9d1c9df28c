"""Random rows with label, prediction or both, and the objective as a plain loop."""

from dataclasses import replace

import numpy as np

from sklearn_distill.solvers.least_squares import RegressionData


def random_data(
    seed: int = 0, n: int = 60, d: int = 4, q: int = 1, offset: float = 3.0, weighted: bool = True
) -> RegressionData:
    rng = np.random.default_rng(seed)
    X = offset + rng.normal(size=(n, d)) * 10.0 ** rng.integers(-1, 2, size=d)
    truth = X @ rng.normal(size=(d, q)) - 5
    y, s = truth + rng.normal(size=(n, q)), truth + 0.5 * rng.normal(size=(n, q))
    y[::3], s[1::3] = np.nan, np.nan
    weight = rng.uniform(0.2, 3.0, size=n) if weighted else None
    return RegressionData(X, y, s, weight)


def take(data: RegressionData, rows: object) -> RegressionData:
    weight = None if data.weight is None else data.weight[rows]
    s = None if data.teacher is None else data.teacher[rows]
    return replace(data, X=data.X[rows], y=data.y[rows], teacher=s, weight=weight)


def written_objective(
    parameters: np.ndarray,
    data: RegressionData,
    *,
    imitation: float,
    label_noise: float,
    teacher_noise: float,
    alpha: float,
) -> float:
    """Eq. (18) row by row, times σ²; one output, ``parameters`` are (w, b)."""
    *w, b = parameters
    total = alpha * float(np.dot(w, w))
    weight = np.ones(len(data.X)) if data.weight is None else data.weight
    for x, y, s, v in zip(data.X, data.y[:, 0], data.teacher[:, 0], weight, strict=True):
        z = x @ w + b
        if np.isnan(s):
            loss = (y - z) ** 2 / label_noise
        elif np.isnan(y):
            loss = (s - z) ** 2 / teacher_noise
        else:
            loss = (1 - imitation) * (y - z) ** 2 / label_noise
            loss += imitation * (s - z) ** 2 / teacher_noise
        total += v * loss * label_noise
    return total


def weighted_rows(
    data: RegressionData, imitation: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Theorem 2's targets y'/a and weights s·a, for a solver without a teacher."""
    labelled, taught = data.labelled[:, None], data.taught[:, None]
    c_y = np.where(labelled, np.where(taught, 1 - imitation, 1.0), 0.0)
    c_s = ratio * np.where(taught, np.where(labelled, imitation, 1.0), 0.0)
    mixed = c_y * np.nan_to_num(data.y) + c_s * np.nan_to_num(data.teacher)
    weight = np.ones(len(data.X)) if data.weight is None else data.weight
    return mixed / (c_y + c_s), weight * (c_y + c_s)[:, 0]
