"""What a report says of quality and cost, one row a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

ALONE, DISTILLED = "student alone", "student distilled"
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
