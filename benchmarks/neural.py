"""Quality and speed of neural students: ``python -m benchmarks.neural``.

Quality: a LeNet-like teacher of 29,176 parameters and an MLP 784-64-10 on Fashion-MNIST, with the
same seeds with and without the teacher. Speed: one epoch of the MLP with a teacher, against a
hand-written loop on tensors and against skorch with torch's DataLoader.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skorch
import torch
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.metrics import accuracy_score, log_loss
from skorch import NeuralNet
from torch import nn
from tqdm import tqdm

from benchmarks.record import versions
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.datasets import fetch_fashion_mnist
from sklearn_distill.nets import MLP, LeNet

QUALITY, SPEED = (Path(__file__).with_name(f"neural_{name}.csv") for name in ("quality", "speed"))
N_RUNS, TEACHER_EPOCHS, EPOCHS, BATCH = 5, 20, 20, 128
IMITATION, TEMPERATURE = 0.5, 2.0
N_ROUNDS, SPEED_ROWS, SPEED_EPOCHS = 5, 20_000, 10
TARGETS = {"hand-written loop": 1 / 1.10, "skorch with DataLoader": 1.6}

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


def speed(n_rounds: int = N_ROUNDS) -> pd.DataFrame:
    """Return the CPU seconds of three implementations, in turn and in several rounds."""
    rng = np.random.default_rng(0)
    X = rng.random((SPEED_ROWS, 784), dtype=np.float32)
    y = rng.integers(10, size=SPEED_ROWS)
    Q = rng.dirichlet(np.ones(10), size=SPEED_ROWS)
    implementations = {
        "ours": ours,
        "hand-written loop": hand_written_loop,
        "skorch with DataLoader": skorch_with_dataloader,
    }
    ours(X, y, Q)  # warm up imports
    rows = []
    for _ in tqdm(range(n_rounds), unit="round"):
        for name, train in implementations.items():
            start = time.process_time()
            train(X, y, Q)
            rows.append((name, time.process_time() - start))
    return pd.DataFrame(rows, columns=["implementation", "seconds"]).assign(versions=all_versions())


def ours(X: Array, y: Array, Q: Array) -> None:
    DistilledNeuralClassifier(
        imitation=IMITATION, temperature=TEMPERATURE, max_epochs=SPEED_EPOCHS, random_state=0
    ).fit(X, y, teacher_proba=Q)


def hand_written_loop(X: Array, y: Array, Q: Array) -> None:
    network = MLP(784, 10, (64,))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    features, labels = torch.as_tensor(X), torch.as_tensor(y)
    soft = torch.softmax(torch.as_tensor(np.log(Q) / TEMPERATURE).float(), 1)
    for _ in range(SPEED_EPOCHS):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            loss = distillation_loss(network(features[rows]), labels[rows], soft[rows])
            loss.backward()
            optimizer.step()


def distillation_loss(z: torch.Tensor, y: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    cross_entropy = nn.functional.cross_entropy
    return (1 - IMITATION) * cross_entropy(z, y) + IMITATION * cross_entropy(z / TEMPERATURE, q)


class DistillationLoss(nn.Module):
    """The loss for skorch, whose y is one array of labels and soft labels."""

    def forward(self, z: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """Return the mean loss."""
        return distillation_loss(z, table[:, 0].long(), table[:, 1:])


def skorch_with_dataloader(X: Array, y: Array, Q: Array) -> None:
    soft = np.exp(np.log(Q) / TEMPERATURE)
    table = np.column_stack([y, soft / soft.sum(axis=1, keepdims=True)]).astype(np.float32)
    NeuralNet(
        MLP,
        module__n_features=784,
        module__n_outputs=10,
        criterion=DistillationLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        max_epochs=SPEED_EPOCHS,
        batch_size=BATCH,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, table)


def all_versions() -> str:
    return f"{versions()}, torch {torch.__version__}, skorch {skorch.__version__}"


def section(quality: pd.DataFrame, speed: pd.DataFrame) -> str:
    """Return the section of the page of benchmarks."""
    return "\n".join([*_quality_lines(quality), "", *_speed_lines(speed), ""])


def _quality_lines(results: pd.DataFrame) -> Iterator[str]:
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


def _speed_lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## Cost of a neural student\n"
    yield (
        f"MLP 784-64-10 with a teacher, {SPEED_ROWS:,} rows, {SPEED_EPOCHS} epochs, batches of "
        f"{BATCH}, Adam, CPU time with one thread; ratios to ours in the same round. Measured with "
        f"{results['versions'].iloc[0]}.\n"
    )
    yield "| implementation | times as long as ours (min … max) | target |"
    yield "|---|---|---|"
    groups = results.groupby("implementation")["seconds"]
    seconds = {name: values.to_numpy() for name, values in groups}
    for name, target in TARGETS.items():
        ratio = seconds[name] / seconds["ours"]
        verdict = "met" if np.median(ratio) >= target else "**missed**"
        yield (
            f"| {name} | **{np.median(ratio):.2f}** ({ratio.min():.2f} … {ratio.max():.2f}) "
            f"| ≥ {target:.2f}: {verdict} |"
        )


def main(only: str | None = None) -> None:
    torch.set_num_threads(1)
    for name, run_benchmark, path in (("quality", quality, QUALITY), ("speed", speed, SPEED)):
        if only in {None, name}:
            run_benchmark().to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neural", description=__doc__)
    parser.add_argument("only", nargs="?", choices=["quality", "speed"])
    main(parser.parse_args().only)
