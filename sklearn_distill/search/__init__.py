"""Choose λ, T and C: by hypergradients, along predicted trajectories, on a grid, or by Optuna."""

from sklearn_distill.search.distillation_objective import distillation_objective
from sklearn_distill.search.distilled_logistic_cv import DistilledLogisticRegressionCV
from sklearn_distill.search.greedy_hypergradient import GreedyHypergradient
from sklearn_distill.search.linear_trajectory import LinearTrajectory
from sklearn_distill.search.privileged_linear_cv import PrivilegedLinearRegressionCV
from sklearn_distill.search.tune_student import Tuned, tune_student

__all__ = [
    "DistilledLogisticRegressionCV",
    "GreedyHypergradient",
    "LinearTrajectory",
    "PrivilegedLinearRegressionCV",
    "Tuned",
    "distillation_objective",
    "tune_student",
]
