"""Hidden representations: the outputs of a layer of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill._typing import ArrayLike, FloatArray
from sklearn_distill.nets._inputs import ModelInput, call_network, map_tensors, n_rows_of
from sklearn_distill.nets._layers import (
    HiddenLayer,
    find_head,
    named_layer,
    pool_positions,
    recording,
)
from sklearn_distill.nets.device import resolve_device


def hidden_representation(
    module: Any,
    X: ArrayLike | Tensor | Mapping[str, Any],
    layer: str | None = None,
    *,
    pool: bool = False,
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
    X : array-like or Tensor of shape (n_samples, ...), or mapping of these
        Features as the network takes them, keyword arguments if they are a mapping. Floats are
        cast to the type of its weights, and so are integers of an array if `module` is an
        estimator or a net whose ``fit`` casts them.
    layer : str or None, default=None
        Name of the layer in ``module.named_modules()`` whose output is returned. None returns the
        input of the last linear layer that is called, the last hidden representation;
        convolutions of one pixel count as linear layers.
    pool : bool, default=False
        Whether to return the mean over the positions of a feature map or sequence, as the term of
        ``teacher_embedding`` does for the student, instead of all positions.
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
    network, casts = _network_of(module)
    rows = {str(k): _as_rows(v) for k, v in X.items()} if isinstance(X, Mapping) else _as_rows(X)
    if layer is not None:
        named_layer(network, layer, "layer")
    with _evaluation_mode(network, device) as target:
        # one batch for no rows: it has the width
        starts = range(0, max(n_rows_of(rows), 1), batch_size)
        first = _batch(rows, slice(0, 2), *target, casts)
        hidden = HiddenLayer(layer) if layer else find_head(network, first, "name the layer")
        batches = [
            _read_layer(
                network, hidden, _batch(rows, slice(i, i + batch_size), *target, casts), pool
            )
            for i in starts
        ]
    return np.concatenate(batches)


def _network_of(module: Any) -> tuple[nn.Module, bool]:
    """Return the network, and whether it belongs to a net or an estimator that casts integers."""
    if isinstance(module, nn.Module):
        return module, False
    net = getattr(module, "net_", module)
    found = getattr(net, "module_", None)
    if not isinstance(found, nn.Module):
        raise TypeError(
            f"module is a {type(module).__name__} that has no network: pass a torch.nn.Module, "
            "a fitted neural student or an initialised skorch net"
        )
    casts = not getattr(net, "reads_integers", False)
    return getattr(found, "_orig_mod", found), casts  # a skorch net may have compiled it


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


def _as_rows(X: Any) -> Any:
    return X if isinstance(X, Tensor) else np.asarray(X)


def _batch(
    X: Any, rows: slice, device: torch.device, dtype: torch.dtype, cast_integers: bool
) -> ModelInput:
    """Return some rows of tensors or arrays, which are copied: they may be memory maps."""
    is_named = isinstance(X, dict)

    def of(part: Any) -> Tensor:
        own = part[rows]
        batch = own if isinstance(own, Tensor) else torch.as_tensor(np.array(own))
        casts = batch.is_floating_point() or (cast_integers and not is_named)
        return batch.to(device, dtype if casts else None)

    batch: ModelInput = map_tensors(of, X)
    return batch


def _read_layer(
    network: nn.Module, hidden: HiddenLayer, batch: ModelInput, pool: bool
) -> FloatArray:
    """Return the representation of a mini-batch."""

    def read(layer: nn.Module, value: Any) -> Any:
        is_tensor = pool and isinstance(value, Tensor)
        return pool_positions(layer, value, is_input=hidden.is_head) if is_tensor else value

    with recording(network, [hidden], read) as kept:
        call_network(network, batch)
    if not kept:
        raise ValueError(f"{type(network).__name__} does not use this layer: pass another one")
    output = kept[hidden]  # of the last call of a layer that is used more than once
    if not isinstance(output, Tensor):
        raise TypeError(
            f"the output of the layer is a {type(output).__name__}, not a tensor: pass a layer "
            "inside or after it"
        )
    dtype = torch.promote_types(output.dtype, torch.float32)  # NumPy has no bfloat16
    return np.asarray(output.flatten(1).to(dtype).cpu().numpy())
