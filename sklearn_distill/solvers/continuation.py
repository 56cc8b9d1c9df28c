"""Minimise from the solution of a similar problem, with a factor of its Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.factor import Preconditioner
from sklearn_distill.solvers.lbfgs import lbfgs
from sklearn_distill.solvers.newton import newton_cg
from sklearn_distill.solvers.solution import Evaluation, Objective, Progress, Solution

# With a good preconditioner L-BFGS takes about a dozen steps. If this many are not enough, the
# preconditioner is of no use.
MAX_LBFGS_ITER = 60
# After as many renewals Newton's method takes over.
MAX_RENEWALS = 5

Renewal = Callable[[FloatArray], Preconditioner]


def continue_from(
    objective: Objective,
    start: FloatArray,
    factor: Preconditioner,
    *,
    tol: float,
    distance_tol: float = np.inf,
    max_iter: int,
    precision: float = float(np.finfo(np.float64).eps),
    renew: Renewal | None = None,
    renew_after: int = MAX_LBFGS_ITER,
    stall_tol: float = 0.0,
    n_iter_before: int = 0,
    evaluation: Evaluation | None = None,
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
    tol, distance_tol : float
        Stop when max|∇F| and the estimated distance to the minimiser are within these tolerances;
        see :func:`lbfgs`.
    max_iter : int
        Maximum number of iterations, including ``n_iter_before``.
    precision : float
        Relative rounding error of F.
    renew : callable or None
        w ↦ a factor of the Hessian at w, which replaces the factor after ``renew_after``
        iterations; None for no renewal.
    renew_after : int
        Number of iterations of L-BFGS with one factor.
    stall_tol : float
        Where rounding hides every further improvement by L-BFGS, Newton's method does not take over
        if max|∇F| is at most this.
    n_iter_before : int
        Iterations that an earlier method spent.
    evaluation : (float, ndarray) or None
        F and ∇F at the start, if they are known.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        ``solver`` is "lbfgs", or "newton-cg" if L-BFGS made no further progress or did not
        converge with any of the factors. With the last factor.

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
    n_iter, n_renewals = n_iter_before, 0
    while True:
        solution = lbfgs(
            objective,
            start,
            factor.solve,
            tol=tol,
            distance_tol=distance_tol,
            max_iter=min(renew_after, max_iter - n_iter),
            evaluation=evaluation,
            progress=_offset(progress, n_iter),
        )
        n_iter += solution.n_iter
        stalled_near = solution.stalled and solution.gradient_norm <= stall_tol
        if solution.converged or stalled_near or n_iter == max_iter:
            return replace(solution, n_iter=n_iter, factor=factor)
        start, evaluation = solution.w, solution.evaluation
        if renew is None or solution.stalled or n_renewals == MAX_RENEWALS:
            break
        n_renewals += 1
        try:
            factor = renew(start)
        except np.linalg.LinAlgError:
            break
    newton = newton_cg(
        objective,
        start,
        tol=tol,
        distance_tol=distance_tol,
        max_iter=max_iter - n_iter,
        precision=precision,
        precondition=factor.solve,
        evaluation=evaluation,
        progress=_offset(progress, n_iter),
    )
    return replace(newton, n_iter=n_iter + newton.n_iter, factor=factor)


def _offset(progress: Progress | None, n_iter_before: int) -> Progress | None:
    """Add the iterations of an earlier method to those that are reported."""
    if progress is None:
        return None
    return lambda n_iter, value, gradient_norm: progress(
        n_iter_before + n_iter, value, gradient_norm
    )
