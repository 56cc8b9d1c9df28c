"""Draw the first figure of the README: accuracy against prediction time on Covertype.

Run ``python docs/draw_covertype.py``: it draws ``benchmarks/covertype.csv``.
"""

from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from benchmarks import covertype

FIGURE = Path(__file__).parent / "_static" / "covertype.png"
COLOURS = {"logistic regression": "#1b9e77", "tree of depth 8": "#d95f02"}
ABOVE = {"logistic regression": -7, "tree of depth 8": 9}  # of two labels that would overlap


class Summary(NamedTuple):
    """A student on the ten splits, against its baseline and the teacher."""

    teacher: float
    baseline: float
    distilled: float
    gain: tuple[float, float, float]
    times_as_fast: float

    @property
    def gap_closed(self) -> float:
        """The share of the gap between baseline and teacher."""
        return (self.distilled - self.baseline) / (self.teacher - self.baseline)


def summarise(results: pd.DataFrame, student: str) -> Summary:
    """Return mean accuracies, the gain with its interval, and the median ratio of times."""
    accuracies = [
        float(covertype.by_split(results, student, model, "accuracy").mean())
        for model in covertype.MODELS
    ]
    gains = covertype.gain(results, student, "accuracy")
    times = [
        covertype.by_split(results, student, model, covertype.TIME)
        for model in ("teacher", "distilled")
    ]
    interval = covertype.interval(gains)
    return Summary(
        *accuracies, (float(gains.mean()), *interval), float(np.median(times[0] / times[1]))
    )


def sentence(summary: Summary) -> str:
    """Return the claim of the README about the tree; a test holds both together."""
    gain, low, high = summary.gain
    return (
        f"**{summary.times_as_fast:.0f} times as fast** as its boosting teacher, and "
        f"**{gain:+.3f} accuracy** ({low:+.3f} … {high:+.3f}) over the same tree trained on the "
        f"labels alone: {summary.gap_closed:.0%} of the gap between the tree "
        f"({summary.baseline:.3f}) and the teacher ({summary.teacher:.3f}) closed"
    ).replace("%", " %")


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
        gain, low, high = summarise(results, student).gain
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
    print(sentence(summarise(pd.read_csv(covertype.CSV), "tree of depth 8")))  # noqa: T201


if __name__ == "__main__":
    main()
