"""Training of a neural student: from its network, data and parameters to a trained skorch net."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from textwrap import shorten
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch import nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.augmentation._generator import with_generator
from sklearn_distill.nets._bilevel import BilevelNet
from sklearn_distill.nets._callbacks import (
    BestWeights,
    Divergence,
    GradientClipping,
    LearningRateSchedule,
    ProgressBar,
    ValidationScore,
    is_early_stop,
)
from sklearn_distill.nets._checkpoint import Checkpoint
from sklearn_distill.nets._inputs import (
    ItemRows,
    Items,
    call_network,
    features_of,
    first_rows,
    map_tensors,
)
from sklearn_distill.nets._live_loss import LiveSquaredLoss
from sklearn_distill.nets._loader import RowTensors, Stream, TensorLoader, as_tensor
from sklearn_distill.nets._loss_parts import ClassLossParts, LossParts, SquaredLossParts
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets._patterns import check_patterns
from sklearn_distill.nets._share import Share
from sklearn_distill.nets.device import resolve_device
from sklearn_distill.nets.losses import SquaredLoss
from sklearn_distill.students._neural_callbacks import without_switched_off
from sklearn_distill.students._neural_inputs import Features, read_features
from sklearn_distill.students._neural_network import (
    Parts,
    copy_parts,
    new_network,
    previous_network,
    random_stream,
)
from sklearn_distill.students._neural_params import NeuralParams
from sklearn_distill.students._neural_targets import NeuralTargets

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
BATCH_NORMS = nn.modules.batchnorm._BatchNorm  # that of one to three dimensions, and of processes
VALIDATION_BATCH = 1024  # larger than in training: without gradients more rows fit into memory
N_CHECKED = 64  # rows whose scores must be finite after a training


def features_as_tensor(X: Any, dtype: torch.dtype) -> Any:
    """Return an array as a tensor, of integers if it holds these; other features as they are."""
    if not isinstance(X, np.ndarray):
        return X
    return as_tensor(X, torch.int64 if X.dtype.kind == "i" else dtype)


def row_tensors(
    X: Features, table: FloatArray, labels: NDArray[Any] | None, dtype: torch.dtype
) -> RowTensors:
    """Return features and the table of the loss as tensors, with the labels for callbacks."""
    return RowTensors(features_as_tensor(X, dtype), as_tensor(table, dtype), labels)


def predict_scores(net: StudentNet, X: Features, dtype: torch.dtype) -> FloatArray:
    """Return the scores of a trained net, computed batch by batch."""
    X = X.for_prediction() if isinstance(X, ItemRows) else X
    return net.scores(RowTensors(features_as_tensor(X, dtype)))


def predict_stream(estimator: NeuralParams, dataset: Any) -> FloatArray:
    """Return the scores of the items of an IterableDataset, read batch by batch."""
    given = estimator.batch_size
    size = VALIDATION_BATCH if isinstance(given, str) else max(VALIDATION_BATCH, given)
    items, scores = iter(dataset), []
    while batch := [features_of(item) for item in islice(items, size)]:
        rows = read_features(estimator, Items(batch), reset=False)
        scores.append(predict_scores(estimator.net_, rows, estimator._dtype))
    if not scores:
        raise ValueError("X is a Dataset without any items: pass at least one")
    return np.concatenate(scores)


@dataclass(frozen=True)
class Trained:
    """A trained net and torch's random state at the end, from which a warm start continues.

    Parameters
    ----------
    net : StudentNet
        The net with the network, its optimiser and its history.
    torch_rng : Tensor
        State of torch's global generator, from which dropout draws.
    architecture : dict
        Descriptions of the parameters that the network was built with.
    reads_integers : bool, default=True
        Whether the network reads integers of X as they are, as token ids; otherwise as floats.
    """

    net: StudentNet
    torch_rng: torch.Tensor
    architecture: dict[str, str]
    reads_integers: bool = True

    def identity(self) -> tuple[dict[str, torch.Tensor], int]:
        """Return what a training that continues from here depends on: weights, epochs so far."""
        return self.net.weights(), len(self.net.history)


def train_network(
    estimator: NeuralParams,
    targets: NeuralTargets,
    train_data: RowTensors | Stream,
    validation_data: RowTensors | None,
    *,
    seed: int,
    n_epochs: int,
    checkpoint: Checkpoint | None = None,
    previous: Trained | None = None,
) -> Trained:
    """Train a new network, or continue a previous training."""
    # for the order of the rows and augmentation; torch's global one is for weights and dropout
    generator = torch.Generator().manual_seed(seed)
    sample, reads_integers = first_rows(train_data.features, 2), True
    if previous is None:
        parts, torch_rng, reads_integers = new_network(estimator, targets, sample, seed)
    else:
        _check_same_architecture(estimator._architecture(), previous.architecture)
        parts, torch_rng = previous_network(
            estimator, targets, sample, previous.net, previous.torch_rng
        )
    if not reads_integers:
        train_data = train_data.with_floats(estimator._dtype)
        if validation_data is not None:
            validation_data = validation_data.with_floats(estimator._dtype)
    with random_stream(torch_rng):
        net = _make_net(
            estimator, parts, targets, generator, train_data, checkpoint, validation_data
        )
        if previous is not None:
            _restore_state(net, previous.net)
        _run_epochs(net, targets, train_data, validation_data, n_epochs, checkpoint)
        if estimator.accelerator is not None:
            # the accelerator wraps network and optimiser: a net without it predicts and pickles
            plain = _make_net(
                estimator, copy_parts(net), targets, generator, train_data, accelerate=False
            )
            _restore_state(plain, net)
            net = plain
        for data in (train_data, validation_data):
            if data is not None:
                _check_finite_scores(net, data.features)
        architecture = estimator._architecture()
        return Trained(net, torch.get_rng_state(), architecture, reads_integers)


def _check_same_architecture(now: dict[str, str], before: dict[str, str]) -> None:
    """Require the parameters that the network to continue with was built with."""
    for name in sorted(now.keys() | before.keys(), key=lambda name: (name != "module", name)):
        values = [described.get(name, "not set") for described in (now, before)]
        if values[0] != values[1]:
            present, previous = (shorten(value, 80, placeholder=" …") for value in values)
            raise ValueError(
                f"{name} is now {present}, and {previous} when the network was built with which "
                "warm_start=True and partial_fit continue: set it back, or train a new network by "
                "fit with warm_start=False"
            )


def _make_net(
    estimator: NeuralParams,
    parts: Parts,
    targets: NeuralTargets,
    generator: torch.Generator,
    train_data: RowTensors | Stream,
    checkpoint: Checkpoint | None = None,
    validation_data: RowTensors | None = None,
    *,
    accelerate: bool = True,
) -> StudentNet:
    """Return an initialised net with the estimator's parameters."""
    net_class, class_params = _net_class(estimator, validation_data, generator, accelerate)
    network, projection = parts
    net: StudentNet = net_class(
        network,
        projection=projection,
        predictions=estimator._predictions(),
        metaparameters=dict(targets.metaparameters),
        criterion=targets.loss,
        criterion_valid=targets.label_loss,
        optimizer=OPTIMIZERS.get(estimator.optimizer, estimator.optimizer),
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        batch_size=estimator.batch_size,
        train_split=None,
        callbacks=_make_callbacks(estimator, checkpoint),
        augmentation=_augmentation(estimator.augmentation),
        generator=generator,
        precision=estimator.precision,
        compile=estimator.compile,
        verbose=0,
        **class_params,
        **_iterator_params(
            estimator,
            train_data,
            generator,
            network,
            _share(class_params.get("accelerator")),
        ),
        **{f"optimizer__{k}": v for k, v in _optimizer_params(estimator).items()},
    )
    net.initialize()
    net.reads_integers = _are_integers(train_data.features)
    _check_step(net, estimator)
    check_patterns(net)
    return net


