"""Several objectives over the same rows, such as those of folds, evaluated in one pass over X."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.losses.objective import SoftTargetObjective
from sklearn_distill.losses.row_sums import RowSums


class LockstepObjective:
    r"""Objectives :math:`F_f` of one design and other targets, each at weights of its own.

    A fold is the objective over all rows in which its held-out rows have weight 0. The scores of
    all folds are one product :math:`X [W_1 … W_F]^⊤`, the gradients another one, so that X is read
    as often as for one fold, and nearer to the peak of the processor.

    Parameters
    ----------
    objectives : sequence of SoftTargetObjective
        Objectives of the same classes, whose sums have the same design.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_distill.losses import RowSums, as_design
    >>> from sklearn_distill.targets import LogPartitionTerm, SoftTargets
    >>> design = as_design(np.array([[-1.0], [1.0]]), fit_intercept=False)
    >>> def objective(s):
    ...     targets = SoftTargets(np.eye(2) * s, (LogPartitionTerm(s, 1.0),))
    ...     return SoftTargetObjective(RowSums(design, targets, s), alpha=0.5)
    >>> both = LockstepObjective([objective(np.array([1.0, 0.0])), objective(np.array([1.0, 3.0]))])
    >>> both.value_and_gradient(np.zeros((2, 1)), np.array([0, 1]))[1]
    array([[-0.5],
           [-0.5]])
    """

    def __init__(self, objectives: Sequence[SoftTargetObjective]) -> None:
        self.objectives = list(objectives)
        self._sums = [_row_sums(objective) for objective in objectives]
        self._design = self._sums[0].design
        self.shape = objectives[0].shape

    def value_and_gradient(self, W: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the values and the gradients of some objectives.

        Parameters
        ----------
        W : ndarray of shape (n_some, n_weights)
            Flat weights of each of these objectives.
        which : ndarray of int of shape (n_some,)
            Their numbers.

        Returns
        -------
        values : ndarray of shape (n_some,)
            Each objective's value.
        gradients : ndarray of shape (n_some, n_weights)
            Each objective's flat gradient.
        """
        K, d = self.shape
        phi, G = np.zeros(len(which)), np.zeros((len(which), K, d))
        stacked = W.reshape(-1, K, d)
        if self._design.shares_passes:
            self._add_pass(stacked, which, phi, G)
        else:
            for i in range(len(which)):
                one = slice(i, i + 1)
                self._add_pass(stacked[one], which[one], phi[one], G[one])
        values, gradients = np.empty(len(which)), np.empty(W.shape)
        for i, f in enumerate(which):
            values[i], gradients[i] = self.objectives[f].from_sums(stacked[i], phi[i], G[i])
        return values, gradients

    def _add_pass(self, W: FloatArray, which: IntArray, phi: FloatArray, G: FloatArray) -> None:
        """Add Φ and ∇Φ of some objectives in one pass over X."""
        n, K, d = W.shape
        for tile in self._design.tiles(n * K):
            # of consecutive folds, a tile is held out of one
            counted = [i for i in range(n) if self._sums[which[i]].counts(tile)]
            if not counted:
                continue
            n_counted, of_counted = len(counted), W if len(counted) == n else W[counted]
            Z = self._design.scores(of_counted.reshape(n_counted * K, d), tile)
            Z = Z.reshape(n_counted, K, -1)
            R = np.empty_like(Z)
            for j, i in enumerate(counted):
                value, R[j] = self._sums[which[i]].residuals(Z[j], tile)
                phi[i] += value
            pulled = self._design.pull_back(R.reshape(n_counted * K, -1), tile)
            G[counted] += pulled.reshape(n_counted, K, d)


def _row_sums(objective: SoftTargetObjective) -> RowSums:
    if not isinstance(objective.sums, RowSums):
        raise TypeError(f"sums of rows in memory are required, got {type(objective.sums)}")
    return objective.sums
