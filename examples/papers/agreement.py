"""Compare a row of a table with its published value: equivalence within a stated margin."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from examples.papers.claims import CONFIDENCE

AGREES, TOO_FEW, BETTER, WORSE, DIFFERS = "agrees", "too few runs", "better", "worse", "differs"

# Whether a larger value is better; other measures can only differ.
DIRECTIONS = {
    "accuracy": 1,
    "train_accuracy": 1,
    "cross_entropy": -1,
    "l_real": -1,
    "integral_criterion": -1,
    "mean_squared_error": -1,
}
# A difference that does not matter, in units of the measure; of other measures a share of the
# published value.
MARGINS = {
    "accuracy": 0.01,
    "train_accuracy": 0.01,
    "cross_entropy": 0.02,
    "l_real": 0.02,
    "l_maxmin": 0.02,
    "l_maxmin_std": 0.02,
    "mean_squared_error": 0.005,
    "growth": 0.002,
}
RELATIVE_MARGIN = 0.05


def margin(row: dict[str, Any]) -> float:
    """Return the largest difference that counts as none: the published ±, if that is larger."""
    stated = MARGINS.get(row["measure"], RELATIVE_MARGIN * abs(row["published"]))
    return float(np.nanmax([stated, row["published_std"]]))


def interval(row: dict[str, Any]) -> tuple[float, float]:
    """Return the 95 % interval of ours − published.

    It is that of the difference of two means over as many runs, with the standard deviation of our
    runs for both, or the published one where it is given. One run has no interval.
    """
    gap, n = row["mean"] - row["published"], row["runs"]
    theirs = row["std"] if np.isnan(row["published_std"]) else row["published_std"]
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.sqrt((row["std"] ** 2 + theirs**2) / n)
    return gap - half, gap + half


def agreement(row: dict[str, Any]) -> str:
    """Return the verdict on a row of an aggregated table.

    Parameters
    ----------
    row : dict
        With measure, mean, std, runs, published and published_std (NaN if there is none).

    Returns
    -------
    str
        "agrees" if the interval of the difference lies within the margin; otherwise "better",
        "worse" or "differs" if it excludes 0, and "too few runs" if it does not.

    Examples
    --------
    >>> row = {"measure": "accuracy", "published": 0.84, "published_std": np.nan, "runs": 5}
    >>> agreement(row | {"mean": 0.842, "std": 0.002})
    'agrees'
    >>> agreement(row | {"mean": 0.842, "std": 0.02})
    'too few runs'
    >>> agreement(row | {"mean": 0.82, "std": 0.002})
    'worse'
    """
    low, high = interval(row)
    most = margin(row)
    if -most <= low and high <= most:
        return AGREES
    if not (low > 0 or high < 0):
        return TOO_FEW
    direction = DIRECTIONS.get(row["measure"], 0) * np.sign(low)
    return {1: BETTER, -1: WORSE}.get(direction, DIFFERS)
