"""PrivilegedLinearRegression on random problems against a QR factorisation in long double.

``FUZZ_PROBLEMS`` is their number (``make fuzz PROBLEMS=1000`` sets it); a failure names its seed.
"""

import os
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.linalg import LinAlgWarning

from sklearn_distill import PrivilegedLinearRegression, TeacherMissingWarning

LONG = np.longdouble
N_PROBLEMS = int(os.environ.get("FUZZ_PROBLEMS", "100"))
SECONDS = 30  # of CPU time, beyond which a problem counts as hanging
EPS = float(np.finfo(float).eps)
# condition numbers up to which the covariances have six digits, and a warning from there on
RESOLVED = {"gram": 3e3, "auto": 1e8, "tsqr": 1e8}

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(
        np.finfo(LONG).eps > 1e-18, reason="long double is no more precise than double here"
    ),
]


# --- problems -------------------------------------------------------------------------------------


@dataclass
class Problem:
    X: np.ndarray
    y: np.ndarray
    s: np.ndarray | None
    weight: np.ndarray | None
    student: PrivilegedLinearRegression

    def fit(self):
        return self.student.fit(self.X, self.y, self.weight, teacher_prediction=self.s)


def random_features(rng, n, d):
    """Return columns of any scale and mean, some of them nearly dependent on others."""
    X = rng.normal(size=(n, d))
    if rng.random() < 0.5:
        X[:, 0] = np.arange(n) % 2  # a category
    if d > 1 and rng.random() < 0.7:
        direction, spread = rng.normal(size=d - 1), 10.0 ** rng.uniform(-8, 0)
        X[:, -1] = X[:, :-1] @ direction + spread * X[:, -1]
    return (X + rng.choice([0, 1, 100]) * rng.normal(size=d)) * 2.0 ** rng.integers(-9, 9, size=d)


def random_problem(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 7))
    n = d + int(rng.integers(6, 60))
    X = random_features(rng, n, d)
    noise = 10.0 ** rng.uniform(-2, 1)
    truth = (X / X.std(axis=0)) @ rng.normal(size=d) + rng.normal() * 10
    y, s = truth + noise * rng.normal(size=n), truth + rng.uniform(0.2, 3) * rng.normal(size=n)
    source = rng.choice(3, size=n, p=[0.3, 0.4, 0.3])
    source[: d + 3], source[d + 3 : d + 6] = 1, rng.permutation(3)  # every variance is determined
    order = rng.permutation(n)
    y[order[source == 2]], s[order[source == 0]] = np.nan, np.nan
    if rng.random() < 0.3:
        noise *= 10.0 ** rng.uniform(-2, 0)
        y, s = truth + noise * rng.normal(size=n), None
    known = rng.random() < 0.5
    student = PrivilegedLinearRegression(
        imitation=float(rng.choice([0, 0.3, 0.5, 1])),
        alpha=float(rng.choice([0, 0, 10.0 ** rng.uniform(-6, 2)])),
        fit_intercept=bool(rng.random() < 0.7),
        noise_variance=noise**2 if known else "auto",
        teacher_noise_variance=1.0 if known else "auto",
        solver=str(rng.choice(["auto", "auto", "gram", "tsqr"])),
    )
    # their sum counts as the number of rows, so it stays above the number of columns
    weight = rng.uniform(1, 3, size=n) if rng.random() < 0.5 else None
    return Problem(X, y, s, weight, student)


# --- the oracle -----------------------------------------------------------------------------------


def triangular_root(rows):
    """Return the upper triangle of Householder's QR of rows in long double, and Qᵀ applied."""
    R = rows.astype(LONG)
    d = R.shape[1] - 1  # the last column is the right side
    for j in range(d):
        v = R[j:, j].copy()
        v[0] += np.copysign(np.sqrt(v @ v), v[0])
        square = v @ v
        if square > 0:
            R[j:] -= np.outer(v, (2 / square) * (v @ R[j:]))
    return R[:d, :d], R[:d, d], R[d:, d] @ R[d:, d]


def solve_upper(R, right):
    solution = np.array(right, dtype=LONG)
    for j in range(len(R) - 1, -1, -1):
        solution[j] = (solution[j] - R[j, j + 1 :] @ solution[j + 1 :]) / R[j, j]
    return solution


def solve_lower(L, right):
    return solve_upper(L[::-1, ::-1], right[::-1])[::-1]


@dataclass
class Solution:
    coef: np.ndarray
    intercept: LONG
    residual: LONG
    x_mean: np.ndarray
    R: np.ndarray
    centred: np.ndarray  # x − x̄ of each row
    total: LONG

    @classmethod
    def of(cls, X, target, weight, alpha, fit_intercept):
        """Minimise Σ weight (target − x·w − b)² + α‖w‖²."""
        X, target, weight = X.astype(LONG), target.astype(LONG), weight.astype(LONG)
        total, d = weight.sum(), X.shape[1]
        x_mean = weight @ X / total if fit_intercept else np.zeros(d, LONG)
        t_mean = weight @ target / total if fit_intercept else LONG(0)
        centred = X - x_mean
        rows = np.sqrt(weight)[:, None] * np.column_stack([centred, target - t_mean])
        penalty = np.column_stack([np.sqrt(LONG(alpha)) * np.eye(d, dtype=LONG), np.zeros(d)])
        R, right, residual = triangular_root(np.vstack([rows, penalty]))
        coef = solve_upper(R, right)
        return cls(coef, t_mean - x_mean @ coef, residual, x_mean, R, centred, total)

    @property
    def condition(self):
        """Condition number of X with columns of length 1."""
        X = self.centred.astype(float)
        norms = np.linalg.norm(X, axis=0)
        return np.linalg.cond(X / norms) if norms.all() else np.inf


