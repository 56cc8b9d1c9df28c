"""The skorch net that trains a student, without the overhead of skorch's loop per mini-batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from skorch.dataset import Dataset as SkorchDataset
from skorch.utils import to_device, to_tensor
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets._callbacks import GradientClipping
from sklearn_distill.nets._closed_form import closed_form_steps, has_closed_form
from sklearn_distill.nets._embedding import Projection, WithEmbedding
from sklearn_distill.nets._inputs import (
    Inputs,
    NamedInputs,
    ToInput,
    call_network,
    n_rows_of,
    tensors_of,
)
from sklearn_distill.nets._live_teacher import LiveTeacher, name_teacher_in_errors
from sklearn_distill.nets._loader import Observer, RowTensors, TensorLoader
from sklearn_distill.nets._loss_parts import LossParts
from sklearn_distill.nets._mixing import Mixing, read_mixing
from sklearn_distill.nets._predictions import NumberPredictions, Predictions
from sklearn_distill.nets._seen import seen_by

Augment = Callable[[Tensor, torch.Generator], Any]

_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class StudentNet(NeuralNet):
    """A skorch net whose mini-batches have their targets as rows of a table.

    An epoch does what skorch's does, but only notifies callbacks of mini-batches if they implement
    a hook, and copies the losses from the device once per epoch. If a callback has a hook for the
    begin or end of a mini-batch, skorch's own epoch runs.

    Callbacks see what skorch's own nets show them: labels as y, and a net that predicts labels and
    probabilities.

    ``module_`` is the network itself, and its names are those of its weights. What only the
    training needs is around it: the projection to a teacher's embedding, ``projection_``, and the
    wrappers of torch.compile and of distributed training.

    Parameters
    ----------
    *args, **kwargs : Any
        Arguments of skorch.NeuralNet.
    criterion_valid : callable, default=None
        Loss of the validation rows, called like the criterion.
    augmentation : callable or None, default=None
        ``augmentation(features, generator)`` → features, or features, permutation and weight of a
        mixture, for each training mini-batch.
    generator : torch.Generator or None, default=None
        Random generator of the augmentation.
    precision : {"float32", "float64", "bfloat16", "float16"}, default="float32"
        Precision of the forward pass. The half precisions are mixed with float32 by autocast;
        float16 also scales the loss.
    projection : Projection or None, default=None
        Projection of hidden representations to a teacher's embedding; the criterion then gets
        (scores, embedding).
    predictions : ClassPredictions or NumberPredictions
        What the net predicts, from the scores.
    metaparameters : dict of str to float or None, default=None
        λ and T by name, for the history.
    """

    def __init__(
        self,
        *args: Any,
        criterion_valid: Any = None,
        augmentation: Augment | None = None,
        generator: torch.Generator | None = None,
        precision: str = "float32",
        projection: Projection | None = None,
        predictions: Predictions,
        metaparameters: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        # before skorch's constructor: later, it would register modules as parts of the network
        self.criterion_valid = criterion_valid
        self.augmentation = augmentation
        self.generator = generator
        self.precision = precision
        self.projection = projection
        self.predictions = predictions
        self.metaparameters: dict[str, float] = dict(metaparameters or {})
        self.loss_parts: LossParts | None = None
        self.train_rows: Any = None  # the data set, during a training
        self.reads_integers = False  # of arrays that are passed to the net itself
        super().__init__(*args, **kwargs)
        self.observer: Observer | None = None  # during the training on a Dataset
        self.teacher: LiveTeacher | None = None  # during a training

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer())]

    def initialize_module(self) -> StudentNet:
        """Set the network, and the projection beside it.

        Returns
        -------
        StudentNet
            The net itself.
        """
        super().initialize_module()
        if self.projection is not None:
            self.projection_ = self.projection
        return self

    def torch_compile(self, module: nn.Module, name: str) -> nn.Module:
        """Return the module as it is: :attr:`trainee` is compiled instead.

        Parameters
        ----------
        module : Module
            A module of the net.
        name : str
            Its name.

        Returns
        -------
        Module
            The module itself.
        """
        return module

    def get_all_learnable_params(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters by name; those of the projection begin with ``projection``.

        Yields
        ------
        tuple of (str, Parameter)
            Name and parameter.
        """
        yield from self.module_.named_parameters()
        if self.projection is not None:
            yield from self.projection_.named_parameters(prefix="projection")

    def weights(self) -> dict[str, Any]:
        """Return the state of the network and of the projection.

        Returns
        -------
        dict
            Their tensors, which the next step changes.
        """
        state: dict[str, Any] = {"module": self.module_.state_dict()}
        if self.projection is not None:
            state["projection"] = self.projection_.state_dict()
        return state

    def load_weights(self, state: dict[str, Any]) -> None:
        """Set the state of the network and of the projection.

        Parameters
        ----------
        state : dict
            What :meth:`weights` returned.
        """
        self.module_.load_state_dict(state["module"])
        if self.projection is not None:
            self.projection_.load_state_dict(state["projection"])

    @property
    def trainee(self) -> nn.Module:
        """What computes the outputs: the network, compiled and with the projection if need be."""
        if self.__dict__.get("_trainee") is None:
            # not by setattr, with which skorch would register it as one more module
            self.__dict__["_trainee"] = self._make_trainee()
        trainee: nn.Module = self.__dict__["_trainee"]
        return trainee

    def _make_trainee(self) -> nn.Module:
        trainee: nn.Module = self.module_
        if self.projection is not None:
            trainee = WithEmbedding(self.module_, self.projection_)
        return cast("nn.Module", torch.compile(trainee)) if self.compile else trainee

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        state.pop("_trainee", None)  # of the same weights, and torch cannot copy what it compiled
        return state

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
        X = X.X if isinstance(X, SkorchDataset) else X  # the labels of which are not needed
        # TensorLoader, which predicts too, reads only RowTensors
        if isinstance(X, Mapping):
            to_input = ToInput(next(self.module_.parameters()).dtype)
            X = NamedInputs({name: to_input.tensor(name, part) for name, part in X.items()})
        if y is None and isinstance(X, Inputs):
            return RowTensors(X)
        if y is not None or not isinstance(X, (np.ndarray, Tensor)):
            return super().get_dataset(X, y)
        return RowTensors(self._as_tensor(X))

    def _as_tensor(self, X: NDArray[Any] | Tensor) -> Tensor:
        """Return features in the precision of the weights, or as integers if these are read."""
        values = torch.as_tensor(X)
        if self.reads_integers:
            return values.to(torch.int64)
        return values.to(next(self.module_.parameters()).dtype)

    def scores(self, X: Any) -> FloatArray:
        """Return the scores, computed batch by batch.

        Parameters
        ----------
        X : RowTensors, Dataset, ndarray or Tensor
            Features.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs)
            Scores of the network.
        """
        if isinstance(X, RowTensors) and "forward_iter" not in self.__dict__:  # nothing cached
            outputs = self._evaluate(X)
        else:
            outputs = self.forward_iter(X)
        batches = [z.double().numpy(force=True) for z in outputs]
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _evaluate(self, rows: RowTensors) -> Iterator[Tensor]:
        """Yield scores, as :meth:`evaluation_step`, but without its work for each mini-batch."""
        if any(part.training for part in self.module_.modules()):
            self._set_training(False)
        size = self.iterator_valid__batch_size
        is_batch = isinstance(rows.features, Tensor) and len(rows) <= size
        with torch.no_grad():
            for batch in [rows] if is_batch else TensorLoader(rows, size):
                outputs = self.infer(batch.features)
                yield outputs[0] if isinstance(outputs, tuple) else outputs

    def predict(self, X: Any) -> NDArray[Any]:
        """Return labels, or the predictions of a regressor.

        Parameters
        ----------
        X : RowTensors, Dataset, ndarray or Tensor
            Features.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Predictions.
        """
        return self.predictions.predict(self.scores(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Return probabilities; the predictions of a regressor, as skorch's do.

        Parameters
        ----------
        X : RowTensors, Dataset, ndarray or Tensor
            Features.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Probabilities at temperature 1.
        """
        return self.predictions.predict_proba(self.scores(X))

    def score(self, X: Any, y: Any) -> float:
        """Return the accuracy, or R² of a regressor.

        Parameters
        ----------
        X : RowTensors, Dataset, ndarray or Tensor
            Features.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Labels.

        Returns
        -------
        float
            The score.
        """
        return self.predictions.score(y, self.predict(X))

    @property
    def classes_(self) -> Any:
        """Class labels, of a classifier only; a list of those of each of several labels."""
        if not isinstance(self.predictions, NumberPredictions):
            return self.predictions.classes
        raise AttributeError("classes_: the net of a regressor has none")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        self.predictions.set_tags(tags)
        return tags

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call a hook of the net and of its callbacks, which see labels as y.

        Parameters
        ----------
        method_name : str
            Name of the hook.
        **cb_kwargs : dict
            Its arguments.
        """
        getattr(self, method_name)(self, **cb_kwargs)
        for name, callback in self.callbacks_:
            seen = seen_by(name, callback, method_name, cb_kwargs, self.use_caching)
            if seen is not None:
                getattr(callback, method_name)(self, **seen)

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
        criterion = self.criterion_ if training else self.criterion_valid
        loss: Tensor = criterion(y_pred, table)
        return loss

    def augmented(self, features: Any) -> tuple[Any, Mixing | None]:
        """Return the augmented features of a training mini-batch.

        Parameters
        ----------
        features : Tensor of shape (n_rows, ...)
            Features of the mini-batch.

        Returns
        -------
        features : Tensor of shape (n_rows, ...)
            Augmented features; `features` itself if there is no augmentation.
        mixing : Mixing or None
            How the targets are mixed; None if they are not.
        """
        if self.augmentation is None:
            return features, None
        generator: Any = self.__dict__.get("augmentation_generator", self.generator)
        augmented = self.augmentation(to_device(features, self.device), generator)
        mixing = None
        if isinstance(augmented, tuple):
            augmented, mixing = read_mixing(augmented)
        _check_every_row(features, augmented)
        return augmented, mixing

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
            Scores; in training with a projection also the approximation of the embedding.
        """
        if not (self.device == "cpu" and isinstance(x, Tensor) and x.is_cpu):
            x = to_tensor(x, device=self.device)
        if self.precision not in _PRECISIONS:
            return call_network(self.trainee, x, **fit_params)
        with self._autocast():
            return call_network(self.trainee, x, **fit_params)

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
        features, table = batch[:2]
        features, mixing = self.augmented(features)
        predictions = self._predict_by_teacher(features, mixing)
        y_pred = self.infer(features, **fit_params)
        table = to_device(table, self.device)
        with_predictions = partial(self._with_predictions, predictions=predictions)
        if mixing is None:
            loss = self.get_loss(y_pred, with_predictions(table), training=True)
        else:
            loss = mixing.loss(self.criterion_, y_pred, table, with_predictions)
            self.loss_parts = None  # which are those of single labels
        self._backward_loss(loss)
        scores = y_pred[0] if self.projection is not None else y_pred
        return {"loss": loss, "y_pred": scores, "predictions": predictions}

    def _predict_by_teacher(self, features: Any, mixing: Mixing | None = None) -> Tensor | None:
        """Return the predictions of a live teacher for augmented features."""
        if self.teacher is None:
            return None
        with name_teacher_in_errors():
            predictions = self.teacher(to_device(features, self.device))
        # a mixed row has two labels, which show nothing about the order of the columns
        if mixing is None and self.observer is not None:
            self.observer.see(predictions)
        return predictions

    def _with_predictions(self, table: Tensor, predictions: Tensor | None) -> Tensor:
        """Return rows of the table with the predictions of a live teacher."""
        if predictions is None:
            return table
        return torch.cat([predictions.to(table.dtype), table], dim=1)

    def _backward_loss(self, loss: Tensor) -> None:
        """Compute the gradients."""
        self.scaler_.scale(loss).backward()
        if self.scaler_.is_enabled():  # before on_grad_computed, which may clip the gradients
            self.scaler_.unscale_(self.optimizer_)

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
            self._notify_gradient(batch)
            loss: Tensor = steps[-1]["loss"]
            return loss

        self.make_step(closure)
        self._after_step()
        return steps[0]  # of the first evaluation, which is at the weights before the step

    def _notify_gradient(self, batch: Any) -> None:
        if self._callbacks_with("on_grad_computed"):
            named_parameters = list(self.get_all_learnable_params())
            self.notify("on_grad_computed", named_parameters=named_parameters, batch=batch)

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
        iterator.with_labels = self._labels_are_read()
        if any(map(self._callbacks_with, ("on_batch_begin", "on_batch_end"))):
            steps = self._notifying_steps(iterator, training, prefix, step_fn, **fit_params)
        else:
            steps = self._steps(iterator, training, step_fn, **fit_params)
        # on the device: reading a loss there waits for the mini-batch
        kept = [(loss.detach(), size) for loss, size in steps]
        if not kept:
            raise ValueError(
                f"the data gave no mini-batch in epoch {len(self.history)}: a Dataset must begin "
                "anew in each epoch (its __iter__ must return a new iterator), and have as many "
                "items as a mini-batch with drop_last=True; or set max_epochs=1"
            )
        losses, sizes = zip(*kept, strict=True)
        self._record_loss(prefix, self._mean_loss(torch.stack(losses), sizes))
        if training:
            self._record_state()
            if self.observer is not None:
                self.observer.end_epoch()
        # the pass as one mini-batch, for callbacks that read the history of mini-batches
        if (
            not self.history[-1]["batches"]
            or prefix + "_loss" not in self.history[-1]["batches"][-1]
        ):
            self.history.new_batch()
            self.history.record_batch(prefix + "_loss", self.history[-1, prefix + "_loss"])
            self.history.record_batch(prefix + "_batch_size", sum(sizes))

    def _observed(self, batches: Any, training: bool) -> Iterator[Any]:
        """Yield mini-batches with the columns of their tables that the loss reads."""
        for batch in batches:
            if training and self.observer is not None:
                yield batch._replace(table=self.observer(batch.table))
            else:
                yield batch

    def _steps(
        self, iterator: Any, training: bool, step_fn: Any, **fit_params: Any
    ) -> Iterator[tuple[Tensor, int]]:
        """Yield loss and size of each mini-batch, or of several together."""
        batches = self._observed(iterator, training)
        if training and type(self) is StudentNet and has_closed_form(self):
            yield from closed_form_steps(self, batches)
            return
        for batch in batches:
            yield self._step(batch, training, step_fn, **fit_params)["loss"], batch.size

    def _step(self, batch: Any, training: bool, step_fn: Any, **fit_params: Any) -> dict[str, Any]:
        """Make a step, and add what it shows of the parts of the training loss."""
        step: dict[str, Any] = step_fn(batch, **fit_params)
        if training and self.loss_parts is not None:
            self.loss_parts.add(step["y_pred"], batch, step.get("predictions"))
        return step

    def _record_state(self) -> None:
        """Record the parts of the loss, λ, T and the learning rate of an epoch."""
        if self.loss_parts is not None:
            label, n_label, teacher, n_teacher = self._sum(self.loss_parts.take_sums()).tolist()
            for name, total, weight in (
                ("label_loss", label, n_label),
                ("teacher_loss", teacher, n_teacher),
            ):
                if weight > 0:
                    self.history.record(name, total / weight)
        for name, value in self.metaparameters.items():
            self.history.record(name, value)
        self.history.record("lr", self.optimizer_.param_groups[0]["lr"])

    def _sum(self, sums: Tensor) -> Tensor:
        """Return sums over the rows of all processes."""
        return sums

    def n_steps(self, n_epochs: int) -> int:
        """Return the number of steps of a training.

        Parameters
        ----------
        n_epochs : int
            Number of epochs.

        Returns
        -------
        int
            Number of steps.
        """
        return n_epochs * len(self.get_iterator(self.train_rows, training=True))

    def _after_step(self) -> None:
        """Tell the schedules that a step was made."""
        for _, callback in self.callbacks_:
            if hasattr(callback, "on_step"):
                callback.on_step(self)

    def _notifying_steps(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> Iterator[tuple[Tensor, int]]:
        """Yield loss and size of each mini-batch, and call the hooks of callbacks around it."""
        n_batches = 0
        for batch in self._observed(iterator, training):
            self.notify("on_batch_begin", batch=batch, training=training)
            step = self._step(batch, training, step_fn, **fit_params)
            self.history.record_batch(prefix + "_loss", step["loss"].item())
            self.history.record_batch(prefix + "_batch_size", batch.size)
            self.notify("on_batch_end", batch=batch, training=training, **step)
            n_batches += 1
            yield step["loss"], batch.size
        self.history.record(prefix + "_batch_count", n_batches)

    def _mean_loss(self, losses: Tensor, sizes: Sequence[int]) -> float:
        """Return the mean over the rows of all mini-batches."""
        return _weighted_mean(losses.tolist(), sizes)

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes files and shows progress."""
        return True

    def wait(self) -> None:
        """Wait for other processes; there are none."""

    def _record_loss(self, prefix: str, loss: float) -> None:
        """Record the loss of an epoch, and whether it is the lowest so far."""
        # skorch's PassthroughScoring callback, which this net leaves out, would do this
        name = prefix + "_loss"
        before = [epoch[name] for epoch in self.history[:-1] if name in epoch]
        self.history.record(name, loss)
        self.history.record(name + "_best", bool(loss < min(before, default=float("inf"))))

    def _labels_are_read(self) -> bool:
        """Return whether a callback gets mini-batches, with their labels."""
        hooks = ("on_batch_begin", "on_batch_end", "on_grad_computed")
        readers = [cb for hook in hooks for cb in self._callbacks_with(hook)]
        return not all(isinstance(cb, GradientClipping) for cb in readers)

    def validation_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Compute scores and loss of a mini-batch of validation.

        Parameters
        ----------
        batch : Batch
            Features and rows of the table.
        **fit_params : dict
            Further arguments of the module.

        Returns
        -------
        dict
            ``loss`` and ``y_pred``.
        """
        self._set_training(False)
        with torch.no_grad():
            y_pred = self.infer(batch.features, **fit_params)
            return {"loss": self.get_loss(y_pred, batch.table), "y_pred": y_pred}

    def evaluation_step(self, batch: Any, training: bool = False) -> Tensor:
        """Compute the scores of a mini-batch for prediction.

        Parameters
        ----------
        batch : tuple
            Features, and what is not used.
        training : bool, default=False
            Whether the module is in training mode.

        Returns
        -------
        Tensor
            The scores.
        """
        self.check_is_fitted()
        with torch.set_grad_enabled(training):
            self._set_training(training)
            outputs = self.infer(batch[0])
            scores: Tensor = outputs[0] if isinstance(outputs, tuple) else outputs
            return scores

    def close(self) -> None:
        """Release what only the training needs."""
        self.loss_parts = self.train_rows = self.teacher = None

    def _callbacks_with(self, hook: str) -> list[Callback]:
        """Return the callbacks that implement a hook."""
        base = getattr(Callback, hook)
        return [cb for _, cb in self.callbacks_ if getattr(type(cb), hook) is not base]

    @property
    def _device_type(self) -> str:
        """The type of the device; "cpu" with an accelerator, for which ``device`` is None."""
        return "cpu" if self.device is None else torch.device(self.device).type

    def _autocast(self) -> AbstractContextManager[Any]:
        return autocast(self.precision, self._device_type)


def autocast(precision: str, device_type: str) -> AbstractContextManager[Any]:
    """Return the context of a forward pass.

    Parameters
    ----------
    precision : {"float32", "float64", "bfloat16", "float16"}
        Precision; the half precisions are mixed with float32.
    device_type : str
        Type of the device.

    Returns
    -------
    context manager
        torch's autocast, or nothing.
    """
    if precision not in _PRECISIONS:
        return nullcontext()
    return torch.autocast(device_type, _PRECISIONS[precision])


def _check_every_row(features: Any, augmented: Any) -> None:
    """Require rows of an augmentation for all rows that it was given."""
    if isinstance(features, dict) and not isinstance(augmented, dict):
        raise ValueError(
            f"augmentation gave {type(augmented).__name__} for features by the names "
            f"{list(features)}: it must return a dict"
        )
    for part in tensors_of(augmented):
        shape = getattr(part, "shape", ())
        if tuple(shape[:1]) != (n_rows_of(features),):
            shapes = [tuple(tensor.shape) for tensor in tensors_of(features)]
            raise ValueError(
                f"augmentation gave {type(part).__name__} of shape {tuple(shape)} for features of "
                f"shape {shapes[0] if len(shapes) == 1 else shapes}: it must return every row"
            )


def _weighted_mean(values: Iterable[float], weights: Iterable[float]) -> float:
    pairs = list(zip(values, weights, strict=True))
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)
