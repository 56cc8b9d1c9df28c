r"""Notice a teacher whose rows, columns or scale cannot be what the user meant.

Let A be the logarithms of the teacher's probabilities, with one row for each of K classes and one
column for each of n samples, and :math:`n_k` the number of labels of class k. The *gain* of A is
how far the labels' log-probability is above its expectation over shuffled samples,

.. math:: G(A) = \sum_i A_{y_i i} - \sum_k n_k \bar A_k, \qquad \bar A_k = \frac1n \sum_i A_{ki},

whose variance over shuffled samples, the class counts being fixed, is (Hoeffding 1951, "A
combinatorial central limit theorem")

.. math:: V(A) = \frac{1}{n-1} \sum_{k,i} n_k d_{ki}^2, \qquad
    d_{ki} = A_{ki} - \bar A_k - \sum_l \frac{n_l}{n} (A_{li} - \bar A_l).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill._validation.numbers import list_values
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.exceptions import ImplausibleTeacherWarning
from sklearn_distill.targets import Labels, PartialTeachers, Teachers
from sklearn_distill.targets.labels import MISSING

MIN_ROWS = 50
N_STANDARD_ERRORS = 2.0  # less than these above shuffled rows is no agreement
N_STANDARD_ERRORS_CLAIMED = 3.0  # by which a right teacher would be above that
TEMPERED = 1 / 3  # log-odds that are up to three times too large are no fault
MAX_ENTRIES = 2**17  # of the sampled table of probabilities: the cost is bounded for any n
RELATIVE_FLOOR = 1e-3  # of a uniform probability: one wrong zero must not decide
SUMS_TO_ONE = 1e-3
N_TILTS = 10
ROUNDING = 1e-6  # of a row: a constant teacher has gains of about 1e-16, and as small errors

# predictions that an estimator makes itself cannot have their rows or columns exchanged
_predicted_here: ContextVar[bool] = ContextVar("predicted_here", default=False)


@contextmanager
def own_predictions() -> Iterator[None]:
    """Switch the check off for fits whose caller, not the user, makes the predictions."""
    token = _predicted_here.set(True)
    try:
        yield
    finally:
        _predicted_here.reset(token)


def are_own_predictions() -> bool:
    """Return whether the caller of ``fit`` made the predictions, see :func:`own_predictions`."""
    return _predicted_here.get()


@dataclass(frozen=True)
class TeacherSample:
    """Labels and logits of some rows with a teacher's prediction.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
        Class number of each row, or ``MISSING``.
    logits : ndarray of shape (n_teachers, n_classes, n_rows)
        The teachers' logits; those of some teachers may be missing.
    is_proba : bool
        Whether the argument is ``teacher_proba``, and these are logarithms of it.
    """

    codes: IntArray
    logits: FloatArray
    is_proba: bool

    def __add__(self, other: TeacherSample) -> TeacherSample:
        if not len(self.codes) or not len(other.codes):  # a chunk may lack any prediction
            return self if len(self.codes) else other
        return TeacherSample(
            np.concatenate([self.codes, other.codes]),
            np.concatenate([self.logits, other.logits], axis=2),
            self.is_proba,
        )

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return int(self.logits.shape[1])

    def take(self, rows: Any) -> TeacherSample:
        """Return the given rows."""
        return TeacherSample(self.codes[rows], self.logits[:, :, rows], self.is_proba)

    def labelled(self) -> TeacherSample:
        """Return the rows that have a label."""
        present = self.codes != MISSING
        return self if present.all() else self.take(present)


def check_plausible_teacher(
    classes: NDArray[Any],
    labels: Labels,
    teachers: Teachers | PartialTeachers | None,
    *,
    is_proba: bool,
    weight: FloatArray | None = None,
    name: str | None = None,
) -> None:
    """Warn if a teacher's rows or columns seem to be in another order, or logits to be none.

    See :func:`warn_if_implausible` for the rules.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Class labels, in ascending order.
    labels : Labels
        Class number of each row.
    teachers : Teachers, PartialTeachers or None
        The teachers' logits; None without a teacher.
    is_proba : bool
        Whether they were passed as ``teacher_proba``, not as ``teacher_logits``.
    weight : ndarray of shape (n_rows,) or None, default=None
        Sample weights; rows of weight 0 are left out.
    name : str or None, default=None
        Whose predictions they are, as in :func:`warn_if_implausible`.

    Warns
    -----
    ImplausibleTeacherWarning
        At most once for the order of rows and columns, and once for logits.
    """
    if teachers is not None and not are_own_predictions():
        sample = sample_teacher(labels, teachers, is_proba=is_proba, weight=weight)
        warn_if_implausible(sample, classes, name)


def sample_teacher(
    labels: Labels,
    teachers: Teachers | PartialTeachers | None,
    *,
    is_proba: bool,
    weight: FloatArray | None = None,
    share: float = 1.0,
) -> TeacherSample:
    """Return evenly spaced rows that have a prediction, labelled ones if these are enough.

    Parameters
    ----------
    labels : Labels
        Class number of each row.
    teachers : Teachers, PartialTeachers or None
        The teachers' logits; without them there are no rows.
    is_proba : bool
        Whether they were passed as ``teacher_proba``.
    weight : ndarray of shape (n_rows,) or None, default=None
        Sample weights; rows of weight 0 are left out.
    share : float, default=1.0
        Share of the rows of the whole data, of which these are a chunk.

    Returns
    -------
    TeacherSample
        The rows; those passed, without a copy, if none has to be left out.
    """
    n_classes = labels.n_classes
    if teachers is None:
        return TeacherSample(np.empty(0, np.intp), np.empty((1, n_classes, 0)), is_proba)
    usable = teachers.teacher_mask if weight is None else teachers.teacher_mask & (weight > 0)
    n_rows = max(MIN_ROWS, int(share * MAX_ENTRIES / n_classes))
    if len(usable) <= n_rows and usable.all() and labels.present.all():
        return TeacherSample(labels.codes, _logits(teachers), is_proba)
    rows = np.flatnonzero(usable & labels.present)
    if len(rows) < MIN_ROWS * share:
        rows = np.flatnonzero(usable)
    rows = rows[:: -(-len(rows) // n_rows) or 1]
    return TeacherSample(labels.codes[rows], _logits(teachers.take(rows)), is_proba)


def _logits(teachers: Teachers | PartialTeachers) -> FloatArray:
    """Return logits, of unknown classes those of an even rest."""
    complete = teachers if isinstance(teachers, Teachers) else teachers.as_teachers()
    return complete.logits


def warn_if_implausible(
    sample: TeacherSample, classes: NDArray[Any], name: str | None = None
) -> None:
    r"""Warn if a teacher's rows or columns seem to be in another order, or logits to be none.

    Rows and columns are judged from 50 labelled rows on that are as informative as 50 rows of two
    balanced classes, :math:`n - \sum_k n_k^2/n \ge 25`.

    *Rows*: the gain is not above two standard errors, :math:`G \le 2\sqrt V`, although that of a
    right teacher would be, by three of its own: :math:`E - 3 \sqrt W \ge 2\sqrt V`. E and W are its
    expectation and variance under labels drawn with probabilities
    :math:`q_{ki} \propto w_k p_{ki}^{1/3}`. The root allows for log-odds that are three times too
    large; the :math:`w_k` give each class the mass :math:`n_k`, as the teacher may have seen other
    class frequencies. A teacher whose predictions hardly differ claims little: it is not reported.

    *Columns*: half of the rows chooses the permutation σ that maximises
    :math:`\sum_i A_{σ(y_i) i}`. In the other half σ increases the labels' log-probability by two
    standard errors of the paired difference, and the gain by two of shuffled rows; and so again
    with the halves exchanged. The former holds for no right teacher, the latter not for one that
    prefers some classes in all rows.

    Parameters
    ----------
    sample : TeacherSample
        Labels and logits of some rows.
    classes : ndarray of shape (n_classes,)
        Class labels, for the message.
    name : str or None, default=None
        Name of the argument, for the message; None is "teacher_proba" or "teacher_logits".

    Warns
    -----
    ImplausibleTeacherWarning
        At most once for the order of rows and columns, and once for logits.
    """
    if are_own_predictions():
        return
    if not sample.is_proba and _look_like_proba(sample.logits):
        warn_user(
            "teacher_logits: these look like probabilities, as no row has a negative number and "
            "all sum to 1: pass them as teacher_proba=",
            ImplausibleTeacherWarning,
        )
    labelled = sample.labelled()
    if len(labelled.codes) < MIN_ROWS or _two_classes_agree(labelled):
        return
    fault = _fault(labelled, classes)
    if fault is not None:
        name = name or ("teacher_proba" if sample.is_proba else "teacher_logits")
        warn_user(f"{name} {fault}", ImplausibleTeacherWarning)


def _look_like_proba(logits: FloatArray) -> bool:
    """Return whether the rows of logits are distributions, or the only column P(second class)."""
    n_classes, n_rows = logits.shape[1:]
    if not n_rows:
        return False
    first_sum = logits[0, :, 0].sum()  # decides nearly always
    if np.abs(first_sum - 1) > SUMS_TO_ONE and not (n_classes == 2 and 0 <= first_sum <= 1):
        return False
    low, sums = np.nanmin(logits), logits.sum(axis=1)
    sums = sums[~np.isnan(sums)]
    if low < 0:
        return False
    if (np.abs(sums - 1) < SUMS_TO_ONE).all():
        return True
    # one dimension is read as logits of which the other class's are 0
    is_one_column = n_classes == 2 and not logits.min(axis=1).any()
    spread = sums.min() < 0.1 and 0.9 < sums.max() <= 1
    return bool(is_one_column and spread and n_rows >= MIN_ROWS)


def _two_classes_agree(sample: TeacherSample) -> bool:
    """Return whether a teacher of two classes is above shuffled rows: the usual case, quickly."""
    if sample.logits.shape[:2] != (1, 2):
        return False
    first, second = sample.logits[0]
    odds = second - first
    limit = -np.log(RELATIVE_FLOOR / 2)
    np.minimum(np.maximum(odds, -limit, out=odds), limit, out=odds)
    n, n_second = len(odds), int(np.count_nonzero(sample.codes))
    mean = float(odds.sum()) / n
    # with A_2 − A_1 = f, G = Σ_{y=2} (f − mean f) and V = n_1 n_2 / (n (n − 1)) Σ (f − mean f)²
    gain = float(odds @ sample.codes) - n_second * mean
    squares = max(float(odds @ odds) - n * mean**2, 0.0)
    variance = n_second * (n - n_second) / (n * (n - 1)) * squares
    return gain > N_STANDARD_ERRORS * math.sqrt(variance)


def _fault(sample: TeacherSample, classes: NDArray[Any]) -> str | None:
    """Return what is wrong with rows or columns and the usual causes; None if nothing is."""
    counts = np.bincount(sample.codes, minlength=sample.n_classes)
    n = len(sample.codes)
    if n - counts @ counts / n < MIN_ROWS / 2:
        return None
    A = _log_proba(sample)
    if _agrees_in_each_class(A, sample.codes, counts):
        return None
    permutation = _better_columns(A, sample.codes)
    if permutation is not None:
        return _columns_fault(permutation, classes)
    return _rows_fault(classes) if _is_shuffled(A, sample.codes, counts) else None


def _log_proba(sample: TeacherSample) -> FloatArray:
    """Return A, the logarithm of the mean over the teachers, not below a floor."""
    floor = RELATIVE_FLOOR / sample.n_classes
    if sample.is_proba and len(sample.logits) == 1:
        return np.asarray(np.maximum(sample.logits[0], np.log(floor)))
    proba = Teachers(sample.logits).soften(1.0)
    np.maximum(proba, floor, out=proba)
    return np.log(proba, out=proba)


def _agrees_in_each_class(A: FloatArray, codes: IntArray, counts: IntArray) -> bool:
    """Return whether the gain is large, and no permutation has a larger one: quickly."""
    centred = A - A.mean(axis=1, keepdims=True)
    sums = _class_sums(centred, codes)
    own = sums.diagonal()
    # V without the term that makes the entries of a sample sum to 0, and so not smaller than V
    bound = counts @ np.einsum("ki,ki->k", centred, centred) / (len(codes) - 1)
    return bool((own >= sums.max(axis=1)).all() and own.sum() > N_STANDARD_ERRORS * bound**0.5)


def _is_shuffled(A: FloatArray, codes: IntArray, counts: IntArray) -> bool:
    """Return whether the gain is that of shuffled rows, and that of a right teacher is larger."""
    gain, variance = _gain(A, codes, counts)
    limit = N_STANDARD_ERRORS * math.sqrt(variance)
    if gain > limit:
        return False
    expected, expected_variance = _claimed_gain(A, counts)
    claimed = expected - N_STANDARD_ERRORS_CLAIMED * math.sqrt(expected_variance)
    return claimed > limit + ROUNDING * len(codes)


def _gain(A: FloatArray, codes: IntArray, counts: IntArray) -> tuple[float, float]:
    """Return G(A) and V(A)."""
    n = len(codes)
    d = A - A.mean(axis=1, keepdims=True)
    d -= counts / n @ d
    gain = d[codes, np.arange(n)].sum()  # the rows of d sum to 0, as those of A − mean do
    return float(gain), float(counts @ np.einsum("ki,ki->k", d, d)) / (n - 1)


def _claimed_gain(A: FloatArray, counts: IntArray) -> tuple[float, float]:
    """Return the expectation E and the variance W of the gain if the teacher is right."""
    A, counts = A[counts > 0], counts[counts > 0]
    q = np.exp(TEMPERED * A)
    for _ in range(N_TILTS):
        q /= q.sum(axis=0)
        q *= (counts / q.sum(axis=1))[:, None]
    q /= q.sum(axis=0)
    centred = A - A.mean(axis=1, keepdims=True)
    mean = (q * centred).sum(axis=0)
    return float(mean.sum()), float((q * (centred - mean) ** 2).sum())


def _class_sums(A: FloatArray, codes: IntArray) -> FloatArray:
    """Return the sum of A over the rows of each class, (n_classes of y, n_classes of A)."""
    one_hot = codes == np.arange(len(A))[:, None]
    return np.asarray(one_hot.astype(np.float64) @ A.T)


def _better_columns(A: FloatArray, codes: IntArray) -> IntArray | None:
    """Return the permutation that is better in both halves by the other's choice, if one is."""
    by_class = np.argsort(codes, kind="stable")  # so that each class is halved
    halves = by_class[::2], by_class[1::2]
    for half, other in (halves, halves[::-1]):
        permutation = _best_columns(A[:, half], codes[half])
        if not _is_better(permutation, A[:, other], codes[other]):
            return None
    return _best_columns(A, codes)


