"""The network of a neural student: the default one, or the user's own."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from sklearn_distill._validation.numbers import check_hidden_layer_sizes
from sklearn_distill.nets._callbacks import bare_module
from sklearn_distill.nets._embedding import WithEmbedding
from sklearn_distill.nets._net import StudentNet
from sklearn_distill.nets.modules import MLP
from sklearn_distill.students._neural_targets import NeuralTargets

# torch draws initial weights and dropout from one stream a process: one draws at a time
_drawing = threading.RLock()


def new_network(
    estimator: Any, lesson: NeuralTargets, X: torch.Tensor, seed: int
) -> tuple[nn.Module, torch.Tensor]:
    """Return a network that fits features and lesson, and the state after drawing its weights."""
    with random_stream(seed):
        network = _build(estimator, X, lesson.n_outputs).to(X.dtype)
        _check_scores(network, X, lesson.n_outputs)  # lazy layers draw their weights here
        if lesson.n_dimensions:
            network = WithEmbedding(network, lesson.n_dimensions).to(X.dtype)
        return network, torch.get_rng_state()


def earlier_network(net: StudentNet, lesson: NeuralTargets, X: torch.Tensor) -> nn.Module:
    """Return a copy of an earlier net's network, which has to fit this lesson too."""
    network = network_of(net)
    known = network.projection.out_features if isinstance(network, WithEmbedding) else 0
    if known != lesson.n_dimensions:
        raise ValueError(
            f"teacher_embedding has {lesson.n_dimensions} dimensions that count, where the network "
            f"was trained with {known}: give as many and the same embedding_weight, or fit anew "
            "without warm_start"
        )
    return network.to(X.dtype)


def network_of(net: StudentNet) -> nn.Module:
    """Return a copy of the trained network, with a map of its representation if it has one."""
    network: nn.Module = deepcopy(bare_module(net.module_))
    return network


def _build(estimator: Any, X: torch.Tensor, n_outputs: int) -> nn.Module:
    """Return the default network, a new instance of a class, or a copy of an instance.

    A class is told ``n_features`` and ``n_outputs`` where it takes them.
    """
    module, params = estimator.module, estimator._prefixed("module")
    if module is None:
        _check_table(X)
        sizes = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
        module, params = MLP, {"hidden_layer_sizes": sizes, **params}
    if isinstance(module, nn.Module):
        if params:
            raise ValueError(
                f"module is an instance, so {', '.join(f'module__{name}' for name in params)} "
                "cannot be set: pass its class"
            )
        built = deepcopy(module)
    else:
        built = _made_by(module, {"n_features": X.shape[1], "n_outputs": n_outputs}, params)
    if not any(weight.requires_grad for weight in built.parameters()):
        raise ValueError(
            f"module {type(built).__name__} has no parameters to train: give it a layer with "
            "weights, or set requires_grad=True for some"
        )
    return built


def _made_by(factory: Any, known: dict[str, int], params: dict[str, Any]) -> nn.Module:
    """Return what a class, or a function like one, makes."""
    built = None
    if callable(factory):
        takes = inspect.signature(factory).parameters
        built = factory(**{name: known[name] for name in known if name in takes} | params)
    if not isinstance(built, nn.Module):
        raise TypeError(
            f"module={factory!r} is no torch.nn.Module and makes none: pass an instance or a class "
            "of modules, or None for the default network"
        )
    return built


def _check_scores(network: nn.Module, X: torch.Tensor, n_outputs: int) -> None:
    """Require scores of the right shape for the first rows, and for one alone."""
    network.eval()
    for n_rows in dict.fromkeys((len(X[:2]), 1)):
        shape = _shape_of_scores(network, X[:n_rows].clone())
        allowed: list[tuple[int, ...]] = [(n_rows, n_outputs)]
        if n_outputs <= 2:  # one number: a prediction, or the log-odds of two classes
            allowed += [(n_rows, 1), (n_rows,)]
        if shape not in allowed:
            raise ValueError(
                f"module gives scores of shape {shape} for {n_rows} rows: it must give "
                f"{allowed[0]}, one logit for each class or one number for each output"
            )


def _shape_of_scores(network: nn.Module, sample: torch.Tensor) -> tuple[int, ...]:
    """Return the shape of what the network makes of a few rows, which it must leave alone."""
    try:
        with torch.no_grad():
            scores = network(sample)
    except Exception as error:
        error.add_note(f"raised by module, given features of shape {tuple(sample.shape)}")
        raise
    if not isinstance(scores, torch.Tensor):
        raise TypeError(f"module gives a {type(scores).__name__}: it must give a tensor of scores")
    if sample._version:  # torch counts changes; X is the caller's, and not to be changed
        raise ValueError(
            "module changes its features in place: let it work on a copy, as x = x.clone() in its "
            "forward, or without inplace=True in its first layer"
        )
    return tuple(scores.shape)


@contextmanager
def random_stream(start: int | torch.Tensor) -> Iterator[None]:
    """Draw torch's own random numbers (weights, dropout) from a seed or a state; leave no trace.

    The stream is that of all threads, so a second one waits until the first has done.
    """
    with _drawing, torch.random.fork_rng():
        if isinstance(start, int):
            torch.manual_seed(start)
        else:
            torch.set_rng_state(start)
        yield


def _check_table(X: torch.Tensor) -> None:
    if X.ndim != 2:
        raise ValueError(
            f"X has shape {tuple(X.shape)}, and the default network takes tables: pass a module "
            "for images, such as sklearn_distill.nets.LeNet"
        )
