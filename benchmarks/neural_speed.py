"""Cost of neural students: ``python -m benchmarks.neural_speed``.

Against a loop that a careful user writes: torch's fused Adam, and one gather of the shuffled rows
an epoch. CPU time with one thread, implementations in turn, in several rounds. ``CifarCNN``, whose
channels are last in memory, is also compared with itself with the channels first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from torch import nn
from tqdm import tqdm

from benchmarks.neural import all_versions
from benchmarks.rows import Row
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.nets import MLP, CifarCNN, LeNet

CSV = Path(__file__).with_name("neural_speed.csv")
N_ROUNDS, N_PREDICTIONS, N_CLASSES = 5, 300, 10
IMITATION, TEMPERATURE, LR = 0.5, 2.0, 1e-3
OURS, LOOP, SKORCH, MODULE = "ours", "hand-written loop", "skorch with DataLoader", "bare module"
CHANNELS_FIRST = "ours, channels first"
TARGETS = {LOOP: 0.95, SKORCH: 1.6, MODULE: 0.25, CHANNELS_FIRST: 1}
ONE_ROW = "predict_proba of one row, 20-64-10"

Array = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A training: of an MLP with 64 hidden units, or of a network for images of this shape."""

    shape: tuple[int, ...]
    n_rows: int
    batch_size: int
    n_epochs: int

    @property
    def name(self) -> str:
        """Network, size of the mini-batches, and number of epochs if it is small."""
        if self.module:
            return f"{self.module.__name__}, batch {self.batch_size}, {self.n_epochs} epochs"
        return f"{self.shape[0]}-64-{N_CLASSES}, batch {self.batch_size}"

    @property
    def module(self) -> Any:
        """Module of the student; None is the MLP."""
        return {(1, 28, 28): LeNet, (3, 32, 32): CifarCNN}.get(self.shape)

    def network(self) -> nn.Module:
        """Return a new network."""
        return self.module() if self.module else MLP(self.shape[0], N_CLASSES, (64,))

    def draw(self) -> tuple[Array, Array, Array]:
        """Return features, labels and a teacher's probabilities."""
        rng = np.random.default_rng(0)
        X = rng.random((self.n_rows, *self.shape), dtype=np.float32)
        y = rng.integers(N_CLASSES, size=self.n_rows)
        noise = rng.dirichlet(np.ones(N_CLASSES), size=self.n_rows)
        return X, y, 0.5 * noise + 0.5 * np.eye(N_CLASSES)[y]


MIDDLE = Case((784,), 10_000, 128, 4)
COLOUR = Case((3, 32, 32), 2_000, 128, 8)
CASES = [
    Case((20,), 5_000, 32, 4),
    Case((20,), 10_000, 128, 8),
    Case((20,), 10_000, 1024, 16),
    Case((784,), 5_000, 32, 4),
    MIDDLE,
    Case((784,), 10_000, 1024, 8),
    Case((1, 28, 28), 2_000, 128, 2),
    Case((1, 28, 28), 2_000, 128, 8),
    COLOUR,
]


