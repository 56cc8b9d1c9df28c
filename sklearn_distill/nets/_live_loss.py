"""Losses that get the teacher's predictions with each mini-batch, not with the table."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.losses import SoftTargetLoss, SquaredLoss, Terms, softened


class LiveSoftTargetLoss(nn.Module):
    r"""The mean loss of labels and of a teacher whose logits v are those of the mini-batch.

    .. math:: \frac1n \sum_i \Big\{ a_i\,\mathrm{lse}(z_i) - ℓ_i·z_i
              + b_i\,[CE(q_i, \mathrm{softmax}(z_i/T')) + r(z_i/T')] \Big\},
              \quad q_i = \mathrm{softmax}(v_i/T)

    A row of the table is ``[v (K) | ℓ (K) | a | b | 1 without a label, else 0]``, with the linear
    form ℓ of the label, the weight a of its term, and the weight b of the teacher's. Class weights
    c turn the q of a row without a label into c ∘ q.

    Parameters
    ----------
    terms : sequence of (float, str or None)
        Temperature T' and regulariser of the label's term and of the teacher's; one if they are
        the same.
    n_classes : int
        Number of classes K.
    temperature : float
        T, by which the teacher's logits are divided.
    student_temperature : float
        T', by which the student's are.
    class_weight : ndarray of shape (n_classes,) or None, default=None
        Class weights c of rows without a label; None is 1.

    Examples
    --------
    >>> loss = LiveSoftTargetLoss([(1.0, None)], 2, temperature=1.0, student_temperature=1.0)
    >>> table = torch.tensor([[0.0, 0.0, 0.5, 0.0, 0.5, 0.5, 0.0]])  # label 0, teacher (.5, .5)
    >>> loss.complete(table)
    tensor([[0.7500, 0.2500, 1.0000]])
    """

    def __init__(
        self,
        terms: Terms,
        n_classes: int,
        *,
        temperature: float,
        student_temperature: float,
        class_weight: FloatArray | None = None,
    ) -> None:
        super().__init__()
        self.loss = SoftTargetLoss(terms, n_classes)
        self.temperature = temperature
        self.student_temperature = student_temperature
        self.class_weight = class_weight

    @property
    def n_classes(self) -> int:
        """Number of classes K."""
        return self.loss.n_classes

    @property
    def n_columns(self) -> int:
        """Number of columns of the table before the predictions are known."""
        return self.n_classes + 3

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes), or (n_rows, 1) or (n_rows,) for two classes
            Logits z.
        table : Tensor of shape (n_rows, 2 * n_classes + 3)
            The mini-batch's rows of the table.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        loss: Tensor = self.loss(scores, self.complete(table))
        return loss

    def complete(self, table: Tensor) -> Tensor:
        """Return the table of :class:`SoftTargetLoss`, in which labels and teacher are mixed.

        Parameters
        ----------
        table : Tensor of shape (n_rows, 2 * n_classes + 3)
            The mini-batch's rows of the table.

        Returns
        -------
        Tensor of shape (n_rows, n_classes + n_terms)
            Linear form and weights of the terms.
        """
        q, linear, a, b = self._split(table)
        linear = linear + (b / self.student_temperature)[:, None] * q
        teacher = b if self.class_weight is None else b * q.sum(1)
        weights = [a + teacher] if len(self.loss.terms) == 1 else [a, teacher]
        return torch.cat([linear, torch.stack(weights, 1)], 1)

    def teacher_parts(self, table: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weight of the teacher's term and its smallest value, the entropy's share.

        Parameters
        ----------
        table : Tensor of shape (n_rows, 2 * n_classes + 3)
            The mini-batch's rows of the table.

        Returns
        -------
        weight, entropy : Tensor of shape (n_rows,)
            b Σ_k q_k, and b times the entropy of q.
        """
        q, _, _, b = self._split(table)
        mass = q.sum(1)
        tiny = torch.finfo(q.dtype).tiny
        return b * mass, -b * torch.xlogy(q, q / mass.clamp(min=tiny)[:, None]).sum(1)

    def weigh(self, table: Tensor, weight: Tensor) -> Tensor:
        """Return the table of rows with further weights.

        Parameters
        ----------
        table : Tensor of shape (n_rows, 2 * n_classes + 3)
            Rows of the table.
        weight : Tensor of shape (n_rows,)
            Their weights.

        Returns
        -------
        Tensor of shape (n_rows, 2 * n_classes + 3)
            The table.
        """
        K = self.n_classes
        return torch.cat([table[:, :K], table[:, K:-1] * weight[:, None], table[:, -1:]], dim=1)

    def _split(self, table: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return q, ℓ, a and b."""
        K = self.n_classes
        a, b, unlabelled = table[:, 2 * K :].unbind(1)
        q = torch.softmax(softened(table[:, :K], self.temperature), 1)
        if self.class_weight is not None:
            by_class = q.new_tensor(self.class_weight)
            q = q * torch.where(unlabelled[:, None] > 0, by_class, 1.0)
        return q, table[:, K : 2 * K], a, b


class LiveSquaredLoss(nn.Module):
    r"""The squared loss of a regressor whose teacher's predictions t are those of the mini-batch.

    A row of the table is ``[t (m) | (1 − λ_i) y (m) | λ_i | s]``; the target is their mixture
    :math:`(1-λ_i)\,y_i + λ_i\,t_i`.

    Examples
    --------
    >>> loss = LiveSquaredLoss()
    >>> loss(torch.tensor([[1.0]]), torch.tensor([[4.0, 1.0, 0.5, 1.0]])).item()  # target 3
    4.0
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss = SquaredLoss()

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_outputs) or (n_rows,)
            Predictions z of the network.
        table : Tensor of shape (n_rows, 2 * n_outputs + 2)
            The mini-batch's rows of the table.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        m = (table.shape[1] - 2) // 2
        target = table[:, m : 2 * m] + table[:, -2:-1] * table[:, :m]
        loss: Tensor = self.loss(scores, torch.cat([target, table[:, -1:]], 1))
        return loss

    def weigh(self, table: Tensor, weight: Tensor) -> Tensor:
        """Return the table of rows with further weights.

        Parameters
        ----------
        table : Tensor of shape (n_rows, 2 * n_outputs + 2)
            Rows of the table.
        weight : Tensor of shape (n_rows,)
            Their weights.

        Returns
        -------
        Tensor of shape (n_rows, 2 * n_outputs + 2)
            The table.
        """
        return self.loss.weigh(table, weight)
