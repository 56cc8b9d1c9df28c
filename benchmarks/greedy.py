"""What a hypergradient step costs: ``python -m benchmarks.greedy``.

Steps of a network with the hypergradient of λ and T, in turn with plain steps of the same network
on the same mini-batches.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
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
N_ROWS, N_VALIDATION, BATCH, EPOCHS = 10_000, 2_000, 128, 3
UPDATE_EVERY = 8
SGD: dict[str, Any] = {"optimizer": "sgd", "lr": 0.1}
WIDE = {"hidden_layer_sizes": (512,)}
SEARCHES = {"every step": {}, "every 8th step": {"update_every": UPDATE_EVERY}}


@dataclass(frozen=True)
class Case:
    """A student, the shape of a row, its validation batch; targets of a step and of every eighth.

    The amortised target follows from 2.1: it is one of networks of linear layers trained by SGD.
    """

    options: dict[str, Any]
    shape: tuple[int, ...] = (784,)
    validation_batch_size: int | None = None
    target: float = 2.1
    target_of_eighth: float | None = 1.15
    n_rounds: int = 21

    def search(self, name: str) -> GreedyHypergradient | None:
        """Return what moves λ and T; None for plain training."""
        if name == "plain":
            return None
        size = self.validation_batch_size
        return GreedyHypergradient(validation_batch_size=size, **SEARCHES[name])


CASES = {
    "MLP 784-64-10, SGD": Case(SGD),
    "MLP 784-64-10, SGD, 64 validation rows": Case(SGD, validation_batch_size=64),
    "MLP 784-512-10, SGD": Case({**SGD, **WIDE}),
    "MLP 784-512-10, SGD, 64 validation rows": Case({**SGD, **WIDE}, validation_batch_size=64),
    "MLP 784-64-10, Adam": Case({}, target=3.0, target_of_eighth=None),
    "LeNet, SGD": Case(
        {**SGD, "module": LeNet}, (1, 28, 28), target=3.0, target_of_eighth=None, n_rounds=9
    ),
}


def measured() -> pd.DataFrame:
    """Return CPU seconds a step, by case, search and round."""
    rows = []
    for name, case in CASES.items():
        lesson = data(case.shape)
        train(lesson, case.options, None)  # imports are not what is measured
        for round_ in tqdm(range(case.n_rounds), desc=name, unit="round"):
            for search in ("plain", *SEARCHES):
                seconds = train(lesson, case.options, case.search(search))
                rows.append((name, search, round_, seconds))
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
    """Return CPU seconds of a step in the epochs after the first, without validation passes."""
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
        """Return the median of the mean time of a step over ``UPDATE_EVERY`` steps in a row.

        A disturbance of the machine that is over in some steps does not count.
        """
        steps = np.diff(np.reshape(self.ticks, (EPOCHS, -1))[1:])
        n_whole = steps.shape[1] // UPDATE_EVERY * UPDATE_EVERY
        in_a_row = steps[:, :n_whole].reshape(-1, UPDATE_EVERY)
        return float(np.median(in_a_row.mean(axis=1)))


def section(results: pd.DataFrame) -> str:
    """Return the part of the page of benchmarks."""
    return "\n".join([*_lines(results), ""])


def _lines(results: pd.DataFrame) -> Iterator[str]:
    yield "## What a hypergradient step costs\n"
    yield (
        f"`python -m benchmarks.greedy`: CPU time of a step with one thread, batches of {BATCH} "
        "for training and validation, in multiples of a plain step of the same network in the same "
        f"round (median, min … max); of a training counts the median of {UPDATE_EVERY} steps in a "
        f"row. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield "| network | every step | target | every 8th step | target |"
    yield "|---|---|---|---|---|"
    for name, case in CASES.items():
        cells = [name]
        for search, target in zip(SEARCHES, (case.target, case.target_of_eighth), strict=True):
            ratio = ratios(results, name, search)
            cells += [
                f"**{np.median(ratio):.2f}** ({ratio.min():.2f} … {ratio.max():.2f})",
                "–" if target is None else _verdict(float(np.median(ratio)), target),
            ]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield (
        "Of the products with the widest layer a plain step needs two, the scores and the weights' "
        "gradient. A hypergradient needs the scores of the validation rows, and an inner product "
        "of two gradients, which takes the cheaper of two ways: through the validation rows' "
        "gradient, two products, or through a table of training rows against validation rows, one "
        "product of its size. So of products alone it is 2.5 plain steps where a hidden layer is "
        "narrower than both mini-batches, and less in a wider one or with fewer validation rows "
        "(`validation_batch_size`). What a plain step spends besides on its mini-batch, its loss "
        "and its calls, a hypergradient hardly needs again: the residuals of loss, λ and T go back "
        "together. Adam scales each weight's gradient by its own number, which leaves the first "
        "way alone, and a convolution uses its weights many times: there the gradients themselves "
        "are made."
    )


def _verdict(median: float, target: float) -> str:
    return f"≤ {target:g}: {'met' if median <= target else '**missed**'}"


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
