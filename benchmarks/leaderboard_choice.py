"""What a leaderboard's best student reports, against the truth on fresh rows.

``python -m benchmarks.leaderboard_choice`` prints, for labels that are noise and for labels with a
weak signal, the mean of the best student's own score and of the corrected one, minus its accuracy
on 20,000 fresh rows, with standard errors, and how often the truth is within two standard errors
(half the corrected interval over its quantile of Student's t) of what is reported.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.tree import DecisionTreeClassifier

from sklearn_distill.inspection import Leaderboard, compare_students

N_ROWS, N_FRESH, N_FOLDS, N_STUDENTS, N_FEATURES = 200, 20_000, 5, 8, 16


def draw(rng: np.random.Generator, n: int, signal: float) -> tuple[NDArray[Any], NDArray[Any]]:
    X = rng.normal(size=(n, N_FEATURES))
    # every feature is equally useful, and each student may use another pair
    return X, (signal * X.sum(axis=1) / 4 + rng.normal(size=n) > 0).astype(int)


class PairOfFeatures(DecisionTreeClassifier):
    """A tree of two of the features."""

    def __init__(self, first: int = 0) -> None:
        super().__init__(max_depth=3)
        self.first = first

    def _own(self, X: NDArray[Any]) -> NDArray[Any]:
        return X[:, 2 * self.first : 2 * self.first + 2]

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> PairOfFeatures:
        """Fit the tree to the pair."""
        return super().fit(self._own(X), y)

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        """Predict from the pair."""
        return super().predict_proba(self._own(X))


def compare(rng: np.random.Generator, signal: float, seed: int) -> Leaderboard:
    students = {f"pair {i}": PairOfFeatures(i) for i in range(N_STUDENTS)}
    return compare_students(
        DecisionTreeClassifier(max_depth=3), students, *draw(rng, N_ROWS, signal),
        cv=N_FOLDS, scoring="accuracy", n_repeats=1, random_state=seed,
    )  # fmt: skip


def simulate(signal: float, n_repetitions: int) -> NDArray[np.float64]:
    """Return for each data set the own score − truth, corrected − truth, and standard error."""
    rng, rows = np.random.default_rng(0), []
    for seed in range(n_repetitions):
        board = compare(rng, signal, seed)
        choice = board.choose()
        X, y = draw(rng, N_FRESH, signal)
        truth = float((board.best().predict_proba(X).argmax(axis=1) == y).mean())
        half = (choice.high - choice.low) / 2
        error = half / t.ppf(0.975, N_FOLDS - 1)
        rows.append((choice.score - truth, choice.expected - truth, error))
    return np.array(rows)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for name, signal in {"noise": 0.0, "weak signal": 0.5}.items():
        own, corrected, error = simulate(signal, n).T
        for words, bias in {"own score": own, "corrected": corrected}.items():
            within = 100 * np.mean(np.abs(bias) <= 2 * error)
            print(
                f"{name}, {words}: {bias.mean():+.4f} ± {bias.std(ddof=1) / np.sqrt(n):.4f} from "
                f"the truth; within 2 standard errors {within:.0f} %"
            )


if __name__ == "__main__":
    main()
