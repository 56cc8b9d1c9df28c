"""The skorch net that trains a student: skorch's loop without its costs per mini-batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from skorch.dataset import unpack_data
from skorch.utils import to_device
from torch import Tensor

from sklearn_distill.nets._embedding import scores_of
from sklearn_distill.nets._loader import RowTensors

Augment = Callable[[Tensor, torch.Generator], Tensor]

_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class StudentNet(NeuralNet):
    """A skorch net whose mini-batches bring their targets as rows of a table.

    An epoch is skorch's, but that callbacks are asked about mini-batches only where they listen,
    and losses are read off the device once an epoch. Where a callback wants to hear of
    each mini-batch, skorch's own epoch runs.

    Parameters
    ----------
    *args, **kwargs : Any
        As skorch.NeuralNet takes them.
    criterion_valid : callable
        Loss of the validation rows, called as the criterion.
    augmentation : callable or None, default=None
        ``augmentation(features, generator)`` → features, for each mini-batch of training.
    generator : torch.Generator or None, default=None
        The augmentation's random numbers.
    precision : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Numbers of the forward pass; half precision is mixed with float32 by autocast, and float16
        scales the loss.
    """

    def __init__(
        self,
        *args: Any,
        criterion_valid: Any = None,
        augmentation: Augment | None = None,
        generator: torch.Generator | None = None,
        precision: str = "float32",
        **kwargs: Any,
    ) -> None:
        # before skorch's constructor, after which it takes modules for parts of the network
        self.criterion_valid = criterion_valid
        self.augmentation = augmentation
        self.generator = generator
        self.precision = precision
        super().__init__(*args, **kwargs)

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer())]

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> StudentNet:
        """Build the optimiser, and what scales the loss for it.

        Parameters
        ----------
        *args, **kwargs : Any
            As skorch takes them.

        Returns
        -------
        StudentNet
            The net.
        """
        super().initialize_optimizer(*args, **kwargs)
        # for float16 alone: its gradients underflow
        enabled = self.precision == "float16"
        self.scaler_ = torch.amp.GradScaler(self._device_type, enabled=enabled)
        return self

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return the rows to predict for; skorch's ``predict`` takes arrays too.

        Parameters
        ----------
        X : RowTensors, Dataset, ndarray or Tensor
            Features.
        y : Any
            As skorch takes it.

        Returns
        -------
        Dataset
            The rows.
        """
        if y is not None or not isinstance(X, (np.ndarray, Tensor)):
            return super().get_dataset(X, y)
        weights = next(self.module_.parameters())
        return RowTensors(torch.as_tensor(X).to(weights.dtype))

    def get_loss(
        self, y_pred: Any, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the training loss, or in validation that of the labels.

        Parameters
        ----------
        y_pred : Tensor or tuple of Tensor
            What the module gave.
        y_true : Tensor of shape (n_rows, n_columns)
            Rows of the loss's table.
        X : Tensor
            Not looked at.
        training : bool
            Whether this is a training step.

        Returns
        -------
        Tensor of shape ()
            The loss.
        """
        table = to_device(y_true, self.device)
        loss: Tensor = (
            self.criterion_(y_pred, table)
            if training
            else self.criterion_valid(scores_of(y_pred), table)
        )
        return loss

    def augmented(self, features: Any) -> Any:
        """Return the features of a training batch, augmented where that is wanted.

        Parameters
        ----------
        features : Tensor
            Features.

        Returns
        -------
        Tensor
            Features of the same rows.
        """
        if self.augmentation is None:
            return features
        assert self.generator is not None
        augmented = self.augmentation(to_device(features, self.device), self.generator)
        shape = getattr(augmented, "shape", ())
        if shape[:1] != features.shape[:1]:
            raise ValueError(
                f"augmentation gave {type(augmented).__name__} of shape {tuple(shape)} for "
                f"features of shape {tuple(features.shape)}: it must give each row back"
            )
        return augmented

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the module on a mini-batch, in the precision asked for.

        Parameters
        ----------
        x : Tensor
            Features.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        Tensor or tuple of Tensor
            What the module gives.
        """
        with self._autocast():
            return super().infer(x, **fit_params)

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute loss and gradients of a mini-batch.

        Parameters
        ----------
        batch : tuple
            Features and rows of the table.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred``.
        """
        if not self.module_.training:  # a callback may have predicted in between
            self._set_training(True)
        features, table = unpack_data(batch)
        y_pred = self.infer(self.augmented(features), **fit_params)
        loss = self.get_loss(y_pred, table, training=True)
        self.scaler_.scale(loss).backward()
        if self.scaler_.is_enabled():
            self.scaler_.unscale_(self.optimizer_)
        return {"loss": loss, "y_pred": y_pred}

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Make one step of the optimiser.

        Parameters
        ----------
        batch : tuple
            Features and rows of the table.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred`` at the weights before the step.
        """
        steps: list[dict[str, Any]] = []

        def closure() -> Tensor:
            self.optimizer_.zero_grad()
            steps.append(self.train_step_single(batch, **fit_params))
            for callback in self._listeners("on_grad_computed"):
                callback.on_grad_computed(
                    self, named_parameters=list(self.get_all_learnable_params()), batch=batch
                )
            loss: Tensor = steps[-1]["loss"]
            return loss

        self.make_step(closure)
        return steps[0]

    def make_step(self, closure: Callable[[], Tensor]) -> None:
        """Step the optimiser along the gradients.

        Parameters
        ----------
        closure : callable
            Computes them; some optimisers call it several times.
        """
        if not self.scaler_.is_enabled():
            self.optimizer_.step(closure)
            return
        closure()
        self.scaler_.step(self.optimizer_)
        self.scaler_.update()

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Make one pass over the mini-batches.

        Parameters
        ----------
        iterator : iterable or None
            The mini-batches; None is no pass.
        training : bool
            Whether to train.
        prefix : str
            What the loss is called in the history.
        step_fn : callable
            What to do with a mini-batch.
        **fit_params : dict
            Further arguments of the module.
        """
        if iterator is None:
            return
        self._set_training(training)
        if any(map(self._listeners, ("on_batch_begin", "on_batch_end"))):
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            losses = self.history[-1, "batches", :, prefix + "_loss"]
            sizes = self.history[-1, "batches", :, prefix + "_batch_size"]
            self.history.record(prefix + "_loss", _weighted_mean(losses, sizes))
            return
        losses, sizes = [], []
        for batch in iterator:
            losses.append(step_fn(batch, **fit_params)["loss"].detach())
            sizes.append(len(batch[1]))
        self.history.record(prefix + "_loss", _weighted_mean(torch.stack(losses).tolist(), sizes))
        self._sum_up(prefix, sum(sizes))

    def _sum_up(self, prefix: str, n_rows: int) -> None:
        """Record the pass as one mini-batch, for callbacks that look for some."""
        self.history.new_batch()
        self.history.record_batch(prefix + "_loss", self.history[-1, prefix + "_loss"])
        self.history.record_batch(prefix + "_batch_size", n_rows)

    def close(self) -> None:
        """Let go of what only a training needs; here nothing."""

    def _listeners(self, hook: str) -> list[Callback]:
        """Return the callbacks that do something at a hook."""
        nothing = getattr(Callback, hook)
        return [cb for _, cb in self.callbacks_ if getattr(type(cb), hook) is not nothing]

    @property
    def _device_type(self) -> str:
        """The kind of device; an accelerator, which has its own, leaves None."""
        return "cpu" if self.device is None else torch.device(self.device).type

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision not in _PRECISIONS:
            return nullcontext()
        return torch.autocast(self._device_type, _PRECISIONS[self.precision])


def _weighted_mean(values: Iterable[float], weights: Iterable[float]) -> float:
    pairs = list(zip(values, weights, strict=True))
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
