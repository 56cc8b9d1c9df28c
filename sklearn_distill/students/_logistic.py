"""Base class of the distilled logistic regressions: validation of X, solver and coefficients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from tqdm.auto import tqdm

from sklearn_distill._typing import (
    BoolArray,
    CheckedX,
    FloatArray,
    MatrixLike,
    TargetLike,
    TeacherLike,
)
from sklearn_distill._validation.fitting import Interval, StrOptions, satisfies_constraints
from sklearn_distill._validation.labels import refuse_soft_labels
from sklearn_distill._validation.plain_arrays import (
    are_plain_labels,
    is_finite,
    is_plain_matrix,
    set_features,
)
from sklearn_distill._validation.tensors import is_tensor
from sklearn_distill._validation.user_warning import warn_user
from sklearn_distill.losses import SoftTargetObjective
from sklearn_distill.losses.regularizers import REGULARIZER_NAMES
from sklearn_distill.solvers import (
    Minimiser,
    Progress,
    Solution,
    choose_minimiser,
    coarse_to_fine,
    minimise_in_row_space,
    row_space_pays,
    scaled_newton,
)
from sklearn_distill.students._array_api import (
    asarray_like,
    validate_features,
    validate_features_and_labels,
)
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
    "partial": [StrOptions({"rest", "spread"})],
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "classes": ["array-like", None],
    "solver": [StrOptions({"auto", "lbfgs", "newton-cg"})],
    "tol": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 0, None, closed="left")],
    "verbose": ["verbose"],
}

# A distance to the minimiser of 1e-7 leaves errors below 1e-6 in the probabilities, at the default
# tol of 1e-4 (see Tolerance in the notes of DistilledLogisticRegression).
DISTANCE_TOL = 1e-3

# So few entries of float32 are multiplied in float64, which costs no more and whose rounding does
# not hide the minimum; with more scores than these the products take the time.
FEW_ENTRIES = 2**20
FEW_SCORES = 4


def select_minimiser(solver: str, objective: SoftTargetObjective, *, dense: bool) -> Minimiser:
    """Return the minimiser of the constructor's ``solver``.

    "auto" and "newton-cg" work in the row space of dense X with more columns than rows.

    Parameters
    ----------
    solver : {"auto", "lbfgs", "newton-cg"}
        The constructor parameter of this name.
    objective : SoftTargetObjective
        The objective to minimise.
    dense : bool
        Whether X is dense.

    Returns
    -------
    callable
        That of :func:`~sklearn_distill.solvers.choose_minimiser` for "auto"; ``coarse_to_fine``;
        ``scaled_newton``, or ``minimise_in_row_space`` by Newton's method.
    """
    if solver == "auto":
        return choose_minimiser(objective, dense=dense)
    if solver == "lbfgs":
        return coarse_to_fine
    is_wide = row_space_pays(objective.n_rows, objective.n_columns)
    if objective.has_row_space and is_wide:
        return partial(minimise_in_row_space, method="newton-cg")
    return scaled_newton


class LogisticStudent(LinearClassifier):
    """A linear classifier whose coefficients minimise a soft-target objective."""

    fit_intercept: bool
    solver: str
    tol: float
    max_iter: int
    verbose: int

    _accepts_tensors: ClassVar[bool] = False  # under array API dispatch

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        # scikit-learn reads the signature anew in each fit, a tenth of the time of a small one
        names: list[str] = super()._get_param_names()
        return names

    def _validate_params(self) -> None:
        if not satisfies_constraints(self):
            super()._validate_params()  # which raises the error

    def _validate_features(
        self,
        X: MatrixLike,
        y: TargetLike,
        teacher_proba: TeacherLike,
        teacher_logits: TeacherLike,
    ) -> CheckedX:
        """Return X validated; set ``n_features_in_`` and ``feature_names_in_``."""
        has_teacher = teacher_proba is not None or teacher_logits is not None
        # with a teacher, y is read with it
        if is_plain_matrix(X) and (has_teacher or are_plain_labels(y, len(X))) and is_finite(X):
            set_features(self, X)
            return X
        if not has_teacher:
            refuse_soft_labels(y)
            # without a teacher the errors are scikit-learn's own, such as that of a missing label
            checked, _ = validate_features_and_labels(self, X, y, **X_CHECKS)
        else:
            checked = validate_features(self, X, **X_CHECKS)
        if is_tensor(checked) and not self._accepts_tensors:
            raise TypeError(
                f"X is a torch tensor, which {type(self).__name__} does not accept with "
                "array_api_dispatch=True: search with X.cpu().numpy(), then fit "
                "DistilledLogisticRegression with the metaparameters found"
            )
        return checked

    def _solve(self, problem: Problem, minimise: Minimiser, start: FloatArray) -> Solution:
        if problem.is_trivial:
            # no scores: the class with all the mass has probability 1
            w = np.zeros((0, problem.objective.n_columns))
            return Solution(w, value=0.0, gradient_norm=0.0, n_iter=0, converged=True)
        with solver_progress(self.verbose, self.max_iter, type(self).__name__) as progress:
            solution = self._minimise(problem.objective, minimise, start, progress)
        # products in float32 may not resolve the distance that is asked for
        at_precision = solution.stalled and problem.objective.precision > np.finfo(np.float64).eps
        if not (solution.converged or at_precision):
            warn_user(
                f"the solver stopped after {solution.n_iter} iterations "
                f"{_what_is_left(solution, self.tol)}: scale X, raise max_iter or tol, or lower C",
                ConvergenceWarning,
            )
        return solution

    def _minimise(
        self,
        objective: SoftTargetObjective,
        minimise: Minimiser,
        start: FloatArray,
        progress: Progress | None,
    ) -> Solution:
        """Minimise, and go on with products in float64 where those of float32 come to an end."""
        n_scores, n_columns = objective.shape
        if objective.n_rows * n_columns * max(1, n_scores / FEW_SCORES) <= FEW_ENTRIES:
            objective = objective.in_double()
        # the intercept of a class that is nearly always unknown may go to −∞, at no distance
        far = objective.sums.is_partial
        run = partial(
            minimise, tol=self.tol, distance_tol=np.inf if far else DISTANCE_TOL * self.tol
        )
        solution = run(
            objective,
            start,
            precision=objective.precision,
            max_iter=self.max_iter,
            progress=progress,
        )
        if solution.converged or not solution.stalled:
            return solution
        doubled = objective.in_double()
        if doubled.precision == objective.precision:
            return solution
        better = run(
            doubled,
            solution.w,
            precision=doubled.precision,
            max_iter=self.max_iter - solution.n_iter,
            progress=progress,
        )
        return replace(better, n_iter=better.n_iter + solution.n_iter)

    def _set_coefficients(
        self, solution: Solution, active: BoolArray, dtype: np.dtype[Any]
    ) -> None:
        W = solution.w.reshape(-1, self.n_features_in_ + self.fit_intercept)
        coef, intercept = coefficients(W, active, self.fit_intercept)
        self.coef_ = coef.astype(dtype)
        self.intercept_ = intercept.astype(dtype)
        self.solver_ = solution.solver
        self.n_iter_ = np.array([solution.n_iter], dtype=np.int32)

    def _convert_coefficients_like(self, X: CheckedX) -> None:
        """Convert the fitted numbers to tensors on the device of X, if X is a tensor."""
        for name in ("coef_", "intercept_", "n_iter_"):
            setattr(self, name, asarray_like(X, getattr(self, name)))


def _what_is_left(solution: Solution, tol: float) -> str:
    if solution.gradient_norm <= tol:
        return "before the probabilities were as near to those at the minimum as tol asks"
    return f"with max|gradient| = {solution.gradient_norm:.2g} > tol = {tol:.2g}"


@contextmanager
def solver_progress(verbose: int, max_iter: int, name: str) -> Iterator[Progress | None]:
    """Yield a callback that advances a progress bar, or None if ``verbose`` is 0.

    Parameters
    ----------
    verbose : int
        0 shows no bar.
    max_iter : int
        Length of the bar, in iterations.
    name : str
        Label of the bar: the class of the estimator.

    Yields
    ------
    callable or None
        Called by the solver with (n_iter, value, max|gradient|).
    """
    if not verbose:
        yield None
        return
    with tqdm(total=max_iter, desc=name, unit="iter") as bar:

        def advance(n_iter: int, value: float, gradient_norm: float) -> None:
            bar.set_postfix(loss=f"{value:.6g}", gradient=f"{gradient_norm:.1e}", refresh=False)
            bar.update(n_iter - bar.n)

        yield advance
