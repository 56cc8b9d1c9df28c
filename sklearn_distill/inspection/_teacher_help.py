"""Did the teacher help? The verdict on paired losses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import NDArray

from sklearn_distill.inspection._bootstrap import paired_bootstrap
from sklearn_distill.metrics._checks import FloatArray
from sklearn_distill.metrics._rows import weighted_mean

HIGHER_IS_BETTER = frozenset({"accuracy"})


def judge(
    alone: pd.DataFrame,
    distilled: pd.DataFrame,
    s: FloatArray,
    *,
    n_bootstrap: int,
    confidence_level: float,
    random_state: int | RandomState | None,
) -> pd.DataFrame:
    """Compare two students row by row.

    Parameters
    ----------
    alone, distilled : DataFrame of shape (n_samples, n_metrics)
        What each student scored on each row.
    s : ndarray of shape (n_samples,)
        Row weights.
    n_bootstrap, confidence_level, random_state
        As in :func:`paired_bootstrap`.

    Returns
    -------
    DataFrame
        By metric: difference (distilled − alone), low, high, verdict.
    """
    d = (distilled - alone).to_numpy()
    low, high = paired_bootstrap(
        d,
        sample_weight=s,
        n_bootstrap=n_bootstrap,
        confidence_level=confidence_level,
        random_state=random_state,
    )
    decidable = can_decide(d[s > 0], confidence_level)
    difference = [weighted_mean(column, s) for column in d.T]
    help_ = pd.DataFrame({"difference": difference, "low": low, "high": high}, index=alone.columns)
    help_["verdict"] = [
        verdict(metric, low[j], high[j]) if decidable[j] else "undecided"
        for j, metric in enumerate(alone.columns)
    ]
    return help_.rename_axis("metric")


def verdict(metric: str, low: float, high: float) -> str:
    """Say on which side of zero an interval lies.

    Parameters
    ----------
    metric : str
        Its name tells which direction is good.
    low, high : float
        The interval of distilled − alone.

    Returns
    -------
    {"helps", "hurts", "undecided"}
        Undecided where the interval holds 0.
    """
    if low <= 0 <= high:
        return "undecided"
    return "helps" if (low > 0) == (metric in HIGHER_IS_BETTER) else "hurts"


def can_decide(d: FloatArray, confidence_level: float) -> NDArray[np.bool_]:
    """Tell whether enough rows differ for any verdict: ``2^(1−m) ≤ 1 − level``.

    Were the students equally good, m differing rows would all favour one of them with
    probability 2^(1−m) (sign test). Below that the percentile interval is too short: it cannot
    hold what the sample does not.

    Parameters
    ----------
    d : ndarray of shape (n_samples, n_metrics)
        Differences.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    ndarray of bool of shape (n_metrics,)
        By metric.
    """
    m = np.count_nonzero(d, axis=0)
    return np.asarray(2.0 ** (1 - m) <= 1 - confidence_level)
