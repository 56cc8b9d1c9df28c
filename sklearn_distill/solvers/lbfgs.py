"""Quasi-Newton steps with a preconditioner: one pass over the data for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers._line_search import search_line
from sklearn_distill.solvers.solution import Progress, Smooth, Solution, largest

MEMORY = 20


class _InverseHessian:
    """The last steps s and gradient differences y, on top of a preconditioner M⁻¹."""

    def __init__(self, precondition: Callable[[FloatArray], FloatArray]) -> None:
        self.precondition = precondition
        self.pairs: deque[tuple[FloatArray, FloatArray, float]] = deque(maxlen=MEMORY)
        self.scale = 1.0

    def update(self, s: FloatArray, y: FloatArray) -> None:
        sy = float(s @ y)
        if sy > np.finfo(np.float64).eps * float(y @ y):  # else the curvature is only rounding
            self.pairs.append((s, y, sy))
            self.scale = sy / float(y @ self.precondition(y))

    def times(self, gradient: FloatArray) -> FloatArray:
        """Return an approximation of H⁻¹∇F by the two-loop recursion."""
        q = gradient.copy()
        shares = []
        for s, y, sy in reversed(self.pairs):
            shares.append(float(s @ q) / sy)
            q -= shares[-1] * y
        r = self.scale * self.precondition(q)
        for (s, y, sy), share in zip(self.pairs, reversed(shares), strict=True):
            r += (share - float(y @ r) / sy) * s
        return r


def lbfgs(
    objective: Smooth,
    start: FloatArray,
    precondition: Callable[[FloatArray], FloatArray],
    *,
    tol: float,
    max_iter: int,
    progress: Progress | None = None,
) -> Solution:
    r"""Minimise a convex function by preconditioned limited-memory BFGS.

    Parameters
    ----------
    objective : Smooth
        Value and gradient.
    start : ndarray of shape (n_weights,)
        Where to begin.
    precondition : callable
        v ↦ M⁻¹v with M positive definite and near the Hessian.
    tol : float
        Stop when max|∇F| ≤ tol.
    max_iter : int
        Largest number of steps.
    progress : callable or None
        Called after each step with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        The last point; not converged also where no step along the line improves any more.

    References
    ----------
    Nocedal and Wright 2006, algorithms 7.4 and 7.5, with M⁻¹ for the initial matrix.

    Examples
    --------
    >>> import numpy as np
    >>> class Parabola:
    ...     def value_and_gradient(self, w):
    ...         return float((w - 3) @ (w - 3)), 2 * (w - 3)
    >>> lbfgs(Parabola(), np.zeros(1), lambda v: v / 2, tol=1e-9, max_iter=5).n_iter
    1
    """
    w, n_iter = start, 0
    value, gradient = objective.value_and_gradient(w)
    inverse = _InverseHessian(precondition)
    while largest(gradient) > tol and n_iter < max_iter:
        found = search_line(objective, w, -inverse.times(gradient), value, gradient)
        if found is None:
            break
        n_iter += 1
        new_w, new_value, new_gradient = found
        if new_value >= value and largest(new_gradient) >= largest(gradient):
            break  # rounding error hides every further improvement
        inverse.update(new_w - w, new_gradient - gradient)
        w, value, gradient = new_w, new_value, new_gradient
        if progress is not None:
            progress(n_iter, value, largest(gradient))
    converged = largest(gradient) <= tol
    return Solution(w, value, largest(gradient), n_iter, converged, "lbfgs", gradient=gradient)
