"""Plot the metrics of models against their costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import pandas as pd

from sklearn_distill.inspection._drawing import axes_for, make_logarithmic

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class Report(Protocol):
    """The tables of a :class:`DistillationReport`, which plots itself by this module."""

    @property
    def table(self) -> pd.DataFrame:
        """Metrics and costs, one row per model."""

    @property
    def did_the_teacher_help(self) -> pd.DataFrame:
        """Differences of the metrics, with their intervals."""

    @property
    def confidence_level(self) -> float:
        """Level of the intervals."""


COLOURS = {"teacher": "#444444", "baseline": "#d95f02", "distilled": "#1b9e77"}


class ReportDisplay:
    """Plot of a report: a metric against a cost, with one point per model.

    The bar at the distilled student is the interval of distilled − baseline, added to the metric of
    the baseline (dotted line): the difference is decided if the bar does not reach the line. A
    model whose cost is not known is a dashed line. Create one with :meth:`from_report`;
    :meth:`plot` plots it again.

    Parameters
    ----------
    table : DataFrame
        The ``table`` of a report, with a row for each model.
    did_the_teacher_help : DataFrame, default=None
        The paired comparison of a report, with the intervals; None plots no interval.
    metric : str, default="accuracy"
        Column for the vertical axis. There are intervals of accuracy, cross_entropy and brier.
    cost : {"predict_us_per_row", "n_parameters", "n_bytes"}, default="predict_us_per_row"
        Column for the horizontal axis, which is logarithmic.
    confidence_level : float, default=None
        Level of the intervals, for the legend.

    Attributes
    ----------
    points_ : DataFrame
        The plotted data, with a row for each model and the columns ``cost`` and ``value``.
    interval_ : Interval or None
        ``low``, ``high``, ``verdict``, and ``level``, the metric of the baseline.
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    markers_ : dict of str to PathCollection or Line2D
        The point of each model, or its line if the cost is not known.
    bar_ : Line2D, Patch or None
        The interval; a band over the whole width if the distilled student's cost is not known.
    baseline_ : Line2D or None
        The line at the metric of the baseline; None without an interval.

    Raises
    ------
    ValueError
        If `metric` or `cost` is none of the table's columns.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"accuracy": [0.9, 0.8], "predict_us_per_row": [50.0, 0.2]}, index=["big", "small"]
    ... )
    >>> display = ReportDisplay(table=table).plot()
    >>> display.markers_["small"].get_offsets().tolist()
    [[0.2, 0.8]]
    """

    ax_: Axes
    figure_: Figure
    markers_: dict[str, Artist]
    bar_: Artist | None
    baseline_: Line2D | None

    def __init__(
        self,
        *,
        table: pd.DataFrame,
        did_the_teacher_help: pd.DataFrame | None = None,
        metric: str = "accuracy",
        cost: str = "predict_us_per_row",
        confidence_level: float | None = None,
    ) -> None:
        self.points_ = report_points(table, metric, cost)
        self.interval_ = report_interval(self.points_, did_the_teacher_help, metric)
        self.metric = metric
        self.cost = cost
        self.confidence_level = confidence_level

    @classmethod
    def from_report(
        cls,
        report: Report,
        *,
        metric: str = "accuracy",
        cost: str = "predict_us_per_row",
        ax: Axes | None = None,
        **point_kw: Any,
    ) -> Self:
        """Plot a report.

        Parameters
        ----------
        report : DistillationReport
            The result of :func:`distillation_report`.
        metric : str, default="accuracy"
            Column for the vertical axis.
        cost : {"predict_us_per_row", "n_parameters", "n_bytes"}, default="predict_us_per_row"
            Column for the horizontal axis.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
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
            metric=metric,
            cost=cost,
            confidence_level=report.confidence_level,
        )
        return display.plot(ax=ax, **point_kw)

    def plot(self, ax: Axes | None = None, **point_kw: Any) -> Self:
        """Plot the points and the interval.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.
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
            If `ax` is not one Axes.
        """
        (axes,) = axes_for(ax, 1)
        self.ax_, self.figure_ = axes, axes.figure
        make_logarithmic(self.ax_, "x")
        costs, values = (dict(self.points_[column]) for column in ("cost", "value"))
        self.markers_ = {
            str(name): self._draw_model(str(name), costs[name], values[name], point_kw)
            for name in costs
        }
        self._draw_interval()
        self.ax_.set(
            xlabel=COSTS[self.cost], ylabel=f"{self.metric.replace('_', ' ')} on the test set"
        )
        self.ax_.margins(0.2)
        self.ax_.legend(fontsize="small")
        return self

    def _draw_model(self, name: str, cost: float, value: float, options: dict[str, Any]) -> Artist:
        colour: dict[str, Any] = {"color": COLOURS[name]} if name in COLOURS else {}
        # without a cost there is no place on the horizontal axis, but the metric can be compared
        if math.isnan(cost):
            label = f"{name} (cost not known)"
            return self.ax_.axhline(value, linestyle="--", label=label, **colour)
        point: dict[str, Any] = {"s": 90, "label": name, "zorder": 3} | colour | options
        return self.ax_.scatter(cost, value, **point)

    def _draw_interval(self) -> None:
        self.bar_ = self.baseline_ = None
        if self.interval_ is None:
            return
        low, high = self.interval_.low, self.interval_.high
        label = interval_label(self.interval_.verdict, self.confidence_level)
        options: dict[str, Any] = {"color": COLOURS["distilled"], "label": label}
        cost = self.points_["cost"]["distilled"]
        if math.isnan(cost):
            self.bar_ = self.ax_.axhspan(low, high, alpha=0.2, **options)
        else:
            # a line and not vlines, a collection: the best legend position avoids lines only
            (self.bar_,) = self.ax_.plot([cost, cost], [low, high], linewidth=2, **options)
        line: dict[str, Any] = {"color": COLOURS["baseline"], "linestyle": ":", "linewidth": 1}
        self.baseline_ = self.ax_.axhline(self.interval_.level, zorder=0, **line)