def _best_columns(A: FloatArray, codes: IntArray) -> IntArray:
    """Return the column σ(k) of each class that maximises the labels' log-probability."""
    return np.asarray(linear_sum_assignment(_class_sums(A, codes), maximize=True)[1])


def _is_better(permutation: IntArray, A: FloatArray, codes: IntArray) -> bool:
    """Return whether log-probability and gain are both larger by two standard errors."""
    difference = A[permutation] - A
    paired = difference[codes, np.arange(len(codes))]
    if not paired.sum() > N_STANDARD_ERRORS * np.sqrt(len(paired)) * paired.std(ddof=1):
        return False
    gain, variance = _gain(difference, codes, np.bincount(codes, minlength=len(A)))
    return gain > N_STANDARD_ERRORS * math.sqrt(variance) + ROUNDING * len(codes)


def _rows_fault(classes: NDArray[Any]) -> str:
    return (
        "agrees with the labels no better than with its rows shuffled, although its predictions "
        "are sure ones. Are its rows in the order of X, and its columns in the order of classes_, "
        f"{list_values(classes)}?{_two_classes_hint(classes)}"
    )


def _columns_fault(permutation: IntArray, classes: NDArray[Any]) -> str:
    labels = classes.tolist()
    moved = [f"{labels[j]!r} for {labels[k]!r}" for k, j in enumerate(permutation) if j != k]
    shown = ", ".join(moved[:10]) + (", …" if len(moved) > 10 else "")
    return (
        f"agrees with the labels better with other columns: that of {shown}. The columns must be "
        f"in the order of classes_, {list_values(classes)}, or a DataFrame's with the labels as "
        f"names.{_two_classes_hint(classes)}"
    )


def _two_classes_hint(classes: NDArray[Any]) -> str:
    if len(classes) != 2:
        return ""
    first, second = classes.tolist()
    return f" One dimension is the prediction for {second!r}, not for {first!r}."
