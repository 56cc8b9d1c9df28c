"""Callbacks of the training: early stopping, learning-rate schedules, clipping, progress."""

from __future__ import annotations

import inspect
import math
from copy import deepcopy
from typing import Any

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.callbacks import EarlyStopping as SkorchEarlyStopping
from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CyclicLR,
    LRScheduler,
    OneCycleLR,
    ReduceLROnPlateau,
)
from tqdm.auto import tqdm

from sklearn_distill._validation.user_warning import warn_user

BY_STEP = (OneCycleLR, CyclicLR)  # schedulers whose lengths are numbers of steps


class StopTraining(Exception):  # noqa: N818 - it is no error
    """Raised by a callback to end the training before its last epoch."""


def is_early_stop(net: NeuralNet, interruption: BaseException) -> bool:
    """Return whether a callback ended the training, rather than the user or an error.

    Parameters
    ----------
    net : NeuralNet
        The net that was being trained.
    interruption : BaseException
        The exception that ended the training.

    Returns
    -------
    bool
        Whether the net counts as trained.
    """
    if isinstance(interruption, StopTraining):
        return True
    # skorch's EarlyStopping raises KeyboardInterrupt, as Ctrl-C does; only its counter differs
    early = [cb for _, cb in net.callbacks_ if isinstance(cb, SkorchEarlyStopping)]
    return isinstance(interruption, KeyboardInterrupt) and any(
        cb.misses_ == cb.patience for cb in early
    )


