"""Weighted least squares with a teacher, from mergeable statistics that do not depend on λ."""

from sklearn_distill.solvers.least_squares.cross_validation import (
    CVErrors,
    CVProblem,
    fold_statistics,
)
from sklearn_distill.solvers.least_squares.folds import (
    FoldRows,
    FoldStatistics,
    group_folds,
)
from sklearn_distill.solvers.least_squares.gram import Gram
from sklearn_distill.solvers.least_squares.leave_one_out import (
    held_out_predictions,
    leave_one_out_imitation,
    leave_one_out_predictions,
)
from sklearn_distill.solvers.least_squares.noise import NoNoiseEstimateError
from sklearn_distill.solvers.least_squares.privileged import PrivilegedFit, PrivilegedLeastSquares
from sklearn_distill.solvers.least_squares.regression_data import RegressionData
from sklearn_distill.solvers.least_squares.root import Root
from sklearn_distill.solvers.least_squares.sources import Source
from sklearn_distill.solvers.least_squares.statistics import Statistics
from sklearn_distill.solvers.least_squares.tensor_regression_data import TensorRegressionData

__all__ = [
    "CVErrors",
    "CVProblem",
    "FoldRows",
    "FoldStatistics",
    "Gram",
    "NoNoiseEstimateError",
    "PrivilegedFit",
    "PrivilegedLeastSquares",
    "RegressionData",
    "Root",
    "Source",
    "Statistics",
    "TensorRegressionData",
    "fold_statistics",
    "group_folds",
    "held_out_predictions",
    "leave_one_out_imitation",
    "leave_one_out_predictions",
]
