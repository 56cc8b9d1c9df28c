"""Draw the result of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill.experiment._metric import is_loss, plain_name
from sklearn_distill.experiment.run import Outcome


def draw_outcome(outcome: Outcome, path: str) -> None:
    """Save a figure of three panels.

    Left: the paired differences between the two students, with their intervals. Middle: the
    metric that decides against prediction time. Right: its cross-validated value over λ and T, or
    over λ for a regression.

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
    axes[1].set_title("Quality against prediction time", fontsize="medium")
    _draw_search(axes[2], outcome)
    title = f"{outcome.report.headline}\n{outcome.title}"
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
    name = _searched_parameter(outcome)
    ax.set_title(f"Cross-validation at {name} = {outcome.chosen[name]:g}", fontsize="medium")
    if outcome.data.is_class:
        _draw_grid(ax, outcome)
    else:
        _draw_line(ax, outcome)


def _draw_line(ax: Any, outcome: Outcome) -> None:
    evaluated = _evaluated(outcome).set_index("imitation")["value"]
    ax.plot(evaluated.index, evaluated, "o-")
    imitation = outcome.chosen["imitation"]
    ax.plot(imitation, evaluated[imitation], "o", ms=14, mfc="none", mec="#d7191c", mew=2)
    ax.set(xlabel="imitation λ", ylabel=_label(outcome))


def _draw_grid(ax: Any, outcome: Outcome) -> None:
    grid = _evaluated(outcome).pivot(index="imitation", columns="temperature", values="value")
    colours = "viridis_r" if _is_loss(outcome) else "viridis"
    image = ax.imshow(grid.to_numpy(), cmap=colours, aspect="auto")
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
    ax.figure.colorbar(image, ax=ax, label=_label(outcome))


def _label(outcome: Outcome) -> str:
    return plain_name(outcome.data.metric, outcome.data.is_class).replace("_", " ")


def _is_loss(outcome: Outcome) -> bool:
    return is_loss(outcome.data.metric, outcome.data.is_class)


def _evaluated(outcome: Outcome) -> pd.DataFrame:
    """Return the metric of each λ (and T) at the student's chosen parameter."""
    results = outcome.distilled.cv_results_
    evaluated = pd.DataFrame(
        [{key.split("__")[-1]: v for key, v in params.items()} for params in results["params"]]
    )
    sign = -1 if _is_loss(outcome) else 1
    evaluated["value"] = sign * results["mean_test_score"]
    name = _searched_parameter(outcome)
    return evaluated[evaluated[name] == outcome.chosen[name]]


def _searched_parameter(outcome: Outcome) -> str:
    """Return the student's parameter that was searched besides λ and T, without a prefix."""
    (name,) = outcome.student.grid
    return name.split("__")[-1]
