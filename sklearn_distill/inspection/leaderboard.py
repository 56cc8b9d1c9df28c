"""The result of a comparison of students: a table, the best student, a plot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from sklearn_distill.inspection._entries import CONTROLS, STUDENT_KINDS
from sklearn_distill.inspection._fold_scores import Choice, SplitSizes, choose
from sklearn_distill.inspection._leaderboard_table import COSTS
from sklearn_distill.inspection._scoring import Metric
from sklearn_distill.inspection.report_display import COSTS as PLOTTED_COSTS
from sklearn_distill.inspection.report_display import ReportDisplay

_DIFFERENCES = ("vs_best", "vs_baseline")
_WHOLE = {*COSTS, "n_folds"}


@dataclass(frozen=True, eq=False, repr=False)
class Leaderboard:
    """Students in the order of their quality, with intervals, size and speed.

    :func:`compare_students` returns it.

    Parameters
    ----------
    table : DataFrame
        A row for each student, baseline and control, for the teacher and the prior; columns as in
        :func:`compare_students`.
    scores : DataFrame of shape (n_folds, n_metrics · n_rows)
        The metrics of each fold that counts; columns by metric and row of ``table``.
    metrics : list of Metric
        The first decides.
    not_run : list of (str, int)
        Row of ``table`` and fold, from 0, of what was not run within the time limit.
    n_folds : int
        Number of folds of ``cv``.
    sizes : SplitSizes
        Size of the folds, and the level of the intervals.
    settings : DataFrame
        The settings that the searches chose: a row for each fold, a column for each row of
        ``table``.
    refit : callable
        ``refit(name)`` returns that row's model, fitted on all rows.
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    metrics: list[Metric]
    not_run: list[tuple[str, int]]
    n_folds: int
    sizes: SplitSizes
    settings: pd.DataFrame
    refit: Callable[[str], Any]

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return self.metrics[0].name

    def choose(
        self, *, max_latency_us: float | None = None, max_bytes: float | None = None
    ) -> Choice:
        """Choose the best student within limits, and correct its score for the choice.

        The best of several scores is too good: it is partly luck. ``optimism`` estimates by how
        much, from the students that are not shown to be worse than the best, and the covariance of
        their scores over the folds; ``expected`` is ``score`` without it.

        Parameters
        ----------
        max_latency_us : float, default=None
            Largest median time to predict one row, in microseconds.
        max_bytes : float, default=None
            Largest size of the pickle.

        Returns
        -------
        Choice
            With ``name``, ``score``, ``expected`` and its interval ``low`` and ``high``,
            ``optimism`` and ``gain_over_prior``.

        Raises
        ------
        ValueError
            If no student is within the limits.
        """
        students = self.table[self.table["kind"].isin(STUDENT_KINDS) & (self.table["n_folds"] > 0)]
        limits = {"latency_p50_us": max_latency_us, "n_bytes": max_bytes}
        for column, limit in limits.items():
            fits = students if limit is None else students[students[column] <= limit]
            if fits.empty:
                raise ValueError(
                    f"no student has {column} of at most {limit}; the smallest of those left is "
                    f"{students[column].min():,.0f}."
                )
            students = fits
        # in the order of the fits: of equal ones the baseline
        scores = pd.DataFrame(self.scores[self.metric])
        names = [str(name) for name in scores if name in students.index]
        return choose(scores, names, self.metrics[0].direction, self.sizes)

    def best(self, *, max_latency_us: float | None = None, max_bytes: float | None = None) -> Any:
        """Return the best student within limits, refitted on all rows.

        Parameters
        ----------
        max_latency_us : float, default=None
            Largest median time to predict one row, in microseconds.
        max_bytes : float, default=None
            Largest size of the pickle.

        Returns
        -------
        estimator
            A baseline, which takes the regular features; or a teacher-student estimator, which
            takes all features or the regular ones, and whose ``student_`` can be deployed alone.

        Raises
        ------
        ValueError
            If no student is within the limits.
        """
        return self.refit(self.choose(max_latency_us=max_latency_us, max_bytes=max_bytes).name)

    @property
    def headline(self) -> str:
        """One sentence about the best student."""
        choice, direction = self.choose(), self.metrics[0].direction
        words = self.metric.replace("_", " ")
        of = f"of {choice.n_students} students" if choice.n_students > 1 else "and only student"
        score = f"{words} {choice.score:.4f}"
        if math.isnan(choice.low):
            return f"Best {of}: {choice.name}, {score}, without an interval: one fold was run."
        corrected = (
            f"{score}; expect {choice.expected:.4f} ({choice.low:.4f} … {choice.high:.4f}), as "
            f"{choice.optimism:.4f} is the luck of the choice"
            if choice.optimism
            else f"{score} ({choice.low:.4f} … {choice.high:.4f})"
        )
        if direction * choice.gain_over_prior.sign() <= 0:
            prior = self.scores[self.metric]["prior"].mean()
            return (
                "No student is shown to be better than the prior, which predicts the same for "
                f"every sample ({words} {prior:.4f}). Best {of}: {choice.name}, {corrected}."
            )
        return f"Best {of}: {choice.name}, {corrected}."

    def plot(
        self, metric: str | None = None, *, cost: str = "latency_p50_us", ax: Any = None
    ) -> ReportDisplay:
        """Plot a metric against a cost, with the Pareto frontier of students and teacher.

        Parameters
        ----------
        metric : str, default=None
            Column of ``table`` for the vertical axis; None is the metric that decides.
        cost : {"latency_p50_us", "latency_p99_us", "rows_per_second", "n_parameters", "n_bytes"}, \
                default="latency_p50_us"
            Column of ``table`` for the horizontal axis, which is logarithmic. The frontier is that
            of the metric that decides and of ``latency_p50_us``; with others it is not drawn.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ReportDisplay
            The plot.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``table`` has no such columns.
        """
        names = [m.name for m in self.metrics]
        shown = self.table[(self.table["n_folds"] > 0) & ~self.table["kind"].isin(CONTROLS)]
        metric = self.metric if metric is None else metric
        columns = [*names, *(column for column in PLOTTED_COSTS if column in shown)]
        display = ReportDisplay(table=shown[columns], metric=metric, cost=cost).plot(ax=ax)
        display.ax_.set_ylabel(f"{metric.replace('_', ' ')}, mean over folds")
        if metric == self.metric and cost == "latency_p50_us":
            front = shown[shown["pareto"]].sort_values(cost)
            (line,) = display.ax_.plot(
                front[cost], front[metric], color="0.6", linewidth=1, label="Pareto frontier"
            )
            line.set_drawstyle("steps-post")
            display.ax_.legend(fontsize="small")
        return display

    @property
    def _notes(self) -> str:
        level = f"{100 * self.sizes.level:g} %"
        text = (
            f"Means over {len(self.scores)} folds, refitted in each, with {level} intervals of "
            "Nadeau and Bengio.\nA difference from the best or from the baseline is a "
            f"row's {self.metric} minus theirs."
        )
        if not self.not_run:
            return text
        folds: dict[str, list[str]] = {}
        for name, k in self.not_run:
            folds.setdefault(name, []).append(str(k + 1))
        left = "; ".join(f"{name} in fold {', '.join(ks)}" for name, ks in folds.items())
        return f"{text}\nNot run within the time limit (of {self.n_folds} folds): {left}."

    def _text(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                str(column): [_format(str(column), value) for value in values]
                for column, values in self.table.items()
            },
            index=self.table.index,
        )

    def __str__(self) -> str:
        return f"{self.headline}\n\n{self._notes}\n\n{self._text().T.to_string()}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = escape(self._notes).replace("\n", "<br>")
        return (
            f"<p><strong>{escape(self.headline)}</strong></p><p>{notes}</p>{self._text().to_html()}"
        )


def _format(column: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "yes" if value else ""
    if math.isnan(value):
        return "–"
    if column in _WHOLE:
        return f"{value:,.0f}"
    sign = "+" if column.startswith(_DIFFERENCES) else ""
    return f"{value:{sign}.3f}" if column == "fit_seconds" else f"{value:{sign}.4f}"
