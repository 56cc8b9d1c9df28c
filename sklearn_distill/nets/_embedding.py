r"""Teach a hidden representation beside the scores.

The student's last hidden layer h, through a linear map that is learned with it, is drawn to the
teacher's embedding e of the row: the loss gains :math:`μ \, \mathrm{mean}_i\, s_i \|A h_i + a -
e_i\|^2`, where rows without an embedding count 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray

_INSTEAD = "set embedding_weight=0"


class WithEmbedding(nn.Module):
    """A network that gives its scores and a map of what its last linear layer reads.

    Parameters
    ----------
    module : Module
        The network; it must end in a linear layer.
    n_dimensions : int
        Dimensions of the teacher's embedding.

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
        x : Tensor
            Features.

        Returns
        -------
        scores : Tensor
            What the network gives.
        embedding : Tensor of shape (n_rows, n_dimensions)
            The mapped representation.
        """
        read: list[Tensor] = []
        # for this call alone: what hangs on a module is copied and pickled with it
        head = last_linear(self.module, _INSTEAD)
        hook = head.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
        try:
            scores = self.module(x)
        finally:
            hook.remove()
        return scores, self.projection(read[-1].flatten(1))


class EmbeddingLoss(nn.Module):
    """The loss of the scores plus that of the embedding.

    Parameters
    ----------
    loss : Module
        Loss of the scores, on the first columns of the table.
    weight : float
        μ.
    n_dimensions : int
        Dimensions of the embedding.
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
            The loss's table, then that of :func:`embedding_table`.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        scores, embedding = outputs
        n_columns = table.shape[1] - self.n_dimensions - 1
        target, share = table[:, n_columns:-1], table[:, -1]
        distance = (embedding - target).square().sum(1)
        loss: Tensor = self.loss(scores, table[:, :n_columns])
        return loss + self.weight * (share * distance).mean()


def embedding_table(embedding: FloatArray, weight: FloatArray) -> FloatArray:
    """Return embeddings and the weights with which they count.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, n_dimensions)
        A row of NaN has none.
    weight : ndarray of shape (n_rows,)
        Row weights s.

    Returns
    -------
    ndarray of shape (n_rows, n_dimensions + 1)
        Zeros for a row without an embedding.

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
        The network.
    instead : str
        What else the user can do, for the error.

    Returns
    -------
    Linear
        The layer that was registered last.

    Raises
    ------
    ValueError
        If there is none.
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
        What it gave.

    Returns
    -------
    Tensor
        The scores.
    """
    scores: Tensor = outputs[0] if isinstance(outputs, tuple) else outputs
    return scores
