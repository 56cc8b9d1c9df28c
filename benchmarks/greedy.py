"""What a hypergradient step costs: ``python -m benchmarks.greedy``.

Steps of a network with the hypergradient of λ and T, in turn with plain steps of the same network
on the same mini-batches.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.neural import all_versions
from sklearn_distill import DistilledNeuralClassifier
from sklearn_distill.nets import LeNet
from sklearn_distill.search import GreedyHypergradient

CSV = Path(__file__).with_suffix(".csv")
N_ROUNDS, N_ROWS, N_VALIDATION, BATCH, EPOCHS = 5, 10_000, 2_000, 128, 2
# network and optimiser: (options of the student, shape of a row, target of a step, of every eighth)
CASES: dict[str, tuple[dict[str, Any], tuple[int, ...], float, float]] = {
    "MLP 784-64-10, SGD": ({"optimizer": "sgd", "lr": 0.1}, (784,), 2.1, 1.15),
    "MLP 784-64-10, Adam": ({}, (784,), 3.0, 1.15),
    "LeNet, SGD": ({"module": LeNet, "optimizer": "sgd", "lr": 0.1}, (1, 28, 28), 3.0, 1.15),
}
SEARCHES = {
    "plain": None,
    "every step": GreedyHypergradient(),
    "every 8th step": GreedyHypergradient(update_every=8),
}


def measured(n_rounds: int = N_ROUNDS) -> pd.DataFrame:
    """Return CPU seconds a step, by case, search and round."""
    rows = []
    for case, (options, shape, _, _) in CASES.items():
        lesson = data(shape)
        train(lesson, options, None)  # imports are not what is measured
        for round_ in tqdm(range(n_rounds), desc=case, unit="round"):
            for name, search in SEARCHES.items():
                rows.append((case, name, round_, train(lesson, options, search)))
    columns = ["case", "search", "round", "seconds"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def data(shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    return {
        "X": rng.random((N_ROWS, *shape), dtype=np.float32),
        "y": rng.integers(10, size=N_ROWS),
        "teacher_proba": rng.dirichlet(np.ones(10), size=N_ROWS),
        "X_val": rng.random((N_VALIDATION, *shape), dtype=np.float32),
        "y_val": rng.integers(10, size=N_VALIDATION),
    }


def train(lesson: dict[str, NDArray[Any]], options: dict[str, Any], search: Any) -> float:
    """Return CPU seconds of the epochs after the first, without their validation passes."""
    clock = Clock()
    DistilledNeuralClassifier(
        temperature=2.0,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        random_state=0,
        metaparameter_optimizer=search,
        augmentation=clock,
        **options,
    ).fit(**lesson)
    return clock.seconds()


class Clock:
    """An augmentation that does nothing but read the clock at each mini-batch."""

    def __init__(self) -> None:
        self.ticks: list[float] = []

    def __call__(self, features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the features as they are."""
        self.ticks.append(time.process_time())
        return features

    def seconds(self) -> float:
        """Return the mean time from one mini-batch to the next within an epoch."""
        per_epoch = np.reshape(self.ticks, (EPOCHS, -1))
        return float((per_epoch[1:, -1] - per_epoch[1:, 0]).sum() / per_epoch[1:, 1:].size)


def section(results: pd.DataFrame) -> str:
    """Return the part of the page of benchmarks."""
    return "\n".join([*_lines(results), ""])


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## What a hypergradient step costs\n"
    yield (
        f"`python -m benchmarks.greedy`: CPU time of a step with one thread, batches of {BATCH} "
        "for training and validation, in multiples of a plain step of the same network in the same "
        f"round (median, min … max). Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| network | every step | target | every 8th step | target |"
    yield "|---|---|---|---|---|"
    for case, (_, _, each, eighth) in CASES.items():
        cells = [case]
        for search, target in (("every step", each), ("every 8th step", eighth)):
            ratio = ratios(results, case, search)
            verdict = "met" if np.median(ratio) <= target else "**missed**"
            cells += [
                f"**{np.median(ratio):.2f}** ({ratio.min():.2f} … {ratio.max():.2f})",
                f"≤ {target:g}: {verdict}",
            ]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield (
        "Why the first is missed: of the products with the widest layer a plain step needs two, "
        "the scores and the weights' gradient; a hypergradient with as many validation rows needs "
        "three more, their scores and the two that its inner product takes. That is 2.5 times as "
        "many, and what else a step costs does not weigh more."
    )


def ratios(results: pd.DataFrame, case: str, search: str) -> NDArray[np.float64]:
    """Return the cost of a step over that of a plain step, by round."""
    table = results[results["case"] == case].pivot(
        index="round", columns="search", values="seconds"
    )
    return (table[search] / table["plain"]).to_numpy()


def main() -> None:
    torch.set_num_threads(1)
    measured().to_csv(CSV, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
