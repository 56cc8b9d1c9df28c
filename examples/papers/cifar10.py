"""Images of CIFAR-10, and their features from a network pretrained on ImageNet."""

from functools import cache

import numpy as np
from torch import nn

from sklearn_distill.datasets import fetch_cifar10
from sklearn_distill.nets import BGRPixels, SqueezeNet, hidden_representation, load_imagenet_weights


@cache
def images(subset, n_images=None):
    """Return the first images, or all of them, as (n, 3, 32, 32) bytes, and the labels."""
    bunch = fetch_cifar10(subset=subset, n_samples=n_images, dtype="uint8")
    return np.ascontiguousarray(bunch.images.transpose(0, 3, 1, 2)), bunch.target


def imagenet_features(X):
    """Return the means over pixels of the last feature maps of SqueezeNet, for enlarged images."""
    layers = list(load_imagenet_weights(SqueezeNet()).layers)[:-1]  # without the 1000 scores
    network = nn.Sequential(
        nn.Upsample(size=64, mode="bilinear"),
        BGRPixels((104, 117, 123)),
        *layers,
        nn.AdaptiveAvgPool2d(1),
    )
    last = str(len(network) - 1)
    return hidden_representation(network, X.astype(np.float32) / 255, last, batch_size=500)
