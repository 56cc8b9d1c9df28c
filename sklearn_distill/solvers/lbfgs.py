"""Preconditioned L-BFGS: quasi-Newton steps that usually take one pass over the data each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers._line_search import VALUE_RTOL, line_search
from sklearn_distill.solvers.solution import Evaluation, Progress, Smooth, Solution, max_abs

MEMORY = 20  # number of steps from which the curvature is estimated


class _InverseHessian:
    """L-BFGS approximation of H⁻¹: the last steps s and gradient differences y, and M⁻¹."""

    def __init__(self, precondition: Callable[[FloatArray], FloatArray]) -> None:
        self.precondition = precondition
        self.pairs: deque[tuple[FloatArray, FloatArray, float]] = deque(maxlen=MEMORY)
        self.scale = 1.0

    def update(self, s: FloatArray, y: FloatArray) -> None:
        sy = float(s @ y)
        # A pair with s·y ≤ 0 would make the approximation indefinite; below eps it is rounding.
        if sy > np.finfo(np.float64).eps * float(y @ y):
            self.pairs.append((s, y, sy))
            # Scale M⁻¹ to the curvature along the last step.
            self.scale = sy / float(y @ self.precondition(y))

    def product(self, gradient: FloatArray) -> FloatArray:
        """Return an approximation of H⁻¹∇F by the two-loop recursion."""
        q = gradient.copy()
        alphas = []
        for s, y, sy in reversed(self.pairs):
            alphas.append(float(s @ q) / sy)
            q -= alphas[-1] * y
        r = self.scale * self.precondition(q)
        for (s, y, sy), alpha in zip(self.pairs, reversed(alphas), strict=True):
            r += (alpha - float(y @ r) / sy) * s
        return r


def lbfgs(
    objective: Smooth,
    start: FloatArray,
    precondition: Callable[[FloatArray], FloatArray],
    *,
    tol: float,
    max_iter: int,
    distance_tol: float = np.inf,
    evaluation: Evaluation | None = None,
    give_up: Callable[[int, float], bool] | None = None,
    progress: Progress | None = None,
) -> Solution:
    r"""Minimise a convex function by preconditioned limited-memory BFGS.

    Parameters
    ----------
    objective : Smooth
        Value and gradient of a convex function F.
    start : ndarray of shape (n_weights,)
        Initial weights of the iteration.
    precondition : callable
        v ↦ M⁻¹v with M positive definite and close to the Hessian.
    tol : float
        Stop when max|∇F| ≤ tol and the distance is within its tolerance.
    max_iter : int
        Maximum number of iterations.
    distance_tol : float
        Largest distance to the minimiser w*, in the Hessian's norm: it is estimated by the Newton
        decrement, :math:`\|w - w^*\|_H ≈ \sqrt{\nabla F^T H^{-1} \nabla F}`, with the approximation
        of :math:`H^{-1}`, and does not depend on the scales of the columns.
    evaluation : (float, ndarray) or None
        F and ∇F at the start, if they are known.
    give_up : callable or None
        Called after each iteration with (n_iter, estimated distance); True ends the iteration.
    progress : callable or None
        Called after each iteration with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        The last iterate. ``converged`` is False after ``max_iter`` iterations and where rounding
        prevents that max|∇F| becomes ``tol``.

    References
    ----------
    Nocedal and Wright 2006, algorithms 7.4 and 7.5, with M⁻¹ for the initial matrix; Boyd
    and Vandenberghe 2004, section 9.5.1, for the Newton decrement.

    Examples
    --------
    >>> import numpy as np
    >>> class Parabola:
    ...     def value_and_gradient(self, w):
    ...         return float((w - 3) @ (w - 3)), 2 * (w - 3)
    >>> lbfgs(Parabola(), np.zeros(1), lambda v: v / 2, tol=1e-9, max_iter=5).n_iter
    1
    """
    w, n_iter, stalled = start, 0, False
    value, gradient = evaluation or objective.value_and_gradient(w)
    inverse_hessian = _InverseHessian(precondition)
    direction = -inverse_hessian.product(gradient)

    def is_near() -> bool:
        near = -float(gradient @ direction) <= distance_tol**2
        return near and max_abs(gradient) <= tol

    while n_iter < max_iter and not is_near():
        accepted = _better_point(objective, w, direction, value, gradient)
        if accepted is None:
            stalled = True  # rounding error hides every further improvement
            break
        n_iter += 1
        new_w, new_value, new_gradient = accepted
        inverse_hessian.update(new_w - w, new_gradient - gradient)
        w, value, gradient = new_w, new_value, new_gradient
        direction = -inverse_hessian.product(gradient)
        if progress is not None:
            progress(n_iter, value, max_abs(gradient))
        if give_up is not None and give_up(n_iter, _root(-float(gradient @ direction))):
            break
    converged = is_near() or (stalled and max_abs(gradient) <= tol)
    return Solution(
        w, value, max_abs(gradient), n_iter, converged, "lbfgs", gradient=gradient, stalled=stalled
    )


def _root(decrement: float) -> float:
    return float(np.sqrt(max(decrement, 0.0)))


def _better_point(
    objective: Smooth, w: FloatArray, direction: FloatArray, value: float, gradient: FloatArray
) -> tuple[FloatArray, float, FloatArray] | None:
    """Return a point along the direction of lower value or smaller gradient, or None.

    Slopes may accept a point that is neither, just beyond the minimum along the direction: then F
    has to decrease.
    """
    for rtol in (VALUE_RTOL, 0.0):
        accepted = line_search(objective, w, direction, value, gradient, rtol=rtol)
        if accepted is None:
            return None
        _, new_value, new_gradient = accepted
        if new_value < value or max_abs(new_gradient) < max_abs(gradient):
            return accepted
    return None
