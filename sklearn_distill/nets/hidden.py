"""Hidden representations: the outputs of a layer of a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import ArrayLike, FloatArray
from sklearn_distill.nets._callbacks import bare_module
from sklearn_distill.nets._embedding import WithEmbedding, last_linear
from sklearn_distill.nets.device import resolve_device


def hidden_representation(
    module: Any,
    X: ArrayLike | Tensor,
    layer: str | None = None,
    *,
    batch_size: int = 1024,
    device: str | torch.device | None = None,
) -> FloatArray:
    """Return the output of a layer of a network for each sample.

    The network runs in evaluation mode and without gradients. Its modes, its device and its hooks
    are restored afterwards.

    Parameters
    ----------
    module : torch.nn.Module, skorch net or estimator
        The network, or an object with a network: a fitted ``DistilledNeuralClassifier`` or
        ``DistilledNeuralRegressor``, or an initialised skorch net.
    X : array-like or Tensor of shape (n_samples, ...)
        Features as the network takes them. Floats are cast to the type of its weights, and so are
        integers if `module` is an estimator or a net, since its ``fit`` casts them too.
    layer : str or None, default=None
        Name of the layer in ``module.named_modules()`` whose output is returned. None returns the
        input of the last linear layer: the last hidden representation.
    batch_size : int, default=1024
        Number of samples that are on the device at a time.
    device : str, torch.device or None, default=None
        Device to compute on, as in :func:`resolve_device`; None is the device of the network.

    Returns
    -------
    ndarray of shape (n_samples, width)
        The representation, flattened to one row for each sample.

    Raises
    ------
    ValueError
        If the network has no such layer (the message lists its layers) or does not use it, or if
        `layer` is None and there is no linear layer.
    TypeError
        If `module` has no network, or the output of the layer is not one tensor.

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
        raise ValueError(f"batch_size={batch_size}: pass a whole number of at least 1")
    network, is_fitted = _network_of(module)
    rows = X if isinstance(X, Tensor) else np.asarray(X)
    with _recording(network, layer) as outputs, _evaluation_mode(network, device) as target:
        starts = range(0, max(len(rows), 1), batch_size)  # one batch for no rows: it has the width
        batches = [
            _read_layer(network, _batch(rows[i : i + batch_size], *target, is_fitted), outputs)
            for i in starts
        ]
    return np.concatenate(batches)


def _network_of(module: Any) -> tuple[nn.Module, bool]:
    """Return the network, and whether it belongs to a net or an estimator."""
    if isinstance(module, nn.Module):
        return module, False
    found = getattr(getattr(module, "net_", module), "module_", None)
    if not isinstance(found, nn.Module):
        raise TypeError(
            f"module is a {type(module).__name__} that has no network: pass a torch.nn.Module, "
            "a fitted neural student or an initialised skorch net"
        )
    network = bare_module(found)
    return network.module if isinstance(network, WithEmbedding) else network, True


@contextmanager
def _recording(network: nn.Module, layer: str | None) -> Iterator[list[Any]]:
    """Yield a list that collects the outputs of the layer within the context."""
    outputs: list[Any] = []
    if layer is None:
        head = last_linear(network, "name the layer to read")
        hook = head.register_forward_pre_hook(lambda _, inputs: outputs.append(inputs[0]))
    else:
        named = _named_layer(network, layer)
        hook = named.register_forward_hook(lambda _, __, output: outputs.append(output))
    try:
        yield outputs
    finally:
        hook.remove()


def _named_layer(network: nn.Module, layer: str) -> nn.Module:
    layers: dict[str, nn.Module] = {name: part for name, part in network.named_modules() if name}
    if layer not in layers:
        raise ValueError(
            f"layer={layer!r} is not a layer of {type(network).__name__}: pass one of "
            f"{', '.join(layers) or '(it has none)'}"
        )
    return layers[layer]


@contextmanager
def _evaluation_mode(
    network: nn.Module, device: str | torch.device | None
) -> Iterator[tuple[torch.device, torch.dtype]]:
    """Yield the device and the type of the network's weights, in a context without gradients."""
    modes = {part: part.training for part in network.modules()}
    weight = next(iter(network.parameters()), torch.zeros(()))
    original = weight.device
    target = original if device is None else resolve_device(device)
    try:
        if device is not None:
            network.to(target)
        network.eval()
        with torch.no_grad():
            yield target, weight.dtype
    finally:
        # one by one: train() would set all parts to the same mode
        for part, training in modes.items():
            part.training = training
        if device is not None:
            network.to(original)


def _batch(rows: Any, device: torch.device, dtype: torch.dtype, cast_integers: bool) -> Tensor:
    """Return some rows of a tensor or an array, which is copied: it may be a memory map."""
    batch = rows if isinstance(rows, Tensor) else torch.as_tensor(np.array(rows))
    return batch.to(device, dtype if cast_integers or batch.is_floating_point() else None)


def _read_layer(network: nn.Module, batch: Tensor, outputs: list[Any]) -> FloatArray:
    """Return the output of the recorded layer for a mini-batch."""
    network(batch)
    if not outputs:
        raise ValueError(f"{type(network).__name__} does not use this layer: pass another one")
    output = outputs[-1]  # the last one of a layer that is used more than once
    outputs.clear()
    if not isinstance(output, Tensor):
        raise TypeError(
            f"the output of the layer is a {type(output).__name__}, not a tensor: pass a layer "
            "inside or after it"
        )
    dtype = torch.promote_types(output.dtype, torch.float32)  # NumPy has no bfloat16
    return np.asarray(output.flatten(1).to(dtype).cpu().numpy())
