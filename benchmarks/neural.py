"""Neural students: what a teacher gives them and what they cost: ``python -m benchmarks.neural``.

Quality: a LeNet-like teacher of 29,176 parameters and an MLP 784-64-10 on Fashion-MNIST, the same
seeds with the teacher and without. Speed: one epoch of the MLP with a teacher, against a loop
written by hand on tensors and against skorch with torch's DataLoader.
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
    """Return accuracy and cross-entropy on the test rows, by run and model."""
    X, y = fetch_fashion_mnist(subset="train", return_X_y=True)
    X_test, y_test = fetch_fashion_mnist(subset="test", return_X_y=True)
    rows = []
    for run in tqdm(range(n_runs), unit="run"):
        for model, student, rows_of in taught(X, y, run):
            proba = student.predict_proba(rows_of(X_test))
            scores = accuracy_score(y_test, proba.argmax(1)), log_loss(y_test, proba)
            rows.append((run, model, *scores))
    columns = ["run", "model", "accuracy", "cross_entropy"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def taught(X: Array, y: Array, run: int) -> Iterator[tuple[str, Any, Any]]:
    """Yield teacher, student alone and distilled student, and the rows' shape for each."""
    teacher = DistilledNeuralClassifier(
        LeNet,
        lr=3e-3,
        lr_schedule="cosine",
        max_epochs=TEACHER_EPOCHS,
        batch_size=BATCH,
        random_state=run,
    ).fit(as_images(X), y)
    yield "teacher", teacher, as_images
    says = teacher.predict_log_proba(as_images(X))
    for model, answers in (("student alone", None), ("student distilled", says)):
        student = DistilledNeuralClassifier(
            imitation=IMITATION,
            temperature=TEMPERATURE,
            max_epochs=EPOCHS,
            batch_size=BATCH,
            random_state=run,
        ).fit(X, y, teacher_logits=answers)
        yield model, student, lambda rows: rows


def as_images(X: Array) -> Array:
    return X.reshape(-1, 1, 28, 28)


def speed(n_rounds: int = N_ROUNDS) -> pd.DataFrame:
    """Return CPU seconds of the three ways, in turn, several rounds."""
    rng = np.random.default_rng(0)
    X = rng.random((SPEED_ROWS, 784), dtype=np.float32)
    y = rng.integers(10, size=SPEED_ROWS)
    Q = rng.dirichlet(np.ones(10), size=SPEED_ROWS)
    ways = {"ours": ours, "hand-written loop": by_hand, "skorch with DataLoader": plain_skorch}
    ours(X, y, Q)  # imports are not what is measured
    rows = []
    for _ in tqdm(range(n_rounds), unit="round"):
        for name, way in ways.items():
            start = time.process_time()
            way(X, y, Q)
            rows.append((name, time.process_time() - start))
    return pd.DataFrame(rows, columns=["way", "seconds"]).assign(versions=all_versions())


def ours(X: Array, y: Array, Q: Array) -> None:
    DistilledNeuralClassifier(
        imitation=IMITATION, temperature=TEMPERATURE, max_epochs=SPEED_EPOCHS, random_state=0
    ).fit(X, y, teacher_proba=Q)


def by_hand(X: Array, y: Array, Q: Array) -> None:
    network = MLP(784, 10, (64,))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    features, labels = torch.as_tensor(X), torch.as_tensor(y)
    soft = torch.softmax(torch.as_tensor(np.log(Q) / TEMPERATURE).float(), 1)
    for _ in range(SPEED_EPOCHS):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            loss = both_terms(network(features[rows]), labels[rows], soft[rows])
            loss.backward()
            optimizer.step()


