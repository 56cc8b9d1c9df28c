"""The loss by which the metaparameters are chosen: cross-entropy of held-out targets."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill.losses import ChunkedDesign, SoftTargetObjective, make_sums
from sklearn_distill.losses.design import Design
from sklearn_distill.targets import LogPartitionTerm, SoftTargets

# loss of a label with probability 0, as in scikit-learn's log_loss
ZERO_PROBA_LOSS = float(-np.log(np.finfo(np.float64).eps))


class ValidationLoss:
    r"""Cross-entropy of held-out targets with the student's prediction at :math:`T_{val}`.

    .. math:: V(W) = \frac{1}{\sum_i s_i} \sum_i s_i\,CE(q_i, \mathrm{softmax}(z_i/T_{val})).

    The targets are labels, :math:`q_i = y_i`, or a teacher's probabilities.

    A class without target mass in training has probability 0: its part of a target adds
    ``ZERO_PROBA_LOSS`` = 36.04 instead of infinity, and nothing to the gradient.

    Parameters
    ----------
    design : Design
        The products with the held-out X.
    targets : ndarray of shape (n_classes, n_rows)
        Targets q of the held-out rows: one-hot labels or probabilities.
    sample_weight : ndarray of shape (n_rows,)
        Weights s of the held-out rows.
    temperature : float
        Temperature :math:`T_{val}`, by which the scores are divided.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import as_design
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> loss = ValidationLoss(design, np.eye(2), np.ones(2), temperature=1.0)
    >>> loss.value_and_gradient(np.zeros(1), np.array([True, True]))
    (0.6931471805599453, array([-0.5]))
    """

    def __init__(
        self,
        design: Design | ChunkedDesign,
        targets: FloatArray,
        sample_weight: FloatArray,
        temperature: float,
    ) -> None:
        self._design = design
        self._targets = targets
        self.sample_weight = sample_weight
        self._temperature = temperature
        self._objectives: dict[bytes, SoftTargetObjective] = {}

    def value_and_gradient(self, w: FloatArray, active: BoolArray) -> tuple[float, FloatArray]:
        """Return V and ∇V at weights w of the active classes."""
        s = self.sample_weight
        impossible = self._targets[~active].sum(axis=0)
        constant = ZERO_PROBA_LOSS * float(s @ impossible / s.sum())
        if active.sum() == 1:  # a single class has probability 1 and no weights
            return constant, np.zeros_like(w)
        value, gradient = self._objective(active).value_and_gradient(w)
        return value + constant, gradient

    def row_losses(self, w: FloatArray, active: BoolArray) -> FloatArray:
        """Return the loss of each row; V is their weighted mean."""
        losses = ZERO_PROBA_LOSS * self._targets[~active].sum(axis=0)
        if active.sum() > 1:
            Z, q = self._scores(w) / self._temperature, self._targets[active]
            losses += q.sum(axis=0) * logsumexp(Z, axis=0) - (q * Z).sum(axis=0)
        return np.asarray(losses)

    def _scores(self, w: FloatArray) -> FloatArray:
        """Return one score for each class; the first of two is 0."""
        W = w.reshape(-1, self._design.n_columns)
        Z = np.concatenate([self._design.scores(W, tile) for tile in self._design.tiles()], axis=1)
        return np.concatenate([np.zeros_like(Z), Z]) if len(Z) == 1 else Z

    def _objective(self, active: BoolArray) -> SoftTargetObjective:
        """Return V without its constant, as an objective without penalty."""
        # made once for each set of classes: it does not depend on the metaparameters
        key = active.tobytes()
        if key not in self._objectives:
            linear = self._targets[active] * self.sample_weight
            term = LogPartitionTerm(linear.sum(axis=0), self._temperature)
            targets = SoftTargets(linear / self._temperature, (term,))
            self._objectives[key] = SoftTargetObjective(
                make_sums(self._design, targets, self.sample_weight), alpha=0.0
            )
        return self._objectives[key]
