"""What a leaderboard's best student reports, against the truth on fresh rows.

``python -m benchmarks.leaderboard_choice`` measures, for labels that are noise and for labels with
a weak signal, the mean of the best student's own score and of the corrected one, minus its accuracy
on 20,000 fresh rows, with standard errors, and how often the truth is within two standard errors
(half the corrected interval over its quantile of Student's t) of what is reported. The script
writes the CSV file, and from it the table of the user guide; with ``--page-only`` the CSV file
stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.tree import DecisionTreeClassifier

from benchmarks.record import versions, with_part, write_guide
from sklearn_distill.inspection import Leaderboard, compare_students

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "did_it_help.md"
N_REPETITIONS = 100
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


def run_benchmark() -> pd.DataFrame:
    """Return how far each reported score is from the truth, and how often it is near."""
    rows = []
    for labels, signal in {"random": 0.0, "weak signal": 0.5}.items():
        own, corrected, error = simulate(signal, N_REPETITIONS).T
        for score, bias in {"the best one's own": own, "to expect": corrected}.items():
            standard_error = bias.std(ddof=1) / np.sqrt(N_REPETITIONS)
            within = np.mean(np.abs(bias) <= 2 * error)
            rows.append((labels, score, bias.mean(), standard_error, within))
    frame = pd.DataFrame(rows, columns=["labels", "score", "bias", "standard_error", "within"])
    return frame.assign(data_sets=N_REPETITIONS, versions=versions())


def with_results(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table of these results."""
    return with_part(page, "benchmarks/leaderboard_choice.py", "\n".join(_table(results)))


def _table(results: pd.DataFrame) -> Iterator[str]:
    yield "| labels | score | too high by | truth within two standard errors |"
    yield "|---|---|---|---|"
    for row in results.to_dict("records"):
        yield (
            f"| {row['labels']} | {row['score']} | {row['bias']:+.3f} ± "
            f"{row['standard_error']:.3f} | {100 * row['within']:.0f} % |"
        )
    yield ""
    yield (
        f"Accuracy of the best of {N_STUDENTS} equally good students in {N_FOLDS} folds of "
        f"{N_ROWS} rows, minus that on {N_FRESH:,} fresh rows: mean and standard error of "
        f"{results['data_sets'].iloc[0]} data sets. Computed by `python -m "
        f"benchmarks.leaderboard_choice` with {results['versions'].iloc[0]}."
    )


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_results)
