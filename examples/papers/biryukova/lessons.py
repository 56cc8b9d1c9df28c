"""Cats and dogs in training, validation and test, and what the teacher says of them."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

from examples.papers.biryukova.estimators import best_epoch, dog, untrained_teacher
from examples.papers.biryukova.networks import Trunk
from examples.papers.biryukova.scales import SIZE
from sklearn_distill.datasets import fetch_dogs_vs_cats

TEST_SHARE = VALIDATION_SHARE = 0.15
N_TIMED = 32


@dataclass(frozen=True)
class Lesson:
    """A split of the images, and the teacher that was trained on it.

    Parameters
    ----------
    X, y : ndarray
        What students are trained on; 1 is a dog.
    teacher_proba : ndarray of shape (n_samples,)
        The teacher's probability of a dog for these images, on which it was trained too.
    validation, test : tuple of ndarray
        Images of the students' size and labels.
    teacher_test_proba : ndarray of shape (n_test,)
        The teacher's probability of a dog for the test images.
    teacher_network : Module
        From images of 64×64 to probabilities, on the CPU.
    teacher_images : ndarray of shape (n_timed, 3, 64, 64)
        Images to time it with.
    teacher_epoch : int
        Its best epoch.
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
    """Split the images anew, train the teacher and ask it."""
    images, y = pictures(scale.n_images)
    small = shrunk(scale.n_images, min(scale.pixels, SIZE))
    train, validation, test = split(y, seed)
    teacher, seen, network = trained_teacher(seed, scale, (train, validation), device)
    return Lesson(
        X=small[train],
        y=y[train],
        teacher_proba=dog(teacher, seen[train]),
        validation=(small[validation], y[validation]),
        test=(small[test], y[test]),
        teacher_test_proba=dog(teacher, seen[test]),
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
def shrunk(n_images, pixels):
    """Return the images with their pixels averaged over areas."""
    images, _ = pictures(n_images)
    if pixels == SIZE:
        return images
    return nn.functional.interpolate(torch.tensor(images), size=pixels, mode="area").numpy()


def split(y, seed):
    """Return the rows of training (70 %), validation and test (15 % each)."""
    cut = partial(train_test_split, random_state=seed)
    rows, test = cut(np.arange(len(y)), test_size=TEST_SHARE, stratify=y)
    share = VALIDATION_SHARE / (1 - TEST_SHARE)
    train, validation = cut(rows, test_size=share, stratify=y[rows])
    return train, validation, test


def trained_teacher(seed, scale, rows, device):
    """Return the fitted teacher, all that it sees, and its network from images to answers."""
    images, y = pictures(scale.n_images)
    seen = features(scale.n_images, scale.teacher_pixels, device) if scale.frozen else images
    train, validation = rows
    teacher = untrained_teacher(scale, device).set_params(random_state=seed)
    teacher.fit(seen[train], y[train], X_val=seen[validation], y_val=y[validation])
    answers = teacher.to_torch()
    if scale.frozen:
        return teacher, seen, nn.Sequential(trunk(scale.teacher_pixels), answers)
    return teacher, seen, answers


@lru_cache(maxsize=1)
def trunk(pixels):
    """Return the trunk that is not trained."""
    return Trunk(pixels).eval()


@lru_cache(maxsize=1)
def features(n_images, pixels, device):
    """Return what the trunk makes of all images, (n, 2048)."""
    images, _ = pictures(n_images)
    network = trunk(pixels).to(device)
    with torch.inference_mode():
        parts = [network(batch.to(device)).cpu() for batch in torch.tensor(images).split(100)]
    network.cpu()  # where it is timed
    return torch.cat(parts).numpy()
