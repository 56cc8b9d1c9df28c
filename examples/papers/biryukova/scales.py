"""Sizes of the experiments: as published, for hours on one core ("large"), or for minutes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from torch import nn

from sklearn_distill.nets import CifarCNN, ResNet18

SIZE = 64  # of the images, in pixels


@dataclass(frozen=True)
class Scale:
    """Size of an experiment.

    Parameters
    ----------
    n_images : int
        Number of images for training (70 %), validation and test.
    frozen : bool
        Whether the trunk of the teacher keeps the weights from ImageNet or is trained as well.
    teacher_pixels, teacher_lr, teacher_epochs
        Size of the teacher's images, learning rate and epochs.
    network : callable
        Returns the network of a student.
    pixels, shift, lr, epochs
        Size of the students' images, shift as a share of it, learning rate and epochs.
    """

    n_images: int
    frozen: bool
    teacher_pixels: int
    teacher_lr: float
    teacher_epochs: int
    network: Callable[[], nn.Module]
    pixels: int
    shift: float
    lr: float
    epochs: int


MEDIUM = Scale(
    n_images=3000,
    frozen=True,
    teacher_pixels=64,
    teacher_lr=1e-3,
    teacher_epochs=20,
    network=partial(CifarCNN, n_outputs=1, image_shape=(3, 24, 24)),
    pixels=24,
    shift=0.1,
    lr=5e-3,
    epochs=10,
)
SCALES = {
    "small": replace(MEDIUM, n_images=1500, epochs=8),
    "medium": MEDIUM,
    "large": replace(
        MEDIUM,
        n_images=25_000,
        teacher_pixels=128,
        network=partial(CifarCNN, n_outputs=1, image_shape=(3, SIZE, SIZE)),
        pixels=SIZE,
        lr=1e-3,
        epochs=20,
    ),
    "full": Scale(
        n_images=25_000,
        frozen=False,
        teacher_pixels=224,
        teacher_lr=1e-6,
        teacher_epochs=25,
        network=partial(ResNet18, n_outputs=1),
        pixels=224,
        shift=0.4,
        lr=1e-4,
        epochs=100,
    ),
}


def why_different(name):
    """Return why the figures of a scale with a frozen trunk differ from the published ones."""
    scale = SCALES[name]
    all_images = scale.n_images == SCALES["full"].n_images
    fewer = "" if all_images else f"there are {scale.n_images} images instead of 25,000, and "
    return {
        (name,): f"{fewer}the network is smaller",
        (name, "teacher"): f"{fewer}its trunk is not trained",
        (name, "images_per_second"): "networks, images and machine are different",
        (name, "best_epoch"): f"there are {scale.epochs} epochs instead of 100",
    }


BECAUSE = why_different("small") | why_different("medium") | why_different("large")
