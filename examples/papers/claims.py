"""What a table claims of its rows, and what the runs say of it."""

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
    """That a row of a table is better than another one, or than a number.

    Parameters
    ----------
    better : tuple of str
        Method and setting.
    than : tuple of str or float
        Method and setting of the other row, or a number.
    measure : str
        What is compared.
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


def judge(claims: Sequence[Claim], runs: pd.DataFrame) -> pd.DataFrame:
    """Return by how much each claim is right, with its 95 % interval, and a verdict, by scale."""
    return pd.DataFrame(
        {"scale": scale, "claim": str(claim), **gain(of_scale, claim)}
        for scale, of_scale in runs.groupby("scale", sort=False)
        for claim in claims
    )


def gain(runs: pd.DataFrame, claim: Claim) -> dict[str, Any]:
    """Return the mean over seeds of by how much a claim is right, with the t interval of the mean.

    Two rows are compared seed by seed; a seed that lacks one of them does not count.
    """
    values = runs.set_index("seed")
    of_better = values_of(values, claim.better, claim.measure)
    than = claim.than
    of_other = values_of(values, than, claim.measure) if isinstance(than, tuple) else than
    gains = (of_other - of_better if claim.lower else of_better - of_other).dropna()
    mean, error = gains.agg(["mean", "sem"])
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(gains) - 1) * error
    interval = {"gain": mean, "low": mean - half, "high": mean + half, "runs": len(gains)}
    return interval | {"verdict": verdict(mean - half, mean + half)}


def values_of(runs: pd.DataFrame, row: Row, measure: str) -> pd.Series:
    """Return a row's measure by seed."""
    method, setting = row
    return runs.loc[(runs["method"] == method) & (runs["setting"] == setting), measure]


def verdict(low: float, high: float) -> str:
    """Judge a claim by the interval of its gain; one run, which has no interval, decides nothing.

    Examples
    --------
    >>> verdict(0.01, 0.05), verdict(-0.05, -0.01), verdict(-0.01, 0.05)
    ('holds', 'does not hold', 'undecided')
    """
    if low > 0:
        return "holds"
    return "does not hold" if high < 0 else "undecided"
