"""The teacher in the items of a Dataset, compared with the labels in the first mini-batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill._validation.missing_teacher import check_teacher_used

if TYPE_CHECKING:
    import torch

N_JUDGED = 5_000  # rows: enough, and soon read, where an epoch takes hours


class TeacherObserver:
    """Notice an implausible or forgotten teacher in the first epoch, without a pass of its own.

    The items of a Dataset are read where mini-batches are made, perhaps by other processes. So the
    last columns of a mini-batch's table hold its labels and predictions.

    Parameters
    ----------
    n_columns : int
        Number of these columns, of which the last ones are the predictions.
    imitation : float
        λ of the student.
    judge : callable
        Function from rows of these columns that have a prediction to None, which warns.
    """

    def __init__(
        self, n_columns: int, imitation: float, judge: Callable[[FloatArray], None]
    ) -> None:
        self._n_columns = n_columns
        self._imitation = imitation
        self._judge = judge
        self._rows: list[FloatArray] = []
        self._n_taught_rows = 0
        self._is_judged = False
        self._is_first_epoch = True

    def __call__(self, table: torch.Tensor) -> torch.Tensor:
        """Return the table that the loss reads; remember the other columns in the first epoch."""
        if self._is_first_epoch:
            self._add(table[:, -self._n_columns :].cpu().numpy())
        return table[:, : -self._n_columns]

    def see(self, predictions: torch.Tensor) -> None:
        """Do nothing: the teacher's predictions are in the table."""

    def end_epoch(self) -> None:
        """Judge the teacher by the rows so far, unless it was; warn or fail if there is none."""
        if not self._is_first_epoch:
            return
        self._is_first_epoch = False
        given: dict[str, Any] = {"the teacher in the Dataset's items": ...}
        check_teacher_used(self._imitation, self._n_taught_rows, **given)
        self._judge_once()

    def _add(self, rows: FloatArray) -> None:
        rows = rows[~np.isnan(rows[:, -1])]
        self._n_taught_rows += len(rows)
        if not self._is_judged:
            self._rows.append(np.asarray(rows, dtype=np.float64))
            if self._n_taught_rows >= N_JUDGED:
                self._judge_once()

    def _judge_once(self) -> None:
        if not self._is_judged:
            self._judge(np.concatenate(self._rows))
            self._is_judged, self._rows = True, []
