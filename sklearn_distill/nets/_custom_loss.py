"""The losses of networks whose teacher's term is a function of the user."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets.losses import as_scores


class UserTerm:
    """A function of the user for the rows that have a prediction.

    Parameters
    ----------
    function : callable
        ``function(scores, teacher, labels, weights)`` → a loss for each row.
    **values : float
        Arguments by name, which it is given if it has such parameters.
    """

    def __init__(self, function: Any, **values: float) -> None:
        self.function = function
        self.arguments = {name: values[name] for name in _accepted(function) if name in values}

    def add_to(self, loss: Tensor, weight: Tensor, *values: Tensor) -> Tensor:
        """Add the weighted loss of the rows that have a weight.

        Parameters
        ----------
        loss : Tensor of shape (n_rows,)
            Loss of the labels.
        weight : Tensor of shape (n_rows,)
            Weights, 0 without a prediction.
        *values : Tensor of shape (n_rows, ...)
            Arguments of the function.

        Returns
        -------
        Tensor of shape (n_rows,)
            The sum.
        """
        taught = torch.nonzero(weight).squeeze(1)
        if not len(taught):
            return loss
        rows = self.function(*(v.index_select(0, taught) for v in values), **self.arguments)
        if getattr(rows, "shape", None) != taught.shape:
            raise ValueError(
                f"distillation_loss returned {_describe(rows)} for {len(taught)} rows: it must "
                "return a loss for each row, of shape (n_rows,)"
            )
        return loss.index_add(0, taught, weight.index_select(0, taught) * rows)


class CustomLoss(nn.Module):
    r"""The mean of :math:`a_i CE(y_i, \mathrm{softmax}\,z_i) + b_i D_i` over a mini-batch.

    A row of the table is ``[teacher's logits (K) | class code | a | b | s]``.

    Parameters
    ----------
    function : callable
        ``function(scores, teacher_logits, labels, weights)`` → D of each row that has a prediction;
        it is given ``temperature`` and ``imitation`` if it has such parameters.
    n_classes : int
        Number of classes K.
    temperature, imitation : float
        T and λ.
    label_smoothing : float, default=0.0
        Share of the label's term that all classes have alike.

    Examples
    --------
    >>> loss = CustomLoss(lambda z, t, y, w: (z - t).square().mean(1), 2, 1.0, 0.5)
    >>> loss(torch.zeros(1, 2), torch.tensor([[1.0, -1, 0, 0, 0.5, 1]])).item()
    0.5
    """

    def __init__(
        self,
        function: Any,
        n_classes: int,
        temperature: float,
        imitation: float,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.term = UserTerm(function, temperature=temperature, imitation=imitation)
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_classes), or (n_rows, 1) or (n_rows,) for two classes
            Logits z.
        table : Tensor of shape (n_rows, n_classes + 4)
            The mini-batch's rows of :func:`custom_table`.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        z = as_scores(scores, self.n_classes).to(table.dtype)
        logits, (code, a, b, s) = table[:, : self.n_classes], table[:, self.n_classes :].unbind(1)
        labels = code.long()
        label_loss = nn.functional.cross_entropy(
            z, labels.clamp(min=0), reduction="none", label_smoothing=self.label_smoothing
        )
        return self.term.add_to(a * label_loss, b, z, logits, labels, s).mean()

    def weigh(self, table: Tensor, weight: Tensor) -> Tensor:
        """Return the table of rows with further weights.

        Parameters
        ----------
        table : Tensor of shape (n_rows, n_columns)
            Rows of the table.
        weight : Tensor of shape (n_rows,)
            Their weights.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
            The table.
        """
        return torch.cat([table[:, :-3], table[:, -3:] * weight[:, None]], dim=1)


class CustomSquaredLoss(nn.Module):
    r"""The mean of :math:`a_i \|z_i - y_i\|^2 / m + b_i D_i` over a mini-batch, for regression.

    A row of the table is ``[teacher's predictions (m) | label (m) | 1 with a label, else 0 | a | b
    | s]``.

    Parameters
    ----------
    function : callable
        ``function(predictions, teacher_predictions, labels, weights)`` → D of each row that has a
        prediction of the teacher, with NaN for a missing label; it is given ``imitation`` if it has
        such a parameter.
    imitation : float
        λ.

    Examples
    --------
    >>> loss = CustomSquaredLoss(lambda z, t, y, w: (z - t).abs().mean(1), 0.5)
    >>> loss(torch.zeros(1, 1), torch.tensor([[3.0, 1.0, 1.0, 0.5, 0.5, 1.0]])).item()
    2.0
    """

    def __init__(self, function: Any, imitation: float) -> None:
        super().__init__()
        self.term = UserTerm(function, imitation=imitation)

    def forward(self, scores: Tensor, table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_outputs) or (n_rows,)
            Predictions z of the network.
        table : Tensor of shape (n_rows, 2 * n_outputs + 4)
            The mini-batch's rows of the table.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        m = (table.shape[1] - 4) // 2
        t, y, (present, a, b, s) = table[:, :m], table[:, m : 2 * m], table[:, 2 * m :].unbind(1)
        z = scores.to(table.dtype).reshape(t.shape)
        label_loss = (z - y).square().mean(1)
        labels = torch.where(present[:, None] > 0, y, torch.nan)
        return self.term.add_to(a * label_loss, b, z, t, labels, s).mean()

    def weigh(self, table: Tensor, weight: Tensor) -> Tensor:
        """Return the table of rows with further weights.

        Parameters
        ----------
        table : Tensor of shape (n_rows, n_columns)
            Rows of the table.
        weight : Tensor of shape (n_rows,)
            Their weights.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
            The table.
        """
        return torch.cat([table[:, :-3], table[:, -3:] * weight[:, None]], dim=1)


def custom_table(
    logits: FloatArray, codes: FloatArray, parts: FloatArray, weight: FloatArray
) -> FloatArray:
    """Return the table of :class:`CustomLoss`.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
        Teacher's logits; those of a missing prediction are NaN.
    codes : ndarray of shape (n_rows,)
        Class codes of the labels, -1 for a missing one.
    parts : ndarray of shape (n_rows, 2)
        The weights a and b.
    weight : ndarray of shape (n_rows,)
        Sample weights s.

    Returns
    -------
    ndarray of shape (n_rows, n_classes + 4)
        The table, without NaN. A logit of -inf is 1e4 below the greatest.
    """
    known = np.where(np.isnan(logits), 0.0, logits)
    bounded = np.maximum(known, known.max(axis=1, keepdims=True) - 1e4)
    return np.column_stack([bounded, codes, parts, weight])


def _accepted(function: Any) -> list[str]:
    called = function.forward if hasattr(function, "forward") else function
    return list(inspect.signature(called).parameters)


def _describe(rows: Any) -> str:
    shape = f" of shape {tuple(rows.shape)}" if hasattr(rows, "shape") else ""
    return type(rows).__name__ + shape
