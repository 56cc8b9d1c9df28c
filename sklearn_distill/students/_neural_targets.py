"""The targets of a neural student as tables of numbers: one row for each sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill._typing import BoolArray, FloatArray, IntArray
from sklearn_distill._validation.splits import hold_out, taught_strata

if TYPE_CHECKING:
    from sklearn_distill.nets._live_teacher import LiveTeacher


def can_hold_out(n_rows: int, strata: IntArray | None, fraction: float, least: int) -> bool:
    """Return whether there are enough rows, and no class is too rare to be split."""
    if n_rows < least:
        return False
    return strata is None or taught_strata(strata, fraction) is not None


@dataclass(frozen=True)
class Triplets:
    """What a triplet loss of embeddings needs.

    Parameters
    ----------
    margin : float
        Margin δ > 0.
    codes : ndarray of shape (n_rows,)
        Class numbers; −1 without a label.
    """

    margin: float
    codes: IntArray


@dataclass(frozen=True)
class NeuralTargets:
    """The losses of training and validation, and the tables that they read.

    Parameters
    ----------
    loss : Module
        Training loss of a mini-batch, from scores and rows of ``table``.
    table : ndarray of shape (n_rows, n_columns)
        Targets and weights of the training loss.
    label_loss : Module
        Validation loss: that of the labels alone, at temperature 1.
    label_table : ndarray of shape (n_rows, n_label_columns)
        Targets and weights of the validation loss.
    can_validate : ndarray of bool of shape (n_rows,)
        Rows that can be held out for validation: those with a label, or all rows without any.
    strata : ndarray of shape (n_rows,) or None
        Class numbers for a stratified split; None for a random one. Without any label, the
        teacher's most probable classes.
    n_outputs : int
        Number of outputs of the network.
    labels : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None, default=None
        Labels for callbacks, None or NaN where they are missing; None if they are read batch by
        batch.
    parts : ndarray of shape (n_rows, n_parts) or None, default=None
        What separates the losses of label and teacher; None if they are not separated.
    label_smoothing : float, default=0.0
        Share of the label's term that all classes have alike.
    metaparameters : mapping from str to float
        λ and T by name, for the history.
    at_epoch : callable or None, default=None
        Targets of an epoch, whose number begins with 1, if λ or T change by epoch.
    n_dimensions : int, default=0
        Dimensions of the teacher's embedding, the last columns of ``table`` but one; 0 without an
        embedding.
    n_labels : int, default=0
        Number of labels of a multi-label classifier, 0 for others.
    taught : tuple of (Module, ndarray) or None
        Without any label: loss and table of the teacher's term, by which a part of these rows
        validates. None with a label.
    teacher : LiveTeacher or None, default=None
        Who predicts each mini-batch, as the table lacks these predictions; None if it has them.
    """

    loss: Any
    table: FloatArray
    label_loss: Any
    label_table: FloatArray
    can_validate: BoolArray
    strata: IntArray | None
    n_outputs: int
    labels: NDArray[Any] | None = None
    parts: FloatArray | None = None
    label_smoothing: float = 0.0
    metaparameters: Mapping[str, float] = field(default_factory=dict)
    at_epoch: Callable[[int], NeuralTargets] | None = None
    n_dimensions: int = 0
    n_labels: int = 0
    taught: tuple[Any, FloatArray] | None = None
    teacher: LiveTeacher | None = None

    def with_embedding(
        self,
        embedding: FloatArray | None,
        weight: float,
        row_weight: FloatArray,
        triplets: Triplets | None = None,
    ) -> NeuralTargets:
        """Add the distance to a teacher's embedding to the training loss.

        Parameters
        ----------
        embedding : ndarray of shape (n_rows, n_dimensions) or None
            The teacher's embedding; None returns these targets.
        weight : float
            μ, the weight of the distance in the loss.
        row_weight : ndarray of shape (n_rows,)
            Weights s of the rows, which multiply both terms.
        triplets : Triplets or None, default=None
            What a triplet loss needs; None for the squared distance.

        Returns
        -------
        NeuralTargets
            Targets whose table also holds the embedding.
        """
        if embedding is None:
            return self
        from sklearn_distill.nets._embedding import (
            EmbeddingLoss,
            TripletEmbeddingLoss,
            embedding_table,
            triplet_columns,
        )

        n_dimensions = embedding.shape[1]
        columns = embedding_table(embedding, row_weight)
        loss: Any = EmbeddingLoss(self.loss, weight, n_dimensions)
        if triplets is not None:
            columns = np.insert(columns, [-1], triplet_columns(embedding, triplets.codes), axis=1)
            loss = TripletEmbeddingLoss(self.loss, weight, n_dimensions, triplets.margin)
        table = np.column_stack([self.table, columns])
        return replace(self, loss=loss, table=table, n_dimensions=n_dimensions)

    def take(self, rows: IntArray) -> NeuralTargets:
        """Return the targets of some rows, for training.

        Parameters
        ----------
        rows : ndarray of int of shape (n_taken,)
            Row numbers.

        Returns
        -------
        NeuralTargets
            Their targets, also those of other epochs.
        """
        at_epoch = self.at_epoch
        return replace(
            self,
            table=self.table[rows],
            labels=None if self.labels is None else self.labels[rows],
            parts=None if self.parts is None else self.parts[rows],
            at_epoch=None if at_epoch is None else lambda epoch: at_epoch(epoch).take(rows),
        )

    def can_hold_out(self, fraction: float, n_rows: int) -> bool:
        """Return whether enough rows can validate, in which no class is too rare to be split.

        Parameters
        ----------
        fraction : float
            Share of the rows in the validation set.
        n_rows : int
            Least number of rows that can validate.

        Returns
        -------
        bool
            Whether ``split`` can divide them.
        """
        strata = None if self.strata is None else self.strata[self.can_validate]
        return can_hold_out(int(self.can_validate.sum()), strata, fraction, n_rows)

    def split(self, fraction: float, random_state: Any) -> tuple[IntArray, IntArray]:
        """Split the rows into a training set and a validation set.

        Parameters
        ----------
        fraction : float
            Share of the labelled rows in the validation set, or of all rows without any label.
        random_state : RandomState
            Generator of the split.

        Returns
        -------
        train, validation : ndarray of int
            Row numbers of both sets, in ascending order.

        Raises
        ------
        ValueError
            If a class has too few labels to be in both sets, or no row can be held out.
        """
        if not self.can_validate.any():
            raise ValueError(
                "metaparameter_optimizer minimises the loss of held-out labels, and y has no "
                "labels: pass X_val and y_val, or search by "
                "scoring=sklearn_distill.metrics.get_scorer('neg_teacher_cross_entropy')"
            )
        strata = self.strata
        if strata is not None and self.taught is not None:
            strata = taught_strata(strata, fraction)
        return hold_out(self.can_validate, fraction, strata, random_state)
