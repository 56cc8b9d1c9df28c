"""The loss that the metaparameters are chosen by: cross-entropy of held-out labels."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.losses import RowSums, SoftTargetObjective
from sklearn_distill.losses.design import Design
from sklearn_distill.targets import Labels, LogPartitionTerm, SoftTargets

# a label that the student holds impossible counts so much, as in scikit-learn's log_loss
IMPOSSIBLE = float(-np.log(np.finfo(np.float64).eps))


class ValidationLoss:
    r"""Cross-entropy of labels with the student's answers at temperature :math:`T_{val}`.

    .. math:: V(W) = \frac{1}{\sum_i s_i} \sum_i s_i\,CE(y_i, \mathrm{softmax}(z_i/T_{val})).

    A class without target mass in training has probability 0: its labels add ``IMPOSSIBLE`` = 36.04
    each instead of infinity, and nothing to the gradient.

    Parameters
    ----------
    design : Design
        The products with the held-out X.
    labels : Labels
        Their labels, all present.
    weight : ndarray of shape (n_rows,)
        Row weights s.
    temperature : float
        :math:`T_{val}`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import as_design
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> loss = ValidationLoss(design, Labels(np.array([0, 1]), 2), np.ones(2), temperature=1.0)
    >>> loss.value_and_gradient(np.zeros(1), np.array([True, True]))
    (0.6931471805599453, array([-0.5]))
    """

    def __init__(
        self, design: Design, labels: Labels, weight: FloatArray, temperature: float
    ) -> None:
        self._design = design
        self._labels = labels
        self.weight = weight
        self._temperature = temperature
        self._objectives: dict[bytes, SoftTargetObjective] = {}

    def value_and_gradient(self, w: FloatArray, active: BoolArray) -> tuple[float, FloatArray]:
        """Return V and ∇V at weights of the active classes."""
        impossible = ~active[self._labels.codes]
        constant = IMPOSSIBLE * float(self.weight[impossible].sum() / self.weight.sum())
        if active.sum() == 1:  # the one class is certain
            return constant, np.zeros_like(w)
        value, gradient = self._objective(active).value_and_gradient(w)
        return value + constant, gradient

    def rows(self, w: FloatArray, active: BoolArray) -> FloatArray:
        """Return each row's loss; V is their weighted mean."""
        codes = (np.cumsum(active) - 1)[self._labels.codes]
        possible = active[self._labels.codes]
        losses = np.where(possible, 0.0, IMPOSSIBLE)
        if active.sum() > 1:
            Z = self._scores(w) / self._temperature
            of_label = Z[codes, np.arange(len(codes))]
            losses = np.where(possible, logsumexp(Z, axis=0) - of_label, losses)
        return np.asarray(losses)

    def _scores(self, w: FloatArray) -> FloatArray:
        """Return one score a class; the first of two is 0."""
        W = w.reshape(-1, self._design.n_columns)
        Z = np.concatenate([self._design.scores(W, rows) for rows in self._design.tiles()], axis=1)
        return np.concatenate([np.zeros_like(Z), Z]) if len(Z) == 1 else Z

    def _objective(self, active: BoolArray) -> SoftTargetObjective:
        """Return V as an objective without penalty: it is that of labels alone, made once."""
        key = active.tobytes()
        if key not in self._objectives:
            possible = np.where(active[self._labels.codes], self.weight, 0.0)
            linear = self._labels.one_hot(possible / self._temperature)[active]
            targets = SoftTargets(linear, (LogPartitionTerm(possible, self._temperature),))
            self._objectives[key] = SoftTargetObjective(
                RowSums(self._design, targets, self.weight), alpha=0.0
            )
        return self._objectives[key]
