"""Claims about the rows of a table, and their evaluation on the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import stats

Row = tuple[str, str]  # method, setting
CONFIDENCE = 0.95


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

    Examples
    --------
    >>> print(Claim(("proposed", "ten draws"), 0.74, "accuracy"))
    accuracy of proposed, ten draws > 0.74
    """

    better: Row
    than: Row | float
    measure: str
    lower: bool = False

    def __str__(self) -> str:
        than = ", ".join(self.than) if isinstance(self.than, tuple) else self.than
        return f"{self.measure} of {', '.join(self.better)} {'<' if self.lower else '>'} {than}"


def evaluate_claims(claims: Sequence[Claim], runs: pd.DataFrame) -> pd.DataFrame:
    """Return the gain of each claim, its 95 % interval, and a verdict, by scale."""
    return pd.DataFrame(
        {"scale": scale, "claim": str(claim), **gain(scale_runs, claim)}
        for scale, scale_runs in runs.groupby("scale", sort=False)
        for claim in claims
    )


def gain(runs: pd.DataFrame, claim: Claim) -> dict[str, Any]:
    """Return the mean gain of a claim over the seeds, with its t interval.

    The gain is the difference in the claimed direction. Two rows are compared seed by seed; seeds
    that lack one of them are ignored.
    """
    values = runs.set_index("seed")
    better_values = values_of(values, claim.better, claim.measure)
    than = claim.than
    other_values = values_of(values, than, claim.measure) if isinstance(than, tuple) else than
    gains = (other_values - better_values if claim.lower else better_values - other_values).dropna()
    mean, error = gains.agg(["mean", "sem"])
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1) * error
    interval = {"gain": mean, "low": mean - half, "high": mean + half, "runs": len(gains)}
    return interval | {"verdict": verdict(mean - half, mean + half)}


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
        return "holds"
    return "does not hold" if high < 0 else "undecided"
