r"""Distillation of a hidden representation, in addition to the scores.

A linear map of the student's last hidden layer h, trained with the network, approximates the
teacher's embedding e of each sample: the loss is increased by :math:`μ \, \mathrm{mean}_i\, s_i \|A
h_i + a - e_i\|^2`, where samples without an embedding have weight 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray

_INSTEAD = "set embedding_weight=0"


class WithEmbedding(nn.Module):
    """A network that returns its scores and a linear map of its last hidden representation.

    Parameters
    ----------
    module : Module
        The network; it must end in a linear layer.
    n_dimensions : int
        Number of dimensions of the teacher's embedding.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    >>> scores, embedding = WithEmbedding(network, n_dimensions=5)(torch.zeros(1, 2))
    >>> scores.shape, embedding.shape
    (torch.Size([1, 3]), torch.Size([1, 5]))
    """

    def __init__(self, module: nn.Module, n_dimensions: int) -> None:
        super().__init__()
        self.module = module
        head = last_linear(module, _INSTEAD)
        self.projection = nn.Linear(head.in_features, n_dimensions)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores and embedding.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Features of a mini-batch.

        Returns
        -------
        scores : Tensor
            Output of the network.
        embedding : Tensor of shape (n_rows, n_dimensions)
            Approximation of the teacher's embedding.
        """
        inputs_of_head: list[Tensor] = []
        # registered for each call, since the hooks of a module are copied and pickled with it
        head = last_linear(self.module, _INSTEAD)
        hook = head.register_forward_pre_hook(lambda _, inputs: inputs_of_head.append(inputs[0]))
        try:
            scores = self.module(x)
        finally:
            hook.remove()
        return scores, self.projection(inputs_of_head[-1].flatten(1))


class EmbeddingLoss(nn.Module):
    """The sum of the loss of the scores and the weighted loss of the embedding.

    Parameters
    ----------
    loss : Module
        Loss of the scores, called with the first columns of the table.
    weight : float
        Weight μ ≥ 0 of the embedding's loss.
    n_dimensions : int
        Number of dimensions of the embedding.
    """

    def __init__(self, loss: nn.Module, weight: float, n_dimensions: int) -> None:
        super().__init__()
        self.loss = loss
        self.weight = weight
        self.n_dimensions = n_dimensions

    def forward(self, outputs: tuple[Tensor, Tensor], table: Tensor) -> Tensor:
        """Return the mean loss.

        Parameters
        ----------
        outputs : tuple of Tensor
            Scores and embedding of :class:`WithEmbedding`.
        table : Tensor of shape (n_rows, n_columns + n_dimensions + 1)
            The table of `loss`, then that of :func:`embedding_table`.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        scores, embedding = outputs
        n_columns = table.shape[1] - self.n_dimensions - 1
        target, weight = table[:, n_columns:-1], table[:, -1]
        distance = (embedding - target).square().sum(1)
        loss: Tensor = self.loss(scores, table[:, :n_columns])
        return loss + self.weight * (weight * distance).mean()


def embedding_table(embedding: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the teacher's embeddings and their weights as a table.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, n_dimensions)
        Embeddings; a row with NaN is missing.
    weight : ndarray of shape (n_rows,)
        Sample weights s.

    Returns
    -------
    ndarray of shape (n_rows, n_dimensions + 1)
        Embeddings, then weights; zeros for a sample without an embedding.

    Examples
    --------
    >>> embedding_table(np.array([[1.0, 2.0], [np.nan, np.nan]]), np.ones(2))
    array([[1., 2., 1.],
           [0., 0., 0.]])
    """
    known = np.asarray(~np.isnan(embedding).any(axis=1))
    return np.column_stack([np.where(known[:, None], embedding, 0.0), weight * known])


def last_linear(module: nn.Module, instead: str) -> nn.Linear:
    """Return a network's last linear layer, whose input is its last hidden representation.

    Parameters
    ----------
    module : Module
        A network of any architecture.
    instead : str
        The alternative that the error message offers.

    Returns
    -------
    Linear
        The linear layer that was registered last.

    Raises
    ------
    ValueError
        If the network has no linear layer.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise ValueError(
            f"module {type(module).__name__} has no torch.nn.Linear layer, whose input would be "
            f"its last hidden representation: end it in one, or {instead}"
        )
    return layers[-1]


def scores_of(outputs: Any) -> Tensor:
    """Return the scores of a network with or without an embedding.

    Parameters
    ----------
    outputs : Tensor or tuple of Tensor
        Output of the network.

    Returns
    -------
    Tensor
        The scores, without the embedding.
    """
    scores: Tensor = outputs[0] if isinstance(outputs, tuple) else outputs
    return scores