def _are_integers(features: Any) -> bool:
    return isinstance(features, torch.Tensor) and not features.is_floating_point()


def _optimizer_params(estimator: NeuralParams) -> dict[str, Any]:
    """Return the arguments of the optimiser: Adam in one operation, unless the user chooses."""
    params = estimator._params_for("optimizer")
    is_adam = estimator.optimizer in ("adam", "adamw")
    choices = {"fused", "foreach", "differentiable", "capturable"}
    return {"fused": True, **params} if is_adam and not choices & params.keys() else params


def _augmentation(augment: Any) -> Any:
    """Return an augmentation of features and a generator; None for none."""
    return None if augment is None else with_generator(augment)


def _check_step(net: StudentNet, estimator: NeuralParams) -> None:
    """Require an optimiser whose step needs no closure if none can be passed to it."""
    closure = inspect.signature(net.optimizer_.step).parameters.get("closure")
    needs_it = closure is not None and closure.default is closure.empty
    if needs_it and (estimator.precision == "float16" or estimator.accelerator is not None):
        raise ValueError(
            f"optimizer={estimator.optimizer!r} evaluates the loss several times a step, which "
            "neither precision='float16' nor an accelerator supports: choose another optimizer"
        )


def _net_class(
    estimator: NeuralParams,
    validation_data: RowTensors | None,
    generator: torch.Generator,
    accelerate: bool,
) -> tuple[type[StudentNet], dict[str, Any]]:
    """Return the class of the net and the arguments that only this class has."""
    if estimator.accelerator is None or not accelerate:
        params: dict[str, Any] = {"device": str(resolve_device(estimator.device))}
        if estimator.metaparameter_optimizer is None:
            return StudentNet, params
        schedule = estimator.metaparameter_optimizer.start(
            float(estimator.imitation), float(estimator.temperature)
        )
        return BilevelNet, params | {"schedule": schedule, "validation": validation_data}
    from sklearn_distill.nets._accelerated import AcceleratedStudentNet

    accelerator = estimator.accelerator
    params = {"device": str(accelerator.device), "seed": generator.initial_seed()}
    return AcceleratedStudentNet, params | {"accelerator": accelerator}