def noise_variance(X, target, weight, fit_intercept):
    present = ~np.isnan(target)
    solution = Solution.of(X[present], target[present], weight[present], 0.0, fit_intercept)
    return solution.residual / (weight[present].sum() - X.shape[1] - fit_intercept)


@dataclass
class Answer:
    coef: np.ndarray
    intercept: float
    noise: float
    covariance: np.ndarray
    std: np.ndarray
    solution: Solution


def exact(problem):
    """Return the documented objective's minimum, and its sandwich row by row."""
    student, X = problem.student, problem.X
    weight = np.ones(len(X)) if problem.weight is None else problem.weight
    s = np.full(len(X), np.nan) if problem.s is None else problem.s
    labelled, taught = ~np.isnan(problem.y), ~np.isnan(s)
    intercept = student.fit_intercept
    noise = student.noise_variance
    if noise == "auto":
        noise = noise_variance(X, problem.y, weight, intercept)
    ratio = 1.0
    if taught.any():
        of_teacher = student.teacher_noise_variance
        if of_teacher == "auto":
            of_teacher = noise_variance(X, s, weight, intercept)
        ratio = noise / of_teacher
    imitation = student.imitation
    c_y = np.where(labelled, np.where(taught, 1 - imitation, 1.0), 0.0).astype(LONG)
    c_s = ratio * np.where(taught, np.where(labelled, imitation, 1.0), 0.0).astype(LONG)
    a = c_y + c_s
    used = a > 0
    mixed = c_y * np.nan_to_num(problem.y) + c_s * np.nan_to_num(s)
    fit = Solution.of(X[used], (mixed / np.where(used, a, 1))[used], (weight * a)[used],
                      student.alpha, intercept)  # fmt: skip
    # how much a unit of y' of each row moves the coefficients and the mean prediction
    pull = (weight[used, None] * fit.centred).T
    influence = solve_upper(fit.R, solve_lower(fit.R.T, pull))
    variance = ((c_y**2 + c_s**2 / ratio)[used] / weight[used]) * LONG(noise)
    means = (X.astype(LONG) - fit.x_mean) @ influence
    means = means + (weight[used] / fit.total if intercept else 0)
    return Answer(
        fit.coef,
        fit.intercept,
        noise,
        (influence * variance) @ influence.T,
        np.sqrt((means**2) @ variance + LONG(noise)),
        fit,
    )


# --- the checks -----------------------------------------------------------------------------------


def check(seed):
    """Compare one problem with the oracle; raise an AssertionError that tells what differs."""
    problem = random_problem(seed)
    wanted = exact(problem)
    scale = np.sqrt(np.diag(wanted.covariance))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        student = problem.fit()
        covariance = student.coef_covariance_
        mean, std = student.predict(problem.X, return_std=True)
    caught = [one for one in caught if not issubclass(one.category, TeacherMissingWarning)]
    assert all(issubclass(one.category, LinAlgWarning) for one in caught), caught
    assert (np.diag(covariance) >= 0).all()
    assert (std >= 0).all()
    limit = RESOLVED[problem.student.solver]
    # the sum of squared residuals of a nearly exact fit is a difference of Gram matrices
    nearly_exact = wanted.noise < 1e-7 * np.nanmean(problem.y**2)
    if wanted.solution.condition < limit / 10 and not nearly_exact:
        assert not caught, f"a warning at condition {wanted.solution.condition:.1e}"
    if wanted.solution.condition > 30 * limit:
        assert caught, f"no warning at condition {wanted.solution.condition:.1e}"
    if caught:
        return
    error = np.abs(student.coef_ - wanted.coef)
    np.testing.assert_array_less(error, 1e-5 * scale + 1e-8 * np.abs(wanted.coef))
    exact_mean = problem.X.astype(LONG) @ wanted.coef + wanted.intercept
    # x·β + b itself is rounded, and the normal equations lose digits of β that noise may not hide
    terms = np.abs(problem.X) @ np.abs(student.coef_) + abs(student.intercept_)
    lost = max(1e-9, 4 * EPS * wanted.solution.condition)  # as much as a backward stable method
    np.testing.assert_array_less(np.abs(mean - exact_mean), 1e-6 * std + lost * terms)
    np.testing.assert_allclose(
        (covariance - wanted.covariance) / np.outer(scale, scale), 0, atol=1e-6
    )
    np.testing.assert_allclose(std, wanted.std.astype(float), rtol=1e-6)
    np.testing.assert_allclose(student.noise_variance_, float(wanted.noise), rtol=1e-6)


def failure(seed):
    start = time.process_time()
    try:
        check(seed)
    except AssertionError as error:
        return f"seed {seed}: {error}"
    seconds = time.process_time() - start
    return f"seed {seed}: {seconds:.0f} CPU seconds" if seconds > SECONDS else None


def test_random_problems():
    failures = [text for text in map(failure, range(N_PROBLEMS)) if text]
    assert not failures, "\n".join([f"{len(failures)} of {N_PROBLEMS}", *failures[:5]])
