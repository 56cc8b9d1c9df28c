"""Minimisers of an objective, given by protocols; they return a Solution and never warn."""

from sklearn_distill.solvers.choice import Minimiser, choose_minimiser, row_space_pays
from sklearn_distill.solvers.class_means import ClassMeansFactor
from sklearn_distill.solvers.conjugate_gradients import conjugate_gradients
from sklearn_distill.solvers.continuation import continue_from
from sklearn_distill.solvers.factor import (
    BlockFactor,
    DiagonalFactor,
    KroneckerFactor,
    Preconditioner,
    TriangleFactor,
)
from sklearn_distill.solvers.late_factor import lbfgs_with_late_factor
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.leading_columns import LeadingColumnsFactor
from sklearn_distill.solvers.lockstep import ManySmooth, Pairs, lbfgs_in_lockstep
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.newton_cholesky import newton_cholesky, newton_pays
from sklearn_distill.solvers.row_space import minimise_in_row_space, minimiser_of_coordinates
from sklearn_distill.solvers.scaled_newton import scaled_newton
from sklearn_distill.solvers.solution import Objective, Progress, RowwiseObjective, Solution
from sklearn_distill.solvers.subsampling import (
    any_column_is_rarer,
    coarse_to_fine,
    factor_of_many_fits,
    hessian_factor,
)
from sklearn_distill.solvers.used_columns import newton_on_used_columns

__all__ = [
    "BlockFactor",
    "ClassMeansFactor",
    "DiagonalFactor",
    "KroneckerFactor",
    "LeadingColumnsFactor",
    "ManySmooth",
    "Minimiser",
    "Objective",
    "Pairs",
    "Preconditioner",
    "Progress",
    "RowwiseObjective",
    "Solution",
    "TriangleFactor",
    "any_column_is_rarer",
    "choose_minimiser",
    "coarse_to_fine",
    "conjugate_gradients",
    "continue_from",
    "factor_of_many_fits",
    "hessian_factor",
    "lbfgs",
    "lbfgs_in_lockstep",
    "lbfgs_with_late_factor",
    "minimise_in_row_space",
    "minimiser_of_coordinates",
    "newton_cg",
    "newton_cholesky",
    "newton_on_used_columns",
    "newton_pays",
    "row_space_pays",
    "scaled_newton",
]
