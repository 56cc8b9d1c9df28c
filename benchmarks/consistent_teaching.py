"""A teacher asked about augmented images, against cached predictions.

``python -m benchmarks.consistent_teaching`` trains, in each of five runs, a LeNet on 10,000 images
of Fashion-MNIST with random shifts and flips, and from it students on 1,000 other images with the
same shifts and flips: on the labels alone, on predictions for the original images, and on those for
the augmented ones. The students of a run share the seed. The script writes the CSV file,
and from it the table of the user guide; with ``--page-only`` the CSV file stays as it is. All runs
take about 5 minutes of one core.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.metrics import accuracy_score, log_loss
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.neural import all_versions, as_images
from benchmarks.record import with_part, write_guide
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.augmentation import Compose, RandomHorizontalFlip, RandomShift
from sklearn_distill.datasets import fetch_fashion_mnist
from sklearn_distill.nets import LeNet

CSV = Path(__file__).with_suffix(".csv")
PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "neural_students.md"
N_RUNS, N_TEACHER, N_STUDENT = 5, 10_000, 1000
TEACHER_EPOCHS, STUDENT_EPOCHS, TEMPERATURE = 20, 100, 2.0
# the teacher's predictions, and the arguments of the student
METHODS: dict[str, str] = {
    "labels": "none: the labels alone",
    "cached": "`teacher_logits`, of the original images",
    "consistent": "`teacher`, of the augmented images",
}
TRAINING = {
    "lr": 3e-3,
    "lr_schedule": "cosine",
    "batch_size": 100,
    "augmentation": Compose(RandomShift(0.1), RandomHorizontalFlip()),
}

Array = NDArray[Any]


def run_benchmark(
    n_runs: int = N_RUNS,
    n_student: int = N_STUDENT,
    n_teacher: int = N_TEACHER,
    epochs: tuple[int, int] = (TEACHER_EPOCHS, STUDENT_EPOCHS),
) -> pd.DataFrame:
    """Return accuracy and cross-entropy of the students on the test set, by run and method."""
    X, y = fetch_fashion_mnist(subset="train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
    images, test_images = as_images(X), as_images(X_test)
    rows = []
    for run in tqdm(range(n_runs), unit="run"):
        order = np.random.default_rng(run).permutation(len(X))
        of_teacher, of_student = order[:n_teacher], order[n_teacher : n_teacher + n_student]
        teacher = DistilledNeuralClassifier(
            LeNet, imitation=0, max_epochs=epochs[0], random_state=run, **TRAINING
        ).fit(images[of_teacher], y[of_teacher])
        teacher_accuracy = teacher.score(test_images, y_test)
        for method in METHODS:
            start = time.process_time()
            student = fit_student(
                method, teacher, images[of_student], y[of_student], epochs[1], run
            )
            seconds = time.process_time() - start
            proba = student.predict_proba(test_images)
            scores = accuracy_score(y_test, proba.argmax(1)), log_loss(y_test, proba)
            rows.append((run, method, *scores, teacher_accuracy, seconds))
    columns = ["run", "method", "accuracy", "cross_entropy", "teacher_accuracy", "seconds"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def fit_student(
    method: str, teacher: DistilledNeuralClassifier, X: Array, y: Array, n_epochs: int, run: int
) -> DistilledNeuralClassifier:
    """Return a student that is trained on the labels alone, or on the teacher alone."""
    network = teacher.to_torch(probabilities=False)
    student = DistilledNeuralClassifier(
        LeNet,
        imitation=0.0 if method == "labels" else 1.0,
        temperature=TEMPERATURE,
        teacher=network if method == "consistent" else None,
        max_epochs=n_epochs,
        random_state=run,
        **TRAINING,
    )
    cached = {"teacher_logits": teacher.predict_log_proba(X)} if method == "cached" else {}
    return student.fit(X, y, **cached)


def difference(results: pd.DataFrame, metric: str, other: str) -> tuple[float, float, float]:
    """Return the mean of consistent − other over the runs, and its 95 % interval."""
    table = results.pivot(index="run", columns="method", values=metric)
    differences = table["consistent"] - table[other]
    reach = t.ppf(0.975, len(differences) - 1) * differences.sem()
    mean = float(differences.mean())
    return mean, mean - reach, mean + reach


def part(results: pd.DataFrame) -> str:
    """Return the table and its caption."""
    return "\n".join(_lines(results))


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "| Teacher's predictions | accuracy | cross-entropy | seconds of one core |"
    yield "|---|---|---|---|"
    for method, name in METHODS.items():
        rows = results[results["method"] == method]
        accuracy, loss = rows["accuracy"], rows["cross_entropy"]
        yield (
            f"| {name} | {accuracy.mean():.3f} ± {accuracy.std():.3f} | {loss.mean():.3f} ± "
            f"{loss.std():.3f} | {rows['seconds'].median():.0f} |"
        )
    yield ""
    for other, against in (("cached", "those of the original images"), ("labels", "none")):
        found = [
            f"{name} **{mean:+.3f}** (95 %: {low:+.3f} … {high:+.3f})"
            for name, metric in (("accuracy", "accuracy"), ("cross-entropy", "cross_entropy"))
            for mean, low, high in [difference(results, metric, other)]
        ]
        yield f"Predictions of the augmented images minus {against}: {', '.join(found)}.\n"
    yield (
        f"`python -m benchmarks.consistent_teaching`: Fashion-MNIST, a `LeNet` teacher of "
        f"{N_TEACHER:,} images (accuracy {results['teacher_accuracy'].mean():.3f}) and `LeNet` "
        f"students of {N_STUDENT:,} others, {STUDENT_EPOCHS} epochs with shifts by up to a tenth "
        f"and horizontal flips, λ = 1 with a teacher, T = {TEMPERATURE:g}, set in advance. Mean ± "
        f"standard deviation of {results['run'].nunique()} runs on the 10,000 test images; "
        f"intervals are paired by run; {results['versions'].iloc[0]}."
    )


def with_table(page: str, results: pd.DataFrame) -> str:
    """Return the page with the table of these results."""
    return with_part(page, "benchmarks/consistent_teaching.py", part(results))


if __name__ == "__main__":
    with threadpool_limits(1):
        write_guide(__doc__, CSV, PAGE, run_benchmark, with_table)
