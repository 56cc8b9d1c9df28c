r"""Distillation of a hidden representation, in addition to the scores.

A linear map of a hidden layer h of the student, by default the last, is trained with the network
and approximates the teacher's embedding e of each sample: the loss is increased by
:math:`μ \, \mathrm{mean}_i\, s_i \|A h_i + a - e_i\|^2`, where samples without an embedding have
weight 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray, IntArray
from sklearn_distill.nets._inputs import ModelInput, call_network
from sklearn_distill.nets._layers import (
    HiddenLayer,
    find_head,
    list_layers,
    named_layer,
    pool_positions,
    recording,
)

EmbeddingLayer = str | Mapping[str, int] | None


class Projection(nn.Module):
    """Linear maps from hidden representations of a network to the teacher's embedding.

    Parameters
    ----------
    layers : sequence of HiddenLayer
        Where the representations are read.
    widths : sequence of int
        Their widths.
    n_dimensions : sequence of int
        How many columns of the embedding each approximates.
    embedding_layer : str, mapping or None, default=None
        What the user chose the layers by.

    Examples
    --------
    >>> import torch
    >>> projection = Projection([HiddenLayer("2", is_head=True)], [4], [5])
    >>> projection([torch.zeros(1, 4)]).shape
    torch.Size([1, 5])
    """

    def __init__(
        self,
        layers: Sequence[HiddenLayer],
        widths: Sequence[int],
        n_dimensions: Sequence[int],
        embedding_layer: EmbeddingLayer = None,
    ) -> None:
        super().__init__()
        self.embedding_layer = embedding_layer
        self.layers = tuple(layers)
        self.maps = nn.ModuleList(map(nn.Linear, widths, n_dimensions))

    @property
    def n_dimensions(self) -> int:
        """Number of dimensions of the embedding."""
        return sum(cast("int", linear.out_features) for linear in self.maps)

    def forward(self, representations: Sequence[Tensor]) -> Tensor:
        """Return the approximation of the embedding.

        Parameters
        ----------
        representations : sequence of Tensor of shape (n_rows, width)
            One for each layer.

        Returns
        -------
        Tensor of shape (n_rows, n_dimensions)
            The columns of all layers.
        """
        pairs = zip(self.maps, representations, strict=True)
        return torch.cat([linear(h) for linear, h in pairs], dim=1)


class WithEmbedding(nn.Module):
    """A network that in training also returns a linear map of its hidden representations.

    Parameters
    ----------
    module : Module
        The network.
    projection : Projection
        The linear map, for this network.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    >>> projection = make_projection(network, torch.zeros(1, 2), None, n_dimensions=5)
    >>> scores, embedding = WithEmbedding(network, projection)(torch.zeros(1, 2))
    >>> scores.shape, embedding.shape
    (torch.Size([1, 3]), torch.Size([1, 5]))
    """

    def __init__(self, module: nn.Module, projection: Projection) -> None:
        super().__init__()
        self.module = module
        self.projection = projection

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return scores and embedding, the scores alone in evaluation mode.

        Parameters
        ----------
        *args, **kwargs : Tensor of shape (n_rows, ...)
            Features of a mini-batch.

        Returns
        -------
        scores : Tensor
            Output of the network.
        embedding : Tensor of shape (n_rows, n_dimensions)
            Approximation of the teacher's embedding.
        """
        if not self.module.training:
            scores: Tensor = self.module(*args, **kwargs)
            return scores
        x = kwargs or args[0]
        scores, representations = _read(self.module, self.projection.layers, x)
        return scores, self.projection(representations)


def make_projection(
    network: nn.Module, sample: ModelInput, embedding_layer: EmbeddingLayer, n_dimensions: int
) -> Projection:
    """Return a new projection from hidden representations of a network.

    Parameters
    ----------
    network : Module
        The network, in evaluation mode.
    sample : Tensor of shape (n_rows, ...) or dict of Tensor
        Features of a few rows, for one forward pass.
    embedding_layer : str, mapping from str to int, or None
        The layer, or the layers with the number of columns that each approximates; None is the
        input of the last linear layer that is called.
    n_dimensions : int
        Number of dimensions of the teacher's embedding.

    Returns
    -------
    Projection
        The projection, with random weights.

    Raises
    ------
    ValueError
        If the network has no such layer or does not call it, or the numbers of columns do not add
        up to those of the embedding.
    """
    if embedding_layer is None:
        head = find_head(network, sample, "name a layer by embedding_layer=, or embedding_weight=0")
        columns = {head: n_dimensions}
    else:
        columns = _named_columns(network, embedding_layer, n_dimensions)
    with torch.no_grad():
        _, representations = _read(network, list(columns), sample)
    widths = [h.shape[1] for h in representations]
    numbers = list(columns.values())
    dtype = representations[0].dtype
    return Projection(list(columns), widths, numbers, embedding_layer).to(dtype)


