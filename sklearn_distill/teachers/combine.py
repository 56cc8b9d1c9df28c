"""Combine the predicted probabilities of several teachers into one."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import softmax, xlogy

from sklearn_distill._typing import ArrayLike, FloatArray, IntArray
from sklearn_distill.targets import soften
from sklearn_distill.teachers._several import (
    check_several_teachers,
    check_teacher_weights,
    check_temperature,
)


def combine_teachers(
    teacher_proba: ArrayLike | Sequence[ArrayLike],
    *,
    method: str = "mean",
    weights: ArrayLike | None = None,
    temperature: float = 1.0,
) -> FloatArray:
    r"""Combine the probabilities of several teachers, row by row.

    A student softens at its temperature T, and of several teachers, an array (n_samples,
    n_teachers, n_classes), takes the mean of the softened probabilities. Pass the T of the student
    as ``temperature`` for the same order: the student then softens the result to the combination of
    the softened probabilities, exactly. The default combines the probabilities as they are, which a
    student at T = 1 does too; a student at another T then softens their mean, a different target.

    With weights :math:`w_m`, and sums over the teachers m with :math:`w_m > 0` that have a
    prediction for row i,

    .. math::

        \text{mean:}\quad & q_i = \sum_m w_m\,p_{im} \Big/ \sum_m w_m \\
        \text{geometric:}\quad & q_{ik} ∝ \prod_m p_{imk}^{\,w_m / \sum_m w_m} \\
        \text{confidence:}\quad & q_i = \sum_m w_m c_{im}\,p_{im} \Big/ \sum_m w_m c_{im},
        \qquad c_{im} = 1 - H(p_{im}) / \log K,

    with the entropy :math:`H(p) = -\sum_k p_k \log p_k`: a teacher that predicts one class with
    probability 1 has c = 1, one that predicts 1/K for each class has c = 0, and where all predict
    1/K, so does q. The mean minimises :math:`\sum_m w_m KL(p_m \| q)`, the geometric mean
    :math:`\sum_m w_m KL(q \| p_m)`: there each teacher can rule a class out. At another
    temperature T, p is :math:`\mathrm{softmax}(\log p / T)` in these formulas, and the result
    is :math:`\mathrm{softmax}(T \log q)`. The geometric mean does not depend on T.

    Parameters
    ----------
    teacher_proba : list of array-like, or array of shape (n_samples, n_teachers, n_classes)
        The teachers' probabilities, in a list each of shape (n_samples, n_classes), all with the
        classes in the same order; a row of NaN is a missing prediction. DataFrames are aligned to
        the columns of the first.
    method : {"mean", "geometric", "confidence"}, default="mean"
        The arithmetic mean, the geometric mean, or the mean weighted by each teacher's confidence
        in the row.
    weights : array-like of shape (n_teachers,) or None, default=None
        Nonnegative weights w, all 1 by default; 0 leaves a teacher out.
        :func:`learn_teacher_weights` finds those of the mean from held-out labels.
    temperature : float, default=1.0
        T > 0 at which the probabilities are combined: that of the student to soften first and
        combine then; 1 to combine first, whatever the student's temperature.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities; NaN, a missing prediction, in rows without a prediction of any teacher.

    Raises
    ------
    ValueError
        If shapes, weights or temperature are wrong, a row is neither missing nor a distribution, or
        every class of a row is ruled out by some teacher (geometric); it names the first such row.

    References
    ----------
    Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network", section 1
    (arithmetic or geometric mean of the teachers); Genest and Zidek 1986, "Combining probability
    distributions: a critique and an annotated bibliography" (linear and logarithmic opinion pools).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.teachers import combine_teachers
    >>> sure = np.array([[0.8, 0.2], [1.0, 0.0]])
    >>> unsure = np.array([[0.5, 0.5], [np.nan, np.nan]])
    >>> combine_teachers([sure, unsure]).round(3)
    array([[0.65, 0.35],
           [1.  , 0.  ]])
    >>> combine_teachers([sure, unsure], method="geometric").round(3)
    array([[0.667, 0.333],
           [1.   , 0.   ]])
    >>> combine_teachers([sure, unsure], method="confidence").round(3)
    array([[0.8, 0.2],
           [1. , 0. ]])

    A student at T = 2 softens to 0.583, the mean of 2/3 and 1/2:

    >>> combine_teachers([sure, unsure], temperature=2.0).round(3)
    array([[0.662, 0.338],
           [1.   , 0.   ]])
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {sorted(_METHODS)}, got {method!r}")
    temperature = check_temperature(temperature)
    p, _ = check_several_teachers(teacher_proba, temperature)
    w = check_teacher_weights(weights, len(p))
    available = ~np.isnan(p[:, 0]) & (w > 0)[:, None]  # (n_teachers, n_rows)
    predicted = available.any(axis=0)
    q = np.full(p.shape[1:], np.nan)
    # 1, not 0, in place of a missing prediction: its logarithm and entropy are finite, 0
    p = np.where(available[:, None], p, 1.0)[:, :, predicted]
    w_by_row = (w[:, None] * available)[:, predicted]
    q[:, predicted] = _METHODS[method](p, w_by_row, np.flatnonzero(predicted))
    return np.ascontiguousarray(_unsoften(q, temperature).T)


def _unsoften(q: FloatArray, temperature: float) -> FloatArray:
    """Return the probabilities that softening at T makes q."""
    if temperature == 1:
        return q
    with np.errstate(divide="ignore"):
        return soften(np.log(q), 1 / temperature)


def _mean(p: FloatArray, w: FloatArray, rows: IntArray) -> FloatArray:
    """Average p (n_teachers, n_classes, n_rows) with weights w (n_teachers, n_rows).

    The weight of a missing prediction is 0. `rows`, the row numbers, are for error messages.
    """
    q: FloatArray = np.einsum("mkn,mn->kn", p, w / w.sum(axis=0))
    return q


def _geometric(p: FloatArray, w: FloatArray, rows: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    share = (w / w.sum(axis=0))[:, None]
    # a teacher without weight has no influence, even where it rules a class out: 0 · (−inf) := 0
    log_q = np.multiply(share, log_p, out=np.zeros_like(p), where=share > 0).sum(axis=0)
    ruled_out = np.isneginf(log_q).all(axis=0)
    if ruled_out.any():
        raise ValueError(
            f"teacher_proba: row {int(rows[np.argmax(ruled_out)])} has no class to which every "
            "teacher gives a positive probability, so the geometric mean is 0 for all: use "
            "method='mean', or replace the teachers' zeros by a small probability"
        )
    return np.asarray(softmax(log_q, axis=0))  # normalises in logarithms: the products underflow


def _confidence(p: FloatArray, w: FloatArray, rows: IntArray) -> FloatArray:
    # xlogy: 0 log 0 = 0, for classes of probability 0
    confidence = 1 + xlogy(p, p).sum(axis=1) / np.log(p.shape[1])
    # where all are uniform, equal tiny weights give their plain mean instead of 0/0
    confidence = np.maximum(confidence, np.finfo(np.float64).eps)
    return _mean(p, w * confidence, rows)


_METHODS: dict[str, Callable[[FloatArray, FloatArray, IntArray], FloatArray]] = {
    "mean": _mean,
    "geometric": _geometric,
    "confidence": _confidence,
}
