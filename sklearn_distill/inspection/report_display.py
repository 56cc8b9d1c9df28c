"""Plot the differences between students, and the metrics of models against their costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import pandas as pd

from sklearn_distill.inspection._drawing import axes_for, make_logarithmic

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSTS = {
    "latency_p50_us": "time to predict one row, µs",
    "latency_p99_us": "time to predict one row, 99 % quantile, µs",
    "rows_per_second": "rows predicted in a second",
    "n_parameters": "parameters",
    "n_bytes": "bytes of the pickle",
}
COLOURS = {"teacher": "#444444", "baseline": "#d95f02", "distilled": "#1b9e77"}
VERDICT_COLOURS = {"helps": "#1b9e77", "hurts": "#b2182b"}


class Report(Protocol):
    """What is plotted of a :class:`DistillationReport`, which plots itself by this module."""

    @property
    def table(self) -> pd.DataFrame:
        """Metrics and costs, one row per model."""

    @property
    def did_the_teacher_help(self) -> pd.DataFrame:
        """Differences of the metrics, with their intervals."""

    @property
    def metric(self) -> str:
        """The metric that decides."""

    @property
    def confidence_level(self) -> float:
        """Level of the intervals."""


class ReportDisplay:
    """Plot of a report: the differences with their intervals, and quality against cost.

    In the first panel each metric has its own scale, from 0 to the farther end of its interval, and
    better is to the right; the numbers stand beside it. In the second each model but the prior is a
    point. A model whose cost is not known is a dashed line. Create one with :meth:`from_report`;
    :meth:`plot` plots it again.

    Parameters
    ----------
    table : DataFrame
        The ``table`` of a report, with a row for each model.
    did_the_teacher_help : DataFrame, default=None
        The paired comparison of a report, with the intervals; None plots the second panel only.
    metric : str, default="log_loss"
        Column for the vertical axis, which is logarithmic if lower values are better.
    cost : {"latency_p50_us", "latency_p99_us", "rows_per_second", "n_parameters", "n_bytes"}, \
            default="latency_p50_us"
        Column for the horizontal axis, which is logarithmic.
    confidence_level : float, default=None
        Level of the intervals, for the title.

    Attributes
    ----------
    points_ : DataFrame
        The plotted data, with a row for each model and the columns ``cost`` and ``value``.
    ax_ : matplotlib Axes
        Axes of the plane of quality and cost.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    markers_ : dict of str to PathCollection or Line2D
        The point of each model, or its line if the cost is not known.
    intervals_ax_ : matplotlib Axes or None
        Axes of the intervals.
    intervals_ : dict of str or tuple to Line2D
        The interval of each metric, by its index in `did_the_teacher_help`.

    Raises
    ------
    ValueError
        If `metric` or `cost` is none of the table's columns.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"log_loss": [0.3, 0.4], "latency_p50_us": [500.0, 20.0]}, index=["big", "small"]
    ... )
    >>> display = ReportDisplay(table=table).plot()
    >>> display.markers_["small"].get_offsets().tolist()
    [[20.0, 0.4]]
    """

    ax_: Axes
    figure_: Figure
    markers_: dict[str, Artist]
    intervals_ax_: Axes | None
    intervals_: dict[Any, Artist]

    def __init__(
        self,
        *,
        table: pd.DataFrame,
        did_the_teacher_help: pd.DataFrame | None = None,
        metric: str = "log_loss",
        cost: str = "latency_p50_us",
        confidence_level: float | None = None,
    ) -> None:
        self.points_ = report_points(table, metric, cost)
        self.did_the_teacher_help = did_the_teacher_help
        self.metric = metric
        self.cost = cost
        self.confidence_level = confidence_level

    @classmethod
    def from_report(
        cls,
        report: Report,
        *,
        metric: str | None = None,
        cost: str = "latency_p50_us",
        ax: Any = None,
        **point_kw: Any,
    ) -> Self:
        """Plot a report.

        Parameters
        ----------
        report : DistillationReport
            The result of :func:`distillation_report`.
        metric : str, default=None
            Column for the vertical axis; None is the metric that decides.
        cost : str, default="latency_p50_us"
            Column for the horizontal axis.
        ax : two matplotlib Axes or one, default=None
            Axes of the intervals and of the plane, or of the plane only; None creates a figure.
        **point_kw : dict
            Keyword arguments of the points, passed to ``Axes.scatter``.

        Returns
        -------
        ReportDisplay
            The plot, with its figure.

        Raises
        ------
        ValueError
            If `metric` or `cost` is none of the report's columns.
        """
        display = cls(
            table=report.table,
            did_the_teacher_help=report.did_the_teacher_help,
            metric=report.metric if metric is None else metric,
            cost=cost,
            confidence_level=report.confidence_level,
        )
        return display.plot(ax=ax, **point_kw)

    def plot(self, ax: Any = None, **point_kw: Any) -> Self:
        """Plot the intervals and the points.

        Parameters
        ----------
        ax : two matplotlib Axes or one, default=None
            Axes of the intervals and of the plane, or of the plane only; None creates a figure.
        **point_kw : dict
            Keyword arguments of the points, such as ``s`` and ``marker``.

        Returns
        -------
        self
            With ``ax_``, ``figure_`` and the artists that were plotted.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If `ax` is neither one nor two Axes.
        """
        given = 2 if ax is None else np.size(np.asarray(ax, dtype=object))
        n_axes = 1 if given == 1 or self.did_the_teacher_help is None else 2
        *intervals, plane = axes_for(ax, n_axes, side_by_side=True)
        self.ax_, self.figure_ = plane, plane.figure
        self._draw_plane(point_kw)
        self.intervals_ax_, self.intervals_ = None, {}
        if intervals and self.did_the_teacher_help is not None:
            self.intervals_ax_ = intervals[0]
            self.intervals_ = self._draw_intervals(intervals[0], self.did_the_teacher_help)
        return self

    def _draw_plane(self, point_kw: dict[str, Any]) -> None:
        make_logarithmic(self.ax_, "x")
        if self._is_loss() and (self.points_["value"] > 0).all():
            make_logarithmic(self.ax_, "y")
        costs, values = (dict(self.points_[column]) for column in ("cost", "value"))
        self.markers_ = {
            str(name): self._draw_model(str(name), costs[name], values[name], point_kw)
            for name in costs
        }
        self.ax_.set(
            xlabel=COSTS[self.cost], ylabel=f"{self.metric.replace('_', ' ')} on the test set"
        )
        self.ax_.margins(0.2)
        self.ax_.legend(fontsize="small")

    def _is_loss(self) -> bool:
        if self.did_the_teacher_help is None:
            return False
        better = self.did_the_teacher_help["better"]
        return "lower" in set(better[better.index.get_level_values("metric") == self.metric])

    def _draw_model(self, name: str, cost: float, value: float, options: dict[str, Any]) -> Artist:
        colour: dict[str, Any] = {"color": COLOURS[name]} if name in COLOURS else {}
        # without a cost there is no place on the horizontal axis, but the metric can be compared
        if math.isnan(cost):
            label = f"{name} (cost not known)"
            return self.ax_.axhline(value, linestyle="--", label=label, **colour)
        point: dict[str, Any] = {"s": 90, "label": name, "zorder": 3} | colour | options
        return self.ax_.scatter(cost, value, **point)

    def _draw_intervals(self, ax: Axes, differences: pd.DataFrame) -> dict[Any, Artist]:
        drawn = differences[differences["better"] != "neither"]
        names = [" ".join(index) if isinstance(index, tuple) else index for index in drawn.index]
        lines: dict[Any, Artist] = {}
        for at, (index, row) in enumerate(drawn.iterrows()):
            (lines[index],) = _draw_interval(ax, at, row)
        ax.axvline(0, color="0.6", linewidth=1)
        ax.set(yticks=range(len(names)), xlim=(-1.15, 1.15), xticks=[0], xticklabels=["0"])
        ax.set_yticklabels([name.replace("_", " ") for name in names])
        ax.set_ylim(len(names) - 0.4, -0.7)
        ax.set_xlabel("← worse      distilled − baseline      better →")
        level = "" if self.confidence_level is None else f", {100 * self.confidence_level:g} %"
        ax.set_title(f"Did the teacher help? Intervals{level}", fontsize="medium")
        return lines


def report_points(table: pd.DataFrame, metric: str, cost: str) -> pd.DataFrame:
    """Return cost and metric of each model, without the prior.

    Parameters
    ----------
    table : DataFrame
        The ``table`` of a report, with a row for each model.
    metric, cost : str
        The columns of `table` to return.

    Returns
    -------
    DataFrame
        The rows of `table` but the prior's, which is far from the others and has no cost.

    Raises
    ------
    ValueError
        If `table` has no such metric or cost.
    """
    # every column that is not a cost is a metric
    metrics = [column for column in table if column not in COSTS]
    if metric not in metrics:
        raise ValueError(f"metric={metric!r}; pass one of the report's {metrics}.")
    costs = [column for column in COSTS if column in table]
    if cost not in costs:
        raise ValueError(f"cost={cost!r}; pass one of the report's {costs}.")
    points = pd.DataFrame({"cost": table[cost], "value": table[metric]}, dtype=np.float64)
    return points.drop(index="prior", errors="ignore")


def _draw_interval(ax: Axes, at: int, row: pd.Series[Any]) -> list[Any]:
    sign = -1 if row["better"] == "lower" else 1
    ends = sign * row[["difference", "low", "high"]].to_numpy(dtype=np.float64)
    scale = np.abs(ends).max()
    if not np.isfinite(scale) or scale == 0:
        scale, ends = 1.0, np.nan_to_num(ends, posinf=1, neginf=-1)
    colour = VERDICT_COLOURS.get(row["verdict"], "0.4")
    text = f"{row['difference']:+.3g} ({row['low']:+.3g} … {row['high']:+.3g}), {row['verdict']}"
    ax.text(0, at - 0.2, text, fontsize="x-small", ha="center")
    ax.plot(ends[0] / scale, at, "o", color=colour)
    return ax.plot(ends[1:] / scale, [at, at], color=colour, linewidth=2)
