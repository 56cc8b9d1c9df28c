"""Minimisers: they know an objective by what it can do, return a Solution and never warn."""

from sklearn_distill.solvers.factor import Factor
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Objective, Progress, RowwiseObjective, Solution
from sklearn_distill.solvers.subsampling import coarse_to_fine

__all__ = [
    "Factor",
    "Objective",
    "Progress",
    "RowwiseObjective",
    "Solution",
    "coarse_to_fine",
    "lbfgs",
    "newton_cg",
]
