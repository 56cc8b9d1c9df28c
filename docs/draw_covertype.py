"""Draw the first figure of the README: accuracy against prediction time on Covertype.

Run ``python docs/draw_covertype.py``: it draws ``benchmarks/covertype.csv``.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmarks import covertype

FIGURE = Path(__file__).parent / "_static" / "covertype.png"
COLOURS = {"logistic regression": "#1b9e77", "tree of depth 8": "#d95f02"}
ABOVE = {"logistic regression": -7, "tree of depth 8": 9}  # of two labels that would overlap


def draw(results: pd.DataFrame, ax: Axes) -> None:
    """Draw the teacher, and an arrow from each baseline to its distilled student."""
    teacher = _point(results, "tree of depth 8", "teacher")
    ax.plot(*teacher, "s", color="0.2", markersize=8)
    ax.annotate(
        "gradient boosting,\nthe teacher", teacher, (-12, 0), textcoords="offset points",
        ha="right", va="center",
    )  # fmt: skip
    for student, colour in COLOURS.items():
        before, after = (_point(results, student, model) for model in ("baseline", "distilled"))
        gain, low, high = covertype.summarise(results, student).gain
        ax.errorbar(
            *after, [[gain - low], [high - gain]], fmt="o", color=colour, markersize=8, capsize=3
        )
        ax.plot(*before, "o", mfc="white", color=colour, markersize=8)
        ax.annotate("", after, before, arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.5})
        ax.annotate(
            f"{student}, distilled", after, (10, ABOVE[student]), textcoords="offset points",
            va="center", color=colour, weight="bold",
        )  # fmt: skip
        ax.annotate(
            f"{student}, labels alone", before, (10, 0), textcoords="offset points", va="center",
            color=colour,
        )  # fmt: skip
    ax.set(xscale="log", xlabel="prediction time, µs per row", ylabel="accuracy", xlim=(0.4, 130))
    ax.set_xticks([0.5, 1, 10, 100], ["0.5", "1", "10", "100"])
    ax.set_ylim(top=0.73)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)


def _point(results: pd.DataFrame, student: str, model: str) -> tuple[float, float]:
    time, accuracy = (
        covertype.by_split(results, student, model, column)
        for column in (covertype.TIME, "accuracy")
    )
    return float(np.median(time)), float(accuracy.mean())


def main() -> None:
    """Draw the stored results."""
    figure, ax = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
    draw(pd.read_csv(covertype.CSV), ax)
    figure.savefig(FIGURE, dpi=150)
    summary = covertype.summarise(pd.read_csv(covertype.CSV), "tree of depth 8")
    print(covertype.sentence(summary))  # noqa: T201


if __name__ == "__main__":
    main()
