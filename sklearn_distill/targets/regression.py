"""Labels and a teacher's predictions as targets of a regression."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill.targets.trust import imitation_shares


@dataclass(frozen=True)
class RegressionMixture:
    r"""Labels y and predictions t, of each of which a row needs at least one.

    A row has the weights :math:`1-λ_i` of its label and :math:`λ_i r_i` of its prediction, where
    :math:`λ_i` is :math:`\min(1, λ \bar w_i)` if both are available, 0 if the prediction is missing
    and 1 if the label is, :math:`r_i` is the precision of the prediction and :math:`\bar w_i` the
    trust in it.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_rows, n_outputs)
        Labels and predictions; a row of NaN is missing.
    imitation : float
        λ in [0, 1].
    precision : ndarray of shape (n_rows,) or None, default=None
        Positive precisions r of the predictions; anything where one is missing. None is 1.
    trust : ndarray of shape (n_rows,) or None, default=None
        Mean weights :math:`\bar w_i` of the teachers; None is 1. That of rows without a label is in
        their sample weights, by :func:`~sklearn_distill.targets.trusted_weights`.

    Examples
    --------
    >>> y, t = np.array([[1.0], [2.0]]), np.array([[3.0], [np.nan]])
    >>> RegressionMixture(y, t, 0.75).mean()
    (array([[2.5],
           [2. ]]), None)
    """

    labels: FloatArray
    predictions: FloatArray
    imitation: float
    precision: FloatArray | None = None
    trust: FloatArray | None = None

    @classmethod
    def of(
        cls,
        labels: FloatArray | None,
        predictions: FloatArray | None,
        imitation: float,
        precision: FloatArray | None = None,
        trust: FloatArray | None = None,
    ) -> Self:
        """Return the mixture of arrays of which one may be None: all of it is missing."""
        available = next(values for values in (labels, predictions) if values is not None)
        missing = np.full_like(available, np.nan)
        return cls(
            missing if labels is None else labels,
            missing if predictions is None else predictions,
            imitation,
            precision,
            trust,
        )

    @property
    def labelled(self) -> BoolArray:
        """Rows with a label, of shape (n_rows,)."""
        return np.asarray(~np.isnan(self.labels[:, 0]))

    @property
    def taught(self) -> BoolArray:
        """Rows with a prediction, of shape (n_rows,)."""
        return np.asarray(~np.isnan(self.predictions[:, 0]))

    def term_weights(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights 1 − λ_i and λ_i r_i of each row's terms.

        Returns
        -------
        tuple of ndarray of shape (n_rows,)
            Those of the labels, then those of the predictions.
        """
        return self._weights()

    def mean(self) -> tuple[FloatArray, FloatArray | None]:
        r"""Return the target and weight of rows whose squared error differs by a constant.

        .. math::

            (1-λ_i)\|z - y_i\|^2 + λ_i r_i \|z - t_i\|^2 = a_i \|z - m_i\|^2 + \mathrm{const}

        Returns
        -------
        target : ndarray of shape (n_rows, n_outputs)
            m, the mean of label and prediction.
        weight : ndarray of shape (n_rows,) or None
            a = 1 − λ + λr; None if all are 1.
        """
        of_label, of_prediction = self._weights()
        # a weight of 0 would not remove NaN: 0 · NaN is NaN
        y = np.where(self.labelled[:, None], self.labels, 0.0)
        t = np.where(self.taught[:, None], self.predictions, 0.0)
        total = of_label[:, None] * y + of_prediction[:, None] * t
        if self.precision is None:
            return total, None
        weight = of_label + of_prediction
        return total / weight[:, None], _unless_ones(weight)

    def copies(self) -> tuple[IntArray, FloatArray, FloatArray | None]:
        """Return the rows once for each target that has a weight, for losses of any kind.

        Returns
        -------
        rows : ndarray of int of shape (n_copies,)
            Row numbers: first those of the labels, then those of the predictions.
        target : ndarray of shape (n_copies, n_outputs)
            Labels, then predictions.
        weight : ndarray of shape (n_copies,) or None
            Weights 1 − λ_i, then λ_i r_i; None if all are 1.
        """
        weights = self._weights()
        rows = [np.flatnonzero(weight) for weight in weights]
        targets = (self.labels[rows[0]], self.predictions[rows[1]])
        weight = np.concatenate([weights[0][rows[0]], weights[1][rows[1]]])
        return np.concatenate(rows), np.concatenate(targets), _unless_ones(weight)

    def take(self, rows: IntArray) -> RegressionMixture:
        """Return the mixture of some of the rows."""
        return replace(
            self,
            labels=self.labels[rows],
            predictions=self.predictions[rows],
            precision=None if self.precision is None else self.precision[rows],
            trust=None if self.trust is None else self.trust[rows],
        )

    def _weights(self) -> tuple[FloatArray, FloatArray]:
        """Return the weights of the labels and of the predictions."""
        beside_label, _ = imitation_shares(self.imitation, self.trust)
        # λ_i: if only one of the two is available, it gets the full weight
        share = np.where(self.taught, np.where(self.labelled, beside_label, 1.0), 0.0)
        if self.precision is None:
            return 1 - share, share
        return 1 - share, share * np.where(self.taught, self.precision, 1.0)


def _unless_ones(weight: FloatArray) -> FloatArray | None:
    return None if (weight == 1).all() else weight
