"""Minimisers: they know an objective by what it can do, return a Solution and never warn."""

from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Objective, Progress, Solution

__all__ = ["Objective", "Progress", "Solution", "newton_cg"]
