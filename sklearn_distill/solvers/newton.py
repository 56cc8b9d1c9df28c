"""Newton's method in a trust region, for convex and for indefinite objectives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.solution import Objective, Progress, Solution, largest

LinearMap = Callable[[FloatArray], FloatArray]

# a step is taken if the objective falls by this share of what the quadratic model promised
_ACCEPT = 1e-4
_SHRINK_BELOW, _GROW_ABOVE = 0.25, 0.75
# differences of F below this multiple of its rounding error say nothing
_ROUNDING = 64 * np.finfo(np.float64).eps


def newton_cg(
    objective: Objective,
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
    precondition: LinearMap | None = None,
    progress: Progress | None = None,
) -> Solution:
    r"""Minimise by truncated Newton steps within a trust region.

    Each step solves :math:`\min_p g·p + \frac12 p·Hp,\ \|p\|_M \le Δ` by conjugate gradients that
    stop at the region's border and at negative curvature, so the method is safe for objectives
    that are not convex.

    Parameters
    ----------
    objective : Objective
        Value, gradient and Hessian products.
    start : ndarray of shape (n_weights,)
        Where to begin.
    tol : float
        Stop when max|∇F| ≤ tol.
    max_iter : int
        Largest number of Newton steps.
    precondition : callable or None
        v ↦ M⁻¹v with M positive definite and near the Hessian; None is the identity.
    progress : callable or None
        Called after each step with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        The last point; ``converged`` says whether ``tol`` was reached.

    References
    ----------
    Steihaug 1983; Conn, Gould and Toint 2000, algorithm 7.5.1; Nocedal and Wright 2006,
    algorithms 4.1 and 7.2.

    Examples
    --------
    >>> import numpy as np
    >>> class Parabola:
    ...     def value_and_gradient(self, w):
    ...         return float((w - 3) @ (w - 3)), 2 * (w - 3)
    ...     def hessian_operator(self, w):
    ...         return lambda v: 2 * v
    >>> newton_cg(Parabola(), np.zeros(1), tol=1e-9, max_iter=5).w
    array([3.])
    """
    w, radius = start, np.inf
    value, gradient = objective.value_and_gradient(w)
    n_iter = 0
    hessian_product = objective.hessian_operator(w) if largest(gradient) > tol else None
    while hessian_product is not None and n_iter < max_iter:
        n_iter += 1
        step, promised, length = truncated_step(gradient, hessian_product, radius, precondition)
        new_value, new_gradient = objective.value_and_gradient(w + step)
        if value - promised == value and largest(new_gradient) >= largest(gradient):
            break  # rounding error hides every further improvement
        ratio = _agreement(value, new_value, promised, gradient, new_gradient)
        radius = _next_radius(radius, length, ratio)
        if ratio > _ACCEPT:
            w, value, gradient = w + step, new_value, new_gradient
            hessian_product = objective.hessian_operator(w) if largest(gradient) > tol else None
        if progress is not None:
            progress(n_iter, value, largest(gradient))
    converged = largest(gradient) <= tol
    return Solution(w, value, largest(gradient), n_iter, converged, "newton-cg", gradient=gradient)


def truncated_step(
    gradient: FloatArray,
    hessian_product: LinearMap,
    radius: float,
    precondition: LinearMap | None = None,
) -> tuple[FloatArray, float, float]:
    """Return a step p with ‖p‖_M ≤ radius, the fall of the quadratic model along it, and ‖p‖_M.

    The conjugate gradients stop at a relative residual of min(0.1, √‖g‖), which makes the outer
    iteration converge superlinearly.
    """
    residual = -gradient
    direction = towards = _apply(precondition, residual)
    squared = float(residual @ towards)
    goal = squared * min(0.1, squared**0.25) ** 2
    p, Hp = np.zeros_like(gradient), np.zeros_like(gradient)
    # p·Mp, p·Md and d·Md by recurrence: M itself is never at hand
    pp, pd, dd = 0.0, 0.0, squared
    for _ in range(max(20, 2 * len(gradient))):
        Hd = hessian_product(direction)
        curvature = float(direction @ Hd)
        length = squared / curvature if curvature > 0 else np.inf
        border = _to_border(pp, pd, dd, radius)
        if length >= border:
            length = border if np.isfinite(border) else 1.0 / np.sqrt(squared)
            p, Hp = p + length * direction, Hp + length * Hd
            pp += 2 * length * pd + length**2 * dd
            break
        p, Hp = p + length * direction, Hp + length * Hd
        pp += 2 * length * pd + length**2 * dd
        residual = residual - length * Hd
        towards = _apply(precondition, residual)
        squared, before = float(residual @ towards), squared
        if squared <= goal:
            break
        beta = squared / before
        pd, dd = beta * (pd + length * dd), squared + beta**2 * dd
        direction = towards + beta * direction
    return p, -float(gradient @ p + 0.5 * (p @ Hp)), float(np.sqrt(pp))


def _apply(precondition: LinearMap | None, v: FloatArray) -> FloatArray:
    return v if precondition is None else precondition(v)


def _to_border(pp: float, pd: float, dd: float, radius: float) -> float:
    """Return t ≥ 0 with ‖p + t·d‖_M = radius."""
    if not np.isfinite(radius):
        return np.inf
    inside = max(radius**2 - pp, 0.0)
    return inside / (pd + float(np.sqrt(pd**2 + dd * inside))) if inside > 0 else 0.0


def _agreement(
    value: float,
    new_value: float,
    promised: float,
    gradient: FloatArray,
    new_gradient: FloatArray,
) -> float:
    """Return the fall of F over the promised fall; by the gradients where rounding hides it."""
    if promised <= _ROUNDING * max(abs(value), abs(new_value)):
        return 1.0 if np.linalg.norm(new_gradient) <= np.linalg.norm(gradient) else 0.0
    return (value - new_value) / promised if np.isfinite(new_value) else -1.0


def _next_radius(radius: float, step_length: float, ratio: float) -> float:
    if ratio < _SHRINK_BELOW:
        return 0.25 * step_length
    if ratio > _GROW_ABOVE and step_length > 0.9 * radius:
        return 2 * radius
    return radius
