"""The one objective: value, gradient, Hessian products, derivatives in λ and T."""

from sklearn_distill.losses.design import DenseDesign, Design, SparseDesign, as_design
from sklearn_distill.losses.log_partition import OneLogitLogPartition, SoftmaxLogPartition
from sklearn_distill.losses.objective import SoftTargetObjective

__all__ = [
    "DenseDesign",
    "Design",
    "OneLogitLogPartition",
    "SoftTargetObjective",
    "SoftmaxLogPartition",
    "SparseDesign",
    "as_design",
]
