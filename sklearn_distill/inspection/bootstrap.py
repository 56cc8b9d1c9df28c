"""Paired bootstrap: the interval of a mean difference between two models on a test set."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill._validation.numbers import as_floats, refuse_rows
from sklearn_distill._validation.sample_weight import check_sample_weight
from sklearn_distill.metrics._row_scores import weighted_mean

_CHUNK = 2_000_000  # draws in memory at once


def paired_bootstrap(
    differences: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    n_bootstrap: int = 1000,
    confidence_level: float = 0.95,
    random_state: int | RandomState | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return intervals of mean differences between two models by resampling the test set.

    ``Δ*_b = Σ_i c_bi s_i d_i / Σ_i c_bi s_i``, c_b ~ Multinomial(n; 1/n, …, 1/n)

    The bounds are the (1 ∓ level)/2 quantiles of Δ* (percentile bootstrap). A resample takes
    both models' losses of a sample together, d_i is their difference, so a sample that is hard for
    both cancels; all columns share the resamples. The interval covers other test samples from the
    same population, not other training sets.

    Parameters
    ----------
    differences : array-like of shape (n_samples,) or (n_samples, n_metrics)
        Loss of one model minus loss of the other for each sample, d.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights s.
    n_bootstrap : int, default=1000
        Number of resamples.
    confidence_level : float, default=0.95
        Level of the interval, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples.

    Returns
    -------
    low : ndarray of shape (n_metrics,)
        Lower end of the interval of each column.
    high : ndarray of shape (n_metrics,)
        Upper end of the interval of each column.

    Raises
    ------
    ValueError
        If differences or weights are not finite numbers, one row per sample, or `n_bootstrap` or
        `confidence_level` is out of range.

    References
    ----------
    Efron and Tibshirani, "An introduction to the bootstrap", 1993, section 13.3.

    Examples
    --------
    >>> from sklearn_distill.inspection import paired_bootstrap
    >>> low, high = paired_bootstrap([0.0, 1.0] * 50, random_state=0)
    >>> print(low.round(1), high.round(1))
    [0.4] [0.6]
    """
    _check_options(n_bootstrap, confidence_level)
    d = _check_differences(differences)
    s = check_sample_weight(sample_weight, len(d))
    weighted = s > 0  # a resample of samples without weight would have no mean
    d, s = d[weighted], s[weighted]
    terms = np.column_stack([s[:, None] * d, s])  # numerators and denominator of Δ*
    counts = _resamples(len(d), n_bootstrap, check_random_state(random_state))
    sums = np.concatenate([c @ terms for c in counts])
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(sums[:, :-1] / sums[:, -1:], [tail, 1 - tail], axis=0)
    return low, high


def _resamples(n: int, n_bootstrap: int, rng: RandomState) -> Iterator[FloatArray]:
    """Yield chunks of multinomial counts c; the chunk size does not change the draws."""
    chunk = max(1, _CHUNK // n)
    for start in range(0, n_bootstrap, chunk):
        size = min(chunk, n_bootstrap - start)
        # an offset for each resample, so that one bincount counts them all
        drawn = rng.randint(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n)
        yield counts.reshape(size, n).astype(np.float64)


def _check_differences(differences: ArrayLike) -> FloatArray:
    d = as_floats(differences, "differences")
    if d.ndim not in (1, 2) or d.size == 0:
        raise ValueError(
            f"differences has shape {d.shape}; pass (n_samples,) or (n_samples, n_metrics)."
        )
    d = d.reshape(len(d), -1)
    refuse_rows(~np.isfinite(d).all(axis=1), "differences", d, "is", "pass finite numbers")
    return d


def _check_options(n_bootstrap: int, confidence_level: float) -> None:
    if not isinstance(n_bootstrap, Integral) or n_bootstrap < 1:
        raise ValueError(f"n_bootstrap={n_bootstrap!r}; pass a whole number, 1 or more.")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level={confidence_level!r}; pass a number between 0 and 1.")


HIGHER_IS_BETTER = frozenset({"accuracy"})


def compare_paired(
    baseline: pd.DataFrame,
    distilled: pd.DataFrame,
    s: FloatArray,
    *,
    n_bootstrap: int,
    confidence_level: float,
    random_state: int | RandomState | None,
) -> pd.DataFrame:
    """Compare two students on the same samples.

    Parameters
    ----------
    baseline, distilled : DataFrame of shape (n_samples, n_metrics)
        The metrics of each student for each sample.
    s : ndarray of shape (n_samples,)
        Sample weights.
    n_bootstrap, confidence_level, random_state
        As in :func:`paired_bootstrap`.

    Returns
    -------
    DataFrame
        By metric: difference (distilled − baseline), low, high, verdict.
    """
    d = (distilled - baseline).to_numpy()
    low, high = paired_bootstrap(
        d,
        sample_weight=s,
        n_bootstrap=n_bootstrap,
        confidence_level=confidence_level,
        random_state=random_state,
    )
    decidable = can_decide(d[s > 0], confidence_level)
    difference = [weighted_mean(column, s) for column in d.T]
    verdicts = [
        verdict(metric, low[j], high[j]) if decidable[j] else "undecided"
        for j, metric in enumerate(baseline.columns)
    ]
    columns = {"difference": difference, "low": low, "high": high, "verdict": verdicts}
    return pd.DataFrame(columns, index=baseline.columns).rename_axis("metric")


def verdict(metric: str, low: float, high: float) -> str:
    """Return on which side of 0 an interval lies.

    Parameters
    ----------
    metric : str
        Name of the metric, which determines whether higher or lower is better.
    low, high : float
        The interval of distilled − baseline.

    Returns
    -------
    {"helps", "hurts", "undecided"}
        Undecided if the interval contains 0.
    """
    if low <= 0 <= high:
        return "undecided"
    return "helps" if (low > 0) == (metric in HIGHER_IS_BETTER) else "hurts"


def can_decide(d: FloatArray, confidence_level: float) -> BoolArray:
    """Return whether enough samples differ for a verdict: ``2^(1−m) ≤ 1 − level``.

    If the students were equally good, m differing samples would all favour one of them with
    probability 2^(1−m) (sign test). With fewer, the percentile interval is too short: its
    resamples contain no differences that the test set does not.

    Parameters
    ----------
    d : ndarray of shape (n_samples, n_metrics)
        Differences of the samples with positive weight.
    confidence_level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    ndarray of bool of shape (n_metrics,)
        True where a verdict is possible, by metric.
    """
    m = np.count_nonzero(d, axis=0)
    return np.asarray(2.0 ** (1 - m) <= 1 - confidence_level)
