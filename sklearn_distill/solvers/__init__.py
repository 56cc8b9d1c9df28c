"""Minimisers of an objective, given by protocols; they return a Solution and never warn."""

from sklearn_distill.solvers.conjugate_gradients import conjugate_gradients
from sklearn_distill.solvers.continuation import continue_from
from sklearn_distill.solvers.factor import (
    BlockFactor,
    DiagonalFactor,
    KroneckerFactor,
    Preconditioner,
)
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.row_space import minimise_in_row_space, minimiser_of_coordinates
from sklearn_distill.solvers.scaled_newton import scaled_newton
from sklearn_distill.solvers.solution import Objective, Progress, RowwiseObjective, Solution
from sklearn_distill.solvers.subsampling import coarse_to_fine, hessian_factor

__all__ = [
    "BlockFactor",
    "DiagonalFactor",
    "KroneckerFactor",
    "Objective",
    "Preconditioner",
    "Progress",
    "RowwiseObjective",
    "Solution",
    "coarse_to_fine",
    "conjugate_gradients",
    "continue_from",
    "hessian_factor",
    "lbfgs",
    "minimise_in_row_space",
    "minimiser_of_coordinates",
    "newton_cg",
    "scaled_newton",
]
