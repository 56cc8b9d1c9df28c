"""Quality of neural students: ``python -m benchmarks.neural``.

A LeNet-like teacher of 29,176 parameters and an MLP 784-64-10 on Fashion-MNIST, with the same seeds
with and without the teacher.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import skorch
import torch
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.metrics import accuracy_score, log_loss
from tqdm import tqdm

from benchmarks.record import versions
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets import fetch_fashion_mnist
from sklearn_distill.nets import LeNet

CSV = Path(__file__).with_name("neural_quality.csv")
N_RUNS, TEACHER_EPOCHS, EPOCHS, BATCH = 5, 20, 20, 128
IMITATION, TEMPERATURE = 0.5, 2.0

Array = NDArray[Any]


def quality(n_runs: int = N_RUNS) -> pd.DataFrame:
    """Return accuracy and cross-entropy on the test set, by run and model."""
    X, y = fetch_fashion_mnist(subset="train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
    rows = []
    for run in tqdm(range(n_runs), unit="run"):
        for model, student, reshape in fit_models(X, y, run):
            proba = student.predict_proba(reshape(X_test))
            scores = accuracy_score(y_test, proba.argmax(1)), log_loss(y_test, proba)
            rows.append((run, model, *scores))
    columns = ["run", "model", "accuracy", "cross_entropy"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def fit_models(X: Array, y: Array, run: int) -> Iterator[tuple[str, Any, Any]]:
    """Yield teacher, baseline and distilled student, and a function that reshapes their input."""
    teacher = DistilledNeuralClassifier(
        LeNet,
        imitation=0,
        lr=3e-3,
        lr_schedule="cosine",
        max_epochs=TEACHER_EPOCHS,
        batch_size=BATCH,
        random_state=run,
    ).fit(as_images(X), y)
    yield "teacher", teacher, as_images
    teacher_logits = teacher.predict_log_proba(as_images(X))
    for model, imitation in (("baseline", 0), ("distilled", IMITATION)):
        student = DistilledNeuralClassifier(
            imitation=imitation,
            temperature=TEMPERATURE,
            max_epochs=EPOCHS,
            batch_size=BATCH,
            random_state=run,
        ).fit(X, y, teacher_logits=teacher_logits if imitation else None)
        yield model, student, lambda rows: rows


def as_images(X: Array) -> Array:
    return X.reshape(-1, 1, 28, 28)


def all_versions() -> str:
    return f"{versions()}, torch {torch.__version__}, skorch {skorch.__version__}"


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    n_runs = results["run"].nunique()
    yield "## Distilling a network into a smaller one\n"
    yield (
        f"`python -m benchmarks.neural`: Fashion-MNIST, with 60,000 training and 10,000 test "
        f"images. The teacher is `LeNet` (29,176 parameters, {TEACHER_EPOCHS} epochs) and the "
        f"student the default MLP 784-64-10 ({EPOCHS} epochs), with λ = {IMITATION:g} and T = "
        f"{TEMPERATURE:g}, set in advance. Mean ± standard deviation of {n_runs} runs; baseline "
        "and distilled student of a run share the seed. The teacher's predictions are in-sample. "
        f"Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| model | accuracy | cross-entropy |"
    yield "|---|---|---|"
    for model in ("teacher", "baseline", "distilled"):
        scores = results[results["model"] == model]
        accuracy, loss = scores["accuracy"], scores["cross_entropy"]
        yield (
            f"| {model} | {accuracy.mean():.4f} ± {accuracy.std():.4f} "
            f"| {loss.mean():.4f} ± {loss.std():.4f} |"
        )
    yield ""
    for metric, name in (("accuracy", "Accuracy"), ("cross_entropy", "Cross-entropy")):
        mean, low, high = paired(results, metric)
        yield f"{name}, distilled − baseline: **{mean:+.4f}** (95 %: {low:+.4f} … {high:+.4f}).\n"


def paired(results: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    """Return the mean of distilled − baseline over the runs, and its 95 % interval."""
    table = results.pivot(index="run", columns="model", values=metric)
    differences = table["distilled"] - table["baseline"]
    reach = t.ppf(0.975, len(differences) - 1) * differences.sem()
    mean = float(differences.mean())
    return mean, mean - reach, mean + reach


if __name__ == "__main__":
    torch.set_num_threads(1)
    quality().to_csv(CSV, index=False, float_format="%.6g")
