"""The loss of several labels: the sum of their two-class losses."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class MultiLabelLoss(nn.Module):
    r"""The mean over a mini-batch of the sum of the losses of all labels.

    .. math:: \frac1n \sum_i \sum_l L(z_{il}, t_{il})

    where L is the loss of two classes with the log-odds z. A row of the table is that of the first
    label, then that of the second, and so on.

    Parameters
    ----------
    loss : Module
        Loss of two classes, called with log-odds and a table.
    n_labels : int
        Number of labels L.

    Examples
    --------
    >>> import torch
    >>> from sklearn_distill.nets.losses import SoftTargetLoss
    >>> loss = MultiLabelLoss(SoftTargetLoss([(1.0, None)], n_classes=2), n_labels=2)
    >>> table = torch.tensor([[0.3, 0.7, 1.0, 1.0, 0.0, 1.0]])
    >>> round(loss(torch.zeros(1, 2), table).item(), 3)  # 2 log 2
    1.386
    """

    def __init__(self, loss: Any, n_labels: int) -> None:
        super().__init__()
        self.loss = loss
        self.n_labels = n_labels

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_labels)
            Log-odds z of the labels.
        table : Tensor of shape (n_rows, n_labels * n_columns)
            The mini-batch's rows of the tables of all labels.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        if scores.shape != (len(table), self.n_labels):
            raise ValueError(
                f"module returns scores of shape {tuple(scores.shape)} for {len(table)} rows of "
                f"{self.n_labels} labels: it must return one logit for each label"
            )
        loss: Tensor = self.n_labels * self.loss(scores.reshape(-1, 1), self._by_label(table))
        return loss

    def weigh(self, table: Tensor, weight: Tensor) -> Tensor:
        """Return the table of rows with further weights.

        Parameters
        ----------
        table : Tensor of shape (n_rows, n_labels * n_columns)
            Rows of the table.
        weight : Tensor of shape (n_rows,)
            Their weights.

        Returns
        -------
        Tensor of shape (n_rows, n_labels * n_columns)
            The table.
        """
        repeated = weight.repeat_interleave(self.n_labels)
        weighted: Tensor = self.loss.weigh(self._by_label(table), repeated)
        return weighted.reshape(table.shape)

    def _by_label(self, table: Tensor) -> Tensor:
        """Return one row for each label of each row."""
        return table.reshape(len(table) * self.n_labels, -1)
