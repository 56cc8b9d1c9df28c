r"""A latent space that several models share: its autoencoders, its loss and its training.

Each model m has an encoder :math:`f_m` from its representation to the unit sphere of
:math:`R^d` and a decoder back. Codes of one sample are drawn together and codes of other classes
apart:

.. math::

    \sum_m \mathrm{mean}\,\|g_m(f_m(x)) - x\|^2 / w_m + α\,\mathrm{mean}_{(a, p, n)}
    \max(0,\ δ + \|a - p\|^2 - \|a - n\|^2).
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
        Numbers in each model's representation.
    n_components : int
        Dimensions d of the shared space.
    hidden_layer_sizes : sequence of int
        Widths of the layers between, of the encoders; the decoders have them in reverse.
    seed : int
        Of the initial weights. Each model draws anew from it, so that the order of the models does
        not matter; torch's own generator is not asked.

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
            generator = torch.Generator().manual_seed(seed)
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
        return [self.encode_one(m, rows) for m, rows in enumerate(representations)]

    def encode_one(self, m: int, rows: Tensor) -> Tensor:
        """Return the codes of one model.

        Parameters
        ----------
        m : int
            Its position.
        rows : Tensor of shape (n_rows, width)
            Its representation.

        Returns
        -------
        Tensor of shape (n_rows, n_components)
            Codes of length 1.
        """
        return unit(self.encoders[m](rows))

    def decode(self, codes: Sequence[Tensor]) -> list[Tensor]:
        """Return each model's representation of its codes.

        Parameters
        ----------
        codes : sequence of Tensor, each of shape (n_rows, n_components)
            One for each model.

        Returns
        -------
        list of Tensor, each of shape (n_rows, width)
            Representations.
        """
        return [decoder(code) for decoder, code in zip(self.decoders, codes, strict=True)]


def unit(vectors: Tensor) -> Tensor:
    """Return vectors of length 1; those near 0 are shorter, and 0 has a gradient.

    Parameters
    ----------
    vectors : Tensor of shape (n_rows, n_components)
        Vectors.

    Returns
    -------
    Tensor of shape (n_rows, n_components)
        v / sqrt(‖v‖² + ε).

    Examples
    --------
    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    return vectors * (vectors.square().sum(1, keepdim=True) + _EPSILON).rsqrt()


def reconstruction_loss(decoded: Tensor, rows: Tensor, seen: Tensor) -> Tensor:
    """Return a model's mean squared error on the rows that it saw; 0 without any.

    Parameters
    ----------
    decoded, rows : Tensor of shape (n_rows, width)
        What the decoder made, and what it should.
    seen : BoolTensor of shape (n_rows,)
        Rows that count.

    Returns
    -------
    Tensor of shape ()
        The mean over those rows and all columns.
    """
    squares = (decoded - rows).square().mean(1)
    return torch.where(seen, squares, 0.0).sum() / seen.sum().clamp(min=1)


def triplet_loss(
    codes: Sequence[Tensor], seen: Tensor, labels: Tensor, pairs: Pairs, margin: float
) -> Tensor:
    """Return the mean loss of all triplets among a few rows.

    For a pair (a, m) of models, a triplet is the code of a for row i, that of m for the same row
    and that of m for a row j of another class; the models saw their rows, and both rows have a
    label.

    Parameters
    ----------
    codes : sequence of Tensor, each of shape (n_rows, n_components)
        Codes of each model; rows that it did not see may hold anything.
    seen : BoolTensor of shape (n_models, n_rows)
        Which rows each model saw.
    labels : LongTensor of shape (n_rows,)
        Class numbers, negative where a row has none.
    pairs : sequence of (int, int)
        Anchor and other model.
    margin : float
        δ, how much farther another class must be, in squared distances.

    Returns
    -------
    Tensor of shape ()
        The mean; 0 if there is no triplet.

    Examples
    --------
    >>> codes = [torch.eye(2), torch.eye(2)]
    >>> seen, labels = torch.ones(2, 2, dtype=torch.bool), torch.tensor([0, 1])
    >>> triplet_loss(codes, seen, labels, [(0, 1)], margin=3.0)
    tensor(1.)
    """
    known = labels >= 0
    seen, labels = seen[:, known], labels[known]
    of_each = torch.stack([one[known] for one in codes])
    a, m = torch.tensor(pairs, device=labels.device).T
    near = (of_each[a] - of_each[m]).square().sum(2)
    gaps = near[:, :, None] - _squared_distances(of_each[a], of_each[m])
    differ = labels[:, None] != labels
    valid = (seen[a] & seen[m])[:, :, None] & seen[m][:, None] & differ
    return ((margin + gaps).relu() * valid).sum() / valid.sum().clamp(min=1)


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return those of all rows of a and b, (n_pairs, n_rows, n_rows)."""
    lengths = a.square().sum(2)[:, :, None] + b.square().sum(2)[:, None]
    return lengths - 2 * a @ b.transpose(1, 2)


def _perceptron(sizes: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    """Return linear layers with ReLU between, initialised as torch does, from a generator."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layer = nn.utils.skip_init(nn.Linear, n_in, n_out)
        for weight in layer.parameters():
            nn.init.uniform_(weight, -(n_in**-0.5), n_in**-0.5, generator=generator)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@dataclass(frozen=True)
