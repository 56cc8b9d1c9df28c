"""Cost of a hypergradient step: ``python -m benchmarks.greedy``.

Steps of a network with the hypergradient of λ and T alternate with plain steps of the same network
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
from benchmarks.rows import Bound, Row
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
    """A student, the shape of a sample, the validation batch, and the targets.

    ``target`` is for a hypergradient in every step, ``eighth_target`` for one in every eighth. The
    latter follows from 2.1, the target for networks of linear layers trained by SGD.
    """

    options: dict[str, Any]
    shape: tuple[int, ...] = (784,)
    validation_batch_size: int | None = None
    target: float = 2.1
    eighth_target: float | None = 1.15
    n_rounds: int = 21

    def search(self, name: str) -> GreedyHypergradient | None:
        """Return the optimizer of λ and T; None for plain training."""
        if name == "plain":
            return None
        size = self.validation_batch_size
        return GreedyHypergradient(validation_batch_size=size, **SEARCHES[name])


CASES = {
    "MLP 784-64-10, SGD": Case(SGD),
    "MLP 784-64-10, SGD, 64 validation rows": Case(SGD, validation_batch_size=64),
    "MLP 784-512-10, SGD": Case({**SGD, **WIDE}),
    "MLP 784-512-10, SGD, 64 validation rows": Case({**SGD, **WIDE}, validation_batch_size=64),
    "MLP 784-64-10, Adam": Case({}, target=3.0, eighth_target=None),
    "LeNet, SGD": Case(
        {**SGD, "module": LeNet}, (1, 28, 28), target=3.0, eighth_target=None, n_rounds=9
    ),
}


def run_benchmark(n_rounds: int | None = None, wanted: str = "") -> pd.DataFrame:
    """Return the CPU seconds of a step, by case, search and round."""
    rows = []
    for name, case in CASES.items():
        if wanted not in name:
            continue
        fit_params = make_data(case.shape)
        time_step(fit_params, case.options, None)  # warm up imports
        for round_ in tqdm(range(n_rounds or case.n_rounds), desc=name, unit="round"):
            for search in ("plain", *SEARCHES):
                seconds = time_step(fit_params, case.options, case.search(search))
                rows.append((name, search, round_, seconds))
    columns = ["case", "search", "round", "seconds"]
    return pd.DataFrame(rows, columns=columns).assign(versions=all_versions())


def make_data(shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    return {
        "X": rng.random((N_ROWS, *shape), dtype=np.float32),
        "y": rng.integers(10, size=N_ROWS),
        "teacher_proba": rng.dirichlet(np.ones(10), size=N_ROWS),
        "X_val": rng.random((N_VALIDATION, *shape), dtype=np.float32),
        "y_val": rng.integers(10, size=N_VALIDATION),
    }


def time_step(fit_params: dict[str, NDArray[Any]], options: dict[str, Any], search: Any) -> float:
    """Return the CPU seconds of a step after the first epoch, without validation passes."""
    timer = StepTimer()
    DistilledNeuralClassifier(
        temperature=2.0,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        random_state=0,
        metaparameter_optimizer=search,
        augmentation=timer,
        **options,
    ).fit(**fit_params)
    return timer.seconds()


class StepTimer:
    """An augmentation that leaves the features unchanged and records the time of each call."""

    def __init__(self) -> None:
        self.ticks: list[float] = []

    def __call__(self, features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the features unchanged."""
        self.ticks.append(time.process_time())
        return features

    def seconds(self) -> float:
        """Return the median of the mean time of a step over ``UPDATE_EVERY`` consecutive steps.

        The median ignores load on the machine that lasts for a few steps only.
        """
        steps = np.diff(np.reshape(self.ticks, (EPOCHS, -1))[1:])
        n_whole = steps.shape[1] // UPDATE_EVERY * UPDATE_EVERY
        in_a_row = steps[:, :n_whole].reshape(-1, UPDATE_EVERY)
        return float(np.median(in_a_row.mean(axis=1)))


def section(results: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of the section of the page of benchmarks."""
    yield "## Cost of a hypergradient step\n"
    yield (
        f"`python -m benchmarks.greedy`: CPU time of a step with one thread and batches of {BATCH} "
        "for training and validation; the limit is a plain step of the same network in the "
        "same round. The time of a step in a training is the median over "
        f"means of {UPDATE_EVERY} consecutive steps. Measured with {results['versions'].iloc[0]}.\n"
    )
    yield (
        "A plain step computes two products with the widest layer, the scores and the gradient of "
        "the weights. A hypergradient needs the scores of the validation rows, and the inner "
        "product of two gradients. That is computed in the cheaper of two ways: through the "
        "gradient of the validation rows, with two products, or through a matrix of training rows "
        "by validation rows, with one product of its size. Counting products alone, a step with a "
        "hypergradient costs 2.5 plain steps where a hidden layer is narrower than both "
        "mini-batches, and less where it is wider or where there are fewer validation rows "
        "(`validation_batch_size`). The rest of a plain step, its mini-batch, its loss and the "
        "overhead of calls, is hardly repeated, since the residuals of the loss, λ and T are "
        "propagated back together. Adam scales the gradient of each weight separately, which "
        "rules out the second way, and a convolution uses each weight many times, so that the "
        "gradients themselves are computed."
    )


def rows(results: pd.DataFrame) -> Iterator[Row]:
    """Yield the rows of the tables by region, without competitors."""
    for name in results["case"].unique():
        case = CASES[name]
        for search, target in zip(SEARCHES, (case.target, case.eighth_target), strict=True):
            chosen = (results["case"] == name) & (results["search"] == search)
            yield Row(
                "neural",
                f"{name}: a step, hypergradient {search}",
                results.loc[chosen, "seconds"].median(),
                limit=Bound(ratios(results, name, search), "a plain step", target),
            )


def ratios(results: pd.DataFrame, case: str, search: str) -> NDArray[np.float64]:
    """Return the cost of a step relative to that of a plain step, by round."""
    table = results[results["case"] == case].pivot(
        index="round", columns="search", values="seconds"
    )
    return (table[search] / table["plain"]).to_numpy()


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_benchmark().to_csv(CSV, index=False, float_format="%.6g")
