"""The network of a neural student: the default one, or the ``module`` that the user passes."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier
from torch import nn
from torch.nn.parameter import is_lazy

from sklearn_distill._validation.numbers import check_hidden_layer_sizes
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.nets._embedding import Projection, make_projection
from sklearn_distill.nets._inputs import (
    ModelInput,
    call_network,
    first_rows,
    n_rows_of,
    tensors_of,
    try_with_floats,
)
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets.modules import MLP
from sklearn_distill.students._neural_params import NeuralParams
from sklearn_distill.students._neural_targets import NeuralTargets

SUMS_TO_ONE = 1e-4  # within rounding in float32

# torch draws initial weights and dropout from one generator per process: one thread at a time
_GENERATOR_LOCK = threading.RLock()


Parts = tuple[nn.Module, Projection | None]  # the network, and what only its training needs


def new_network(
    estimator: NeuralParams, targets: NeuralTargets, X: ModelInput, seed: int
) -> tuple[Parts, torch.Tensor, bool]:
    """Return a new network with its projection, and torch's random state after their weights.

    X are a few rows. The last value says whether the network reads their integers as they are.
    """
    with random_stream(seed):
        network = _build(estimator, X, targets.n_outputs).to(estimator._dtype)
        _check_names(network, X)
        # before the projection and the optimiser: lazy layers get their weights in this first pass
        scores, x = _check_scores_or_floats(network, X, targets.n_outputs, estimator._dtype)
        if is_classifier(estimator):
            _warn_of_probabilities(network, scores, is_multi_label=targets.n_labels > 0)
        projection = _new_projection(estimator, network, targets, x)
        return (network, projection), torch.get_rng_state(), x is X


def previous_network(
    estimator: NeuralParams,
    targets: NeuralTargets,
    X: ModelInput,
    net: StudentNet,
    torch_rng: torch.Tensor,
) -> tuple[Parts, torch.Tensor]:
    """Return a copy of a trained network, and torch's random state to continue with.

    A projection is copied if it is that of the present embedding, left out without an embedding,
    and new after a training without one.
    """
    network, projection = copy_parts(net)
    network = network.to(estimator._dtype)
    if not targets.n_dimensions:
        return (network, None), torch_rng
    if projection is not None:
        _check_same_embedding(projection, estimator.embedding_layer, targets.n_dimensions)
        return (network, projection.to(estimator._dtype)), torch_rng
    with random_stream(torch_rng):
        network.eval()
        projection = _new_projection(estimator, network, targets, X)
        return (network, projection), torch.get_rng_state()


def copy_parts(net: StudentNet) -> Parts:
    """Return copies of the trained network and of its projection to a teacher's embedding."""
    projection = None if net.projection is None else net.projection_
    copies: Parts = deepcopy((net.module_, projection))
    return copies


def _new_projection(
    estimator: NeuralParams, network: nn.Module, targets: NeuralTargets, X: ModelInput
) -> Projection | None:
    """Return a projection to the teacher's embedding, None without one."""
    if not targets.n_dimensions:
        return None
    return make_projection(network, X, estimator.embedding_layer, targets.n_dimensions)


def _check_same_embedding(projection: Projection, layer: Any, n_dimensions: int) -> None:
    if projection.n_dimensions != n_dimensions:
        raise ValueError(
            f"the fit uses {n_dimensions} dimensions of teacher_embedding, but the network was "
            f"trained with {projection.n_dimensions}: pass as many, or fit anew without warm_start"
        )
    if projection.embedding_layer != layer:
        raise ValueError(
            f"embedding_layer is now {layer!r}, and {projection.embedding_layer!r} in the training "
            "that warm_start=True continues: set it back, or fit anew without warm_start"
        )