def _named_columns(
    network: nn.Module, embedding_layer: str | Mapping[str, int], n_dimensions: int
) -> dict[HiddenLayer, int]:
    """Return the number of columns of the embedding that each layer approximates."""
    if isinstance(embedding_layer, str):
        embedding_layer = {embedding_layer: n_dimensions}
    for name in embedding_layer:
        named_layer(network, name, "embedding_layer")
    if sum(embedding_layer.values()) != n_dimensions or min(embedding_layer.values()) < 1:
        raise ValueError(
            f"embedding_layer={dict(embedding_layer)} divides {sum(embedding_layer.values())} "
            f"columns between the layers, but teacher_embedding has {n_dimensions}: give each "
            "layer the number of its columns, in their order"
        )
    return {HiddenLayer(name): n for name, n in embedding_layer.items()}


def _read(
    network: nn.Module, layers: Sequence[HiddenLayer], x: ModelInput
) -> tuple[Tensor, list[Tensor]]:
    """Return the scores, and the representation of each layer as vectors."""
    is_head = {network.get_submodule(hidden.name): hidden.is_head for hidden in layers}

    def read(layer: nn.Module, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"embedding_layer: the output of {type(layer).__name__} is a "
                f"{type(value).__name__}, not a tensor: name a layer inside or after it"
            )
        return pool_positions(layer, value, is_input=is_head[layer])

    with recording(network, layers, read) as kept:
        scores: Tensor = call_network(network, x)
    for hidden in layers:
        if hidden not in kept:
            raise ValueError(
                f"embedding_layer={hidden.name!r} is a layer that {type(network).__name__} does "
                f"not call: name another of {list_layers(network)}"
            )
    return scores, [kept[hidden] for hidden in layers]


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
        of_scores, target, weight = self._split(table)
        loss: Tensor = self.loss(scores, of_scores)
        return loss + self.weight * (weight * self.distance(embedding, target)).mean()

    def distance(self, embedding: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the embedding of each row.

        Parameters
        ----------
        embedding : Tensor of shape (n_rows, n_dimensions)
            The student's.
        target : Tensor of shape (n_rows, n_dimensions)
            The teacher's; 0 for a row without one, whose weight is 0.

        Returns
        -------
        Tensor of shape (n_rows,)
            Squared distances.
        """
        return (embedding - target).square().sum(1)

    def _split(self, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the table of the scores' loss, the part of the targets, and the weights."""
        n_columns = table.shape[1] - self.n_target_columns - 1
        return table[:, :n_columns], table[:, n_columns:-1], table[:, -1]

    @property
    def n_target_columns(self) -> int:
        """Number of columns of the targets, before the weight."""
        return self.n_dimensions

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
        of_scores, target, own_weight = self._split(table)
        # torch's modules say that any attribute may be a tensor
        scores_part = self.loss.weigh(of_scores, weight)  # type: ignore[operator]
        return torch.cat([scores_part, target, (own_weight * weight)[:, None]], 1)


class TripletEmbeddingLoss(EmbeddingLoss):
    r"""The same with a triplet loss in place of the squared distance.

    With the student's embedding a of a row as the anchor, the teacher's e of the same row as the
    positive and those of the rows j of other classes in the mini-batch as negatives, the loss of
    row i is :math:`\mathrm{mean}_j \max(0, δ + \|a_i - e_i\|^2 - \|a_i - e_j\|^2)`; it is 0 for a
    row without a label or without a negative.

    Parameters
    ----------
    loss, weight, n_dimensions
        As those of :class:`EmbeddingLoss`; each row of the table has two further columns after the
        embedding: the class, −1 without a label, and whether it may be a negative.
    margin : float
        Margin δ > 0.
    """

    def __init__(self, loss: nn.Module, weight: float, n_dimensions: int, margin: float) -> None:
        super().__init__(loss, weight, n_dimensions)
        self.margin = margin

    @property
    def n_target_columns(self) -> int:
        """Number of columns of the targets, before the weight."""
        return self.n_dimensions + 2

    def distance(self, embedding: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the embedding of each row.

        Parameters
        ----------
        embedding : Tensor of shape (n_rows, n_dimensions)
            The student's.
        target : Tensor of shape (n_rows, n_dimensions + 2)
            The teacher's, class and whether it may be a negative.

        Returns
        -------
        Tensor of shape (n_rows,)
            Means over the negatives of each row.
        """
        code, usable = target[:, -2], target[:, -1] > 0
        e = target[:, :-2]
        to_all = (embedding[:, None] - e).square().sum(2)
        excess = (self.margin + to_all.diagonal()[:, None] - to_all).clamp_min(0)
        is_triplet = (code[:, None] >= 0) & usable & (code != code[:, None])
        number = is_triplet.sum(1)
        return torch.where(is_triplet, excess, 0.0).sum(1) / number.clamp_min(1)


def triplet_columns(embedding: FloatArray, codes: IntArray) -> FloatArray:
    """Return the class of each row, and whether its embedding may be a negative.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, n_dimensions)
        Embeddings; a row with NaN is missing.
    codes : ndarray of shape (n_rows,)
        Class numbers; −1 without a label.

    Returns
    -------
    ndarray of shape (n_rows, 2)
        Class and 1, or 0 for a row without label or embedding.

    Examples
    --------
    >>> triplet_columns(np.array([[1.0], [np.nan], [2.0]]), np.array([1, 0, -1]))
    array([[ 1.,  1.],
           [ 0.,  0.],
           [-1.,  0.]])
    """
    known = ~np.isnan(embedding).any(axis=1)
    return np.column_stack([codes, known & (codes >= 0)]).astype(np.float64)


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
