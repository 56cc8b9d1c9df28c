"""Mixed rows, as of mixup and cutmix: their targets are those of both rows, weighted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sklearn_distill.nets._inputs import n_rows_of


@dataclass(frozen=True)
class Mixing:
    """Which rows the rows of a mini-batch are mixed with.

    Parameters
    ----------
    permutation : Tensor of int of shape (n_rows,)
        Number of the other row of each row.
    weight : Tensor of shape () or (n_rows,)
        Weight in [0, 1] of the targets of the row itself; the other row has the rest.
    """

    permutation: Tensor
    weight: Tensor

    def loss(
        self,
        criterion: Any,
        outputs: Any,
        table: Tensor,
        with_predictions: Callable[[Tensor], Tensor] = lambda table: table,
    ) -> Tensor:
        """Return the mean loss: that of two weighted copies of each row.

        Parameters
        ----------
        criterion : Module
            The loss, with a method ``weigh``.
        outputs : Tensor or tuple of Tensor
            Outputs of the network for the mixed features.
        table : Tensor of shape (n_rows, n_columns)
            The table of the rows.
        with_predictions : callable, default=lambda table: table
            Adds a live teacher's predictions for the mixed features, which both copies have.

        Returns
        -------
        Tensor of shape ()
            The mean over the rows.
        """
        weight = self.weight.to(table).expand(len(table))
        other = table.index_select(0, self.permutation.to(table.device))
        pairs = ((table, weight), (other, 1 - weight))
        copies = [criterion.weigh(with_predictions(rows), w) for rows, w in pairs]
        twice = (
            tuple(torch.cat([z, z]) for z in outputs)
            if isinstance(outputs, tuple)
            else torch.cat([outputs, outputs])
        )
        loss: Tensor = 2 * criterion(twice, torch.cat(copies))  # the mean is over twice the rows
        return loss


def read_mixing(returned: tuple[Any, ...]) -> tuple[Any, Mixing]:
    """Return the features and the mixing that an augmentation has returned.

    Parameters
    ----------
    returned : tuple
        Features, permutation and weight.

    Returns
    -------
    tuple of (Tensor, Mixing)
        Both.

    Raises
    ------
    ValueError
        If it is not such a tuple.
    """
    if len(returned) != 3:
        raise ValueError(
            f"augmentation returned a tuple of {len(returned)}: it must return features, or "
            "(features, permutation, weight) of a mixture"
        )
    features, permutation, weight = returned
    permutation, weight = torch.as_tensor(permutation), torch.as_tensor(weight)
    n_rows = n_rows_of(features)
    is_permutation = permutation.shape == (n_rows,) and not permutation.is_floating_point()
    if not is_permutation or weight.shape not in {(), (n_rows,)}:
        raise ValueError(
            f"augmentation returned a permutation of shape {tuple(permutation.shape)} "
            f"({permutation.dtype}) and a weight of shape {tuple(weight.shape)} for {n_rows} rows: "
            f"they must be the {n_rows} numbers of the other rows, and one weight or {n_rows}"
        )
    if not bool(((weight >= 0) & (weight <= 1)).all()):
        raise ValueError("augmentation returned a weight outside [0, 1]")
    return features, Mixing(permutation, weight)
