"""What a network is to learn, as tables of numbers: one row for each sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array

from sklearn_distill._typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class NeuralLesson:
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
    ) -> NeuralLesson:
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
        NeuralLesson
            The lesson of both.
        """
        if embedding is None:
            return self
        from sklearn_distill.nets.embedding import EmbeddingLoss, embedding_table

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
        rows = np.flatnonzero(self.labelled)
        strata = None if self.strata is None else self.strata[rows]
        try:
            _, validation = train_test_split(
                rows, test_size=fraction, stratify=strata, random_state=random_state
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot set aside validation_fraction={fraction} of the "
                f"{len(rows)} labelled rows: {str(error).rstrip('.')}. Give "
                "X_val and y_val, or other rows"
            ) from error
        train = np.setdiff1d(np.arange(len(self.table)), validation)
        return train, np.sort(validation)


def mean_one(weight: FloatArray) -> FloatArray:
    """Return weights of mean 1, so that their scale does not act as a learning rate.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        Nonnegative weights.

    Returns
    -------
    ndarray of shape (n_rows,)
        Them, divided by their mean.
    """
    return weight / weight.mean()


def check_embedding(embedding: Any, n_rows: int, weight: float) -> FloatArray | None:
    """Check a teacher's embedding.

    Parameters
    ----------
    embedding : array-like of shape (n_rows, n_dimensions) or None
        A row of NaN is a row that the teacher never saw.
    n_rows : int
        Number of rows of X.
    weight : float
        The estimator's ``embedding_weight``.

    Returns
    -------
    ndarray of shape (n_rows, n_dimensions) or None
        The embedding; None where it counts nothing.

    Raises
    ------
    ValueError
        If it is no such matrix, a row is NaN in part, or there is a weight but no embedding.
    """
    if embedding is None:
        if weight > 0:
            raise ValueError(
                f"embedding_weight={weight}, but fit was given no teacher_embedding: pass one, or "
                "set embedding_weight=0"
            )
        return None
    values = check_array(
        embedding, dtype=np.float64, ensure_all_finite="allow-nan", input_name="teacher_embedding"
    )
    if len(values) != n_rows:
        raise ValueError(
            f"teacher_embedding has {len(values)} rows, X has {n_rows}: give one row for each row "
            "of X (NaN where the teacher has none)"
        )
    absent = np.isnan(values)
    partial = absent.any(axis=1) & ~absent.all(axis=1)
    if partial.any():
        raise ValueError(
            f"row {int(np.argmax(partial))} of teacher_embedding is NaN in part: a row is an "
            "embedding or silent (NaN in every column)"
        )
    return np.asarray(values) if weight > 0 else None