def both_terms(z: torch.Tensor, y: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    cross_entropy = nn.functional.cross_entropy
    return (1 - IMITATION) * cross_entropy(z, y) + IMITATION * cross_entropy(z / TEMPERATURE, q)


class BothTerms(nn.Module):
    """The loss for skorch, whose y is one array: label, then soft label."""

    def forward(self, z: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """Return the mean loss."""
        return both_terms(z, table[:, 0].long(), table[:, 1:])


def plain_skorch(X: Array, y: Array, Q: Array) -> None:
    soft = np.exp(np.log(Q) / TEMPERATURE)
    table = np.column_stack([y, soft / soft.sum(axis=1, keepdims=True)]).astype(np.float32)
    NeuralNet(
        MLP,
        module__n_features=784,
        module__n_outputs=10,
        criterion=BothTerms,
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
    """Return the part of the page of benchmarks."""
    return "\n".join([*_quality_lines(quality), "", *_speed_lines(speed), ""])


def _quality_lines(results: pd.DataFrame) -> Iterator[str]:
    n_runs = results["run"].nunique()
    yield "## A network teaches a smaller one\n"
    yield (
        f"`python -m benchmarks.neural`: Fashion-MNIST, 60,000 rows to learn from and 10,000 to "
        f"test on. The teacher is `LeNet` (29,176 parameters, {TEACHER_EPOCHS} epochs), the "
        f"student the default MLP 784-64-10 ({EPOCHS} epochs), with λ = {IMITATION:g} and T = "
        f"{TEMPERATURE:g}, set in advance; {n_runs} runs, with and without teacher from the same "
        f"seed. The teacher has seen the rows on which it teaches. Measured with "
        f"{results['versions'].iloc[0]}.\n"
    )
    yield "| model | accuracy | cross-entropy |"
    yield "|---|---|---|"
    for model in ("teacher", "student alone", "student distilled"):
        scores = results[results["model"] == model]
        accuracy, loss = scores["accuracy"], scores["cross_entropy"]
        yield (
            f"| {model} | {accuracy.mean():.4f} ± {accuracy.std():.4f} "
            f"| {loss.mean():.4f} ± {loss.std():.4f} |"
        )
    yield ""
    for metric, name in (("accuracy", "Accuracy"), ("cross_entropy", "Cross-entropy")):
        mean, low, high = paired(results, metric)
        yield f"{name}, distilled − alone: **{mean:+.4f}** (95 %: {low:+.4f} … {high:+.4f}).\n"


def paired(results: pd.DataFrame, metric: str) -> tuple[float, float, float]:
    """Return the mean difference distilled − alone over the runs, and its 95 % interval."""
    table = results.pivot(index="run", columns="model", values=metric)
    differences = table["student distilled"] - table["student alone"]
    reach = t.ppf(0.975, len(differences) - 1) * differences.sem()
    mean = float(differences.mean())
    return mean, mean - reach, mean + reach


def _speed_lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## What a neural student costs\n"
    yield (
        f"MLP 784-64-10 with a teacher, {SPEED_ROWS:,} rows, {SPEED_EPOCHS} epochs, batches of "
        f"{BATCH}, Adam, CPU time with one thread; ratios within a round. Measured with "
        f"{results['versions'].iloc[0]}.\n"
    )
    yield "| against ours | times as long (min … max) | target |"
    yield "|---|---|---|"
    seconds = {way: part["seconds"].to_numpy() for way, part in results.groupby("way")}
    for way, target in TARGETS.items():
        ratio = seconds[way] / seconds["ours"]
        verdict = "met" if np.median(ratio) >= target else "**missed**"
        yield (
            f"| {way} | **{np.median(ratio):.2f}** ({ratio.min():.2f} … {ratio.max():.2f}) "
            f"| ≥ {target:.2f}: {verdict} |"
        )


def main(only: str | None = None) -> None:
    torch.set_num_threads(1)
    for name, measured, path in (("quality", quality, QUALITY), ("speed", speed, SPEED)):
        if only in {None, name}:
            measured().to_csv(path, index=False, float_format="%.6g")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neural", description=__doc__)
    parser.add_argument("only", nargs="?", choices=["quality", "speed"])
    main(parser.parse_args().only)
