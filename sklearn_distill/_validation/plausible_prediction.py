r"""Notice a regressor's teacher whose rows or sign cannot be what the user meant.

Let the columns of Y be the labels of each output, centred and of unit length, and those of S the
predictions, centred and of the length :math:`c_m`, which is their standard deviation in units of
the labels' and at most 1. The *gain* and its variance over shuffled rows are

.. math:: G = \operatorname{tr} Y^⊤ S, \qquad V = \frac{1}{n-1} \operatorname{tr} Y^⊤Y\,S^⊤S,

exactly (Hoeffding 1951, "A combinatorial central limit theorem"). With one output,
:math:`G/\sqrt V` is :math:`\sqrt{n-1}` times the correlation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.plausible_teacher import (
    MAX_ENTRIES,
    MIN_ROWS,
    N_STANDARD_ERRORS,
    N_STANDARD_ERRORS_CLAIMED,
    are_own_predictions,
)
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.exceptions import ImplausibleTeacherWarning

N_STANDARD_ERRORS_EXPECTED = N_STANDARD_ERRORS + N_STANDARD_ERRORS_CLAIMED  # of a right teacher
SHRUNK = 1 / 2  # predictions that vary up to twice as much as the labels follow are no fault
N_STANDARD_ERRORS_REVERSED = 4.0  # below shuffled rows


@dataclass(frozen=True)
class PredictionSample:
    """Labels and predictions of some rows that have both.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_rows, n_outputs)
        Finite numbers.
    """

    labels: FloatArray
    predictions: FloatArray

    def __add__(self, other: PredictionSample) -> PredictionSample:
        if not len(self.labels) or not len(other.labels):  # without labels, of no output
            return self if len(self.labels) else other
        return PredictionSample(
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.predictions, other.predictions]),
        )


def check_plausible_prediction(
    labels: FloatArray | None,
    predictions: FloatArray | None,
    std: FloatArray | None = None,
    name: str = "teacher_prediction",
) -> None:
    """Warn if the rows of a regressor's teacher seem to be in another order, or its sign reversed.

    See :func:`warn_if_implausible_prediction` for the rules.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_rows, n_outputs) or None
        Labels and the teacher's predictions; a row of NaN is missing, or has weight 0.
    std : ndarray of shape (n_rows,) or None, default=None
        Standard deviations of the predictions.
    name : str, default="teacher_prediction"
        What the message calls the predictions.

    Warns
    -----
    ImplausibleTeacherWarning
        At most once.
    """
    if labels is None or predictions is None or _correlate(labels, predictions):
        return
    warn_if_implausible_prediction(sample_predictions(labels, predictions, std), name)


def sample_predictions(
    labels: FloatArray | None,
    predictions: FloatArray | None,
    std: FloatArray | None = None,
    *,
    share: float = 1.0,
) -> PredictionSample:
    """Return evenly spaced rows that have a label and a prediction.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_rows, n_outputs) or None
        Labels and the teacher's predictions; a row of NaN is missing.
    std : ndarray of shape (n_rows,) or None, default=None
        Standard deviations of the predictions. Rows where it is above that of all labels are left
        out, since there the teacher claims nothing.
    share : float, default=1.0
        Share of the rows of the whole data, of which these are a chunk.

    Returns
    -------
    PredictionSample
        The rows.
    """
    if labels is None or predictions is None:
        return PredictionSample(np.empty((0, 0)), np.empty((0, 0)))
    usable = ~np.isnan(labels[:, 0] + predictions[:, 0])
    if std is not None and usable.any():
        usable &= std <= labels[usable].std()
    rows = np.flatnonzero(usable)
    n_rows = max(MIN_ROWS, int(share * MAX_ENTRIES / labels.shape[1]))
    rows = rows[:: -(-len(rows) // n_rows) or 1]
    return PredictionSample(labels.take(rows, axis=0), predictions.take(rows, axis=0))


def warn_if_implausible_prediction(
    sample: PredictionSample, name: str = "teacher_prediction"
) -> None:
    r"""Warn if the rows of a regressor's teacher seem to be in another order, or its sign reversed.

    From 50 rows on with a label and a prediction, and for numbers as well as for their ranks,

    *Rows*: the gain is not above two standard errors, :math:`G \le 2\sqrt V`, although that of a
    right teacher would be, by three more: :math:`E/2 \ge 5\sqrt V`, where
    :math:`E = \sum_m c_m^2` is the gain if :math:`y = s + \text{noise}`. The half allows for a
    teacher half of whose variance is noise.

    *Sign*: :math:`G < -4\sqrt V` and :math:`E \ge 5\sqrt V`.

    Predictions that are farther from their median than the range of the labels is wide count as at
    that distance, except for the ranks, so that one of them cannot decide. A teacher whose
    predictions hardly differ claims little, and is not reported.

    Parameters
    ----------
    sample : PredictionSample
        Labels and predictions of some rows.
    name : str, default="teacher_prediction"
        What the message calls the predictions.

    Warns
    -----
    ImplausibleTeacherWarning
        At most once.
    """
    if len(sample.labels) < MIN_ROWS or are_own_predictions():
        return
    if _correlate(sample.labels, sample.predictions):
        return
    fault = _fault(sample.labels, sample.predictions)
    if fault is not None:
        warn_user(f"{name} {fault}", ImplausibleTeacherWarning)


def _correlate(labels: FloatArray, predictions: FloatArray) -> bool:
    """Return whether each output is correlated in all rows: the usual case, quickly.

    Then so are all together, as the deviation of a sum is at most the sum of deviations.
    """
    outputs = range(labels.shape[1])
    return len(labels) >= MIN_ROWS and all(
        _is_correlated(labels[:, m], predictions[:, m]) for m in outputs
    )


def _is_correlated(y: FloatArray, s: FloatArray) -> bool:
    n = len(y)
    y, s = y - y.sum() / n, s - s.sum() / n
    # a missing number makes this NaN, and so False
    limit = N_STANDARD_ERRORS * math.sqrt(float(y @ y) * float(s @ s) / (n - 1))
    return float(y @ s) > limit


def _fault(labels: FloatArray, predictions: FloatArray) -> str | None:
    """Return what is wrong and the usual causes; None if nothing is."""
    near = _near_median(predictions, np.ptp(labels, axis=0))
    claimed = _claimed(labels, near)
    Y, S = _standardised(labels), _standardised(near) * claimed
    deviation = _deviation(Y, S)
    if not deviation:  # a constant
        return None
    agreement = float(np.vdot(Y, S)) / deviation
    expected = float(np.vdot(S, S)) / deviation
    if agreement > N_STANDARD_ERRORS or expected < N_STANDARD_ERRORS_EXPECTED:
        return None
    agreement = max(agreement, _agreement_of_ranks(labels, predictions, claimed))
    if agreement < -N_STANDARD_ERRORS_REVERSED:
        return (
            "is low where the labels are high, and high where they are low: is its sign reversed, "
            "or does it predict something else?"
        )
    if agreement > N_STANDARD_ERRORS or SHRUNK * expected < N_STANDARD_ERRORS_EXPECTED:
        return None
    return (
        "is correlated with the labels no more than with its rows shuffled, although its standard "
        f"deviation is {claimed.max():.0%} of theirs. Are its rows in the order of X"
        + ("?" if len(claimed) == 1 else ", and its columns in the order of those of y?")
    )


def _near_median(predictions: FloatArray, distance: FloatArray) -> FloatArray:
    """Return the predictions, at most at this distance from their median."""
    median = np.median(predictions, axis=0)
    return np.clip(predictions, median - distance, median + distance)


def _claimed(labels: FloatArray, predictions: FloatArray) -> FloatArray:
    """Return c: standard deviations of the predictions in units of the labels', at most 1."""
    deviations, claimed = labels.std(axis=0), np.zeros(labels.shape[1])
    np.divide(predictions.std(axis=0), deviations, out=claimed, where=deviations > 0)
    return np.minimum(claimed, 1.0)


def _agreement_of_ranks(labels: FloatArray, predictions: FloatArray, claimed: FloatArray) -> float:
    """Return G/√V of the ranks, the outputs being weighted as the numbers are."""
    Y, S = (_standardised(rankdata(values, axis=0)) for values in (labels, predictions))
    S = S * claimed
    deviation = _deviation(Y, S)
    return float(np.vdot(Y, S)) / deviation if deviation else 0.0


def _standardised(values: FloatArray) -> FloatArray:
    """Return columns centred and of unit length; zero if they are constant but for rounding."""
    centred = values - values.mean(axis=0)
    length = np.sqrt(np.einsum("im,im->m", centred, centred))
    varies = length > len(values) * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=varies))


def _deviation(Y: FloatArray, S: FloatArray) -> float:
    """Return √V."""
    return math.sqrt(float(np.vdot(Y.T @ Y, S.T @ S)) / (len(Y) - 1))
