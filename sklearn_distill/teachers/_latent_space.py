r"""A latent space that several models share: its autoencoders, its losses and its training.

Each model m has an encoder :math:`f_m` from its representation to the unit sphere of
:math:`R^d` and a decoder :math:`g_m` back. The codes of a sample by different models are pulled
together, and codes of samples of different classes are pushed apart:

.. math::

    \sum_m \mathrm{mean}\,\|g_m(f_m(x)) - x\|^2 / w_m + α\,\mathrm{mean}_{(a, p, n)}
    \max(0,\ δ + \|a - p\|^2 - \|a - n\|^2),

with the codes of an anchor a, of a positive p (the same sample) and of a negative n (a sample of
another class).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

Pairs = Sequence[tuple[int, int]]

_EPSILON = 1e-8


class LatentSpace(nn.Module):
    """An encoder into the shared space and a decoder out of it for each model.

    Parameters
    ----------
    widths : sequence of int
        Number of columns of each model's representation.
    n_components : int
        Number of dimensions d of the shared space.
    hidden_layer_sizes : sequence of int
        Widths of the encoders' hidden layers; the decoders have them in reverse.
    seed : int
        Seed of the initial weights. Each model's weights are drawn from a generator of its own, so
        that the order of the models does not matter; torch's global generator is not used.

    Examples
    --------
    >>> space = LatentSpace([5, 3], n_components=2, hidden_layer_sizes=(4,), seed=0)
    >>> [tuple(code.shape) for code in space.encode([torch.ones(7, 5), torch.ones(7, 3)])]
    [(7, 2), (7, 2)]
    """

    def __init__(
        self,
        widths: Sequence[int],
        n_components: int,
        hidden_layer_sizes: Sequence[int],
        seed: int,
    ) -> None:
        super().__init__()
        self.encoders, self.decoders = nn.ModuleList(), nn.ModuleList()
        for width in widths:
            generator = torch.Generator().manual_seed(seed)  # anew for each model: see `seed`
            sizes = [width, *hidden_layer_sizes, n_components]
            self.encoders.append(_perceptron(sizes, generator))
            self.decoders.append(_perceptron(sizes[::-1], generator))

    def encode(self, representations: Sequence[Tensor]) -> list[Tensor]:
        """Return each model's codes.

        Parameters
        ----------
        representations : sequence of Tensor, each of shape (n_rows, width)
            One for each model.

        Returns
        -------
        list of Tensor, each of shape (n_rows, n_components)
            Codes of length 1.
        """
        return [self.encode_one(m, array) for m, array in enumerate(representations)]

    def encode_one(self, m: int, representation: Tensor) -> Tensor:
        """Return the codes of one model.

        Parameters
        ----------
        m : int
            Position of the model.
        representation : Tensor of shape (n_rows, width)
            The model's representation of the rows.

        Returns
        -------
        Tensor of shape (n_rows, n_components)
            Codes of length 1.
        """
        return to_unit_length(self.encoders[m](representation))

    def decode(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """Return the representation that each model's decoder reconstructs from its codes.

        Parameters
        ----------
        codes : sequence of Tensor, each of shape (n_rows, n_components)
            One for each model.

        Returns
        -------
        list of Tensor, each of shape (n_rows, width)
            Reconstructed representations, one for each model.
        """
        return [decoder(code) for decoder, code in zip(self.decoders, codes, strict=True)]


def to_unit_length(vectors: Tensor) -> Tensor:
    """Rescale vectors to length 1; those near 0 become shorter, and 0 has a finite gradient.

    Parameters
    ----------
    vectors : Tensor of shape (n_rows, n_components)
        Vectors v of any length.

    Returns
    -------
    Tensor of shape (n_rows, n_components)
        v / sqrt(‖v‖² + ε).

    Examples
    --------
    >>> to_unit_length(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    # ε under the root: the derivative of sqrt at 0 is infinite
    return vectors * (vectors.square().sum(1, keepdim=True) + _EPSILON).rsqrt()


def reconstruction_loss(decoded: Tensor, representation: Tensor, available: Tensor) -> Tensor:
    """Return a model's mean squared error on its available rows; 0 without any.

    Parameters
    ----------
    decoded, representation : Tensor of shape (n_rows, width)
        The decoder's reconstruction and the representation itself.
    available : BoolTensor of shape (n_rows,)
        Rows that the mean is taken over.

    Returns
    -------
    Tensor of shape ()
        The mean over those rows and all columns.
    """
    squares = (decoded - representation).square().mean(1)
    # clamp: a mini-batch may have no row of this model, and 0/0 would make all weights NaN
    return torch.where(available, squares, 0.0).sum() / available.sum().clamp(min=1)


def triplet_loss(
    codes: Sequence[Tensor], available: Tensor, labels: Tensor, pairs: Pairs, margin: float
) -> Tensor:
    """Return the mean loss of all triplets among a few rows.

    For a pair (a, m) of models, a triplet is the code of a for row i, that of m for the same row
    and that of m for a row j of another class; the models have these codes, and both rows have a
    label.

    Parameters
    ----------
    codes : sequence of Tensor, each of shape (n_rows, n_components)
        Codes of each model; rows that are not available may hold anything.
    available : BoolTensor of shape (n_models, n_rows)
        Which rows each model has a representation of.
    labels : LongTensor of shape (n_rows,)
        Class numbers, negative where a row has none.
    pairs : sequence of (int, int)
        Positions of the anchor and of the other model.
    margin : float
        δ, the difference of squared distances beyond which a triplet has no loss.

    Returns
    -------
    Tensor of shape ()
        The mean; 0 if there is no triplet.

    Examples
    --------
    >>> codes = [torch.eye(2), torch.eye(2)]
    >>> available, labels = torch.ones(2, 2, dtype=torch.bool), torch.tensor([0, 1])
    >>> triplet_loss(codes, available, labels, [(0, 1)], margin=3.0)
    tensor(1.)
    """
    labelled = labels >= 0
    available, labels = available[:, labelled], labels[labelled]
    stacked = torch.stack([of_model[labelled] for of_model in codes])
    a, m = torch.tensor(pairs, device=labels.device).T
    positive = (stacked[a] - stacked[m]).square().sum(2)
    gaps = positive[:, :, None] - _squared_distances(stacked[a], stacked[m])
    differ = labels[:, None] != labels
    # (n_pairs, n_rows, n_rows): both models have row i, and m has row j of another class
    valid = (available[a] & available[m])[:, :, None] & available[m][:, None] & differ
    return ((margin + gaps).relu() * valid).sum() / valid.sum().clamp(min=1)


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return those of all rows of a and b, (n_pairs, n_rows, n_rows)."""
    # ‖a‖² + ‖b‖² − 2ab: differences of all rows would need n_components times the memory
    lengths = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None]
    return lengths - 2 * a @ b.transpose(1, 2)


def _perceptron(sizes: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    """Return linear layers with ReLU between, initialised as torch does, from a generator."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        # nn.Linear would initialise itself from torch's global generator
        layer = nn.utils.skip_init(nn.Linear, n_in, n_out)
        for weight in layer.parameters():
            nn.init.uniform_(weight, -(n_in**-0.5), n_in**-0.5, generator=generator)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@dataclass(frozen=True)
class AlignmentData:
    """The training data of a latent space.

    Parameters
    ----------
    representations : list of Tensor, each of shape (n_rows, width)
        Each model's representation; 0 where it has none.
    available : BoolTensor of shape (n_models, n_rows)
        Which rows each model has a representation of.
    labels : LongTensor of shape (n_rows,)
        Class numbers, negative where a row has none.
    pairs : sequence of (int, int)
        Positions of the anchor and of the other model of the triplets.
    """

    representations: list[Tensor]
    available: Tensor
    labels: Tensor
    pairs: Pairs

    def take(self, index: Tensor) -> AlignmentData:
        """Return the data of some of the rows.

        Parameters
        ----------
        index : LongTensor of shape (n_taken,)
            Row numbers.

        Returns
        -------
        AlignmentData
            The data of these rows, in this order.
        """
        taken = [array[index] for array in self.representations]
        return AlignmentData(taken, self.available[:, index], self.labels[index], self.pairs)

    def to(self, device: torch.device) -> AlignmentData:
        """Return the data on a device.

        Parameters
        ----------
        device : torch.device
            The device that the tensors are moved to.

        Returns
        -------
        AlignmentData
            The same data, without a copy of what is there already.
        """
        moved = [array.to(device) for array in self.representations]
        return AlignmentData(moved, self.available.to(device), self.labels.to(device), self.pairs)


def alignment_losses(
    space: LatentSpace, data: AlignmentData, margin: float
) -> tuple[Tensor, Tensor]:
    """Return the reconstruction loss and the triplet loss of a few rows.

    Parameters
    ----------
    space : LatentSpace
        The autoencoders of all models.
    data : AlignmentData
        The rows, usually a mini-batch.
    margin : float
        δ, the margin of the triplets.

    Returns
    -------
    reconstruction, triplet : Tensor of shape ()
        The sum over the models of their errors, and the mean over the triplets.
    """
    codes = space.encode(data.representations)
    decoded = space.decode(codes)
    by_model = zip(decoded, data.representations, data.available, strict=True)
    reconstruction = torch.stack([reconstruction_loss(*arrays) for arrays in by_model]).sum()
    return reconstruction, triplet_loss(codes, data.available, data.labels, data.pairs, margin)


def train_latent_space(
    space: LatentSpace,
    data: AlignmentData,
    *,
    margin: float,
    triplet_weight: float,
    lr: float,
    batch_size: int,
    max_epochs: int,
    seed: int,
) -> Iterator[tuple[float, float]]:
    """Train by Adam, and yield the mean losses of each epoch.

    Parameters
    ----------
    space : LatentSpace
        The autoencoders, which are changed.
    data : AlignmentData
        All rows, on the same device as the autoencoders.
    margin : float
        δ, the margin of the triplets.
    triplet_weight : float
        α, the weight of the triplet loss.
    lr : float
        Learning rate of Adam.
    batch_size : int
        Rows of a mini-batch, among which the triplets are.
    max_epochs : int
        Passes over the rows.
    seed : int
        Seed of the order of the rows.

    Yields
    ------
    reconstruction, triplet : float
        Means over the mini-batches.
    """
    # a generator of the CPU: the order of the rows does not depend on the device
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(space.parameters(), lr=lr, fused=True)
    for _ in range(max_epochs):
        order = torch.randperm(len(data.labels), generator=generator).to(data.labels.device)
        losses = []
        for index in order.split(batch_size):
            reconstruction, triplet = alignment_losses(space, data.take(index), margin)
            optimizer.zero_grad()
            (reconstruction + triplet_weight * triplet).backward()
            optimizer.step()
            losses.append(torch.stack([reconstruction, triplet]).detach())
        # read once an epoch: each read makes the CPU wait for the device
        first, second = torch.stack(losses).mean(0).tolist()
        yield first, second
