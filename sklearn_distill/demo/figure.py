"""Draw the result of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill.demo.experiment import Outcome
from sklearn_distill.inspection.report_display import COLOURS


def draw_outcome(outcome: Outcome, path: str) -> None:
    """Save a figure of three panels.

    Left: accuracy against prediction time of the three models. Middle: the paired differences
    between the two students, with their intervals. Right: the cross-validated loss over λ and T.

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
    outcome.report.plot(ax=axes[0])
    axes[0].set_title("Accuracy against prediction time")
    _draw_differences(axes[1], outcome.report.did_the_teacher_help)
    _draw_search(axes[2], outcome)
    figure.suptitle(outcome.data.name, parse_math=False)  # a file's name may contain $
    with atomic_file(path) as file:
        figure.savefig(file, dpi=150, format=Path(path).suffix.removeprefix("."))


def _subplots() -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            'the figure needs matplotlib: pip install "sklearn-distill[plot]"'
        ) from error
    figure = Figure(figsize=(13, 4), layout="constrained")  # independent of pyplot
    return figure, figure.subplots(1, 3)


def _draw_differences(ax: Any, differences: pd.DataFrame) -> None:
    at = np.arange(len(differences))
    centre = differences["difference"]
    spread = np.abs(differences[["low", "high"]].to_numpy().T - centre.to_numpy())
    ax.errorbar(centre, at, xerr=spread, fmt="o", capsize=4, color=COLOURS["distilled"])
    ax.axvline(0, color="0.6", lw=1)
    ax.set(yticks=at, ylim=(-0.5, len(at) - 0.5), xlabel="distilled − baseline, with interval")
    verdicts = zip(differences.index, differences["verdict"], strict=True)
    ax.set_yticklabels([f"{name}\n({verdict})" for name, verdict in verdicts])
    ax.locator_params(axis="x", nbins=5)
    ax.invert_yaxis()
    ax.set_title("Did the teacher help?")


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
