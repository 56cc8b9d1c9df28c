"""Predictions that leave some classes unknown, such as the k most probable ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from scipy import sparse

from sklearn_distill._typing import BoolArray, FloatArray, IntArray, RowIndexer
from sklearn_distill.targets.teachers import Teachers, WeightedTeachers

# a smaller rest is rounding: its root at a high temperature would not be small
MIN_REST = 1e-6


@dataclass(frozen=True)
class KnownProba:
    r"""Probabilities of one teacher for the known classes S of each row.

    The rest r of a row is that of its M unknown classes, whose logits are :math:`\log(r/M)` each:

    .. math::

        q_k \propto p_k^{1/T} \ (k \in S), \qquad q_r \propto r^{1/T} M^{1 - 1/T}.

    Parameters
    ----------
    log_proba : csr_array of shape (n_rows, n_classes)
        log p of the known classes, -inf for an impossible one. A row without any known class is a
        missing prediction.
    rest : ndarray of shape (n_rows,)
        r; 0 if it is below 1e-6, or no class is unknown.

    Examples
    --------
    >>> known = KnownProba.of(sparse.csr_array(np.array([[0.5, 0.3, 0.0, 0.0]])))
    >>> q, q_rest = known.soften(1.0)
    >>> q.round(3), q_rest.round(3)
    (array([0.5, 0.3]), array([0.2]))
    """

    log_proba: Any
    rest: FloatArray

    @classmethod
    def of(cls, proba: Any) -> KnownProba:
        """Return the predictions of a csr_array of probabilities, whose data are overwritten."""
        n_known = np.diff(proba.indptr)
        rest = 1 - by_row(np.add, proba, proba.data)
        rest[(rest < MIN_REST) | (n_known == proba.shape[1]) | (n_known == 0)] = 0.0
        with np.errstate(divide="ignore"):  # log 0 = -inf is a probability of exactly zero
            np.log(proba.data, out=proba.data)
        return cls(proba, rest)

    @property
    def n_known(self) -> IntArray:
        """Number of known classes of each row."""
        return np.asarray(np.diff(self.log_proba.indptr))

    @property
    def n_unknown(self) -> IntArray:
        """Number M of unknown classes of each row."""
        return np.asarray(self.log_proba.shape[1] - self.n_known)

    def take(self, rows: RowIndexer) -> KnownProba:
        """Return the predictions for the given rows."""
        return KnownProba(self.log_proba[rows], self.rest[rows])

    def per_entry(self, of_rows: FloatArray) -> FloatArray:
        """Return the number of a row for each of its known classes."""
        return np.repeat(of_rows, self.n_known)

    @property
    def _log_rest(self) -> FloatArray:
        """log(r/M), the logit of each unknown class."""
        with np.errstate(divide="ignore"):
            return np.log(self.rest / np.maximum(self.n_unknown, 1))

    def soften(self, temperature: float) -> tuple[FloatArray, FloatArray]:
        """Return q of the known classes, of shape (n_entries,), and q_r, of shape (n_rows,)."""
        v, v_rest = self.log_proba.data, self._log_rest
        top = np.maximum(by_row(np.maximum, self.log_proba, v, -np.inf), v_rest)
        top[np.isneginf(top)] = 0.0  # a missing prediction
        q = v - self.per_entry(top)
        q /= temperature
        np.exp(q, out=q)
        q_rest = self.n_unknown * np.exp((v_rest - top) / temperature)
        total = by_row(np.add, self.log_proba, q) + q_rest
        total[total == 0] = 1.0
        q /= self.per_entry(total)
        return q, q_rest / total

    def soften_derivative(self, temperature: float) -> tuple[FloatArray, FloatArray]:
        r"""Return the derivatives of :meth:`soften` in T, :math:`-J(q)v/T^2`."""
        q, q_rest = self.soften(temperature)
        v = np.where(q > 0, self.log_proba.data, 0.0)
        v_rest = np.where(q_rest > 0, self._log_rest, 0.0)
        mean = by_row(np.add, self.log_proba, q * v) + q_rest * v_rest
        dq = q * (self.per_entry(mean) - v) / temperature**2
        return dq, q_rest * (mean - v_rest) / temperature**2

    def unknown_mean(self, class_weight: FloatArray) -> FloatArray:
        """Return the mean of a class weight over the unknown classes of each row."""
        of_known = by_row(np.add, self.log_proba, class_weight[self.log_proba.indices])
        return np.asarray((class_weight.sum() - of_known) / np.maximum(self.n_unknown, 1))


def by_row(reduce: np.ufunc, matrix: Any, values: FloatArray, empty: float = 0.0) -> FloatArray:
    """Reduce the values of the stored entries of a csr_array, row by row.

    Parameters
    ----------
    reduce : ufunc
        ``np.add`` or ``np.maximum``.
    matrix : csr_array of shape (n_rows, n_columns)
        Its stored entries are those of `values`.
    values : ndarray of shape (n_entries,)
        The values.
    empty : float, default=0.0
        Result of a row without stored entries.

    Returns
    -------
    ndarray of shape (n_rows,)
        The results.

    Examples
    --------
    >>> by_row(np.add, sparse.csr_array(np.array([[1, 2], [0, 0]])), np.array([1.0, 2.0]))
    array([3., 0.])
    """
    result = np.full(matrix.shape[0], empty)
    rows = np.flatnonzero(np.diff(matrix.indptr))
    if len(rows):
        result[rows] = reduce.reduceat(values, matrix.indptr[rows])
    return result


@dataclass(frozen=True)
class PartialTeachers(WeightedTeachers):
    r"""Probabilities of M teachers, some of which leave classes unknown.

    Parameters
    ----------
    known : tuple of KnownProba
        The predictions of each teacher.
    partial : {"rest", "spread"}
        Whether the unknown classes of a row share its rest as one class, or each has a part.
    weight : ndarray of shape (n_teachers, n_rows) or None, default=None
        Weights of the teachers, as those of :class:`Teachers`.
    is_sparse : bool, default=False
        Whether they were passed as a sparse matrix, which must not be made dense.

    Examples
    --------
    >>> known = KnownProba.of(sparse.csr_array(np.array([[0.5, 0.3, 0.0, 0.0]])))
    >>> PartialTeachers((known,), "rest").soften(1.0).T.round(3)
    array([[0.5, 0.3, 0.1, 0.1]])
    """

    known: tuple[KnownProba, ...]
    partial: Literal["rest", "spread"]
    weight: FloatArray | None = None
    is_sparse: bool = False

    @cached_property
    def _mask_by_teacher(self) -> BoolArray:
        return np.array([one.n_known > 0 for one in self.known])

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return int(self.known[0].log_proba.shape[1])

    def take(self, rows: RowIndexer) -> Self:
        """Return the predictions for the given rows."""
        weight = None if self.weight is None else self.weight[:, rows]
        return replace(self, known=tuple(one.take(rows) for one in self.known), weight=weight)

    def soften(self, temperature: float) -> FloatArray:
        """Return q of shape (n_classes, n_rows), dense, with each unknown class at q_r/M."""
        total = np.zeros((self.n_classes, len(self.known[0].rest)))
        for one, share in zip(self.known, self.share, strict=True):
            q, q_rest = one.soften(temperature)
            dense = np.repeat((q_rest / np.maximum(one.n_unknown, 1))[:, None], len(total), axis=1)
            matrix = one.log_proba
            dense[np.repeat(np.arange(len(dense)), one.n_known), matrix.indices] = q
            total += share * dense.T
        return total

    def as_teachers(self) -> Teachers:
        """Return these predictions with each unknown class at r/M, dense."""
        logits = [replace(self, known=(one,), weight=None).soften(1.0) for one in self.known]
        with np.errstate(divide="ignore"):
            stacked = np.log(np.stack(logits))
        stacked = np.where(self._mask_by_teacher[:, None, :], stacked, np.nan)
        return Teachers(stacked, self.weight)

    def most_probable(self) -> IntArray:
        """Return the most probable class of each row; of unknown classes the first."""
        n_rows, step = len(self.known[0].rest), max(1, 2**20 // self.n_classes)
        blocks = [slice(start, start + step) for start in range(0, n_rows, step)]
        return np.concatenate([self.take(rows).soften(1.0).argmax(axis=0) for rows in blocks])

    def class_mass(self, row_weight: FloatArray) -> FloatArray:
        """Return the sum over rows of the probabilities at temperature 1, times a weight."""
        mass = np.zeros(self.n_classes)
        for one, share in zip(self.known, self.share * row_weight, strict=True):
            q, q_rest = one.soften(1.0)
            each = share * q_rest / np.maximum(one.n_unknown, 1)
            entries = one.per_entry(share) * q - one.per_entry(each)
            mass += each.sum() + np.bincount(one.log_proba.indices, entries, self.n_classes)
        return np.maximum(mass, 0.0)

    def expected_weight(self, class_weight: FloatArray) -> FloatArray:
        """Return the expectation of a class weight in each row, at temperature 1."""
        expected = np.zeros(len(self.known[0].rest))
        for one, share in zip(self.known, self.share, strict=True):
            q, q_rest = one.soften(1.0)
            of_known = by_row(np.add, one.log_proba, q * class_weight[one.log_proba.indices])
            expected += share * (of_known + q_rest * one.unknown_mean(class_weight))
        return expected


def known_of_dense(proba: Sequence[FloatArray]) -> tuple[KnownProba, ...]:
    """Return the predictions of dense arrays with NaN for unknown classes.

    Parameters
    ----------
    proba : sequence of ndarray of shape (n_rows, n_classes)
        The probabilities of each teacher; a row of NaN is missing.

    Returns
    -------
    tuple of KnownProba
        The predictions.
    """
    return tuple(KnownProba.of(_stored(one)) for one in proba)


def _stored(proba: FloatArray) -> Any:
    """Return the entries that are not NaN as a csr_array, zeros included."""
    known = ~np.isnan(proba)
    indptr = np.concatenate([[0], np.cumsum(known.sum(axis=1))])
    indices = np.nonzero(known)[1]
    index = np.int32 if len(indices) < 2**31 else np.int64
    return sparse.csr_array(
        (proba[known], indices.astype(index), indptr.astype(index)), shape=proba.shape
    )
