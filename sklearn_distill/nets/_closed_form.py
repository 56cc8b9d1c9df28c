"""Steps on the closed-form gradient of a loss, whose values are computed for many of them at once.

In small networks, autograd's passes through the loss cost as much as those through the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from skorch import NeuralNet
from torch import Tensor

from sklearn_distill.nets._batch import Batch
from sklearn_distill.nets.losses import ClosedFormLoss

_KEPT = 2**20  # numbers of the tables whose losses are computed at once


def has_closed_form(net: NeuralNet) -> bool:
    """Return whether a training can step on closed-form gradients of its loss.

    Parameters
    ----------
    net : NeuralNet
        The net of a student.

    Returns
    -------
    bool
        False if something else needs the loss of each mini-batch.
    """
    kind = type(net.optimizer_)
    return (
        isinstance(net.criterion_, ClosedFormLoss)
        and net.teacher is None  # which predicts each mini-batch
        and net.criterion_.has_gradient
        and net.augmentation is None  # which may mix targets
        and net.projection is None
        and not net.scaler_.is_enabled()
        # any other may evaluate the loss by itself
        and kind.__module__.startswith("torch.optim.")
        and kind is not torch.optim.LBFGS
    )


def closed_form_steps(net: NeuralNet, batches: Iterable[Batch]) -> Iterator[tuple[Tensor, int]]:
    """Make the steps of an epoch; yield mean losses, each of the rows of several mini-batches.

    Parameters
    ----------
    net : NeuralNet
        A net for which :func:`has_closed_form` is true.
    batches : iterable of Batch
        The mini-batches.

    Yields
    ------
    tuple of (Tensor, int)
        Mean loss and number of rows.
    """
    weights = [w for group in net.optimizer_.param_groups for w in group["params"]]
    kept: list[Batch] = []
    n_kept = 0
    for batch in batches:
        # without the features, which are larger: their place is that of the scores
        kept.append(batch._replace(features=_step(net, weights, batch), labels=None))
        n_kept += batch.table.numel()
        if n_kept >= _KEPT:
            yield _mean_loss(net, kept)
            kept, n_kept = [], 0
    if kept:
        yield _mean_loss(net, kept)


def _step(net: NeuralNet, weights: list[Tensor], batch: Batch) -> Tensor:
    """Make a step, and return the scores at the weights before it."""
    if not net.module_.training:  # a callback may have predicted in between
        net._set_training(True)
    for weight in weights:  # as zero_grad, in a tenth of its time
        weight.grad = None
    scores: Tensor = net.infer(batch.features)
    kept = scores.detach()
    scores.backward(net.criterion_.gradient(kept, batch.table.to(kept.device)))
    net._notify_gradient(batch)
    net.optimizer_.step()
    net._after_step()
    return kept


def _mean_loss(net: NeuralNet, kept: list[Batch]) -> tuple[Tensor, int]:
    """Return the mean loss of mini-batches of scores, and their number of rows."""
    scores = torch.cat([batch.features for batch in kept])
    table = torch.cat([batch.table for batch in kept]).to(scores.device)
    losses = net.criterion_.of_rows(scores, table)
    if net.loss_parts is not None:
        rows = torch.cat([batch.rows for batch in kept if batch.rows is not None])
        net.loss_parts.add_losses(scores, rows, losses)
    return losses.mean(), len(losses)
