"""From a network, its data and the estimator's options to a trained skorch net."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import DataLoader

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets._bilevel import BilevelNet
from sklearn_distill.nets._callbacks import (
    BestWeights,
    Divergence,
    GradientClipping,
    LearningRateSchedule,
    ProgressBar,
    bare_module,
    is_early_stop,
)
from sklearn_distill.nets._checkpoint import Checkpoint
from sklearn_distill.nets._embedding import scores_of
from sklearn_distill.nets._loader import RowTensors, Stream, TensorLoader, as_tensor
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets.device import resolve_device
from sklearn_distill.students._neural_network import (
    earlier_network,
    network_of,
    new_network,
    random_stream,
)
from sklearn_distill.students._neural_targets import NeuralTargets

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
NORMALISED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
VALIDATION_BATCH = 1024  # without gradients larger batches fit


def in_precision(values: NDArray[Any], precision: str) -> torch.Tensor:
    """Return numbers in the precision of the weights."""
    return as_tensor(values, torch.float64 if precision == "float64" else torch.float32)


def as_rows(X: NDArray[Any], table: FloatArray, precision: str) -> RowTensors:
    """Return features and targets as tensors."""
    return RowTensors(in_precision(X, precision), in_precision(table, precision))


def predict_scores(net: StudentNet, X: NDArray[Any], precision: str) -> FloatArray:
    """Return the scores of a trained net, batch by batch."""
    scores = scores_of(net.forward(RowTensors(in_precision(X, precision))))
    return np.asarray(scores.double().numpy())


@dataclass(frozen=True)
class Trained:
    """A trained net, and where torch's own random numbers stood at the end.

    Parameters
    ----------
    net : StudentNet
        The net.
    torch_rng : Tensor
        The state of torch's generator.
    """

    net: StudentNet
    torch_rng: torch.Tensor


def train_network(
    estimator: Any,
    lesson: NeuralTargets,
    rows: RowTensors | Stream,
    validation: RowTensors | None,
    *,
    seed: int,
    n_epochs: int,
    checkpoint: Checkpoint | None = None,
    before: Trained | None = None,
) -> Trained:
    """Train a fresh network, or go on with one that was trained before."""
    generator = torch.Generator().manual_seed(seed)
    if before is None:
        network, torch_rng = new_network(estimator, lesson, rows.features, seed)
    else:
        network = earlier_network(before.net, lesson, rows.features)
        torch_rng = before.torch_rng
    with random_stream(torch_rng):
        net = _make_net(estimator, network, lesson, generator, rows, checkpoint, validation)
        if before is not None:
            _remember(net, before.net)
        _run(net, rows, validation, n_epochs, checkpoint)
        if estimator.accelerator is not None:  # what it shared out is one network again
            plain = _make_net(estimator, network_of(net), lesson, generator, rows, accelerate=False)
            _remember(plain, net)
            net = plain
        for seen in (rows, validation):
            if seen is not None:
                _check_answers(net, seen.features)
        return Trained(net, torch.get_rng_state())


def _make_net(
    estimator: Any,
    network: nn.Module,
    lesson: NeuralTargets,
    generator: torch.Generator,
    rows: RowTensors | Stream,
    checkpoint: Checkpoint | None = None,
    validation: RowTensors | None = None,
    *,
    accelerate: bool = True,
) -> StudentNet:
    """Return an initialised net with the estimator's options."""
    kind, place = _kind_and_place(estimator, validation, accelerate)
    net: StudentNet = kind(
        network,
        criterion=lesson.loss,
        criterion_valid=lesson.label_loss,
        optimizer=OPTIMIZERS.get(estimator.optimizer, estimator.optimizer),
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        batch_size=estimator.batch_size,
        train_split=None,
        callbacks=_callbacks(estimator, checkpoint),
        augmentation=estimator.augmentation,
        generator=generator,
        precision=estimator.precision,
        compile=estimator.compile,
        verbose=0,
        **place,
        **_readers(
            estimator,
            rows,
            generator,
            network,
            sharing="accelerator" in place,
        ),
        **{f"optimizer__{k}": v for k, v in estimator._prefixed("optimizer").items()},
    )
    net.initialize()
    _check_step(net, estimator)
    return net


def _check_step(net: StudentNet, estimator: Any) -> None:
    """Require an optimiser whose step needs no closure, where it can be given none."""
    closure = inspect.signature(net.optimizer_.step).parameters.get("closure")
    needs_it = closure is not None and closure.default is closure.empty
    if needs_it and (estimator.precision == "float16" or estimator.accelerator is not None):
        raise ValueError(
            f"optimizer={estimator.optimizer!r} evaluates the loss several times a step, which "
            "neither precision='float16' nor an accelerator can: choose another optimizer"
        )


def _kind_and_place(
    estimator: Any, validation: RowTensors | None, accelerate: bool
) -> tuple[type[StudentNet], dict[str, Any]]:
    """Return which net trains, and where."""
    if estimator.accelerator is None or not accelerate:
        place: dict[str, Any] = {"device": str(resolve_device(estimator.device))}
        if estimator.metaparameter_optimizer is None:
            return StudentNet, place
        course = estimator.metaparameter_optimizer.start(
            float(estimator.imitation), float(estimator.temperature)
        )
        return BilevelNet, place | {"schedule": course, "validation": validation}
    from sklearn_distill.nets._accelerated import AcceleratedStudentNet

    return AcceleratedStudentNet, {"device": None, "accelerator": estimator.accelerator}


