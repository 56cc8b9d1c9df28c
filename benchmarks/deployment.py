"""Size and latency of a teacher and its students in each file format.

``python -m benchmarks.deployment`` distils a slow ensemble into three students on the handwritten
digits, saves each in several formats, and measures one row at a time and batches of 1,000 rows, in
turn and with one thread. It writes the CSV file, and from it the table of the user guide.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import pandas as pd
import skops.io
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from benchmarks.record import versions, with_part, write_guide
from sklearn_distill import (
    DistilledBoostingClassifier,
    DistilledLogisticRegression,
    SoftTargetClassifier,
    TeacherStudentClassifier,
)
from sklearn_distill.deployment import to_onnx, to_sklearn

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "deploy.md"
N_SINGLE, N_BATCHES, BATCH = 300, 10, 1000
STUDENTS = {
    "linear": DistilledLogisticRegression(C=0.1, temperature=2.0),
    "tree of depth 8": SoftTargetClassifier(DecisionTreeClassifier(max_depth=8, random_state=0)),
    "boosted trees": DistilledBoostingClassifier(
        HistGradientBoostingClassifier(max_iter=50, early_stopping=False), random_state=0
    ),
}
Predict = Callable[[NDArray[Any]], NDArray[Any]]


def run_benchmark() -> pd.DataFrame:
    """Return one row for each model and format."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        (X / 16).astype(np.float32), y, train_size=1000, random_state=0
    )
    teacher = VotingClassifier(
        [
            ("trees", ExtraTreesClassifier(500, random_state=0)),
            ("boosting", HistGradientBoostingClassifier(random_state=0)),
        ],
        voting="soft",
    )
    forms: list[tuple[str, str, int, Predict]] = []
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        for name, student in STUDENTS.items():
            pair = TeacherStudentClassifier(teacher, student, keep_teacher=name == "linear")
            pair.fit(X_train, y_train)
            if name == "linear":
                forms.append(("teacher", "joblib", *saved_by_joblib(pair.teacher_, folder)))
            forms += [(name, form, *made) for form, made in formats(pair, X_train, Path(folder))]
        times = measure([predict for *_, predict in forms], X_test)
    rows = [
        {
            "model": name,
            "format": form,
            "bytes": size,
            "one_row_us": 1e6 * np.median(single),
            "rows_per_second": BATCH / np.median(batches),
            "accuracy": np.mean(predict(X_test).argmax(axis=1) == y_test),
        }
        for (name, form, size, predict), (single, batches) in zip(forms, times, strict=True)
    ]
    return pd.DataFrame(rows)


def formats(pair: Any, X: NDArray[Any], folder: Path) -> list[tuple[str, tuple[int, Predict]]]:
    """Return the formats of a student with their sizes and prediction functions."""
    plain = to_sklearn(pair)
    path = folder / "model.onnx"
    to_onnx(pair, path, X)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options)

    def predict(rows: NDArray[Any]) -> NDArray[Any]:
        return session.run(["probabilities"], {"X": rows})[0]

    return [
        ("joblib", saved_by_joblib(pair.student_, str(folder))),
        ("skops", (len(skops.io.dumps(pair.student_)), pair.student_.predict_proba)),
        ("to_sklearn, joblib", saved_by_joblib(plain, str(folder))),
        ("ONNX", (path.stat().st_size, predict)),
    ]


def saved_by_joblib(model: Any, folder: str) -> tuple[int, Predict]:
    """Return the size of the file, and the prediction function of the model."""
    path = Path(folder) / "model.joblib"
    joblib.dump(model, path)
    return path.stat().st_size, joblib.load(path).predict_proba


def measure(predictors: list[Predict], X: NDArray[Any]) -> list[tuple[list[float], list[float]]]:
    """Return seconds of single rows and of batches, measured in turn."""
    batch = np.tile(X, (-(-BATCH // len(X)), 1))[:BATCH]
    times: list[tuple[list[float], list[float]]] = [([], []) for _ in predictors]
    for predict in predictors:  # warm up
        predict(X[:1])
        predict(batch)
    for k in range(N_SINGLE):
        for (single, batches), predict in zip(times, predictors, strict=True):
            row = X[k % len(X)][None]
            predict(row)  # the caches are another model's
            single.append(seconds(predict, row))
            if k < N_BATCHES:
                batches.append(seconds(predict, batch))
    return times


def seconds(predict: Predict, rows: NDArray[Any]) -> float:
    """Return the CPU time of a prediction."""
    start = time.process_time()
    predict(rows)
    return time.process_time() - start


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table of the results."""
    lines = [
        "| Model | Format | Size | One row | Rows per second | Accuracy |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row.model} | {row.format} | {row.bytes / 1000:,.0f} kB | {row.one_row_us:,.0f} µs "
        f"| {row.rows_per_second:,.0f} | {row.accuracy:.3f} |"
        for row in results.itertuples()
    ]
    fastest = {name: rows.set_index("format").one_row_us for name, rows in results.groupby("model")}
    ratios = ", ".join(
        f"{name} {fastest[name]['ONNX'] / fastest[name]['to_sklearn, joblib']:.2f}"
        for name in STUDENTS
    )
    lines += [
        "",
        f"One row by ONNX takes this share of the time of the plain scikit-learn model: {ratios}. "
        f"CPU times, medians of {N_SINGLE} rows and {N_BATCHES} batches of {BATCH} rows, measured "
        f"in turn with one thread; {versions()}.",
    ]
    return with_part(page, "benchmarks/deployment.py", "\n".join(lines))


if __name__ == "__main__":
    write_guide(__doc__, CSV, PAGE, run_benchmark, with_table)
