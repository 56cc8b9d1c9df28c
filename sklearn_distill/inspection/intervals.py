"""Confidence intervals of the difference between two models, on one test set or over splits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm, t

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.numbers import as_floats, refuse_rows
from sklearn_distill._validation.sample_weight import check_sample_weight

MIN_UNITS = 50  # the coverage of the intervals is measured from here up


def paired_interval(
    differences: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> tuple[FloatArray, FloatArray]:
    """Return intervals of the mean difference between two models on one test set.

    With the mean Δ of the differences d, its standard error s, the skewness γ and kurtosis κ of d,
    and a = γ / √n:

    ``Δ − s · ½ (±t + h(±t)),  h(t) = (3/a) · ((1 + a (t − a/6))^(1/3) − 1)``

    t is the quantile of Student's distribution with ``min(n − 1, 2n / (κ − 1))`` degrees of
    freedom, those of the estimated variance. h inverts Hall's cubic transformation, which removes
    skewness; half of this correction is made, as the skewness itself is estimated. If all
    differences are −1, 0 or 1 (of two models' correct predictions), the interval is Tango's score
    interval, which has a width even if no prediction differs. Either covers other test samples of
    the same population, not other training sets.

    Parameters
    ----------
    differences : array-like of shape (n_samples,) or (n_samples, n_metrics)
        Loss of one model minus loss of the other for each sample, d.
    sample_weight : array-like of shape (n_samples,), default=None
        Sample weights.
    groups : array-like of shape (n_samples,), default=None
        Groups of dependent samples, such as those of one patient: n is the number of groups.
    confidence_level : float, default=0.95
        Level of the interval, between 0 and 1.

    Returns
    -------
    low : ndarray of shape (n_metrics,)
        Lower end of the interval of each column.
    high : ndarray of shape (n_metrics,)
        Upper end of the interval of each column.

    Raises
    ------
    ValueError
        If differences, weights or groups are not finite, one for each sample, or
        `confidence_level` is out of range.

    See Also
    --------
    split_interval : The interval of a difference over several splits into training and test set.

    References
    ----------
    Hall, "On the removal of skewness by transformation", Journal of the Royal Statistical Society B
    54, 1992, section 2; Tango, "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17, 1998, eq. (8).

    Examples
    --------
    >>> from sklearn_distill.inspection import paired_interval
    >>> low, high = paired_interval([0.0, 0.5] * 50)
    >>> print(low.round(2), high.round(2))
    [0.2] [0.3]
    """
    check_level(confidence_level)
    d = _check_differences(differences)
    s = check_sample_weight(sample_weight, len(d))
    unit = unit_numbers(groups, s)
    ends = [_column_interval(column[s > 0], s[s > 0], unit, confidence_level) for column in d.T]
    low, high = np.array(ends).T
    return low, high


def _column_interval(
    d: FloatArray, s: FloatArray, unit: IntArray, level: float
) -> tuple[float, float]:
    n, w = int(unit.max()) + 1, s / s.sum()
    estimate = float(w @ d)
    influence = n * sums_by_unit(unit, w * (d - estimate), n)
    if not np.isin(d, (-1, 0, 1)).all():
        return mean_interval(estimate, influence, level)
    terms = sums_by_unit(unit, w * d, n)
    return share_interval(terms, influence, effective_size(sums_by_unit(unit, w, n)), level)


def sums_by_unit(unit: IntArray, values: FloatArray, n_units: int) -> FloatArray:
    """Return the sum of the values of each of the units 0, …, n_units − 1."""
    return np.bincount(unit, values, n_units).astype(np.float64)


def unit_numbers(groups: ArrayLike | None, s: FloatArray) -> IntArray:
    """Return the number of the independent unit, the sample or its group, of each sample.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
        Groups of dependent samples.
    s : ndarray of shape (n_samples,)
        Sample weights; samples of weight 0 are left out.

    Returns
    -------
    ndarray of int of shape (n_weighted,)
        Numbers from 0, one for each sample of positive weight.

    Raises
    ------
    ValueError
        If there is not one group for each sample.
    """
    weighted = s > 0
    if groups is None:
        return np.arange(np.count_nonzero(weighted))
    names = np.asarray(groups)
    if names.shape != s.shape:
        raise ValueError(f"groups has shape {names.shape}; pass one group a sample, {s.shape}.")
    return np.asarray(np.unique(names[weighted], return_inverse=True)[1])


def effective_size(weight: FloatArray) -> float:
    """Return Kish's effective sample size, ``(Σ w)² / Σ w²``."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def mean_interval(estimate: float, influence: FloatArray, level: float) -> tuple[float, float]:
    """Return the interval of an estimate that is about the mean of its influence values.

    Parameters
    ----------
    estimate : float
        Of a mean, or of a smooth function of means such as R² or an area under a curve.
    influence : ndarray of shape (n_units,)
        By how much each independent unit raises the estimate, times n_units: its variance over
        n_units is that of the estimate.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    low, high : float
        The ends, as in :func:`paired_interval`; infinite with a single unit.
    """
    n = len(influence)
    if n < 2:
        return -math.inf, math.inf
    centred = influence - influence.mean()
    m2, m3, m4 = (float((centred**power).mean()) for power in (2, 3, 4))
    if m2 == 0 or math.isnan(m2):
        return estimate + m2, estimate + m2  # no width, or not known
    a = m3 / m2**1.5 / math.sqrt(n)
    freedom = min(2 * n / max(m4 / m2**2 - 1, 1e-12), n - 1)
    quantile = float(t.ppf((1 + level) / 2, freedom))
    s = math.sqrt(m2 / (n - 1))
    low, high = (x + _unskew(x, a) for x in (quantile, -quantile))
    return estimate - s * low / 2, estimate - s * high / 2


def _unskew(x: float, a: float) -> float:
    """Invert Hall's transformation, ``x + a x²/3 + a² x³/27 + a/6``."""
    return x if abs(a) < 1e-8 else 3 / a * (float(np.cbrt(1 + a * (x - a / 6))) - 1)


def share_interval(
    terms: FloatArray, influence: FloatArray, size: float, level: float
) -> tuple[float, float]:
    """Return the score interval of a difference of two shares on the same samples.

    Parameters
    ----------
    terms : ndarray of shape (n_units,)
        The contribution of each independent unit to the difference, which is their sum.
    influence : ndarray of shape (n_units,)
        As in :func:`mean_interval`.
    size : float
        Effective number of samples, if no prediction differs.
    level : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    low, high : float
        The ends, −1 or more and 1 or less. With weights or groups, the number of samples is the
        one at which their independent and equally weighted drawing had the same variance.
    """
    gain, loss = float(terms[terms > 0].sum()), float(-terms[terms < 0].sum())
    variance = float((influence**2).mean()) / len(influence)
    of_one = gain + loss - (gain - loss) ** 2
    n = of_one / variance if variance > 1e-15 and of_one > 0 else size
    return _tango(gain, loss, n, float(norm.ppf((1 + level) / 2)))


def _tango(gain: float, loss: float, n: float, z: float) -> tuple[float, float]:
    difference, edge = gain - loss, 1 - 1e-9

    def excess(delta: float, sign: float) -> float:
        b = (2 - gain + loss) * delta - gain - loss
        c = -loss * delta * (1 - delta)
        q = (math.sqrt(max(b * b - 8 * c, 0.0)) - b) / 4  # of losses at this difference
        variance = max(2 * q + delta * (1 - delta), 1e-300)
        return (difference - delta) * math.sqrt(n / variance) - sign * z

    low = brentq(excess, -edge, difference, (1.0,)) if difference > -edge else -1.0
    high = brentq(excess, difference, edge, (-1.0,)) if difference < edge else 1.0
    return float(low), float(high)


def split_interval(
    differences: ArrayLike, *, n_train: int, n_test: int, confidence_level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a difference between two models over several splits of one data set.

    With the mean Δ and the variance σ² of the differences in J splits:

    ``Δ ± t_{J−1} · √((1/J + n_test / n_train) σ²)``

    The splits share samples, so the variance of the mean is not σ²/J; the second term is Nadeau
    and Bengio's estimate of what they share. Unlike :func:`paired_interval`, it covers other
    training sets too.

    Parameters
    ----------
    differences : array-like of shape (n_splits,)
        Metric of one model minus that of the other on the test rows of each split: of random
        splits, or of a (repeated) cross-validation.
    n_train, n_test : int
        Number of training and of test rows of a split.
    confidence_level : float, default=0.95
        Level of the interval, between 0 and 1.

    Returns
    -------
    low : float
        Lower end of the interval.
    high : float
        Upper end of the interval.

    Raises
    ------
    ValueError
        If there are fewer than two finite differences, or an option is out of range.

    References
    ----------
    Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003,
    section 3, eq. (9).

    Examples
    --------
    >>> from sklearn_distill.inspection import split_interval
    >>> low, high = split_interval([0.1, 0.3, 0.2, 0.2], n_train=80, n_test=20)
    >>> round(low, 3), round(high, 3)
    (0.016, 0.384)
    """
    check_level(confidence_level)
    d = _check_differences(differences)[:, 0]
    if len(d) < 2 or n_train < 1 or n_test < 1:
        raise ValueError(
            f"{len(d)} differences, n_train={n_train}, n_test={n_test}; pass the differences of "
            "two splits or more, and how many rows each of them trains and tests on."
        )
    error = math.sqrt((1 / len(d) + n_test / n_train) * d.var(ddof=1))
    reach = float(t.ppf((1 + confidence_level) / 2, len(d) - 1)) * error
    return float(d.mean() - reach), float(d.mean() + reach)


def _check_differences(differences: ArrayLike) -> FloatArray:
    d = as_floats(differences, "differences")
    if d.ndim not in (1, 2) or d.size == 0:
        raise ValueError(
            f"differences has shape {d.shape}; pass (n_samples,) or (n_samples, n_metrics)."
        )
    d = d.reshape(len(d), -1)
    refuse_rows(~np.isfinite(d).all(axis=1), "differences", d, "is", "pass finite numbers")
    return d


def check_level(confidence_level: float) -> None:
    """Raise a ValueError unless the level lies between 0 and 1."""
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level={confidence_level!r}; pass a number between 0 and 1.")


@dataclass(frozen=True)
class Difference:
    """A difference between two models and its interval.

    Parameters
    ----------
    value, low, high : float
        The difference and the ends of its interval; NaN where a metric is not defined.
    """

    value: float
    low: float
    high: float

    def sign(self) -> int:
        """Return on which side of 0 the interval lies; 0 if it contains 0."""
        return int(self.low > 0) - int(self.high < 0)

    def with_zero(self) -> Difference:
        """Return the same difference with an interval that reaches 0 at least."""
        return Difference(self.value, min(self.low, 0.0), max(self.high, 0.0))


def can_decide(n_differing: int, level: float) -> bool:
    """Return whether enough samples differ for a verdict: ``2^(1−m) ≤ 1 − level``.

    If the models were equally good, m differing samples would all favour one of them with
    probability 2^(1−m) (sign test).

    Parameters
    ----------
    n_differing : int
        The number m of samples on which the models differ.
    level : float
        Level of the interval, between 0 and 1.
    """
    return bool(2.0 ** (1 - n_differing) <= 1 - level)
