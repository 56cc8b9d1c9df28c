"""Draw what models score against what they cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from sklearn_distill.inspection._drawing import axes_for, make_logarithmic

ALONE, DISTILLED = "student alone", "student distilled"
COLOURS = {"teacher": "#444444", ALONE: "#d95f02", DISTILLED: "#1b9e77"}


class ReportDisplay:
    """Drawing of a report: quality against cost, one point a model.

    The bar at the distilled student is the interval of distilled − alone, laid on the dotted level
    of the student alone: the teacher's help is decided where the bar does not reach that level. A
    model whose cost is not known is a dashed level. Make one by :meth:`from_report`;
    :meth:`plot` draws it again.

    Parameters
    ----------
    table : DataFrame
        A report's ``table``: a row for each model.
    did_the_teacher_help : DataFrame, default=None
        A report's intervals; None draws none.
    metric : str, default="accuracy"
        Column for the vertical axis. There are intervals of accuracy, cross_entropy and brier.
    cost : {"predict_us_per_row", "n_parameters", "n_bytes"}, default="predict_us_per_row"
        Column for the horizontal axis, which is logarithmic.
    confidence_level : float, default=None
        Level of the intervals, for the legend.

    Attributes
    ----------
    points_ : DataFrame
        The numbers, a row for each model: ``cost`` and ``value``.
    interval_ : Interval or None
        ``low``, ``high``, ``verdict``, and ``level``, the student alone.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        Its figure.
    markers_ : dict of str to PathCollection or Line2D
        By model its point, or its level where the cost is not known.
    bar_ : Line2D, Patch or None
        The interval; where the distilled student's cost is not known, over the whole width.
    baseline_ : Line2D or None
        The level of the student alone, where there is an interval.

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

    ax_: Any
    figure_: Any
    markers_: dict[str, Any]
    bar_: Any
    baseline_: Any

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
        report: Any,
        *,
        metric: str = "accuracy",
        cost: str = "predict_us_per_row",
        ax: Any = None,
        **point_kw: Any,
    ) -> Self:
        """Draw a report.

        Parameters
        ----------
        report : DistillationReport
            What :func:`distillation_report` returned.
        metric : str, default="accuracy"
            Column for the vertical axis.
        cost : {"predict_us_per_row", "n_parameters", "n_bytes"}, default="predict_us_per_row"
            Column for the horizontal axis.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **point_kw : dict
            Arguments of the points.

        Returns
        -------
        ReportDisplay
            The drawing.

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

    def plot(self, ax: Any = None, **point_kw: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **point_kw : dict
            Arguments of the points, such as ``s`` and ``marker``.

        Returns
        -------
        self
            With ``ax_``, ``figure_`` and what was drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If ``ax`` is not one Axes.
        """
        (self.ax_,) = axes_for(ax, 1)
        self.figure_ = self.ax_.figure
        make_logarithmic(self.ax_, "x")
        costs, values = (dict(self.points_[column]) for column in ("cost", "value"))
        self.markers_ = {
            str(name): self._draw_model(str(name), costs[name], values[name], point_kw)
            for name in costs
        }
        self._draw_interval()
        self.ax_.set(
            xlabel=COSTS[self.cost], ylabel=f"{self.metric.replace('_', ' ')} on the test rows"
        )
        self.ax_.margins(0.2)
        self.ax_.legend(fontsize="small")
        return self

    def _draw_model(self, name: str, cost: float, value: float, options: dict[str, Any]) -> Any:
        colour = {"color": COLOURS[name]} if name in COLOURS else {}
        if math.isnan(cost):
            label = f"{name} (cost not known)"
            return self.ax_.axhline(value, linestyle="--", label=label, **colour)
        point = {"s": 90, "label": name, "zorder": 3} | colour | options
        return self.ax_.scatter(cost, value, **point)

    def _draw_interval(self) -> None:
        self.bar_ = self.baseline_ = None
        if self.interval_ is None:
            return
        low, high = self.interval_.low, self.interval_.high
        label = interval_name(self.interval_.verdict, self.confidence_level)
        options = {"color": COLOURS[DISTILLED], "label": label}
        cost = self.points_["cost"][DISTILLED]
        if math.isnan(cost):
            self.bar_ = self.ax_.axhspan(low, high, alpha=0.2, **options)
        else:
            # a line and no collection: the legend keeps off lines
            (self.bar_,) = self.ax_.plot([cost, cost], [low, high], linewidth=2, **options)
        level = {"color": COLOURS[ALONE], "linestyle": ":", "linewidth": 1}
        self.baseline_ = self.ax_.axhline(self.interval_.level, zorder=0, **level)


COSTS = {
    "predict_us_per_row": "prediction time, µs a row",
    "n_parameters": "parameters",
    "n_bytes": "bytes of the pickle",
}


def report_points(table: pd.DataFrame, metric: str, cost: str) -> pd.DataFrame:
    """Return cost and metric of each model.

    Parameters
    ----------
    table : DataFrame
        As in :class:`DistillationReport`.
    metric, cost : str
        Columns of `table`.

    Returns
    -------
    DataFrame
        Rows of `table`; columns cost and value.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    metrics = [column for column in table if column not in COSTS]
    if metric not in metrics:
        raise ValueError(f"metric={metric!r}; pass one of the report's {metrics}.")
    costs = [column for column in COSTS if column in table]
    if cost not in costs:
        raise ValueError(f"cost={cost!r}; pass one of the report's {costs}.")
    return pd.DataFrame({"cost": table[cost], "value": table[metric]}, dtype=np.float64)


@dataclass(frozen=True)
class Interval:
    """The interval of distilled − alone, laid on what the student alone has.

    Parameters
    ----------
    low, high : float
        alone + low and alone + high.
    level : float
        What the student alone has.
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
    """Return where the distilled student's metric may lie, if the report says so.

    Parameters
    ----------
    points : DataFrame
        From :func:`report_points`.
    did_the_teacher_help : DataFrame or None
        As in :class:`DistillationReport`.
    metric : str
        Row of `did_the_teacher_help`.

    Returns
    -------
    Interval or None
        None where there is no such row.

    Raises
    ------
    ValueError
        If one of the students is missing.
    """
    if did_the_teacher_help is None or metric not in did_the_teacher_help.index:
        return None
    if not {ALONE, DISTILLED} <= {*points.index}:
        raise ValueError(
            f"table has the rows {[*points.index]}; the intervals of did_the_teacher_help need "
            f"{ALONE!r} and {DISTILLED!r}, leave them out."
        )
    level = float(points["value"][ALONE])
    low, high = (level + float(did_the_teacher_help[end][metric]) for end in ("low", "high"))
    return Interval(low, high, level, str(did_the_teacher_help["verdict"][metric]))


def interval_name(verdict: str, confidence_level: float | None) -> str:
    """Return what the legend says of the interval.

    Examples
    --------
    >>> interval_name("helps", 0.95)
    'difference to alone, 95 %: helps'
    """
    level = "" if confidence_level is None else f", {100 * confidence_level:g} %"
    return f"difference to alone{level}: {verdict}"
