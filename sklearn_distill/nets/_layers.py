"""Which layer of a network a hidden representation is read from, found by one forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_distill.nets._inputs import ModelInput, call_network

_N_LISTED = 20


@dataclass(frozen=True)
class HiddenLayer:
    """A place in a network.

    Parameters
    ----------
    name : str
        Name of a layer in ``named_modules()``.
    is_head : bool, default=False
        Whether the representation is the input of this layer, the one that makes the scores;
        otherwise it is the output.
    """

    name: str
    is_head: bool = False


def find_head(network: nn.Module, sample: ModelInput, instead: str) -> HiddenLayer:
    """Return the layer that makes the scores: the last linear layer that a forward pass calls.

    Convolutions of one pixel count too: they are linear layers at each position.

    Parameters
    ----------
    network : Module
        A network of any architecture.
    sample : Tensor of shape (n_rows, ...) or dict of Tensor
        Features for the forward pass.
    instead : str
        The alternative that the error message offers.

    Returns
    -------
    HiddenLayer
        The input of this layer.

    Raises
    ------
    ValueError
        If no linear layer is called.
    """
    names = {layer: name for name, layer in network.named_modules() if _is_linear(layer)}
    called: list[str] = []
    hooks = [
        layer.register_forward_pre_hook(lambda layer, _: called.append(names[layer]))
        for layer in names
    ]
    try:
        with torch.no_grad():
            call_network(network, sample)
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise ValueError(
            f"module {type(network).__name__} calls no torch.nn.Linear layer, whose input would be "
            f"its last hidden representation: end it in one, or {instead}; its layers are "
            f"{list_layers(network)}"
        )
    return HiddenLayer(called[-1], is_head=True)


def named_layer(network: nn.Module, name: str, argument: str) -> nn.Module:
    """Return a layer of a network.

    Parameters
    ----------
    network : Module
        A network of any architecture.
    name : str
        Name of the layer in ``network.named_modules()``.
    argument : str
        The argument that the name came as, for the message.

    Returns
    -------
    Module
        The layer.

    Raises
    ------
    ValueError
        If there is no such layer; the message lists the layers.
    """
    layers: dict[str, nn.Module] = {known: part for known, part in network.named_modules() if known}
    if name not in layers:
        raise ValueError(
            f"{argument}={name!r} is not a layer of {type(network).__name__}: pass one of "
            f"{list_layers(network)}"
        )
    return layers[name]


def list_layers(network: nn.Module) -> str:
    """Return the names of the first layers of a network, for messages."""
    names = [name for name, _ in network.named_modules() if name]
    more = ", …" if len(names) > _N_LISTED else ""
    return (", ".join(names[:_N_LISTED]) + more) or "(it has none)"


@contextmanager
def recording(
    network: nn.Module, layers: Sequence[HiddenLayer], read: Any
) -> Iterator[dict[HiddenLayer, Any]]:
    """Within the context, keep what each layer got or returned in the last forward pass.

    Parameters
    ----------
    network : Module
        The network, whose hooks are restored afterwards.
    layers : sequence of HiddenLayer
        What to keep.
    read : callable
        ``read(layer, value)`` → what is kept of a value.
    """
    kept: dict[HiddenLayer, Any] = {}
    hooks = [_hook(network.get_submodule(hidden.name), hidden, kept, read) for hidden in layers]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def pool_positions(layer: nn.Module, values: Tensor, *, is_input: bool = False) -> Tensor:
    """Return one vector for each row: the mean over the positions of a feature map or sequence.

    Channels come second in images, and in what layers for sequences of channels (``Conv1d``,
    ``BatchNorm1d``, ``MaxPool1d``) return; otherwise the last axis of three is the width.

    Parameters
    ----------
    layer : Module
        The layer that got or returned the values.
    values : Tensor of shape (n_rows, width) or with axes of positions
        Its input or output.
    is_input : bool, default=False
        Whether the values are the input of a linear layer or convolution.

    Returns
    -------
    Tensor of shape (n_rows, width)
        The vectors.
    """
    if values.ndim <= 2:
        # a copy, since a later layer may change the values in place
        return values.flatten(1) if is_input else values.flatten(1).clone()
    width_is_last = isinstance(layer, nn.Linear) if is_input else not _has_channels(layer, values)
    axes = range(1, values.ndim - 1) if width_is_last else range(2, values.ndim)
    return values.mean(tuple(axes))


def _has_channels(layer: nn.Module, values: Tensor) -> bool:
    last = list(layer.modules())[-1]
    is_map = values.ndim > 3 and not isinstance(last, nn.Linear)
    return is_map or "1d" in type(last).__name__


def _is_linear(layer: nn.Module) -> bool:
    if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return set(layer.kernel_size) == {1}
    return isinstance(layer, nn.Linear)


def _hook(layer: nn.Module, hidden: HiddenLayer, kept: dict[HiddenLayer, Any], read: Any) -> Any:
    def before(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        kept[hidden] = read(layer, inputs[0])

    def after(layer: nn.Module, _: Any, output: Any) -> None:
        kept[hidden] = read(layer, output)

    if hidden.is_head:
        return layer.register_forward_pre_hook(before)
    return layer.register_forward_hook(after)