def run_benchmark(n_rounds: int = N_ROUNDS, wanted: str = "") -> pd.DataFrame:
    """Return the seconds of each implementation, by case and round."""
    rows = []
    for case in tqdm([case for case in CASES if wanted in case.name], unit="case"):
        data = case.draw()
        implementations = {OURS: ours, LOOP: hand_written_loop}
        if case is MIDDLE:
            implementations[SKORCH] = skorch_with_dataloader
        if case is COLOUR:
            implementations[CHANNELS_FIRST] = channels_first
        ours(Case(case.shape, case.n_rows, case.batch_size, 1), *data)  # warm up
        rows += _rounds(
            case.name,
            {name: _bind(train, case, data) for name, train in implementations.items()},
            n_rounds,
        )
    if wanted in ONE_ROW:
        rows += _rounds(ONE_ROW, one_row(), n_rounds)
    columns = ["case", "implementation", "seconds"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def _bind(train: Any, case: Case, data: tuple[Array, Array, Array]) -> Callable[[], Any]:
    return lambda: train(case, *data)


def _rounds(
    case: str, implementations: dict[str, Callable[[], Any]], n_rounds: int
) -> Iterator[tuple[str, str, float]]:
    for _ in range(n_rounds):
        for name, run in implementations.items():
            start = time.process_time()
            run()
            yield case, name, time.process_time() - start


class ChannelsFirst(CifarCNN):
    """``CifarCNN`` as torch makes it."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__(n_outputs)
        # torch does not declare the argument
        self.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def channels_first(case: Case, X: Array, y: Array, Q: Array) -> None:
    ours(case, X, y, Q, module=ChannelsFirst)


def ours(case: Case, X: Array, y: Array, Q: Array, module: Any = None) -> None:
    DistilledNeuralClassifier(
        module or case.module,
        imitation=IMITATION,
        temperature=TEMPERATURE,
        lr=LR,
        batch_size=case.batch_size,
        max_epochs=case.n_epochs,
        random_state=0,
    ).fit(X, y, teacher_proba=Q)


def hand_written_loop(case: Case, X: Array, y: Array, Q: Array) -> None:
    network = case.network()
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    data = [torch.as_tensor(X), torch.as_tensor(y)]
    data.append(torch.softmax(torch.as_tensor(np.log(Q) / TEMPERATURE).float(), 1))
    for _ in range(case.n_epochs):
        order = torch.randperm(len(X))
        for x, label, q in zip(*(rows[order].split(case.batch_size) for rows in data), strict=True):
            optimizer.zero_grad()
            distillation_loss(network(x), label, q).backward()
            optimizer.step()


def distillation_loss(z: torch.Tensor, y: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    cross_entropy = nn.functional.cross_entropy
    return (1 - IMITATION) * cross_entropy(z, y) + IMITATION * cross_entropy(z / TEMPERATURE, q)


class DistillationLoss(nn.Module):
    """The loss for skorch, whose y is one array of labels and soft labels."""

    def forward(self, z: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """Return the mean loss."""
        return distillation_loss(z, table[:, 0].long(), table[:, 1:])


def skorch_with_dataloader(case: Case, X: Array, y: Array, Q: Array) -> None:
    soft = np.exp(np.log(Q) / TEMPERATURE)
    table = np.column_stack([y, soft / soft.sum(axis=1, keepdims=True)]).astype(np.float32)
    NeuralNet(
        MLP,
        module__n_features=case.shape[0],
        module__n_outputs=N_CLASSES,
        criterion=DistillationLoss,
        optimizer=torch.optim.Adam,
        lr=LR,
        max_epochs=case.n_epochs,
        batch_size=case.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, table)


def one_row() -> dict[str, Callable[[], Any]]:
    """Return predictions of one row: of a student, and of its module alone."""
    X, y, _ = Case((20,), 500, 128, 1).draw()
    student = DistilledNeuralClassifier(imitation=0, max_epochs=1, random_state=0).fit(X, y)
    module, row = student.net_.module_, X[:1]

    def predict() -> None:
        for _ in range(N_PREDICTIONS):
            student.predict_proba(row)

    def call() -> None:
        with torch.no_grad():
            for _ in range(N_PREDICTIONS):
                module(torch.as_tensor(row))

    predict()  # warm up
    call()
    return {OURS: predict, MODULE: call}


def method(results: pd.DataFrame) -> str:
    """Return how it is measured."""
    return (
        "`python -m benchmarks.neural_speed`: training of networks with a teacher, and predictions "
        "of a row. "
        "The hand-written loop has torch's fused Adam and gathers the shuffled rows once an epoch; "
        "the channels of `CifarCNN` are last in memory, and first for comparison; "
        f"{N_ROUNDS} rounds. Measured with {results['versions'].iloc[0]}."
    )


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region."""
    for case, part in results.groupby("case", sort=False):
        groups = part.groupby("implementation", sort=False)["seconds"]
        seconds = {str(name): values.to_numpy() for name, values in groups}
        ours = seconds.pop(OURS)
        # the file has the time of all predictions
        own = float(np.median(ours)) / (N_PREDICTIONS if case == ONE_ROW else 1)
        for name, times in seconds.items():
            yield Row("neural", str(case), own, name, times / ours, TARGETS[name])


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")
