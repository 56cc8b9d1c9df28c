"""Read what a layer of a network makes of each row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import FloatArray
from sklearn_distill.nets._callbacks import bare_module
from sklearn_distill.nets._embedding import WithEmbedding, last_linear
from sklearn_distill.nets.device import resolve_device


def hidden_representation(
    module: Any,
    X: Any,
    layer: str | None = None,
    *,
    batch_size: int = 1024,
    device: str | torch.device | None = None,
) -> FloatArray:
    """Return what a layer of a network gives for each row.

    The network runs in evaluation mode and without gradients, and is left as it was: its modes,
    its device and its hooks.

    Parameters
    ----------
    module : torch.nn.Module, skorch net or estimator
        The network, or what holds one: a fitted ``DistilledNeuralClassifier`` or
        ``DistilledNeuralRegressor``, or a skorch net.
    X : array-like or Tensor of shape (n_samples, ...)
        Features as the network takes them. Floats become numbers of its weights' type; so do
        integers if they are those of an estimator, since its fit did the same.
    layer : str or None, default=None
        A name of ``module.named_modules()``, of which the output is read. None reads the input of
        the last linear layer: the last hidden representation.
    batch_size : int, default=1024
        Rows that are on the device at a time.
    device : str, torch.device or None, default=None
        Where to compute, as :func:`resolve_device` takes it; None is where the network lives.

    Returns
    -------
    ndarray of shape (n_samples, width)
        The representation, each row flattened.

    Raises
    ------
    ValueError
        If there is no such layer (the message lists those that there are), the network does not
        use it, or it has no linear layer where none is named.
    TypeError
        If there is no network, or the layer does not give one tensor.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from torch import nn
    >>> from sklearn_distill.nets import hidden_representation
    >>> network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    >>> X = np.zeros((5, 2))
    >>> hidden_representation(network, X).shape, hidden_representation(network, X, "2").shape
    ((5, 4), (5, 3))
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: give a whole number of at least 1")
    network, is_own = _network_of(module)
    rows = X if isinstance(X, Tensor) else np.asarray(X)
    with _listening(network, layer) as heard, _evaluating(network, device) as place:
        starts = range(0, max(len(rows), 1), batch_size)  # no rows have a width too
        read = [
            _read(network, _batch(rows[start : start + batch_size], place, is_own), heard)
            for start in starts
        ]
    return np.concatenate(read)


def _network_of(module: Any) -> tuple[nn.Module, bool]:
    """Return the network, and whether it is the own one of a net or an estimator."""
    if isinstance(module, nn.Module):
        return module, False
    found = getattr(getattr(module, "net_", module), "module_", None)
    if not isinstance(found, nn.Module):
        raise TypeError(
            f"module is a {type(module).__name__} that holds no network: pass a torch.nn.Module, "
            "a fitted neural student or an initialised skorch net"
        )
    network = bare_module(found)
    return network.module if isinstance(network, WithEmbedding) else network, True


@contextmanager
def _listening(network: nn.Module, layer: str | None) -> Iterator[list[Any]]:
    """Yield a list that collects what the layer gives, as long as the context lasts."""
    heard: list[Any] = []
    if layer is None:
        head = last_linear(network, "name the layer to read")
        hook = head.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0]))
    else:
        chosen = _named_layer(network, layer)
        hook = chosen.register_forward_hook(lambda _, __, output: heard.append(output))
    try:
        yield heard
    finally:
        hook.remove()


def _named_layer(network: nn.Module, layer: str) -> nn.Module:
    layers = {name: one for name, one in network.named_modules() if name}
    if layer not in layers:
        raise ValueError(
            f"layer={layer!r} is no layer of {type(network).__name__}: name one of "
            f"{', '.join(layers) or '(it has none)'}"
        )
    return layers[layer]


@contextmanager
def _evaluating(
    network: nn.Module, device: str | torch.device | None
) -> Iterator[tuple[torch.device, torch.dtype]]:
    """Yield where and in which numbers the network computes, without gradients."""
    modes = {part: part.training for part in network.modules()}
    weight = next(iter(network.parameters()), torch.zeros(()))
    home = weight.device
    place = home if device is None else resolve_device(device)
    try:
        if device is not None:
            network.to(place)
        network.eval()
        with torch.no_grad():
            yield place, weight.dtype
    finally:
        for part, training in modes.items():
            part.training = training
        if device is not None:
            network.to(home)


def _batch(rows: Any, place: tuple[torch.device, torch.dtype], is_own: bool) -> Tensor:
    """Return a few rows as a tensor of their own, which a memory map or a frame may hold."""
    device, dtype = place
    batch = rows if isinstance(rows, Tensor) else torch.as_tensor(np.array(rows))
    return batch.to(device, dtype if is_own or batch.is_floating_point() else None)


def _read(network: nn.Module, batch: Tensor, heard: list[Any]) -> FloatArray:
    """Return what the layer gave for a mini-batch, and forget it."""
    network(batch)
    if not heard:
        raise ValueError(f"{type(network).__name__} does not use this layer: name another")
    given = heard[-1]  # of a layer that is used more than once, what it gave last
    heard.clear()
    if not isinstance(given, Tensor):
        raise TypeError(
            f"the layer gives a {type(given).__name__}, not a tensor: name a layer inside or "
            "after it"
        )
    wide = torch.promote_types(given.dtype, torch.float32)  # numpy has no bfloat16
    return np.asarray(given.flatten(1).to(wide).cpu().numpy())