class Divergence(Callback):
    """End a training whose loss or weights are not finite: later epochs cannot repair them.

    It is an error, or a warning if early stopping has kept the weights of an earlier epoch.
    """

    def on_epoch_end(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Check the loss and the weights of this epoch."""
        loss = net.history[-1, "train_loss"]
        if math.isfinite(loss) and _are_finite(net):
            return
        message = (
            f"training diverged in epoch {len(net.history)}: its training loss is {loss:.4g} and "
            f"weights {'are' if _are_finite(net) else 'are not'} finite. Lower lr="
            f"{net.lr:g}, set gradient_clip, or scale the features and, in regression, the labels"
        )
        # with earlier weights there is a usable model, so that a warning is enough
        if not any(isinstance(cb, BestWeights) and cb.best_weights_ for _, cb in net.callbacks_):
            raise ValueError(message)
        warn_user(f"{message}; the best epoch's weights are kept", ConvergenceWarning)
        raise StopTraining


def _are_finite(net: NeuralNet) -> bool:
    weights = (w.detach() for _, w in net.get_all_learnable_params())
    return bool(torch.stack([w.isfinite().all() for w in weights]).all())


class ValidationScore(Callback):
    """Record the score of the validation rows as ``valid_score``.

    Parameters
    ----------
    scoring : str or callable
        A scorer of scikit-learn, its name, or a callable of (net, X, y).
    """

    def __init__(self, scoring: Any) -> None:
        self.scoring = scoring

    def on_epoch_end(
        self, net: NeuralNet, dataset_train: Any, dataset_valid: Any, **kwargs: Any
    ) -> None:
        """Score this epoch's predictions."""
        if dataset_valid is None:  # partial_fit has no validation rows
            return
        scorer = check_scoring(net, self.scoring)
        X = dataset_valid.X
        X = X.numpy(force=True) if isinstance(X, torch.Tensor) else X
        score = float(scorer(net, X, dataset_valid.y))
        before = [epoch["valid_score"] for epoch in net.history[:-1] if "valid_score" in epoch]
        net.history.record("valid_score", score)
        net.history.record("valid_score_best", score > max(before, default=-math.inf))


class BestWeights(Callback):
    """Keep the weights of the lowest validation loss, and stop when it no longer falls.

    Parameters
    ----------
    patience : int
        Number of epochs without a lower loss after which training stops.
    tol : float
        Smallest decrease that counts as a lower loss.
    monitor : {"valid_loss", "valid_score"}, default="valid_loss"
        What is monitored in the history; of a score, higher is better.
    """

    def __init__(self, patience: int, tol: float, monitor: str = "valid_loss") -> None:
        self.patience = patience
        self.tol = tol
        self.monitor = monitor

    def initialize(self) -> BestWeights:
        """Reset the best loss, its weights and the counter.

        Returns
        -------
        BestWeights
            The callback itself.
        """
        self.best_loss_ = float("inf")
        self.misses_ = 0
        self.best_weights_: dict[str, Any] | None = None
        return self

    def on_epoch_end(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Compare this epoch's loss with the best so far."""
        loss = net.history[-1].get(self.monitor)
        if loss is None:  # partial_fit has no validation rows
            return
        loss = -loss if self.monitor == "valid_score" else loss
        if loss < self.best_loss_ - self.tol:  # False for NaN
            self.best_loss_, self.misses_ = loss, 0
            # state_dict refers to the weights, which the next step changes
            self.best_weights_ = deepcopy(net.weights())
            return
        self.misses_ += 1
        if self.misses_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Restore the best weights."""
        if self.best_weights_ is not None:
            net.load_weights(self.best_weights_)

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint stores.

        Returns
        -------
        dict
            The best loss, its weights and the number of epochs since.
        """
        return {
            "best_loss_": self.best_loss_,
            "misses_": self.misses_,
            "best_weights_": self.best_weights_,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint.

        Parameters
        ----------
        state : dict
            State returned by :meth:`state_dict`.
        """
        self.__dict__.update(state)


class LearningRateSchedule(Callback):
    """Change the learning rate after each epoch, or after each step.

    Parameters
    ----------
    schedule : {"cosine"} or callable
        The schedule, as :func:`make_scheduler` takes it.
    max_epochs : int
        Epoch at which the cosine ends.
    """

    def __init__(self, schedule: Any, max_epochs: int) -> None:
        self.schedule = schedule
        self.max_epochs = max_epochs

    def on_train_begin(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Make the scheduler for the net's optimiser."""
        self.counts_steps_ = counts_steps(self.schedule)
        n_steps = net.n_steps(self.max_epochs) if self.counts_steps_ else None
        self.scheduler_ = make_scheduler(self.schedule, net.optimizer_, self.max_epochs, n_steps)
        self.is_by_step_ = self.counts_steps_ or isinstance(self.scheduler_, BY_STEP)

    def on_step(self, net: NeuralNet) -> None:
        """Set the learning rate of the next step."""
        if self.is_by_step_:
            self.lr_ = net.optimizer_.param_groups[0]["lr"]
            self.scheduler_.step()

    def on_epoch_end(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Record the learning rate of this epoch, and set that of the next one."""
        if self.is_by_step_:
            net.history.record("lr", self.lr_)  # that of the last step
            return
        epoch = net.history[-1]
        step_scheduler(self.scheduler_, epoch.get("valid_loss", epoch["train_loss"]))

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint stores.

        Returns
        -------
        dict
            The state of torch's scheduler.
        """
        state: dict[str, Any] = self.scheduler_.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint.

        Parameters
        ----------
        state : dict
            State returned by :meth:`state_dict`.
        """
        self.scheduler_.load_state_dict(state)


def counts_steps(schedule: Any) -> bool:
    """Return whether a schedule is a callable of the optimiser and the number of steps.

    Parameters
    ----------
    schedule : {"cosine"} or callable
        The schedule.

    Returns
    -------
    bool
        Whether its second positional parameter has no default or is called ``n_steps``.
    """
    if not callable(schedule) or isinstance(schedule, type):
        return False
    parameters = list(inspect.signature(schedule).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    second = positional[1] if len(positional) > 1 else None
    return second is not None and (second.default is second.empty or second.name == "n_steps")


def make_scheduler(
    schedule: Any, optimizer: Optimizer, max_epochs: int, n_steps: int | None = None
) -> LRScheduler:
    """Return the scheduler that sets the learning rate of an optimiser.

    Parameters
    ----------
    schedule : {"cosine"} or callable
        "cosine" decreases the learning rate to 0 at ``max_epochs``; a callable makes a scheduler of
        torch.optim.lr_scheduler from the optimiser.
    optimizer : Optimizer
        Optimiser whose learning rate is set.
    max_epochs : int
        Epoch at which the cosine ends.
    n_steps : int or None, default=None
        Number of steps of the whole training, the second argument of a callable that has two.

    Returns
    -------
    LRScheduler
        The scheduler, to be advanced with :func:`step_scheduler`.

    Raises
    ------
    TypeError
        If the callable returns anything else, or a scheduler of another optimiser.
    """
    if schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=max_epochs)
    scheduler = schedule(optimizer) if n_steps is None else schedule(optimizer, n_steps)
    if not isinstance(scheduler, LRScheduler) or scheduler.optimizer is not optimizer:
        raise TypeError(
            f"lr_schedule returned {type(scheduler).__name__}: from the optimiser that it is given "
            "it must make a scheduler of torch.optim.lr_scheduler"
        )
    return scheduler


def step_scheduler(scheduler: LRScheduler, loss: float) -> None:
    """Set the learning rate of the next epoch.

    Parameters
    ----------
    scheduler : LRScheduler
        Scheduler of :func:`make_scheduler`.
    loss : float
        Loss of the epoch that has ended, which ReduceLROnPlateau monitors.
    """
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(loss)
    else:
        scheduler.step()


class GradientClipping(Callback):
    """Clip the norm of the gradient of each mini-batch.

    Parameters
    ----------
    max_norm : float
        Largest Euclidean norm of the gradient of all weights.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def on_grad_computed(
        self, net: NeuralNet, named_parameters: Any, *_: Any, **kwargs: Any
    ) -> None:
        """Scale the gradient down to the largest norm, if it is longer."""
        torch.nn.utils.clip_grad_norm_([p for _, p in named_parameters], self.max_norm)


class ProgressBar(Callback):
    """Show the epochs and their losses in a progress bar.

    Parameters
    ----------
    name : str
        Title of the bar, the name of the estimator.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def on_train_begin(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Remember the epochs of earlier fits, which a warm start keeps in the history."""
        self.n_before_ = len(net.history)

    def on_epoch_begin(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Open the bar, after the epochs that a checkpoint has restored."""
        if not hasattr(self, "bar_"):
            done = len(net.history) - 1 - self.n_before_
            self.bar_ = tqdm(total=net.max_epochs, initial=done, desc=self.name, unit="epoch")

    def on_epoch_end(self, net: NeuralNet, *_: Any, **kwargs: Any) -> None:
        """Advance the bar by an epoch."""
        epoch = net.history[-1]
        shown = [name for name in ("train_loss", "valid_loss") if name in epoch]
        self.bar_.set_postfix({name: epoch[name] for name in shown})
        self.bar_.update()

    def close(self) -> None:
        """Close the bar where it is."""
        if hasattr(self, "bar_"):
            self.bar_.close()
            del self.bar_
