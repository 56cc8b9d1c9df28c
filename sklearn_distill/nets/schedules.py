"""Learning rates by epoch."""

from __future__ import annotations

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau


def scheduler_of(schedule: Any, optimizer: Optimizer, max_epochs: int) -> LRScheduler:
    """Return what sets an optimiser's learning rate after each epoch.

    Parameters
    ----------
    schedule : {"cosine"} or callable
        "cosine" falls to 0 at ``max_epochs``; a callable makes a scheduler of
        torch.optim.lr_scheduler from the optimiser.
    optimizer : Optimizer
        Whose learning rate is set.
    max_epochs : int
        Where the cosine ends.

    Returns
    -------
    LRScheduler
        The scheduler.

    Raises
    ------
    TypeError
        If the callable returns anything else, or a scheduler of another optimiser.
    """
    if schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=max_epochs)
    scheduler = schedule(optimizer)
    if not isinstance(scheduler, LRScheduler) or scheduler.optimizer is not optimizer:
        raise TypeError(
            f"lr_schedule returned {type(scheduler).__name__}: from the optimiser that it is given "
            "it must make a scheduler of torch.optim.lr_scheduler"
        )
    return scheduler


def advance(scheduler: LRScheduler, loss: float) -> None:
    """Set the learning rate of the next epoch.

    Parameters
    ----------
    scheduler : LRScheduler
        What sets it; ReduceLROnPlateau watches the loss.
    loss : float
        The loss of the epoch that has ended.
    """
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(loss)
    else:
        scheduler.step()