def _readers(
    estimator: Any,
    rows: RowTensors | Stream,
    generator: torch.Generator,
    network: nn.Module,
    *,
    sharing: bool,
) -> dict[str, Any]:
    """Return how the net reads rows to train on and to validate; a sharer needs a DataLoader."""
    many = max(VALIDATION_BATCH, estimator.batch_size)
    valid = DataLoader if sharing else TensorLoader
    train = rows.reader(generator)
    if isinstance(rows, RowTensors):
        normalised = any(isinstance(layer, NORMALISED) for layer in network.modules())
        train["iterator_train__join_single"] = normalised
    if sharing and isinstance(rows, RowTensors):
        train = {"iterator_train": DataLoader, "iterator_train__shuffle": True}
        train["iterator_train__generator"] = generator
    return {"iterator_valid": valid, "iterator_valid__batch_size": many, **train}


def _remember(net: StudentNet, before: StudentNet) -> None:
    """Give a net an earlier one's memory: its optimiser's, its random numbers, its history."""
    if _kind_of_optimizer(net) is _kind_of_optimizer(before):
        state = net.optimizer_.state_dict()
        state["state"] = before.optimizer_.state_dict()["state"]
        net.optimizer_.load_state_dict(deepcopy(state))
    net.scaler_.load_state_dict(before.scaler_.state_dict())
    if net.generator is not None and before.generator is not None:
        net.generator.set_state(before.generator.get_state())
    for epoch in before.history:
        net.history.append(dict(epoch))


def _kind_of_optimizer(net: StudentNet) -> type:
    return type(getattr(net.optimizer_, "optimizer", net.optimizer_))  # what accelerate wraps


def _run(
    net: StudentNet,
    rows: RowTensors | Stream,
    validation: RowTensors | None,
    n_epochs: int,
    checkpoint: Checkpoint | None,
) -> None:
    """Train until the last epoch or until a callback has seen enough."""
    if net.device is not None:  # the data live where the network does: a batch is no transfer
        device = torch.device(net.device)
        rows, validation = rows.to(device), None if validation is None else validation.to(device)
    net.train_split = None if validation is None else predefined_split(validation)
    n_before, net.max_epochs = len(net.history), n_epochs
    net.notify("on_train_begin", X=rows, y=None)
    if checkpoint is not None:
        checkpoint.resume(net)
    try:
        net.fit_loop(rows.dataset, epochs=n_epochs - (len(net.history) - n_before))
    except BaseException as interruption:
        if not is_early_stop(net, interruption):
            raise
    finally:
        _close_bars(net)
        net.close()
        net.train_split = None  # the validation rows are not the net's to keep
    net.notify("on_train_end", X=rows, y=None)
    if checkpoint is not None:
        checkpoint.finish()


def _check_answers(net: StudentNet, features: torch.Tensor) -> None:
    """Require finite scores of the first rows: finite weights may be too large to answer with."""
    network = bare_module(net.module_).eval()
    device = next(network.parameters()).device
    with torch.no_grad():
        scores = scores_of(network(features[:VALIDATION_BATCH].to(device)))
    if not scores.isfinite().all():
        raise ValueError(
            f"training diverged: after {len(net.history)} epochs the network does not answer with "
            f"finite numbers. Lower lr={net.lr:g}, set gradient_clip, or scale the features and, "
            "in regression, the labels"
        )


def _callbacks(estimator: Any, checkpoint: Checkpoint | None) -> list[Any]:
    made: list[Any] = [("divergence", Divergence())]
    if estimator.verbose:
        made.append(("progress", ProgressBar(type(estimator).__name__)))
    if estimator.gradient_clip is not None:
        made.append(("gradient_clip", GradientClipping(estimator.gradient_clip)))
    if estimator.lr_schedule is not None:
        schedule = LearningRateSchedule(estimator.lr_schedule, estimator.max_epochs)
        made.append(("lr_schedule", schedule))
    if estimator.early_stopping:
        made.append(("best_weights", BestWeights(estimator.n_iter_no_change, estimator.tol)))
    made += map(_own_copy, estimator.callbacks or [])
    if checkpoint is not None:  # the last, so that it sees what the others did
        made.append(("checkpoint", checkpoint))
    return made


def _own_copy(callback: Any) -> Any:
    """Return a copy of a callback, of its class or of a (name, callback)."""
    bare = callback[1] if isinstance(callback, tuple) and len(callback) == 2 else callback
    if not issubclass(bare if inspect.isclass(bare) else type(bare), Callback):
        raise TypeError(
            f"callbacks has {callback!r}: give callbacks of skorch, or pairs of a name and one"
        )
    return deepcopy(callback)


def _close_bars(net: StudentNet) -> None:
    for _, callback in net.callbacks_:
        if isinstance(callback, ProgressBar):
            callback.close()
