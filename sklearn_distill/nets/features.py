"""Networks for feature extraction, and the pixels that the ImageNet weights expect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


class BGRPixels(nn.Module):
    """Convert RGB in [0, 1] to the input of the ImageNet weights: BGR in 0..255 minus the mean.

    It has no parameters and no state. ``Sequential(BGRPixels(), net)`` is a network that takes
    ordinary images; images can also be converted first and augmented afterwards.

    Parameters
    ----------
    mean : sequence of 3 floats, default=(103.939, 116.779, 123.68)
        Mean of blue, green and red over ImageNet. The default is that of ResNet-50 and VGG-19;
        SqueezeNet needs (104, 117, 123).

    Examples
    --------
    >>> BGRPixels()(torch.ones(1, 3, 1, 1)).flatten()
    tensor([151.0610, 138.2210, 131.3200])
    """

    mean: Tensor

    def __init__(self, mean: Sequence[float] = (103.939, 116.779, 123.68)) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return BGR pixels minus the mean.

        Parameters
        ----------
        images : Tensor of shape (n_samples, 3, height, width)
            RGB images in [0, 1].

        Returns
        -------
        Tensor of shape (n_samples, 3, height, width)
            BGR pixels, from about −124 to 151.
        """
        return 255 * images.flip(1) - self.mean


class FeatureNetwork(nn.Module):
    """Base class of networks with named layers, from which features can be extracted.

    A subclass sets ``layers``, a :class:`torch.nn.Sequential` of named layers.
    """

    layers: nn.Sequential

    def features(self, x: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """Return the outputs of some layers; layers after the last of them are not computed.

        Parameters
        ----------
        x : Tensor of shape (n_samples, 3, height, width)
            Images converted by :class:`BGRPixels`.
        names : iterable of str
            Names of the layers to read.

        Returns
        -------
        dict of str to Tensor
            Feature maps (n_samples, channels, height, width) by name, in the order of the layers.

        Raises
        ------
        ValueError
            If the network has no layer of one of the names.
        """
        wanted = set(names)
        known = [name for name, _ in self.layers.named_children()]
        if unknown := sorted(wanted.difference(known)):
            raise ValueError(f"names has {unknown}, which are no layers; there are {known}")
        found: dict[str, Tensor] = {}
        for name, layer in self.layers.named_children():
            if len(found) == len(wanted):
                break
            x = layer(x)
            if name in wanted:
                found[name] = x
        return found


class VGG19Features(FeatureNetwork):
    """VGG-19 up to block4_conv2, the last layer that style transfer uses.

    Layers are ``block1_conv1``, ``block1_conv2``, ``block1_pool`` … ``block4_conv2``; a
    convolution's features are those after its ReLU.

    References
    ----------
    Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image
    recognition", table 1; Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional
    neural networks".

    Examples
    --------
    >>> net = VGG19Features()
    >>> net.features(torch.zeros(1, 3, 32, 32), ["block4_conv2"])["block4_conv2"].shape
    torch.Size([1, 512, 4, 4])
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        n_in = 3
        for block, (n_out, count) in enumerate([(64, 2), (128, 2), (256, 4), (512, 2)], start=1):
            for i in range(1, count + 1):
                self.layers.add_module(f"block{block}_conv{i}", _relu_conv(n_in, n_out, 3))
                n_in = n_out
            if block < 4:
                self.layers.add_module(f"block{block}_pool", nn.MaxPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of block4_conv2.

        Parameters
        ----------
        x : Tensor of shape (n_samples, 3, height, width)
            Images converted by :class:`BGRPixels`.

        Returns
        -------
        Tensor of shape (n_samples, 512, height // 8, width // 8)
            Feature maps of block4_conv2, after its ReLU.
        """
        features: Tensor = self.layers(x)
        return features


class SqueezeNet(FeatureNetwork):
    """SqueezeNet 1.1: a classifier of ImageNet with 1,235,496 parameters.

    Layers are ``conv1``, ``pool1``, ``fire2``, ``fire3``, ``pool3``, ``fire4``, ``fire5``,
    ``pool5``, ``fire6`` … ``fire9`` and ``conv10``, whose means over the pixels are the scores:
    there is no linear head.

    References
    ----------
    Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB
    model size", and version 1.1 of its repository.

    Examples
    --------
    >>> SqueezeNet()(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 1000])
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.layers.add_module("conv1", _relu_conv(3, 64, 3, stride=2, padding=0))
        self.layers.add_module("pool1", nn.MaxPool2d(3, 2, ceil_mode=True))
        n_in = 64
        for i, n_squeezed in enumerate([16, 16, 32, 32, 48, 48, 64, 64], start=2):
            self.layers.add_module(f"fire{i}", _Fire(n_in, n_squeezed))
            n_in = 8 * n_squeezed
            if i in {3, 5}:
                self.layers.add_module(f"pool{i}", nn.MaxPool2d(3, 2, ceil_mode=True))
        self.layers.add_module("conv10", _relu_conv(512, 1000, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores.

        Parameters
        ----------
        x : Tensor of shape (n_samples, 3, height, width)
            Images converted by ``BGRPixels((104, 117, 123))``; it was trained on 227×227 pixels.

        Returns
        -------
        Tensor of shape (n_samples, 1000)
            Scores, which are not negative, since a ReLU comes last.
        """
        features: Tensor = self.layers(x)
        return features.mean((2, 3))


class _Fire(nn.Module):
    """Fire module: a 1×1 convolution, then 1×1 and 3×3 convolutions in parallel."""

    def __init__(self, n_in: int, n_squeezed: int) -> None:
        super().__init__()
        self.squeeze1x1 = _relu_conv(n_in, n_squeezed, 1)
        self.expand1x1 = _relu_conv(n_squeezed, 4 * n_squeezed, 1)
        self.expand3x3 = _relu_conv(n_squeezed, 4 * n_squeezed, 3)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.squeeze1x1(x)
        return torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1)


def _relu_conv(
    n_in: int, n_out: int, kernel: int, *, stride: int = 1, padding: int | None = None
) -> nn.Sequential:
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(nn.Conv2d(n_in, n_out, kernel, stride, padding), nn.ReLU())
