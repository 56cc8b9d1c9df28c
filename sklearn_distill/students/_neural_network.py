"""The network of a neural student: the default one, or the user's own."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_distill.nets.embedding import WithEmbedding, scores_of
from sklearn_distill.nets.modules import MLP
from sklearn_distill.nets.net import StudentNet
from sklearn_distill.students._neural_lesson import NeuralLesson

_building = threading.Lock()  # torch draws initial weights from one stream a process


def new_network(
    estimator: Any, lesson: NeuralLesson, X: torch.Tensor, seed: int
) -> tuple[nn.Module, torch.Tensor]:
    """Return a network that fits features and lesson, and the state after drawing its weights."""
    with _building, random_stream(seed):
        network = _build(estimator, X, lesson.n_outputs)
        if lesson.n_dimensions:
            network = WithEmbedding(network, lesson.n_dimensions)
        torch_rng = torch.get_rng_state()
    network = network.double() if estimator.precision == "float64" else network
    _check_scores(network, X, lesson.n_outputs)
    return network, torch_rng


def network_of(net: StudentNet) -> nn.Module:
    """Return a copy of the trained network, with a map of its representation if it has one."""
    network: nn.Module = net.module_
    return deepcopy(getattr(network, "_orig_mod", network))  # what torch.compile wrapped


def _build(estimator: Any, X: torch.Tensor, n_outputs: int) -> nn.Module:
    """Return the default network, a new instance of a class, or a copy of an instance.

    A class is told ``n_features`` and ``n_outputs`` where it takes them.
    """
    module, params = estimator.module, estimator._prefixed("module")
    if isinstance(module, nn.Module):
        if params:
            raise ValueError(
                f"module is an instance, so {', '.join(f'module__{name}' for name in params)} "
                "cannot be set: pass its class"
            )
        return deepcopy(module)
    if module is None:
        _check_table(X)
        sizes = np.atleast_1d(np.asarray(estimator.hidden_layer_sizes, dtype=np.intp))
        module, params = MLP, {"hidden_layer_sizes": sizes.tolist(), **params}
    known = {"n_features": X.shape[1], "n_outputs": n_outputs}
    takes = inspect.signature(module).parameters
    built: nn.Module = module(**{name: known[name] for name in known if name in takes} | params)
    return built


def _check_scores(network: nn.Module, X: torch.Tensor, n_outputs: int) -> None:
    """Require scores of the right shape for the first rows."""
    network.eval()
    with torch.no_grad():
        scores = scores_of(network(X[:2]))
    n_rows = len(X[:2])
    allowed: list[tuple[int, ...]] = [(n_rows, n_outputs)]
    if n_outputs <= 2:  # one number: a prediction, or the log-odds of two classes
        allowed += [(n_rows, 1), (n_rows,)]
    if tuple(scores.shape) not in allowed:
        raise ValueError(
            f"module gives scores of shape {tuple(scores.shape)} for {n_rows} rows: it must give "
            f"{allowed[0]}, one logit for each class or one number for each output"
        )


@contextmanager
def random_stream(start: int | torch.Tensor) -> Iterator[None]:
    """Draw torch's own random numbers (weights, dropout) from a seed or a state; leave no trace."""
    with torch.random.fork_rng():
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
