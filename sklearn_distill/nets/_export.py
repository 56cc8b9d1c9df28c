"""Export of a trained network, for torch or an ONNX runtime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill._typing import FloatArray
from sklearn_distill.nets._inputs import Kinds
from sklearn_distill.nets.losses import as_scores

_TYPES = {"f": torch.float32, "i": torch.int64, "b": torch.bool}


class Probabilities(nn.Module):
    """A network that returns probabilities, made from one that returns scores.

    Parameters
    ----------
    network : Module
        Network that returns one logit for each class, or the log-odds of the second of two classes.
    n_classes : int
        Number of classes K.

    Examples
    --------
    >>> Probabilities(nn.Identity(), n_classes=2)(torch.zeros(1, 1))
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, network: nn.Module, n_classes: int) -> None:
        super().__init__()
        self.network = network
        self.n_classes = n_classes

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """Return the probabilities.

        Parameters
        ----------
        *args, **kwargs : Tensor of shape (n_rows, ...)
            Features of a mini-batch, as the network takes them.

        Returns
        -------
        Tensor of shape (n_rows, n_classes)
            Probabilities at temperature 1.
        """
        return torch.softmax(as_scores(self.network(*args, **kwargs), self.n_classes), dim=1)


class LabelProbabilities(nn.Module):
    """A network that returns the probability of each label, made from one that returns log-odds.

    Parameters
    ----------
    network : Module
        Network that returns one log-odds for each label.

    Examples
    --------
    >>> LabelProbabilities(nn.Identity())(torch.zeros(1, 3))
    tensor([[0.5000, 0.5000, 0.5000]])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """Return the probabilities.

        Parameters
        ----------
        *args, **kwargs : Tensor of shape (n_rows, ...)
            Features of a mini-batch, as the network takes them.

        Returns
        -------
        Tensor of shape (n_rows, n_labels)
            Probabilities at temperature 1.
        """
        return torch.sigmoid(self.network(*args, **kwargs))


class RestoredOutputs(nn.Module):
    """A network whose outputs are in the units of the labels, made from a standardised one.

    Parameters
    ----------
    network : Module
        Network of outputs z.
    center, scale : Tensor of shape (n_outputs,)
        Mean and standard deviation of the labels.

    Examples
    --------
    >>> RestoredOutputs(nn.Identity(), torch.tensor([1.0]), torch.tensor([2.0]))(torch.ones(1, 1))
    tensor([[3.]])
    """

    center: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, center: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("center", center)
        self.register_buffer("scale", scale)

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        """Return z · scale + center.

        Parameters
        ----------
        *args, **kwargs : Tensor of shape (n_rows, ...)
            Features of a mini-batch, as the network takes them.

        Returns
        -------
        Tensor of shape (n_rows, n_outputs) or (n_rows,)
            Outputs.
        """
        z: Tensor = self.network(*args, **kwargs)
        return z * self.scale + self.center


def restored_outputs(network: nn.Module, center: FloatArray, scale: FloatArray) -> nn.Module:
    """Return a network that restores the units of the labels.

    Parameters
    ----------
    network : Module
        Network of standardised outputs.
    center, scale : ndarray of shape (n_outputs,)
        Mean and standard deviation of the labels.

    Returns
    -------
    Module
        The network, in evaluation mode.
    """
    dtype = next(network.parameters()).dtype
    numbers = (torch.as_tensor(values, dtype=dtype) for values in (center, scale))
    return RestoredOutputs(network, *numbers).eval()


def plain_network(module: nn.Module, n_classes: int | None) -> nn.Module:
    """Return a copy of a trained network.

    Parameters
    ----------
    module : Module
        The network.
    n_classes : int or None
        Number of classes for a network of probabilities; None keeps the scores.

    Returns
    -------
    Module
        The copy, on the CPU and in evaluation mode.
    """
    network = deepcopy(module).cpu().eval()
    return network if n_classes is None else Probabilities(network, n_classes).eval()


class _Positional(nn.Module):
    """A network whose inputs by name have positions."""

    def __init__(self, network: nn.Module, names: list[str | None]) -> None:
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, *args: Tensor) -> Tensor:
        named = {name: x for name, x in zip(self.names, args, strict=True) if name is not None}
        scores: Tensor = self.network(**named) if named else self.network(*args)
        return scores


def _axes(values: Tensor) -> dict[int, Any]:
    """Return which axes have any length: that of the rows and, if possible, of sequences."""
    axes = {0: torch.export.Dim.DYNAMIC}
    if not values.is_floating_point() and values.ndim > 1:
        axes[1] = torch.export.Dim.AUTO  # a network may fix it, as by embedding the positions
    return axes


def write_onnx(
    network: nn.Module,
    kinds: Kinds,
    shapes: Mapping[str | None, tuple[int, ...]],
    path: str | os.PathLike[str],
) -> None:
    """Write a network to an ONNX file.

    Parameters
    ----------
    network : Module
        Network on the CPU, in evaluation mode.
    kinds : mapping from name to {"f", "i", "b"}
        Types of the inputs; None is the name of a single one.
    shapes : mapping from name to tuple of int
        Shapes of the inputs of one sample.
    path : str or path-like
        Path of the file.

    Raises
    ------
    ImportError
        If onnx or onnxscript is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ModuleNotFoundError as error:
        raise ImportError(
            'to_onnx needs onnx and onnxscript: pip install "sklearn-distill[onnx]"'
        ) from error
    # a batch of 2: torch.export takes a dimension of size 1 for a constant
    inputs = {
        name: torch.zeros(2, *shapes[name], dtype=_TYPES[kind]) for name, kind in kinds.items()
    }
    network = _Positional(deepcopy(network).float().requires_grad_(False), list(kinds)).eval()
    program = torch.onnx.export(
        network,
        tuple(inputs.values()),
        input_names=["X" if name is None else name for name in kinds],
        output_names=["answers"],
        dynamic_shapes=(tuple(_axes(part) for part in inputs.values()),),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    with atomic_file(path) as file:
        file.write(program.model_proto.SerializeToString())
