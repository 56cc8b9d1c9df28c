"""What the distilled logistic regressions share: how X is read and the problem is solved."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from tqdm.auto import tqdm

from sklearn_distill._typing import BoolArray, FloatArray
from sklearn_distill._validation.fitting import Interval, StrOptions
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.losses.regularizers import REGULARIZER_NAMES
from sklearn_distill.solvers import Progress, Solution, coarse_to_fine, newton_cg
from sklearn_distill.students._array_api import beside, is_tensor, validated
from sklearn_distill.students._chunks import X_CHECKS
from sklearn_distill.students._coefficients import coefficients
from sklearn_distill.students._linear_classifier import LinearClassifier
from sklearn_distill.students._problem import Problem

CONSTRAINTS: dict[str, list[Any]] = {
    "imitation": [Interval(Real, 0, 1, closed="both")],
    "temperature": [Interval(Real, 1e-100, 1e100, closed="both")],  # T² is finite
    "C": [Interval(Real, 0, None, closed="right")],
    "fit_intercept": ["boolean"],
    "soften_student": ["boolean"],
    "t_squared": ["boolean"],
    "regularizer": [StrOptions(set(REGULARIZER_NAMES)), None],
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "classes": ["array-like", None],
    "solver": [StrOptions({"auto", "lbfgs", "newton-cg"})],
    "tol": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "verbose": ["verbose"],
}

Minimiser = Callable[..., Solution]


def minimiser(solver: str, objective: SoftTargetObjective, *, dense: bool) -> Minimiser:
    """Return the method: for sparse data and without convexity that of Newton.

    Parameters
    ----------
    solver : {"auto", "lbfgs", "newton-cg"}
        The constructor's.
    objective : SoftTargetObjective
        What is to be minimised.
    dense : bool
        Whether X is.

    Returns
    -------
    callable
        ``coarse_to_fine`` or ``newton_cg``.
    """
    if solver == "auto":
        solver = "lbfgs" if dense and objective.is_convex else "newton-cg"
    return coarse_to_fine if solver == "lbfgs" else newton_cg


class LogisticStudent(LinearClassifier):
    """A linear classifier that is the minimiser of a soft-target objective."""

    fit_intercept: bool
    solver: str
    tol: float
    max_iter: int
    verbose: int

    _reads_tensors: ClassVar[bool] = False

    def _read_features(self, X: Any, y: Any, teacher_proba: Any, teacher_logits: Any) -> Any:
        """Return X checked; set ``n_features_in_``."""
        if teacher_proba is None and teacher_logits is None:
            # without a teacher scikit-learn's own errors stand, that of a missing label among them
            X = validated(self, X, y, **X_CHECKS)[0]
        else:
            X = validated(self, X, **X_CHECKS)
        if is_tensor(X) and not self._reads_tensors:
            raise TypeError(
                f"X is a torch tensor, which {type(self).__name__} does not read with "
                "array_api_dispatch=True: search with X.cpu().numpy(), then fit "
                "DistilledLogisticRegression with what was found"
            )
        return X

    def _solve(self, problem: Problem, minimise: Minimiser, start: FloatArray) -> Solution:
        if problem.is_trivial:
            nothing = np.zeros((0, problem.objective.n_columns))
            return Solution(nothing, value=0.0, gradient_norm=0.0, n_iter=0, converged=True)
        with solver_progress(self.verbose, self.max_iter, type(self).__name__) as progress:
            solution = minimise(
                problem.objective, start, tol=self.tol, max_iter=self.max_iter, progress=progress
            )
        if not solution.converged:
            warnings.warn(
                f"the solver stopped after {solution.n_iter} iterations with max|gradient| = "
                f"{solution.gradient_norm:.2g} > tol = {self.tol:.2g}: scale X, raise max_iter or "
                "tol, or lower C",
                ConvergenceWarning,
                stacklevel=2,
            )
        return solution

    def _set_coefficients(
        self, solution: Solution, active: BoolArray, dtype: np.dtype[Any]
    ) -> None:
        W = solution.w.reshape(-1, self.n_features_in_ + self.fit_intercept)
        coef, intercept = coefficients(W, active, self.fit_intercept)
        self.coef_ = coef.astype(dtype)
        self.intercept_ = intercept.astype(dtype)
        self.solver_ = solution.solver
        self.n_iter_ = np.array([solution.n_iter], dtype=np.int32)

    def _follow(self, X: Any) -> None:
        """Put the numbers of the fit beside X, if X is a tensor."""
        for name in ("coef_", "intercept_", "n_iter_"):
            setattr(self, name, beside(X, getattr(self, name)))


@contextmanager
def solver_progress(verbose: int, max_iter: int, name: str) -> Iterator[Progress | None]:
    """Yield a callback that moves a bar, or None where ``verbose`` is 0.

    Parameters
    ----------
    verbose : int
        0 is silent.
    max_iter : int
        Length of the bar.
    name : str
        What is being fitted.

    Yields
    ------
    callable or None
        To be called with (n_iter, value, max|gradient|).
    """
    if not verbose:
        yield None
        return
    with tqdm(total=max_iter, desc=name, unit="iter") as bar:

        def advance(n_iter: int, value: float, gradient_norm: float) -> None:
            bar.set_postfix(loss=f"{value:.6g}", gradient=f"{gradient_norm:.1e}", refresh=False)
            bar.update(n_iter - bar.n)

        yield advance
