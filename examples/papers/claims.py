"""Claims about the rows of a table, and their evaluation on the runs.

A claim has the interval and the verdict that it would have alone, and a verdict that Holm's
step-down method adjusts for all claims of a table: with probability 95 % no claim of a table is
decided wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Row = tuple[str, str]  # method, setting
CONFIDENCE = 0.95
HOLDS, DOES_NOT, UNDECIDED = "holds", "does not hold", "undecided"


@dataclass(frozen=True)
class Claim:
    """The claim that a row of a table is better than another row, or than a number.

    Parameters
    ----------
    better : tuple of str
        Method and setting.
    than : tuple of str or float
        Method and setting of the other row, or a number.
    measure : str
        The measure that is compared.
    lower : bool, default=False
        Whether lower is better.
    log : bool, default=False
        Whether natural logarithms are compared, of a measure whose ratio counts.

    Examples
    --------
    >>> print(Claim(("proposed", "ten draws"), 0.74, "accuracy"))
    accuracy of proposed, ten draws > 0.74
    """

    better: Row
    than: Row | float
    measure: str
    lower: bool = False
    log: bool = False

    def __str__(self) -> str:
        measure = f"log({self.measure})" if self.log else self.measure
        than = ", ".join(self.than) if isinstance(self.than, tuple) else self.than
        return f"{measure} of {', '.join(self.better)} {'<' if self.lower else '>'} {than}"


def evaluate_claims(claims: Sequence[Claim], runs: pd.DataFrame) -> pd.DataFrame:
    """Return the gain of each claim, its 95 % interval, and both verdicts, by scale."""
    if not claims or runs.empty:
        return pd.DataFrame()
    scales = [
        _adjusted(
            pd.DataFrame(
                {"scale": scale, "claim": str(claim), **gain(scale_runs, claim)} for claim in claims
            )
        )
        for scale, scale_runs in runs.groupby("scale", sort=False)
    ]
    return pd.concat(scales, ignore_index=True)


def _adjusted(claims: pd.DataFrame) -> pd.DataFrame:
    """Add Holm's p-values, and the verdicts by them."""
    p = holm(claims["p"].to_numpy())
    decided = p < 1 - CONFIDENCE
    verdicts = np.where(claims["gain"] > 0, HOLDS, DOES_NOT)
    return claims.assign(p_holm=p, verdict_holm=np.where(decided, verdicts, UNDECIDED))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted by Holm's step-down method (1979); NaN stays NaN and is not counted.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03, np.nan]))
    array([0.03, 0.06, 0.06,  nan])
    """
    adjusted = np.full(len(p), np.nan)
    order = [i for i in np.argsort(p) if not np.isnan(p[i])]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return adjusted


def gain(runs: pd.DataFrame, claim: Claim) -> dict[str, Any]:
    """Return the mean gain of a claim over the seeds, with its t interval.

    The gain is the difference in the claimed direction, of logarithms if the claim says so. Two
    rows are compared seed by seed; seeds that lack one of them are ignored.
    """
    values = runs.set_index("seed")
    better_values = values_of(values, claim.better, claim.measure)
    than = claim.than
    other_values = values_of(values, than, claim.measure) if isinstance(than, tuple) else than
    if claim.log:
        better_values, other_values = np.log(better_values), np.log(other_values)
    gains = (other_values - better_values if claim.lower else better_values - other_values).dropna()
    mean, error = gains.agg(["mean", "sem"])
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1) * error
    interval = {"gain": mean, "low": mean - half, "high": mean + half, "runs": len(gains)}
    with np.errstate(divide="ignore", invalid="ignore"):  # equal runs, no difference
        p = 2 * stats.t.sf(np.abs(np.float64(mean) / error), len(gains) - 1)
    return interval | {"verdict": verdict(mean - half, mean + half), "p": float(p)}


def values_of(runs: pd.DataFrame, row: Row, measure: str) -> pd.Series:
    """Return the measure of a row by seed."""
    method, setting = row
    return runs.loc[(runs["method"] == method) & (runs["setting"] == setting), measure]


def verdict(low: float, high: float) -> str:
    """Return the verdict on a claim from the interval of its gain.

    A single run has no interval, and leaves the claim undecided.

    Examples
    --------
    >>> verdict(0.01, 0.05), verdict(-0.05, -0.01), verdict(-0.01, 0.05)
    ('holds', 'does not hold', 'undecided')
    """
    if low > 0:
        return HOLDS
    return DOES_NOT if high < 0 else UNDECIDED
