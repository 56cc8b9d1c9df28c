"""Synthetic samples for a teacher to label, and random changes of images."""

from sklearn_distill.augmentation.images import (
    Augmentation,
    Compose,
    RandomHorizontalFlip,
    RandomShift,
)
from sklearn_distill.augmentation.munge import munge

__all__ = ["Augmentation", "Compose", "RandomHorizontalFlip", "RandomShift", "munge"]