class AlignmentData:
    """What a latent space learns from.

    Parameters
    ----------
    rows : list of Tensor, each of shape (n_rows, width)
        Each model's representation; 0 where it has none.
    seen : BoolTensor of shape (n_models, n_rows)
        Where it has one.
    labels : LongTensor of shape (n_rows,)
        Class numbers, negative where a row has none.
    pairs : sequence of (int, int)
        Anchor and other model of the triplets.
    """

    rows: list[Tensor]
    seen: Tensor
    labels: Tensor
    pairs: Pairs

    def take(self, index: Tensor) -> AlignmentData:
        """Return some of the rows.

        Parameters
        ----------
        index : LongTensor of shape (n_taken,)
            Their numbers.

        Returns
        -------
        Lesson
            Those rows.
        """
        rows = [one[index] for one in self.rows]
        return AlignmentData(rows, self.seen[:, index], self.labels[index], self.pairs)

    def to(self, device: torch.device) -> AlignmentData:
        """Return the lesson on a device.

        Parameters
        ----------
        device : torch.device
            Where it shall lie.

        Returns
        -------
        Lesson
            The lesson.
        """
        rows = [one.to(device) for one in self.rows]
        return AlignmentData(rows, self.seen.to(device), self.labels.to(device), self.pairs)


def losses_of(space: LatentSpace, lesson: AlignmentData, margin: float) -> tuple[Tensor, Tensor]:
    """Return the two losses of a few rows.

    Parameters
    ----------
    space : LatentSpace
        The autoencoders.
    lesson : AlignmentData
        The rows.
    margin : float
        δ.

    Returns
    -------
    reconstruction, triplet : Tensor of shape ()
        The sum over the models of their errors, and the mean over the triplets.
    """
    codes = space.encode(lesson.rows)
    of_each = zip(space.decode(codes), lesson.rows, lesson.seen, strict=True)
    reconstruction = torch.stack([reconstruction_loss(*one) for one in of_each]).sum()
    return reconstruction, triplet_loss(codes, lesson.seen, lesson.labels, lesson.pairs, margin)


def train_latent_space(
    space: LatentSpace,
    lesson: AlignmentData,
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
    lesson : AlignmentData
        The rows, on the same device.
    margin : float
        δ.
    triplet_weight : float
        α.
    lr : float
        Learning rate.
    batch_size : int
        Rows of a mini-batch, among which the triplets are.
    max_epochs : int
        Passes over the rows.
    seed : int
        Of the order of the rows.

    Yields
    ------
    reconstruction, triplet : float
        Means over the mini-batches.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(space.parameters(), lr=lr, fused=True)
    for _ in range(max_epochs):
        order = torch.randperm(len(lesson.labels), generator=generator).to(lesson.labels.device)
        losses = []
        for index in order.split(batch_size):
            reconstruction, triplet = losses_of(space, lesson.take(index), margin)
            optimizer.zero_grad()
            (reconstruction + triplet_weight * triplet).backward()
            optimizer.step()
            losses.append(torch.stack([reconstruction, triplet]).detach())
        first, second = torch.stack(losses).mean(0).tolist()
        yield first, second
