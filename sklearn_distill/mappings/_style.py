"""Style transfer on tensors: Gram matrices, the two losses, gradient descent on pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sklearn_distill.nets._loader import as_tensor
from sklearn_distill.nets.features import BGRPixels, FeatureNetwork, VGG19Features
from sklearn_distill.nets.weights import load_imagenet_weights


def read_network(network: Any) -> FeatureNetwork:
    """Return a network with frozen weights: VGG-19 from a data folder, or a copy of the user's."""
    if network is None or isinstance(network, (str, PathLike)):
        chosen: FeatureNetwork = load_imagenet_weights(VGG19Features(), data_home=network)
    elif isinstance(network, FeatureNetwork):
        chosen = deepcopy(network)
    else:
        raise TypeError(
            f"network={network!r}: pass a sklearn_distill.nets.VGG19Features (or another network "
            "with named layers), a folder that holds its weights, or None"
        )
    return chosen.cpu().eval().requires_grad_(False)


def as_images(X: NDArray[Any]) -> Tensor:
    """Return (n, h, w, 3) in [0, 1] as (n, 3, h, w)."""
    return as_tensor(X).movedim(3, 1)


def grams(features: Mapping[str, Tensor], layers: Sequence[str]) -> dict[str, Tensor]:
    """Return G = F Fᵀ / M for each image and layer, (n, C, C), with F (C, M) a layer's features."""
    gram_of = {}
    for layer in layers:
        maps = features[layer].flatten(2)
        gram_of[layer] = maps @ maps.mT / maps.shape[2]
    return gram_of


@dataclass(frozen=True)
class Style:
    """A network and the target style: the objective of style transfer.

    Parameters
    ----------
    network : FeatureNetwork
        Network that gives features of images after :class:`BGRPixels`.
    grams : dict of str to Tensor
        Target Gram matrix (C, C) of each style layer.
    content_layer : str
        Layer whose features keep the content.
    content_weight, style_weight : float
        Weights α and β of the two terms, at least 0.
    """

    network: FeatureNetwork
    grams: Mapping[str, Tensor]
    content_layer: str
    content_weight: float
    style_weight: float

    def on(self, device: torch.device) -> Style:
        """Return a copy on a device."""
        # a copy, since another thread may use the network at the same time
        network = deepcopy(self.network).to(device)
        targets = {layer: gram.to(device) for layer, gram in self.grams.items()}
        return Style(network, targets, self.content_layer, self.content_weight, self.style_weight)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features of images in [0, 1], of the content and the style layers."""
        pixels = BGRPixels().to(images.device)(images)
        return self.network.features(pixels, {self.content_layer, *self.grams})

    def style_loss(self, features: Mapping[str, Tensor]) -> Tensor:
        """Return each image's distance from the style, (n,)."""
        current = grams(features, list(self.grams))
        losses = [_relative_error(current[layer], target) for layer, target in self.grams.items()]
        return torch.stack(losses).mean(0)

    def loss(self, features: Mapping[str, Tensor], content: Tensor) -> Tensor:
        """Return each image's loss, (n,); ``content`` has the original image's content features."""
        content_loss = _relative_error(features[self.content_layer], content)
        return self.content_weight * content_loss + self.style_weight * self.style_loss(features)

    def transfer(self, images: Tensor, lr: float, iterations: Iterable[int]) -> Tensor:
        """Return the images after Adam's steps on their pixels, clipped to [0, 1].

        Adam scales each pixel by itself, so an image does not depend on the others of its batch.
        """
        with torch.no_grad():
            content = self.features(images)[self.content_layer]
        pixels = nn.Parameter(images.clone())
        optimizer = torch.optim.Adam([pixels], lr=lr)
        for _ in iterations:
            optimizer.zero_grad()
            self.loss(self.features(pixels), content).sum().backward()
            optimizer.step()
            with torch.no_grad():
                pixels.clamp_(0, 1)
        return pixels.detach()


def _relative_error(current: Tensor, target: Tensor) -> Tensor:
    """Return ‖current − target‖² / ‖target‖² of each image, (n,)."""
    axes = tuple(range(1, current.ndim))
    size = target.square().sum(axes if target.ndim == current.ndim else None)
    size = torch.where(size > 0, size, 1.0)  # a layer may be 0 on an image
    return (current - target).square().sum(axes) / size


def mean_grams(
    network: FeatureNetwork, batches: Iterable[Tensor], layers: Sequence[str], device: torch.device
) -> dict[str, Tensor]:
    """Return the Gram matrix of each layer, averaged over all images."""
    network, to_bgr = deepcopy(network).to(device), BGRPixels().to(device)
    sums: dict[str, Tensor] = {}
    n = 0
    for images in batches:
        batch = grams(network.features(to_bgr(images.to(device)), layers), layers)
        for layer, gram in batch.items():
            sums[layer] = sums.get(layer, torch.zeros_like(gram[0])) + gram.sum(0)
        n += len(images)
    return {layer: total.cpu() / n for layer, total in sums.items()}
