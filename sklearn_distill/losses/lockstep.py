"""Several objectives over the same rows, such as those of folds, evaluated in one pass over X."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import cast

import numpy as np

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.chunks import Chunks
from sklearn_distill.losses.chunked_design import DesignChunkSums
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
        self.shape = objectives[0].shape
        self._sums = [objective.sums for objective in objectives]

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
        stacked = W.reshape(-1, *self.shape)
        phi, G = self._pass(stacked, which)
        values, gradients = np.empty(len(which)), np.empty(W.shape)
        for i, f in enumerate(which):
            values[i], gradients[i] = self.objectives[f].from_sums(stacked[i], phi[i], G[i])
        return values, gradients

    def _pass(self, W: FloatArray, which: IntArray) -> tuple[FloatArray, FloatArray]:
        first = self._sums[0]
        if not isinstance(first, DesignChunkSums):
            return many_values_and_gradients(cast("list[RowSums]", self._sums), W, which)
        first.design.count(2 * len(which) * self.shape[0])
        phi, G = self._chunks.map_reduce(many_values_and_gradients, W, which)
        return phi, G

    @cached_property
    def _chunks(self) -> Chunks:
        first, *others = cast("list[DesignChunkSums]", self._sums)
        return first.many(others)


def many_values_and_gradients(
    sums: Sequence[RowSums], W: FloatArray, which: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return Φ and ∇Φ of some sums over the rows of one design.

    Parameters
    ----------
    sums : sequence of RowSums
        Sums with the same design.
    W : ndarray of shape (n_some, n_scores, n_columns)
        Weights of each of some sums.
    which : ndarray of int of shape (n_some,)
        Their numbers.

    Returns
    -------
    tuple of ndarray of shape (n_some,) and (n_some, n_scores, n_columns)
        Values and gradients.
    """
    phi, G = np.zeros(len(which)), np.zeros(W.shape)
    together = sums[0].design.shares_passes
    parts = [slice(None)] if together else [slice(i, i + 1) for i in range(len(which))]
    for part in parts:
        _add_pass([sums[f] for f in which[part]], W[part], phi[part], G[part])
    return phi, G


def _add_pass(sums: Sequence[RowSums], W: FloatArray, phi: FloatArray, G: FloatArray) -> None:
    """Add Φ and ∇Φ in one pass over X."""
    n, K, d = W.shape
    design = sums[0].design
    for tile in design.tiles(n * K):
        # of consecutive folds, a tile is held out of one
        counted = [i for i in range(n) if sums[i].counts(tile)]
        if not counted:
            continue
        n_counted, of_counted = len(counted), W if len(counted) == n else W[counted]
        Z = design.scores(of_counted.reshape(n_counted * K, d), tile).reshape(n_counted, K, -1)
        R = np.empty_like(Z)
        for j, i in enumerate(counted):
            value, R[j] = sums[i].residuals(Z[j], tile)
            phi[i] += value
        G[counted] += design.pull_back(R.reshape(n_counted * K, -1), tile).reshape(-1, K, d)
