"""Images of cats and dogs for training, validation and test, and the fitted teacher."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

from examples.papers.biryukova.estimators import best_epoch, dog_proba, untrained_teacher
from examples.papers.biryukova.networks import Trunk
from examples.papers.biryukova.scales import SIZE
from examples.papers.runs import kept
from sklearn_distill.datasets import fetch_dogs_vs_cats

TEST_SHARE = VALIDATION_SHARE = 0.15
N_TIMED = 32


@dataclass(frozen=True)
class DistillationData:
    """A split of the images, and the predictions of the teacher trained on it.

    Parameters
    ----------
    X, y : ndarray
        Training data of the students; 1 is a dog.
    teacher_proba : ndarray of shape (n_samples,)
        In-sample predictions of the teacher: the probability of a dog for the training images.
    validation, test : tuple of ndarray
        Images in the students' size, and labels.
    teacher_test_proba : ndarray of shape (n_test,)
        Probability of a dog predicted by the teacher for the test images.
    teacher_network : Module
        The network of the teacher, from images of 64×64 to probabilities, on the CPU.
    teacher_images : ndarray of shape (n_timed, 3, 64, 64)
        Images for timing the network.
    teacher_epoch : int
        Best epoch of the teacher.
    """

    X: np.ndarray
    y: np.ndarray
    teacher_proba: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    teacher_test_proba: np.ndarray
    teacher_network: nn.Module
    teacher_images: np.ndarray
    teacher_epoch: int


@lru_cache(maxsize=1)
def draw(seed, scale, device):
    """Split the images, train the teacher and predict with it."""
    images, y = pictures(scale.n_images)
    small = downsampled(scale.n_images, min(scale.pixels, SIZE))
    train, validation, test = split(y, seed)
    teacher, inputs, network = trained_teacher(seed, scale, (train, validation), device)
    return DistillationData(
        X=small[train],
        y=y[train],
        teacher_proba=dog_proba(teacher, inputs[train]),
        validation=(small[validation], y[validation]),
        test=(small[test], y[test]),
        teacher_test_proba=dog_proba(teacher, inputs[test]),
        teacher_network=network,
        teacher_images=images[test[:N_TIMED]],
        teacher_epoch=best_epoch(teacher),
    )


@lru_cache(maxsize=1)
def pictures(n_images):
    """Return images (n, 3, 64, 64) and labels."""
    found = fetch_dogs_vs_cats(n_samples=n_images)
    return np.ascontiguousarray(found.images.transpose(0, 3, 1, 2)), found.target


@lru_cache(maxsize=1)
def downsampled(n_images, pixels):
    """Return the images, downsampled by averages over areas."""
    images, _ = pictures(n_images)
    if pixels == SIZE:
        return images
    return nn.functional.interpolate(torch.tensor(images), size=pixels, mode="area").numpy()


def split(y, seed):
    """Return the indices of training (70 %), validation and test images (15 % each)."""
    split_once = partial(train_test_split, random_state=seed)
    rows, test = split_once(np.arange(len(y)), test_size=TEST_SHARE, stratify=y)
    share = VALIDATION_SHARE / (1 - TEST_SHARE)
    train, validation = split_once(rows, test_size=share, stratify=y[rows])
    return train, validation, test


def trained_teacher(seed, scale, rows, device):
    """Return the fitted teacher, its inputs, and its network from images to probabilities."""
    images, y = pictures(scale.n_images)
    inputs = features(scale.n_images, scale.teacher_pixels, device) if scale.frozen else images
    train, validation = rows
    teacher = untrained_teacher(scale, device).set_params(random_state=seed)
    teacher.fit(inputs[train], y[train], X_val=inputs[validation], y_val=y[validation])
    network = teacher.to_torch()
    if scale.frozen:
        return teacher, inputs, nn.Sequential(trunk(scale.teacher_pixels), network)
    return teacher, inputs, network


@lru_cache(maxsize=1)
def trunk(pixels):
    """Return the frozen trunk."""
    return Trunk(pixels).eval()


@lru_cache(maxsize=1)
@kept
def features(n_images, pixels, device):
    """Return the features of all images from the trunk, (n, 2048)."""
    images, _ = pictures(n_images)
    network = trunk(pixels).to(device)
    with torch.inference_mode():
        parts = [network(batch.to(device)).cpu() for batch in torch.tensor(images).split(100)]
    network.cpu()  # it is timed there
    return torch.cat(parts).numpy()