def _build(estimator: NeuralParams, X: ModelInput, n_outputs: int) -> nn.Module:
    """Return the default network, a new instance of a class, or a copy of an instance.

    ``n_features`` and ``n_outputs`` are passed to a class that has such parameters.
    """
    module, params = estimator.module, estimator._params_for("module")
    if module is None:
        _check_table(X)
        sizes = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
        module, params = MLP, {"hidden_layer_sizes": sizes, **params}
    else:
        _check_sizes_unset(estimator)
    if isinstance(module, nn.Module):
        if params:
            raise ValueError(
                f"module is an instance, so {', '.join(f'module__{name}' for name in params)} "
                "cannot be set: pass its class"
            )
        network = _copy(module)  # fit does not change its parameters
    else:
        numbers: dict[str, int] = {"n_outputs": n_outputs}
        if isinstance(X, torch.Tensor) and X.ndim > 1:
            numbers["n_features"] = X.shape[1]
        network = _call(module, numbers, params)
    if not any(weight.requires_grad for weight in network.parameters()):
        raise ValueError(
            f"module {type(network).__name__} has no parameters to train: give it a layer with "
            "weights, or set requires_grad=True for some"
        )
    return network


def _copy(module: nn.Module) -> nn.Module:
    try:
        return deepcopy(module)
    except ValueError as error:
        # torch copies uninitialised parameters, but no buffers, as those of batch normalisation
        if any(is_lazy(buffer) for buffer in module.buffers()):
            error.add_note(
                "raised by a copy of module: pass its class or a function that creates it, or call "
                "it once before fit, so that its lazy layers know their sizes"
            )
        raise


def _check_sizes_unset(estimator: NeuralParams) -> None:
    """Require the default of ``hidden_layer_sizes``, which a given module does not read."""
    default = inspect.signature(type(estimator)).parameters["hidden_layer_sizes"].default
    if not np.array_equal(estimator.hidden_layer_sizes, default):
        raise ValueError(
            f"hidden_layer_sizes={estimator.hidden_layer_sizes!r} has no effect on module: leave "
            f"it at {default!r}, and pass module__x to a module class, or set module=None"
        )


def _call(factory: Any, sizes: dict[str, int], params: dict[str, Any]) -> nn.Module:
    """Return the module that a class or a function creates."""
    network = None
    if callable(factory):
        accepted = inspect.signature(factory).parameters
        network = factory(**{name: sizes[name] for name in sizes if name in accepted} | params)
    if not isinstance(network, nn.Module):
        raise TypeError(
            f"module={factory!r} is not a torch.nn.Module and does not create one: pass an "
            "instance or a class of modules, or None for the default network"
        )
    return network


def _check_names(network: nn.Module, X: ModelInput) -> None:
    """Require that the inputs by name are parameters of the module's forward, and all of these."""
    if not isinstance(X, dict):
        return
    parameters = inspect.signature(network.forward).parameters.values()
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    unknown = [name for name in X if name not in named]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise ValueError(
            f"X has the inputs {unknown}, which the forward of module {type(network).__name__} "
            f"does not take: its parameters are {list(named)}"
        )
    missing = [p.name for p in named.values() if p.default is p.empty and p.name not in X]
    if missing:
        raise ValueError(
            f"X lacks the inputs {missing}, which the forward of module {type(network).__name__} "
            f"needs: it has {list(X)}"
        )


def _check_scores_or_floats(
    network: nn.Module, X: ModelInput, n_outputs: int, dtype: torch.dtype
) -> tuple[torch.Tensor, ModelInput]:
    """Return the scores of a few rows, and the rows: as floats if no integers can be read."""

    def read(x: ModelInput) -> tuple[torch.Tensor, ModelInput]:
        return _check_scores(network, x, n_outputs), x

    if isinstance(X, dict) or X.is_floating_point():
        return read(X)
    scores: tuple[torch.Tensor, ModelInput] = try_with_floats(read, X, lambda x: x.to(dtype))
    return scores


