"""Draw the result of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill.demo.experiment import Outcome


def draw_outcome(outcome: Outcome, path: str) -> None:
    """Save a figure of three panels.

    Left: the paired differences between the two students, with their intervals. Middle: log loss
    against prediction time of the three models. Right: the cross-validated loss over λ and T.

    Parameters
    ----------
    outcome : Outcome
        What :func:`run_experiment` returned.
    path : str
        Where to save it; the extension sets the format.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    figure, axes = _subplots()
    outcome.report.plot(ax=axes[:2])
    axes[1].set_title("Log loss against prediction time", fontsize="medium")
    _draw_search(axes[2], outcome)
    title = f"{outcome.report.headline}\n{outcome.data.name}"
    figure.suptitle(title, fontsize="medium", parse_math=False)  # a file's name may contain $
    with atomic_file(path) as file:
        figure.savefig(file, dpi=150, format=Path(path).suffix.removeprefix("."))


def _subplots() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            'the figure needs matplotlib: pip install "sklearn-distill[plot]"'
        ) from error
    figure = Figure(figsize=(14, 4), layout="constrained")  # independent of pyplot
    return figure, figure.subplots(1, 3)


def _draw_search(ax: Any, outcome: Outcome) -> None:
    grid = _loss_over_grid(outcome)
    image = ax.imshow(grid.to_numpy(), cmap="viridis_r", aspect="auto")
    ax.set_xticks(range(len(grid.columns)), [f"{T:g}" for T in grid.columns])
    ax.set_yticks(range(len(grid.index)), [f"{lam:g}" for lam in grid.index])
    chosen = outcome.chosen
    ax.plot(
        grid.columns.get_loc(chosen["temperature"]),
        grid.index.get_loc(chosen["imitation"]),
        "o",
        ms=14,
        mfc="none",
        mec="#d7191c",
        mew=2,
    )
    ax.set(xlabel="temperature T", ylabel="imitation λ")
    name = _searched_parameter(outcome)
    ax.set_title(f"Cross-validated loss at {name} = {chosen[name]:g}")
    ax.figure.colorbar(image, ax=ax, label="cross-entropy, nats")


def _loss_over_grid(outcome: Outcome) -> pd.DataFrame:
    """Return the mean loss by λ (rows) and T (columns) at the student's chosen parameter."""
    results = outcome.distilled.cv_results_
    evaluated = pd.DataFrame(
        [{key.split("__")[-1]: v for key, v in params.items()} for params in results["params"]]
    )
    evaluated["loss"] = -results["mean_test_score"]
    name = _searched_parameter(outcome)
    at_chosen = evaluated[evaluated[name] == outcome.chosen[name]]
    return at_chosen.pivot(index="imitation", columns="temperature", values="loss")


def _searched_parameter(outcome: Outcome) -> str:
    """Return the student's parameter that was searched besides λ and T, without a prefix."""
    (name,) = outcome.data.grid
    return name.split("__")[-1]
