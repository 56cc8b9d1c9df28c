"""Good and bad teachers of unlabelled samples, simulated: ``python -m benchmarks.debiased``.

The probabilities are known, so that the loss of the best linear student is, too. A student with
λ = 0 is trained on 1,000 labels and on a teacher's predictions for 10,000 unlabelled samples. The
good teacher knows the true probabilities, which depend on a feature that the student lacks; the bad
one has the wrong sign and a bias. Neither is fitted on any label.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.record import versions, with_part, write_guide
from sklearn_distill import DistilledLogisticRegression, TeacherStudentClassifier

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "teacher_student.md"
N_FEATURES, N_LABELLED, N_UNLABELLED, N_TEST, N_DRAWS = 20, 1000, 10_000, 60_000, 30
COEF = np.random.default_rng(1).normal(size=N_FEATURES) / 2
# weights of the unlabelled samples, and ρ of the debiased form
METHODS: dict[str, dict[str, Any]] = {
    "labels alone": {"weight": 0.0},
    "weight 1": {"weight": 1.0},
    "weight 10, as one each": {"weight": 10.0},
    "debiased, ρ = 0.5": {"rho": 0.5},
    "debiased, ρ = 1": {"rho": 1.0},
    '`"auto"`': {"weight": "auto"},
}


def logits(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the true log-odds, by a feature that the student lacks and a product."""
    return X[:, :-1] @ COEF + 2 * X[:, -1] + 0.3 * X[:, 0] * X[:, 1]


class Teacher(ClassifierMixin, BaseEstimator):
    """A teacher that is not fitted on labels."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fit(self, X: NDArray[np.float64], y: NDArray[np.int64]) -> Self:
        """Learn nothing."""
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the true probabilities, or wrong ones."""
        z = logits(X) if self.kind == "good" else 1.5 - X[:, :-1] @ COEF / 2
        return np.column_stack([expit(-z), expit(z)])


def draw(rng: np.random.Generator, n_rows: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return all features, the student's and the hidden one, and labels."""
    X = rng.normal(size=(n_rows, N_FEATURES + 1))
    return X, (rng.uniform(size=n_rows) < expit(logits(X))).astype(int)


def expected_loss(student: Any, X: NDArray[np.float64]) -> float:
    """Return the cross-entropy of the true probabilities."""
    log_proba, p = student.predict_log_proba(X[:, :-1]), expit(logits(X))
    return float(-np.mean((1 - p) * log_proba[:, 0] + p * log_proba[:, 1]))


def measure_draw(seed: int, X_test: NDArray[np.float64], least: float) -> Iterator[dict[str, Any]]:
    """Yield the rows of the CSV file of one draw: the excess of the loss over the least."""
    rng = np.random.default_rng(seed)
    (X, y), (X_unlabelled, _) = draw(rng, N_LABELLED), draw(rng, N_UNLABELLED)
    for kind in ("good", "bad"):
        teacher = Teacher(kind).fit(X, y)
        for method, given in METHODS.items():
            model = TeacherStudentClassifier(
                teacher,
                DistilledLogisticRegression(0.0, debias=given.get("rho")),
                cv="prefit",
                privileged_features=[N_FEATURES],
                unlabeled_weight=given.get("weight"),
                random_state=0,
            ).fit(X, y, X_unlabeled=X_unlabelled)
            excess = expected_loss(model.student_, X_test) - least
            row = {"draw": seed, "teacher": kind, "method": method, "excess_loss": excess}
            yield row | {"versions": versions()}


def run_benchmark() -> pd.DataFrame:
    """Return the rows of the CSV file, with one thread."""
    rng = np.random.default_rng(10**6)
    (X, y), (X_test, _) = draw(rng, 10 * N_TEST), draw(rng, N_TEST)
    with threadpool_limits(1):
        best = LogisticRegression(C=np.inf, tol=1e-8).fit(X[:, :-1], y)
        least = expected_loss(best, X_test)
        rows = [
            row
            for seed in tqdm(range(N_DRAWS), unit="draw")
            for row in measure_draw(seed, X_test, least)
        ]
    return pd.DataFrame(rows)


def part(results: pd.DataFrame) -> str:
    """Return the table of the guide."""
    cells = {}
    for teacher in ("good", "bad"):
        rows = results[results["teacher"] == teacher]
        by_method = rows.pivot(index="draw", columns="method", values="excess_loss")
        error = by_method.std(ddof=1) / np.sqrt(len(by_method))
        cells[teacher] = {
            method: f"{by_method[method].mean():.4f} ± {error[method]:.4f}" for method in METHODS
        }
    lines = ["| Unlabelled samples | good teacher | bad teacher |", "|---|---|---|"]
    lines += [f"| {name} | {cells['good'][name]} | {cells['bad'][name]} |" for name in METHODS]
    return "\n".join(lines)


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table."""
    return with_part(page, "benchmarks/debiased.py", part(results))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_results)