def _iterator_params(
    estimator: NeuralParams,
    train_data: RowTensors | Stream,
    generator: torch.Generator,
    network: nn.Module,
    share: Share,
) -> dict[str, Any]:
    """Return the net's arguments for reading mini-batches of training and validation."""
    # batch normalisation in training mode rejects a single row, which has no variance
    has_batch_norm = any(isinstance(layer, BATCH_NORMS) for layer in network.modules())
    return {
        "iterator_valid": TensorLoader,
        "iterator_valid__batch_size": max(VALIDATION_BATCH, estimator.batch_size),
        "iterator_train__join_single": has_batch_norm,
        "iterator_train__share": share,
        **train_data.reader(generator),
    }


def _share(accelerator: Any) -> Share:
    """Return the share that this process has of each mini-batch."""
    return Share() if accelerator is None else Share(*_process(accelerator))


def _process(accelerator: Any) -> tuple[int, int]:
    return accelerator.process_index, accelerator.num_processes


def _restore_state(net: StudentNet, previous: StudentNet) -> None:
    """Copy optimiser state, random state and history of a previous net."""
    if _optimizer_class(net) is _optimizer_class(previous):
        # the averages of the previous steps, but the present lr and optimizer__x
        state = net.optimizer_.state_dict()
        before, numbers = previous.optimizer_.state_dict()["state"], _numbers_of_params(net)
        state["state"] = {
            numbers[name]: before[number]
            for name, number in _numbers_of_params(previous).items()
            # the projection to an embedding may have gone, and new parameters have no averages
            if name in numbers and number in before
        }
        # copied, as load_state_dict may share tensors: a failed fit must not change the old net
        net.optimizer_.load_state_dict(deepcopy(state))
    net.scaler_.load_state_dict(previous.scaler_.state_dict())
    if net.generator is not None and previous.generator is not None:
        net.generator.set_state(previous.generator.get_state())
    for epoch in previous.history:
        net.history.append(dict(epoch))


def _numbers_of_params(net: StudentNet) -> dict[str, int]:
    """Return the number of each parameter, by name, in the optimiser's state."""
    names = {id(p): name for name, p in net.get_all_learnable_params()}
    params = [p for group in net.optimizer_.param_groups for p in group["params"]]
    return {names[id(p)]: number for number, p in enumerate(params)}


def _optimizer_class(net: StudentNet) -> type:
    return type(net.optimizer_)


def _run_epochs(
    net: StudentNet,
    targets: NeuralTargets,
    train_data: RowTensors | Stream,
    validation_data: RowTensors | None,
    n_epochs: int,
    checkpoint: Checkpoint | None,
) -> None:
    """Train until the last epoch or until a callback stops the training."""
    # all data are copied to the device once, not batch by batch
    device = torch.device(net.device)
    train_data = train_data.to(device)
    validation_data = None if validation_data is None else validation_data.to(device)
    net.train_split = None if validation_data is None else predefined_split(validation_data)
    net.observer, net.teacher = train_data.observer, targets.teacher
    # a warm start counts its own epochs, after those in the history
    n_before, net.max_epochs = len(net.history), n_epochs
    net.train_rows = train_data.dataset
    if targets.at_epoch is not None:  # the first, so that other callbacks see the epoch's loss
        net.callbacks_.insert(0, ("moving_targets", MovingTargets(targets.at_epoch)))
    net.loss_parts = _loss_parts(targets, train_data)
    X, y = train_data.seen()
    net.notify("on_train_begin", X=X, y=y)
    if checkpoint is not None:
        checkpoint.resume(net, n_before + n_epochs)
    try:
        # not net.fit, which would initialise network and optimiser again
        net.fit_loop(train_data.dataset, epochs=n_epochs - (len(net.history) - n_before))
    except BaseException as interruption:  # skorch's EarlyStopping raises a KeyboardInterrupt
        if not is_early_stop(net, interruption):
            raise
    finally:
        _close_progress_bars(net)
        net.close()
        # a fitted estimator keeps no data
        net.train_split = net.observer = None
        net.callbacks_ = [pair for pair in net.callbacks_ if pair[0] != "moving_targets"]
    net.notify("on_train_end", X=X, y=y)
    if checkpoint is not None:
        checkpoint.finish(net)