COSTS = {
    "predict_us_per_row": "prediction time, µs per row",
    "n_parameters": "parameters",
    "n_bytes": "bytes of the pickle",
}


def report_points(table: pd.DataFrame, metric: str, cost: str) -> pd.DataFrame:
    """Return cost and metric of each model.

    Parameters
    ----------
    table : DataFrame
        The ``table`` of a report, with a row for each model.
    metric, cost : str
        The columns of `table` to return.

    Returns
    -------
    DataFrame
        The rows of `table`, with the columns cost and value.

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
    return pd.DataFrame({"cost": table[cost], "value": table[metric]}, dtype=np.float64)


@dataclass(frozen=True)
class Interval:
    """The interval of distilled − baseline, added to the metric of the baseline.

    Parameters
    ----------
    low, high : float
        The ends of the interval, in the units of the metric.
    level : float
        The metric of the baseline.
    verdict : str
        "helps", "hurts" or "undecided".
    """

    low: float
    high: float
    level: float
    verdict: str


def report_interval(
    points: pd.DataFrame, did_the_teacher_help: pd.DataFrame | None, metric: str
) -> Interval | None:
    """Return the interval of the distilled student's metric, given that of the baseline.

    Parameters
    ----------
    points : DataFrame
        Cost and metric of each model, from :func:`report_points`.
    did_the_teacher_help : DataFrame or None
        The paired comparison of a report, with a row for each metric.
    metric : str
        The row of `did_the_teacher_help` to use.

    Returns
    -------
    Interval or None
        None if there is no such row.

    Raises
    ------
    ValueError
        If the baseline or the distilled student is missing.
    """
    if did_the_teacher_help is None or metric not in did_the_teacher_help.index:
        return None
    if not {"baseline", "distilled"} <= {*points.index}:
        raise ValueError(
            f"table has the rows {[*points.index]}; the intervals of did_the_teacher_help need "
            "'baseline' and 'distilled', leave them out."
        )
    level = float(points["value"]["baseline"])
    low, high = (level + float(did_the_teacher_help[end][metric]) for end in ("low", "high"))
    return Interval(low, high, level, str(did_the_teacher_help["verdict"][metric]))


def interval_label(verdict: str, confidence_level: float | None) -> str:
    """Return the label of the interval in the legend.

    Examples
    --------
    >>> interval_label("helps", 0.95)
    'difference to baseline, 95 %: helps'
    """
    level = "" if confidence_level is None else f", {100 * confidence_level:g} %"
    return f"difference to baseline{level}: {verdict}"
