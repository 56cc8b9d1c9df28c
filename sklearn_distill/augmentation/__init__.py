"""New rows for a teacher to answer."""

from sklearn_distill.augmentation.munge import munge

__all__ = ["munge"]
