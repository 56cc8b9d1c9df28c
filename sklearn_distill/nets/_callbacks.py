"""What happens between epochs: stopping, learning-rate schedules, clipping, progress."""

from __future__ import annotations

import math
import warnings
from copy import deepcopy
from typing import Any

import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from skorch.callbacks import EarlyStopping as SkorchEarlyStopping
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau
from tqdm.auto import tqdm


def bare_module(module: Any) -> Any:
    """Return the network that torch.compile, or each process of several, wraps.

    Parameters
    ----------
    module : Module
        A net's module.

    Returns
    -------
    Module
        The network; itself if nothing wraps it.
    """
    wrapped = isinstance(module, torch.nn.parallel.DistributedDataParallel)
    module = module.module if wrapped else module
    return getattr(module, "_orig_mod", module)


class StopTraining(Exception):  # noqa: N818 - it is no error
    """Training is finished before its last epoch."""


def stops(net: Any, interruption: BaseException) -> bool:
    """Tell whether a callback ended the training, and not the user or a fault.

    skorch's own EarlyStopping ends it by a KeyboardInterrupt.

    Parameters
    ----------
    net : NeuralNet
        The net that was being trained.
    interruption : BaseException
        What ended it.

    Returns
    -------
    bool
        Whether the net is to be kept as trained.
    """
    if isinstance(interruption, StopTraining):
        return True
    early = [cb for _, cb in net.callbacks_ if isinstance(cb, SkorchEarlyStopping)]
    return isinstance(interruption, KeyboardInterrupt) and any(
        cb.misses_ == cb.patience for cb in early
    )


class Divergence(Callback):
    """End a training whose loss or weights are not finite: no later epoch mends them.

    Where early stopping has kept the weights of an earlier epoch it is a warning, else an error.
    """

    def on_epoch_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Look at this epoch's loss and weights."""
        loss = net.history[-1, "train_loss"]
        if math.isfinite(loss) and _are_finite(net.module_):
            return
        message = (
            f"training diverged in epoch {len(net.history)}: its training loss is {loss:.4g} and "
            f"weights {'are' if _are_finite(net.module_) else 'are not'} finite. Lower lr="
            f"{net.lr:g}, set gradient_clip, or scale the features and, in regression, the labels"
        )
        if not any(isinstance(cb, BestWeights) and cb.best_weights_ for _, cb in net.callbacks_):
            raise ValueError(message)
        warnings.warn(f"{message}; the best epoch's weights are kept", ConvergenceWarning, 2)
        raise StopTraining


class BestWeights(Callback):
    """Keep the weights of the lowest validation loss, and stop when it falls no more.

    Parameters
    ----------
    patience : int
        Epochs without a lower loss after which training stops.
    tol : float
        A loss counts as lower if it is so by more than this.
    """

    def __init__(self, patience: int, tol: float) -> None:
        self.patience = patience
        self.tol = tol

    def initialize(self) -> BestWeights:
        """Forget earlier trainings.

        Returns
        -------
        BestWeights
            Itself.
        """
        self.best_loss_ = float("inf")
        self.misses_ = 0
        self.best_weights_: dict[str, Any] | None = None
        return self

    def on_epoch_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Compare this epoch's loss with the best so far."""
        loss = net.history[-1].get("valid_loss")
        if loss is None:  # partial_fit sets no rows aside
            return
        better = loss < self.best_loss_ - self.tol  # which NaN never is
        net.history.record("valid_loss_best", better)
        if better:
            self.best_loss_, self.misses_ = loss, 0
            self.best_weights_ = deepcopy(bare_module(net.module_).state_dict())
            return
        self.misses_ += 1
        if self.misses_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Give the net its best weights back."""
        if self.best_weights_ is not None:
            bare_module(net.module_).load_state_dict(self.best_weights_)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must keep.

        Returns
        -------
        dict
            The best loss, its weights and the epochs since.
        """
        return {
            "best_loss_": self.best_loss_,
            "misses_": self.misses_,
            "best_weights_": self.best_weights_,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where a checkpoint left off.

        Parameters
        ----------
        state : dict
            From :meth:`state_dict`.
        """
        self.__dict__.update(state)


class Schedule(Callback):
    """Change the learning rate after each epoch.

    Parameters
    ----------
    schedule : {"cosine"} or callable
        As :func:`~sklearn_distill.nets._callbacks.scheduler_of` takes it.
    max_epochs : int
        Where the cosine ends.
    """

    def __init__(self, schedule: Any, max_epochs: int) -> None:
        self.schedule = schedule
        self.max_epochs = max_epochs

    def on_train_begin(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Make the scheduler for the net's optimiser."""
        self.scheduler_ = scheduler_of(self.schedule, net.optimizer_, self.max_epochs)

    def on_epoch_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Record the epoch's learning rate, and set the next one's."""
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])
        epoch = net.history[-1]
        advance(self.scheduler_, epoch.get("valid_loss", epoch["train_loss"]))

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must keep.

        Returns
        -------
        dict
            The scheduler's state.
        """
        state: dict[str, Any] = self.scheduler_.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up where a checkpoint left off.

        Parameters
        ----------
        state : dict
            From :meth:`state_dict`.
        """
        self.scheduler_.load_state_dict(state)


class GradientClipping(Callback):
    """Shorten the gradient of a mini-batch where it is longer than a bound.

    Parameters
    ----------
    max_norm : float
        The bound of its Euclidean norm.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def on_grad_computed(self, net: Any, named_parameters: Any, *_: Any, **kwargs: Any) -> None:
        """Shorten the gradient."""
        torch.nn.utils.clip_grad_norm_([p for _, p in named_parameters], self.max_norm)


class ProgressBar(Callback):
    """Show the epochs and their losses on a bar.

    Parameters
    ----------
    name : str
        What is trained.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def on_train_begin(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Count from here, not from a warm start's beginning."""
        self.n_before_ = len(net.history)

    def on_epoch_begin(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Open the bar, after a checkpoint where that left off."""
        if not hasattr(self, "bar_"):
            done = len(net.history) - 1 - self.n_before_
            self.bar_ = tqdm(total=net.max_epochs, initial=done, desc=self.name, unit="epoch")

    def on_epoch_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Move it by an epoch."""
        epoch = net.history[-1]
        shown = [name for name in ("train_loss", "valid_loss") if name in epoch]
        self.bar_.set_postfix({name: epoch[name] for name in shown})
        self.bar_.update()

    def close(self) -> None:
        """Leave the bar as it stands."""
        if hasattr(self, "bar_"):
            self.bar_.close()
            del self.bar_


def _are_finite(module: torch.nn.Module) -> bool:
    return bool(torch.stack([w.detach().isfinite().all() for w in module.parameters()]).all())


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
