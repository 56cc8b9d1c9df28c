"""What a network is to learn, as tables of numbers: one row for each sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill._validation.splits import hold_out


@dataclass(frozen=True)
class NeuralTargets:
    """Losses, and the tables that they read.

    Parameters
    ----------
    loss : Module
        Loss of the training rows.
    table : ndarray of shape (n_rows, n_columns)
        Its table.
    label_loss : Module
        Loss of the validation rows, by labels alone and at temperature 1.
    label_table : ndarray of shape (n_rows, n_label_columns)
        Its table.
    labelled : ndarray of bool of shape (n_rows,)
        Rows that have a label; of others no validation loss is known.
    strata : ndarray of shape (n_rows,) or None
        Classes, for a split that keeps their shares.
    n_outputs : int
        Outputs of the network.
    n_dimensions : int, default=0
        Dimensions of the teacher's embedding, which the last columns of the table hold.
    """

    loss: Any
    table: FloatArray
    label_loss: Any
    label_table: FloatArray
    labelled: BoolArray
    strata: IntArray | None
    n_outputs: int
    n_dimensions: int = 0

    def with_embedding(
        self, embedding: FloatArray | None, weight: float, row_weight: FloatArray
    ) -> NeuralTargets:
        """Teach a hidden representation too.

        Parameters
        ----------
        embedding : ndarray of shape (n_rows, n_dimensions) or None
            The teacher's embedding; None changes nothing.
        weight : float
            μ, how much it counts.
        row_weight : ndarray of shape (n_rows,)
            Row weights s.

        Returns
        -------
        NeuralTargets
            The lesson of both.
        """
        if embedding is None:
            return self
        from sklearn_distill.nets._embedding import EmbeddingLoss, embedding_table

        n_dimensions = embedding.shape[1]
        return replace(
            self,
            loss=EmbeddingLoss(self.loss, weight, n_dimensions),
            table=np.column_stack([self.table, embedding_table(embedding, row_weight)]),
            n_dimensions=n_dimensions,
        )

    def split(self, fraction: float, random_state: Any) -> tuple[IntArray, IntArray]:
        """Part the rows into training and validation; the latter have labels.

        Parameters
        ----------
        fraction : float
            Share of the labelled rows for validation.
        random_state : RandomState
            Randomness of the split.

        Returns
        -------
        train, validation : ndarray of int
            Row numbers, ascending.

        Raises
        ------
        ValueError
            If a class has too few rows to be in both parts.
        """
        return hold_out(self.labelled, fraction, self.strata, random_state)