class MovingTargets(Callback):
    """Set λ and T of each epoch: its loss and the table that the loss reads.

    Parameters
    ----------
    at_epoch : callable
        Targets of an epoch, whose number begins with 1.
    """

    def __init__(self, at_epoch: Callable[[int], NeuralTargets]) -> None:
        self.at_epoch = at_epoch

    def on_epoch_begin(self, net: StudentNet, *_: Any, **kwargs: Any) -> None:
        """Replace loss and table."""
        targets = self.at_epoch(len(net.history))
        rows = net.train_rows
        rows.table = rows.table.new_tensor(targets.table)
        net.criterion_ = targets.loss
        net.loss_parts = _loss_parts(targets, rows)
        net.metaparameters = dict(targets.metaparameters)


def _loss_parts(targets: NeuralTargets, train_data: RowTensors | Stream) -> LossParts | None:
    """Return what separates the losses of label and teacher, None if nothing does."""
    if targets.parts is None or not isinstance(train_data, RowTensors):
        return None
    loss = targets.loss.loss if targets.n_dimensions else targets.loss
    table = train_data.table
    parts = table.new_tensor(targets.parts)
    if isinstance(loss, SquaredLoss | LiveSquaredLoss):
        return SquaredLossParts(parts)
    return ClassLossParts(parts, loss, table, targets.label_smoothing)


def _check_finite_scores(net: StudentNet, features: Any) -> None:
    """Require finite scores of the first rows: large finite weights may overflow in products."""
    network = net.module_.eval()
    device = next(network.parameters()).device
    with torch.no_grad():
        x = map_tensors(lambda part: part.to(device), first_rows(features, N_CHECKED))
        scores = call_network(network, x)
    if not scores.isfinite().all():
        raise ValueError(
            f"training diverged: after {len(net.history)} epochs the scores of the network are not "
            f"finite. Lower lr={net.lr:g}, set gradient_clip, or scale the features and, in "
            "regression, the labels"
        )


def _make_callbacks(estimator: NeuralParams, checkpoint: Checkpoint | None) -> list[Any]:
    # the first, so that no later callback keeps or saves the weights of a diverged epoch
    callbacks: list[Any] = [("divergence", Divergence())]
    is_main = getattr(estimator.accelerator, "is_main_process", True)
    if estimator.verbose and is_main:
        callbacks.append(("progress", ProgressBar(type(estimator).__name__)))
    if estimator.gradient_clip is not None:
        callbacks.append(("gradient_clip", GradientClipping(estimator.gradient_clip)))
    if estimator.lr_schedule is not None:
        schedule = LearningRateSchedule(estimator.lr_schedule, estimator.max_epochs)
        callbacks.append(("lr_schedule", schedule))
    if estimator.scoring is not None:
        callbacks.append(("valid_score", ValidationScore(estimator.scoring)))
    if estimator.early_stopping:
        monitor = "valid_loss" if estimator.scoring is None else "valid_score"
        best_weights = BestWeights(estimator.n_iter_no_change, estimator.tol, monitor)
        callbacks.append(("best_weights", best_weights))
    callbacks += map(_copy_callback, without_switched_off(estimator.callbacks))
    if checkpoint is not None:  # the last, so that it saves what the others changed
        callbacks.append(("checkpoint", checkpoint))
    return callbacks


def _copy_callback(callback: Any) -> Any:
    """Return a copy of a callback, a callback class or a (name, callback) pair."""
    bare = callback[1] if isinstance(callback, tuple) and len(callback) == 2 else callback
    if not issubclass(bare if inspect.isclass(bare) else type(bare), Callback):
        raise TypeError(
            f"callbacks contains {callback!r}: pass skorch callbacks, or pairs (name, callback)"
        )
    return deepcopy(callback)


def _close_progress_bars(net: StudentNet) -> None:
    for _, callback in net.callbacks_:
        if isinstance(callback, ProgressBar):
            callback.close()
