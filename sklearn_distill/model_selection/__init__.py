"""Folds for samples some or all of which have no label."""

from sklearn_distill.model_selection.labeled_k_fold import LabeledKFold

__all__ = ["LabeledKFold"]
