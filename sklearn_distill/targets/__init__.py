"""Targets of the objective, from labels and teachers' predictions.

All arrays of classes are class-major, ``(n_classes, n_rows)``: a reduction over classes is then a
sum of a few long contiguous vectors instead of many short ones.
"""

from sklearn_distill.targets.labels import Labels
from sklearn_distill.targets.mixture import TargetMixture
from sklearn_distill.targets.partial_mixture import PartialMixture
from sklearn_distill.targets.partial_teachers import KnownProba, PartialTeachers, known_of_dense
from sklearn_distill.targets.regression import RegressionMixture
from sklearn_distill.targets.soft_targets import (
    LogPartitionTerm,
    SoftTargets,
    TargetTangent,
    stack_targets,
)
from sklearn_distill.targets.sparse_linear import SparseLinear
from sklearn_distill.targets.teachers import Teachers, WeightedTeachers
from sklearn_distill.targets.temperature import soften, soften_derivative
from sklearn_distill.targets.trust import imitation_shares, trusted_weights
from sklearn_distill.targets.weights import (
    expected_class_mass,
    label_weights,
    mean_one,
    row_weights,
)

__all__ = [
    "KnownProba",
    "Labels",
    "LogPartitionTerm",
    "PartialMixture",
    "PartialTeachers",
    "RegressionMixture",
    "SoftTargets",
    "SparseLinear",
    "TargetMixture",
    "TargetTangent",
    "Teachers",
    "WeightedTeachers",
    "expected_class_mass",
    "imitation_shares",
    "known_of_dense",
    "label_weights",
    "mean_one",
    "row_weights",
    "soften",
    "soften_derivative",
    "stack_targets",
    "trusted_weights",
]
