"""The parts of the training loss by epoch: that of the labels, that of the teacher."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from sklearn_distill.nets._batch import Batch
from sklearn_distill.nets._live_loss import LiveSoftTargetLoss
from sklearn_distill.nets.losses import SoftTargetLoss, as_scores
from sklearn_distill.nets.sparse_losses import SparseTargetLoss

_CHUNK = 2**20  # numbers, of which a pass keeps at most so many at a time


@dataclass
class LossParts(ABC):
    """Sums over the rows of an epoch, from scores that the training has computed anyway.

    Parameters
    ----------
    parts : Tensor of shape (n_rows, n_parts)
        What separates the losses of label and teacher.
    """

    parts: Tensor
    _scores: list[Tensor] = field(default_factory=list, kw_only=True)
    _rows: list[Tensor] = field(default_factory=list, kw_only=True)
    _predictions: list[Tensor] = field(default_factory=list, kw_only=True)
    _sums: Tensor | None = field(default=None, kw_only=True)
    _n_kept: int = field(default=0, kw_only=True)

    def add(self, scores: Tensor, batch: Batch, predictions: Tensor | None = None) -> None:
        """Keep the scores of a mini-batch, and the predictions of a live teacher."""
        if batch.rows is None or not batch.size:
            return
        self._scores.append(scores.detach())
        self._rows.append(batch.rows)
        if predictions is not None:
            self._predictions.append(predictions)
        self._n_kept += scores.numel()
        if self._n_kept >= _CHUNK:
            self._reduce()

    def add_losses(self, scores: Tensor, rows: Tensor, losses: Tensor) -> None:
        """Add rows whose losses are known.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_outputs), (n_rows, 1) or (n_rows,)
            Their scores.
        rows : Tensor of shape (n_rows,)
            Their numbers.
        losses : Tensor of shape (n_rows,)
            Their losses, without those of further columns.
        """
        self._add(self._separate(scores, rows, losses))

    def take_sums(self) -> Tensor:
        """Return the sums of the pass, and begin anew.

        Returns
        -------
        Tensor of shape (4,)
            Those of the label's losses and their weights, of the teacher's and theirs.
        """
        if self._scores:
            self._reduce()
        sums, self._sums = self._sums, None
        return torch.zeros(4, dtype=torch.float64) if sums is None else sums

    @abstractmethod
    def _sum(self, scores: Tensor, rows: Tensor, predictions: Tensor | None) -> Tensor:
        """Return the four sums over some rows."""

    @abstractmethod
    def _separate(self, scores: Tensor, rows: Tensor, losses: Tensor) -> Tensor:
        """Return the four sums over some rows whose losses are known."""

    def _reduce(self) -> None:
        predictions = torch.cat(self._predictions) if self._predictions else None
        self._add(self._sum(torch.cat(self._scores), torch.cat(self._rows), predictions))
        self._scores, self._rows, self._predictions, self._n_kept = [], [], [], 0

    def _add(self, sums: Tensor) -> None:
        self._sums = sums if self._sums is None else self._sums + sums


@dataclass
class ClassLossParts(LossParts):
    r"""The parts of the loss of a classifier.

    With the weights a of the label's term, b of the teacher's, and the entropy H of the softened
    prediction, the sum of the losses is :math:`\sum_i a_i CE_i + b_i (KL_i + r_i + H_i)`. The
    columns of ``parts`` are class code of the label, a, the weight of the label whatever λ is, b,
    and b H.

    Parameters
    ----------
    loss : SoftTargetLoss, SparseTargetLoss or LiveSoftTargetLoss
        Loss of labels and teacher.
    table : Tensor of shape (n_rows, n_columns)
        Its table, perhaps with further columns.
    label_smoothing : float, default=0.0
        Share of the label's term of the loss that all classes have alike.
    """

    loss: SoftTargetLoss | SparseTargetLoss | LiveSoftTargetLoss
    table: Tensor
    label_smoothing: float = 0.0

    def _sum(self, scores: Tensor, rows: Tensor, predictions: Tensor | None) -> Tensor:
        table = self.table[:, : self.loss.n_columns].index_select(0, rows)
        loss: Any = self.loss
        of_teacher = None
        if isinstance(loss, LiveSoftTargetLoss):
            assert predictions is not None
            table = torch.cat([predictions.to(table.dtype), table], dim=1)
            of_teacher = loss.teacher_parts(table)
            loss, table = loss.loss, loss.complete(table)
        z = as_scores(scores, loss.n_classes).to(table.dtype)
        return self._separate(z, rows, loss.of_rows(z, table), of_teacher)

    def _separate(
        self,
        scores: Tensor,
        rows: Tensor,
        losses: Tensor,
        of_teacher: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        z = as_scores(scores, self.loss.n_classes).to(losses.dtype)
        code, a, label, b, entropy = self.parts.index_select(0, rows).double().unbind(1)
        if of_teacher is not None:  # the weight and entropy of a live teacher's predictions
            b, entropy = (values.double() for values in of_teacher)
        log_p = torch.log_softmax(z, 1).double()
        cross_entropy = -log_p.gather(1, code.long()[:, None])[:, 0]
        eps = self.label_smoothing
        of_label = a * ((1 - eps) * cross_entropy - eps * log_p.mean(1))
        teacher = losses.double() - of_label - entropy
        return torch.stack([(label * cross_entropy).sum(), label.sum(), teacher.sum(), b.sum()])


@dataclass
class SquaredLossParts(LossParts):
    """The parts of the loss of a regressor: squared distances to labels and to predictions.

    The columns of ``parts`` are the m labels, the m predictions, unless a live teacher makes them,
    the weight of the label whatever λ is, and that of the prediction.
    """

    def _sum(self, scores: Tensor, rows: Tensor, predictions: Tensor | None) -> Tensor:
        parts = self.parts.index_select(0, rows).double()
        m = (parts.shape[1] - 2) // 2 if predictions is None else parts.shape[1] - 2
        t = parts[:, m : 2 * m] if predictions is None else predictions.double()
        y, (label, teacher) = parts[:, :m], parts[:, -2:].unbind(1)
        z = scores.double().reshape(y.shape)
        losses = [w * (z - v).square().mean(1) for w, v in ((label, y), (teacher, t))]
        return torch.stack([losses[0].sum(), label.sum(), losses[1].sum(), teacher.sum()])

    def _separate(self, scores: Tensor, rows: Tensor, losses: Tensor) -> Tensor:
        return self._sum(scores, rows, None)  # both distances are computed anew
