"""Several teachers' answers as one."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax, xlogy

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.teachers._several import check_teacher_weights, read_several


def combine_teachers(
    teacher_proba: Any, *, method: str = "mean", weights: Any = None
) -> FloatArray:
    r"""Make one teacher of several, row by row from those that speak.

    With weights :math:`w_m`, and sums over the teachers m that speak for row i with
    :math:`w_m > 0`,

    .. math::

        \text{mean:}\quad & q_i = \sum_m w_m\,p_{im} \Big/ \sum_m w_m \\
        \text{geometric:}\quad & q_{ik} ∝ \prod_m p_{imk}^{\,w_m / \sum_m w_m} \\
        \text{confidence:}\quad & q_i = \sum_m w_m c_{im}\,p_{im} \Big/ \sum_m w_m c_{im},
        \qquad c_{im} = 1 - H(p_{im}) / \log K,

    with the entropy :math:`H(p) = -\sum_k p_k \log p_k`: a teacher that is sure of its answer has
    c = 1, one that answers 1/K for each class has 0, and where all do so, so does q. The mean is
    the answer nearest to the teachers' in :math:`\sum_m w_m KL(p_m \| q)`, the geometric mean the
    one in :math:`\sum_m w_m KL(q \| p_m)`: there each teacher can rule a class out.

    Parameters
    ----------
    teacher_proba : list of array-like, or array of shape (n_samples, n_teachers, n_classes)
        The teachers' probabilities, in a list each of shape (n_samples, n_classes), all with the
        classes in the same order; a row of NaN is a silent teacher. DataFrames are aligned to the
        columns of the first.
    method : {"mean", "geometric", "confidence"}, default="mean"
        How to combine.
    weights : array-like of shape (n_teachers,) or None, default=None
        Nonnegative weights w, all 1 by default; 0 leaves a teacher out.
        :func:`learn_teacher_weights` finds those of the mean from held-out labels.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities; a row for which no teacher speaks is NaN, the sign of silence.

    Raises
    ------
    ValueError
        If shapes or weights are wrong, a row is neither silent nor a distribution, or the teachers
        rule out every class of a row among them (geometric); it names the first such row.

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
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {sorted(_METHODS)}, got {method!r}")
    p, _ = read_several(teacher_proba)
    w = check_teacher_weights(weights, len(p))
    speaks = ~np.isnan(p[:, 0]) & (w > 0)[:, None]
    heard = speaks.any(axis=0)
    q = np.full(p.shape[1:], np.nan)
    p = np.where(speaks[:, None], p, 1.0)[:, :, heard]  # 1 so that log and entropy are 0
    q[:, heard] = _METHODS[method](p, (w[:, None] * speaks)[:, heard], np.flatnonzero(heard))
    return np.ascontiguousarray(q.T)


def _mean(p: FloatArray, w: FloatArray, rows: IntArray) -> FloatArray:
    """Average p (M, K, n) with weights (M, n); 0 where a teacher is silent."""
    q: FloatArray = np.einsum("mkn,mn->kn", p, w / w.sum(axis=0))
    return q


def _geometric(p: FloatArray, w: FloatArray, rows: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    share = (w / w.sum(axis=0))[:, None]
    # a teacher without weight says nothing, even where it rules a class out: 0 · (−inf) := 0
    log_q = np.multiply(share, log_p, out=np.zeros_like(p), where=share > 0).sum(axis=0)
    ruled_out = np.isneginf(log_q).all(axis=0)
    if ruled_out.any():
        raise ValueError(
            f"teacher_proba: row {int(rows[np.argmax(ruled_out)])} has no class that every teacher "
            "holds possible, so the geometric mean is 0 for all: use method='mean', or give the "
            "teachers' zeros a small probability"
        )
    return np.asarray(softmax(log_q, axis=0))


def _confidence(p: FloatArray, w: FloatArray, rows: IntArray) -> FloatArray:
    confidence = 1 + xlogy(p, p).sum(axis=1) / np.log(p.shape[1])
    confidence = np.maximum(confidence, np.finfo(np.float64).eps)  # all unsure: their plain mean
    return _mean(p, w * confidence, rows)


_METHODS: dict[str, Callable[[FloatArray, FloatArray, IntArray], FloatArray]] = {
    "mean": _mean,
    "geometric": _geometric,
    "confidence": _confidence,
}