def _check_scores(network: nn.Module, X: ModelInput, n_outputs: int) -> torch.Tensor:
    """Return the scores of a few rows: of the right shape for two and for a single one."""
    network.eval()  # batch normalisation in training mode rejects a single row
    # a squeeze() in the forward pass loses the axis of the rows if there is one row only
    n_rows = n_rows_of(X)
    scores = {n: _scores_of_copy(network, first_rows(X, n)) for n in (n_rows, 1)}
    for n_rows, shape in ((n, tuple(of_n.shape)) for n, of_n in scores.items()):
        allowed: list[tuple[int, ...]] = [(n_rows, n_outputs)]
        if n_outputs <= 2:  # one number: a prediction, or the log-odds of two classes
            allowed += [(n_rows, 1), (n_rows,)]
        if shape not in allowed:
            raise ValueError(
                f"module returns scores of shape {shape} for {n_rows} rows: it must return "
                f"{allowed[0]}, one logit for each class or one number for each output"
            )
    return scores[n_rows]


def _warn_of_probabilities(
    network: nn.Module, scores: torch.Tensor, *, is_multi_label: bool
) -> None:
    """Warn if the scores of a few rows are probabilities or their logarithms."""
    if is_multi_label or scores.ndim != 2 or scores.shape[1] < 2:
        ends_in_sigmoid = isinstance(list(network.modules())[-1], nn.Sigmoid)
        if ends_in_sigmoid and bool(((scores >= 0) & (scores <= 1)).all()):
            of = "the labels" if is_multi_label else "the second class"
            warn_user(
                f"module {type(network).__name__} returns probabilities of {of}, which the student "
                "takes for log-odds: let it return these, without a sigmoid at its end"
            )
        return
    for values, what, effect in (
        (scores, "probabilities", "which the student's softmax flattens"),
        (scores.exp(), "log-probabilities", "on which a further softmax has no effect"),
    ):
        sums = values.sum(dim=1)
        if bool((values >= 0).all() and (sums - 1).abs().max() < SUMS_TO_ONE):
            warn_user(
                f"module {type(network).__name__} returns {what}, {effect}: let it return logits, "
                "without a softmax or log-softmax at its end"
            )
            return


def _scores_of_copy(network: nn.Module, sample: ModelInput) -> torch.Tensor:
    """Return the scores of a few rows, after a check that these are unchanged."""
    try:
        with torch.no_grad():
            scores = call_network(network, sample)
    except Exception as error:  # any, for it is raised again with what was given
        error.add_note(f"raised by module, given features of {_describe(sample)}")
        raise
    if not isinstance(scores, torch.Tensor):
        hint = ", its logits" if hasattr(scores, "logits") else ""
        raise TypeError(
            f"module returns a {type(scores).__name__}: it must return a tensor of scores{hint}"
        )
    # torch counts in-place changes; the features may share the memory of the X that the user passed
    if any(part._version for part in tensors_of(sample)):
        raise ValueError(
            "module changes its features in place: let it work on a copy, as x = x.clone() in its "
            "forward, or without inplace=True in its first layer"
        )
    return scores


@contextmanager
def random_stream(start: int | torch.Tensor) -> Iterator[None]:
    """Seed torch's global generator (weights, dropout) or set its state; restore it afterwards.

    All threads share that generator, so a second thread waits until the first one has finished.
    """
    with _GENERATOR_LOCK, torch.random.fork_rng():
        if isinstance(start, int):
            torch.manual_seed(start)
        else:
            torch.set_rng_state(start)
        yield


def _describe(sample: ModelInput) -> str:
    if not isinstance(sample, dict):
        return f"shape {tuple(sample.shape)}"
    shapes = {name: (tuple(part.shape), str(part.dtype)) for name, part in sample.items()}
    return f"the shapes and types {shapes}"


def _check_table(X: ModelInput) -> None:
    if isinstance(X, dict):
        raise ValueError(
            f"X has the inputs {list(X)}, but the default network accepts tables: pass a module "
            "whose forward has these parameters"
        )
    if X.ndim != 2:
        raise ValueError(
            f"X has shape {tuple(X.shape)}, but the default network accepts tables: pass a module "
            "for images, such as sklearn_distill.nets.LeNet"
        )
