"""Minimise with a factor at hand that is near that of the Hessian."""

from __future__ import annotations

from dataclasses import replace

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.factor import Preconditioner
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Objective, Progress, Solution

# a good preconditioner needs a dozen steps; where this many do not do, it is none
PATIENCE = 60


def continue_from(
    objective: Objective,
    start: FloatArray,
    factor: Preconditioner,
    *,
    tol: float,
    max_iter: int,
    n_before: int = 0,
    progress: Progress | None = None,
) -> Solution:
    """Minimise from near the minimum, by Newton's method where the factor proves of no use.

    Parameters
    ----------
    objective : Objective
        Convex.
    start : ndarray of shape (n_weights,)
        The minimiser of a near problem, as of a part of the rows or of other targets.
    factor : Preconditioner
        A factor near that of the Hessian.
    tol : float
        Stop when max|∇F| ≤ tol.
    max_iter : int
        Largest number of steps, those before included.
    n_before : int
        Steps that an earlier method did.
    progress : callable or None
        Called after each step with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "lbfgs", or "newton-cg" where that took over: after ``PATIENCE`` steps, or
        where no step improved any more.

    Examples
    --------
    >>> import numpy as np
    >>> class Parabola:
    ...     def value_and_gradient(self, w):
    ...         return float((w - 3) @ (w - 3)), 2 * (w - 3)
    >>> from sklearn_distill.solvers import KroneckerFactor
    >>> factor = KroneckerFactor(2 * np.eye(1))
    >>> continue_from(Parabola(), np.zeros(1), factor, tol=1e-9, max_iter=5).w
    array([3.])
    """
    n_left = max_iter - n_before
    fast = lbfgs(
        objective,
        start,
        factor.solve,
        tol=tol,
        max_iter=min(PATIENCE, n_left),
        progress=_after(n_before, progress),
    )
    n_before += fast.n_iter
    if fast.converged or n_before == max_iter:
        return replace(fast, n_iter=n_before, factor=factor)
    safe = newton_cg(
        objective,
        fast.w,
        tol=tol,
        max_iter=max_iter - n_before,
        precondition=factor.solve,
        progress=_after(n_before, progress),
    )
    return replace(safe, n_iter=n_before + safe.n_iter, factor=factor)


def _after(n_before: int, progress: Progress | None) -> Progress | None:
    """Count on from what an earlier method did."""
    if progress is None:
        return None
    return lambda n_iter, value, gradient_norm: progress(n_before + n_iter, value, gradient_norm)
