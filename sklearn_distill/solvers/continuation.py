"""Minimise from the solution of a similar problem, with a factor of its Hessian."""

from __future__ import annotations

from dataclasses import replace

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.factor import Preconditioner
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Objective, Progress, Solution

# With a good preconditioner L-BFGS takes about a dozen steps. If this many are not enough, the
# preconditioner is of no use.
MAX_LBFGS_ITER = 60


def continue_from(
    objective: Objective,
    start: FloatArray,
    factor: Preconditioner,
    *,
    tol: float,
    max_iter: int,
    n_iter_before: int = 0,
    progress: Progress | None = None,
) -> Solution:
    """Minimise by preconditioned L-BFGS, and by Newton's method if that does not converge.

    Parameters
    ----------
    objective : Objective
        Convex objective F, with Hessian products.
    start : ndarray of shape (n_weights,)
        Minimiser of a similar problem, such as that of a subsample or of other targets.
    factor : Preconditioner
        Factor of a matrix close to the Hessian.
    tol : float
        Stop when max|∇F| ≤ tol.
    max_iter : int
        Maximum number of iterations, including ``n_iter_before``.
    n_iter_before : int
        Iterations that an earlier method spent.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "lbfgs", or "newton-cg" if L-BFGS made no further progress or did not
        converge within ``MAX_LBFGS_ITER`` iterations.

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
    quasi_newton = lbfgs(
        objective,
        start,
        factor.solve,
        tol=tol,
        max_iter=min(MAX_LBFGS_ITER, max_iter - n_iter_before),
        progress=_offset(progress, n_iter_before),
    )
    n_iter_before += quasi_newton.n_iter
    if quasi_newton.converged or n_iter_before == max_iter:
        return replace(quasi_newton, n_iter=n_iter_before, factor=factor)
    newton = newton_cg(
        objective,
        quasi_newton.w,
        tol=tol,
        max_iter=max_iter - n_iter_before,
        precondition=factor.solve,
        progress=_offset(progress, n_iter_before),
    )
    return replace(newton, n_iter=n_iter_before + newton.n_iter, factor=factor)


def _offset(progress: Progress | None, n_iter_before: int) -> Progress | None:
    """Add the iterations of an earlier method to those that are reported."""
    if progress is None:
        return None
    return lambda n_iter, value, gradient_norm: progress(
        n_iter_before + n_iter, value, gradient_norm
    )
