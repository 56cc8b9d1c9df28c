"""The skorch net that trains a student, without the overhead of skorch's loop per mini-batch."""

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
from sklearn_distill.nets._loader import Observer, RowTensors

Augment = Callable[[Tensor, torch.Generator], Tensor]

_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class StudentNet(NeuralNet):
    """A skorch net whose mini-batches have their targets as rows of a table.

    An epoch does what skorch's does, but only notifies callbacks of mini-batches if they implement
    a hook, and copies the losses from the device once per epoch. If a callback has a hook for the
    begin or end of a mini-batch, skorch's own epoch runs.

    Parameters
    ----------
    *args, **kwargs : Any
        Arguments of skorch.NeuralNet.
    criterion_valid : callable, default=None
        Loss of the validation rows, called like the criterion.
    augmentation : callable or None, default=None
        ``augmentation(features, generator)`` → features, for each training mini-batch.
    generator : torch.Generator or None, default=None
        Random generator of the augmentation.
    precision : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Precision of the forward pass. The half precisions are mixed with float32 by autocast;
        float16 also scales the loss.
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
        # before skorch's constructor: later, it would register modules as parts of the network
        self.criterion_valid = criterion_valid
        self.augmentation = augmentation
        self.generator = generator
        self.precision = precision
        super().__init__(*args, **kwargs)
        self.observer: Observer | None = None  # during the training on a Dataset

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer())]

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> StudentNet:
        """Build the optimiser and the scaler of the loss.

        Parameters
        ----------
        *args, **kwargs : Any
            Arguments of skorch's method.

        Returns
        -------
        StudentNet
            The net itself.
        """
        super().initialize_optimizer(*args, **kwargs)
        # gradients in float16 underflow without scaling; bfloat16 has the range of float32
        enabled = self.precision == "float16"
        self.scaler_ = torch.amp.GradScaler(self._device_type, enabled=enabled)
        return self

    def get_dataset(self, X: Any, y: Any = None) -> Any:
        """Return the data set to iterate over, converting arrays for skorch's ``predict``.

        Parameters
        ----------
        X : RowTensors, Dataset, ndarray or Tensor
            Features, or a data set with features and table.
        y : Any, default=None
            Targets, which are passed on to skorch.

        Returns
        -------
        Dataset
            The data set, with features in the precision of the weights.
        """
        # TensorLoader, which predicts too, reads only RowTensors
        if y is not None or not isinstance(X, (np.ndarray, Tensor)):
            return super().get_dataset(X, y)
        weights = next(self.module_.parameters())
        return RowTensors(torch.as_tensor(X).to(weights.dtype))

    def get_loss(
        self, y_pred: Any, y_true: Tensor, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the training loss, or the validation loss of the labels.

        Parameters
        ----------
        y_pred : Tensor or tuple of Tensor
            Output of the module.
        y_true : Tensor of shape (n_rows, n_columns)
            The mini-batch's rows of the table.
        X : Tensor, default=None
            Ignored; skorch passes it.
        training : bool, default=False
            Whether to return the training loss.

        Returns
        -------
        Tensor of shape ()
            The mean loss of the mini-batch.
        """
        table = to_device(y_true, self.device)
        loss: Tensor = (
            self.criterion_(y_pred, table)
            if training
            else self.criterion_valid(scores_of(y_pred), table)
        )
        return loss

    def augmented(self, features: Any) -> Any:
        """Return the augmented features of a training mini-batch.

        Parameters
        ----------
        features : Tensor of shape (n_rows, ...)
            Features of the mini-batch.

        Returns
        -------
        Tensor of shape (n_rows, ...)
            Augmented features; `features` itself if there is no augmentation.
        """
        if self.augmentation is None:
            return features
        assert self.generator is not None
        augmented = self.augmentation(to_device(features, self.device), self.generator)
        shape = getattr(augmented, "shape", ())
        if shape[:1] != features.shape[:1]:
            raise ValueError(
                f"augmentation gave {type(augmented).__name__} of shape {tuple(shape)} for "
                f"features of shape {tuple(features.shape)}: it must return every row"
            )
        return augmented

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the module on a mini-batch, with autocast for half precision.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Features of the mini-batch.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        Tensor or tuple of Tensor
            Output of the module.
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
        if self.scaler_.is_enabled():  # before on_grad_computed, which may clip the gradients
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
        if self.observer is not None:
            features, table = unpack_data(batch)
            batch = features, self.observer(table)

        def closure() -> Tensor:
            self.optimizer_.zero_grad()
            steps.append(self.train_step_single(batch, **fit_params))
            for callback in self._callbacks_with("on_grad_computed"):
                callback.on_grad_computed(
                    self, named_parameters=list(self.get_all_learnable_params()), batch=batch
                )
            loss: Tensor = steps[-1]["loss"]
            return loss

        self.make_step(closure)
        return steps[0]  # of the first evaluation, which is at the weights before the step

    def make_step(self, closure: Callable[[], Tensor]) -> None:
        """Step the optimiser.

        Parameters
        ----------
        closure : callable
            Computes the loss and its gradients; some optimisers call it several times.
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
            The mini-batches; None, without validation rows, does nothing.
        training : bool
            Whether the module is in training mode.
        prefix : {"train", "valid"}
            Prefix of the loss's name in the history.
        step_fn : callable
            Training or validation step for a mini-batch.
        **fit_params : dict
            Further arguments of the module.
        """
        if iterator is None:
            return
        self._set_training(training)
        self._run_batches(iterator, training, prefix, step_fn, **fit_params)
        if training and self.observer is not None:
            self.observer.end_epoch()

    def _run_batches(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        if any(map(self._callbacks_with, ("on_batch_begin", "on_batch_end"))):
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            losses = self.history[-1, "batches", :, prefix + "_loss"]
            sizes = self.history[-1, "batches", :, prefix + "_batch_size"]
            # skorch's PassthroughScoring callback, which this net leaves out, would do this
            self.history.record(prefix + "_loss", _weighted_mean(losses, sizes))
            return
        losses, sizes = [], []  # on the device: reading a loss there waits for the mini-batch
        for batch in iterator:
            losses.append(step_fn(batch, **fit_params)["loss"].detach())
            sizes.append(len(batch[1]))
        self.history.record(prefix + "_loss", _weighted_mean(torch.stack(losses).tolist(), sizes))
        # the pass as one mini-batch, for callbacks that read the history of mini-batches
        self.history.new_batch()
        self.history.record_batch(prefix + "_loss", self.history[-1, prefix + "_loss"])
        self.history.record_batch(prefix + "_batch_size", sum(sizes))

    def close(self) -> None:
        """Release what only the training needs; nothing for this net."""

    def _callbacks_with(self, hook: str) -> list[Callback]:
        """Return the callbacks that implement a hook."""
        base = getattr(Callback, hook)
        return [cb for _, cb in self.callbacks_ if getattr(type(cb), hook) is not base]

    @property
    def _device_type(self) -> str:
        """The type of the device; "cpu" with an accelerator, for which ``device`` is None."""
        return "cpu" if self.device is None else torch.device(self.device).type

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.precision not in _PRECISIONS:
            return nullcontext()
        return torch.autocast(self._device_type, _PRECISIONS[self.precision])


def _weighted_mean(values: Iterable[float], weights: Iterable[float]) -> float:
    pairs = list(zip(values, weights, strict=True))
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
