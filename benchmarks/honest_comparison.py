"""Cross-validated accuracy on pure noise: ``python -m benchmarks.honest_comparison``.

The labels are random, so that a leakage-free accuracy is one half. The script writes the CSV file,
and from it the table of the user guide; with ``--page-only`` the CSV file stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC
from tqdm import tqdm

from benchmarks.record import versions, with_part, write_guide
from sklearn_distill import (
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.teachers import out_of_fold_proba

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "honest_comparison.md"
N_ROWS, N_FEATURES, N_REPEATS = 200, 20, 20
CONFIDENCE = 0.95

TEACHERS = {
    "kNN": KNeighborsClassifier(),
    "forest": RandomForestClassifier(random_state=0),
    "SVC": SVC(),
}
# imitation=1: the student is trained on the teacher's predictions alone
STUDENTS = {
    "logistic": DistilledLogisticRegression(imitation=1.0),
    "kNN": SoftTargetClassifier(KNeighborsRegressor(), imitation=1.0),
    "forest": SoftTargetClassifier(RandomForestRegressor(random_state=0), imitation=1.0),
}


class NoiseData(NamedTuple):
    """Features independent of the labels of balanced classes, and more samples of the same kind."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    X_other: NDArray[np.float64]
    y_other: NDArray[np.int64]


def draw_noise(seed: int) -> NoiseData:
    rng = np.random.default_rng(seed)
    X, X_other = rng.normal(size=(2, N_ROWS, N_FEATURES))
    # balanced classes: otherwise the more frequent one could be learnt
    y, y_other = (rng.permutation(np.arange(N_ROWS) % 2) for _ in range(2))
    return NoiseData(X, y, X_other, y_other)


def proba_of_fitted(fitted: Any, X: Any, y: Any) -> NDArray[np.float64]:
    """Return the probabilities of a fitted teacher, for an SVC from its decision values."""
    return out_of_fold_proba(FrozenEstimator(fitted), X, y)


def in_sample(teacher: Any, student: Any, data: NoiseData) -> tuple[Any, Any]:
    return student, proba_of_fitted(clone(teacher).fit(data.X, data.y), data.X, data.y)


def out_of_fold(teacher: Any, student: Any, data: NoiseData) -> tuple[Any, Any]:
    return student, out_of_fold_proba(teacher, data.X, data.y)


def refitted(teacher: Any, student: Any, data: NoiseData) -> tuple[Any, Any]:
    return TeacherStudentClassifier(teacher, student), None


def other_rows(teacher: Any, student: Any, data: NoiseData) -> tuple[Any, Any]:
    return student, proba_of_fitted(clone(teacher).fit(data.X_other, data.y_other), data.X, data.y)


# the estimator that is cross-validated, and the teacher's predictions computed beforehand
METHODS: dict[str, Callable[[Any, Any, NoiseData], tuple[Any, Any]]] = {
    "in-sample": in_sample,
    "out-of-fold": out_of_fold,
    "refitted in each fit": refitted,
    "of other rows": other_rows,
}


def accuracy(teacher: Any, student: Any, method: str, seed: int) -> float:
    """Return the cross-validated accuracy on one draw of the data."""
    data = draw_noise(seed)
    model, predictions = METHODS[method](teacher, student, data)
    params = None if predictions is None else {"teacher_proba": predictions}
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    return float(cross_val_score(model, data.X, data.y, cv=cv, params=params).mean())


def measure_row(teacher: str, student: str, method: str) -> dict[str, Any]:
    """Return a row of the CSV file."""
    start = time.perf_counter()
    scores = [accuracy(TEACHERS[teacher], STUDENTS[student], method, i) for i in range(N_REPEATS)]
    return {
        "teacher": teacher,
        "student": student,
        "predictions": method,
        "mean": np.mean(scores),
        "std": np.std(scores, ddof=1),
        "runs": N_REPEATS,
        "seconds": time.perf_counter() - start,
        "versions": versions(),
    }


def half_width(results: pd.DataFrame) -> pd.Series[float]:
    """Return half the length of the t interval of the mean over draws."""
    quantile = t.ppf((1 + CONFIDENCE) / 2, results["runs"] - 1)
    return quantile * results["std"] / np.sqrt(results["runs"])


def table(results: pd.DataFrame) -> str:
    """Return the table of the page."""
    cells = results["mean"].map("{:.3f}".format) + " ± " + half_width(results).map("{:.3f}".format)
    wide = (
        results.assign(cell=cells)
        .pivot(index=["teacher", "student"], columns="predictions", values="cell")
        .loc[[(teacher, student) for teacher in TEACHERS for student in STUDENTS], list(METHODS)]
    )
    rows = [f"| teacher | student | {' | '.join(METHODS)} |", "|---|---|" + "---|" * len(METHODS)]
    rows += [f"| {' | '.join([*names, *row])} |" for names, *row in wide.itertuples(name=None)]
    runs, seconds = results["runs"].iloc[0], results["seconds"].sum()
    caption = (
        f"Cross-validated accuracy on {N_ROWS} samples with {N_FEATURES} standard normal features "
        f"and random labels: mean of {runs} draws and its {CONFIDENCE:.0%} interval. Computed in "
        f"{seconds / 60:.0f} minutes with {results['versions'].iloc[0]}."
    )
    return "\n".join([*rows, "", caption]) + "\n"


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table between its marks."""
    return with_part(page, "benchmarks/honest_comparison.py", table(results))


def run_benchmark() -> pd.DataFrame:
    """Measure each method with each teacher and student."""
    rows = [(t, s, method) for t in TEACHERS for s in STUDENTS for method in METHODS]
    return pd.DataFrame([measure_row(*row) for row in tqdm(rows, unit="row")])


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_table)
