"""What happens between epochs: early stopping, learning-rate schedules, clipping, progress."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from skorch.callbacks import Callback
from skorch.callbacks import EarlyStopping as SkorchEarlyStopping
from tqdm.auto import tqdm


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
        loss = net.history[-1, "valid_loss"]
        better = self.best_weights_ is None or loss < self.best_loss_ - self.tol
        net.history.record("valid_loss_best", better)
        if better:
            self.best_loss_, self.misses_ = loss, 0
            self.best_weights_ = deepcopy(_bare(net.module_).state_dict())
            return
        self.misses_ += 1
        if self.misses_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Give the net its best weights back."""
        if self.best_weights_ is not None:
            _bare(net.module_).load_state_dict(self.best_weights_)

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
    factory : callable
        ``factory(optimizer)`` → a scheduler of torch.optim.lr_scheduler.
    """

    def __init__(self, factory: Callable[[torch.optim.Optimizer], Any]) -> None:
        self.factory = factory

    def on_train_begin(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Make the scheduler for the net's optimiser."""
        self.scheduler_ = self.factory(net.optimizer_)

    def on_epoch_end(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Record the epoch's learning rate, and set the next one's."""
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])
        if isinstance(self.scheduler_, torch.optim.lr_scheduler.ReduceLROnPlateau):
            self.scheduler_.step(net.history[-1, "valid_loss"])
        else:
            self.scheduler_.step()

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
    n_epochs : int
        Epochs to come, at most.
    """

    def __init__(self, name: str, n_epochs: int) -> None:
        self.name = name
        self.n_epochs = n_epochs

    def on_epoch_begin(self, net: Any, *_: Any, **kwargs: Any) -> None:
        """Open the bar, after a checkpoint where that left off."""
        if not hasattr(self, "bar_"):
            done = len(net.history) - 1
            self.bar_ = tqdm(total=self.n_epochs, initial=done, desc=self.name, unit="epoch")

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


def _bare(module: Any) -> Any:
    """Return the network that each process of several wraps."""
    wrapped = isinstance(module, torch.nn.parallel.DistributedDataParallel)
    return module.module if wrapped else module
