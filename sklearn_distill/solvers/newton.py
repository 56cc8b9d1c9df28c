"""Newton's method with a trust region, for convex and for indefinite objectives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg.blas import daxpy, saxpy

from sklearn_distill._typing import FloatArray
from sklearn_distill.solvers.solution import Evaluation, Objective, Progress, Solution, max_abs

LinearMap = Callable[[FloatArray], FloatArray]

# A step is accepted if F decreases by more than this share of the decrease that the quadratic model
# predicts. The region shrinks and grows by the same ratio (Nocedal and Wright, algorithm 4.1).
_ACCEPT_ABOVE = 1e-4
_SHRINK_BELOW, _GROW_ABOVE = 0.25, 0.75
# Differences of F below this multiple of its rounding error carry no information.
_ROUNDING = 64
# The error that is left after a step lies mostly along directions of small curvature, where a small
# gradient is a larger distance: the ratio of the gradients underestimates it, by up to 100 in
# random problems. In doubt the decrement is computed, which takes 3 % more Hessian products.
_DISTANCE_FACTOR = 500


def newton_cg(
    objective: Objective,
    start: FloatArray,
    *,
    tol: float,
    max_iter: int,
    distance_tol: float = np.inf,
    precondition: LinearMap | None = None,
    evaluation: Evaluation | None = None,
    precision: float = float(np.finfo(np.float64).eps),
    step_dtype: np.dtype[Any] | None = None,
    progress: Progress | None = None,
) -> Solution:
    r"""Minimise by truncated Newton steps within a trust region.

    Each step solves :math:`\min_p g·p + \frac12 p·Hp,\ \|p\|_M \le Δ` by conjugate gradients that
    stop at the boundary of the region and at negative curvature, so the method is safe for
    objectives that are not convex.

    Parameters
    ----------
    objective : Objective
        Value, gradient and Hessian products of F.
    start : ndarray of shape (n_weights,)
        Initial weights of the iteration.
    tol : float
        Stop when max|∇F| ≤ tol and the distance is within its tolerance.
    max_iter : int
        Maximum number of Newton steps.
    distance_tol : float
        Largest distance to the minimiser w*, in the Hessian's norm. Before a step it is
        :math:`\|w - w^*\|_H ≈ \sqrt{2m}` with m the decrease that the quadratic model predicts (the
        Newton decrement); after the step it is estimated from the ratio of the gradients' norms.
    precondition : callable or None
        v ↦ M⁻¹v with M positive definite and close to the Hessian; None for the identity.
    evaluation : (float, ndarray) or None
        F and ∇F at the start, if they are known.
    precision : float
        Relative rounding error of F: where F changes by less, the gradient decides.
    step_dtype : dtype or None
        Precision of the vectors that Hessian products and the preconditioner take, of which a step
        needs few digits; None for that of the gradient.
    progress : callable or None
        Called after each step with (n_iter, value, max|∇F|).

    Returns
    -------
    Solution
        The last iterate, at which F is the lowest of all but for rounding. ``converged`` is False
        after ``max_iter`` steps and where rounding prevents that max|∇F| becomes ``tol``.

    References
    ----------
    Steihaug 1983; Conn, Gould and Toint 2000, algorithm 7.5.1; Nocedal and Wright 2006,
    algorithms 4.1 and 7.2; Boyd and Vandenberghe 2004, section 9.5.1, for the Newton decrement.

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
    value, gradient = evaluation or objective.value_and_gradient(w)
    distance = np.inf if gradient.any() else 0.0
    hessian_product: LinearMap | None = None
    n_iter, stalled = 0, False

    def is_near() -> bool:
        return max_abs(gradient) <= tol and (distance <= distance_tol or np.isinf(distance_tol))

    while n_iter < max_iter and not is_near():
        hessian_product = hessian_product or objective.hessian_operator(w)
        step, predicted, step_norm = _step_in(
            step_dtype, gradient, hessian_product, radius, precondition
        )
        # the decrement is only that of F if the step is not cut off at the boundary of the region
        decrement = np.sqrt(2 * predicted) if predicted >= 0 and step_norm < radius else np.inf
        distance = min(distance, decrement)
        if is_near():
            break
        n_iter += 1
        new_w = w + step
        del step  # the memory of many weights
        new_value, new_gradient = objective.value_and_gradient(new_w)
        hidden = predicted <= 0.5 * precision * abs(value)
        if hidden and max_abs(new_gradient) >= max_abs(gradient):
            stalled = True  # rounding error hides every further improvement
            break
        ratio = _reduction_ratio(value, new_value, predicted, gradient, new_gradient, precision)
        if ratio > _ACCEPT_ABOVE:
            shrinkage = _norm(new_gradient, precondition) / _norm(gradient, precondition)
            distance = _DISTANCE_FACTOR * shrinkage * decrement if shrinkage else 0.0
            w, value, gradient, hessian_product = new_w, new_value, new_gradient, None
        del new_w, new_gradient
        radius = _next_radius(radius, step_norm, ratio)
        if progress is not None:
            progress(n_iter, value, max_abs(gradient))
    converged = is_near() or (stalled and max_abs(gradient) <= tol)
    return Solution(
        w,
        value,
        max_abs(gradient),
        n_iter,
        converged,
        "newton-cg",
        gradient=gradient,
        # without a preconditioner a small region hides improvements far from the minimiser, too
        stalled=stalled and (step_norm < radius or precondition is not None),
    )


def _step_in(
    dtype: np.dtype[Any] | None,
    gradient: FloatArray,
    hessian_product: LinearMap,
    radius: float,
    precondition: LinearMap | None,
) -> tuple[FloatArray, float, float]:
    """Return :func:`truncated_step`, computed in a precision, whose range a unit gradient has."""
    if dtype is None or dtype == gradient.dtype:
        return truncated_step(gradient, hessian_product, radius, precondition)
    scale, unit = max_abs(gradient), np.empty(gradient.shape, dtype)
    np.divide(gradient, scale, out=unit, casting="same_kind")
    step, predicted, norm = truncated_step(
        unit, hessian_product, radius / scale, precondition, size=scale
    )
    step *= dtype.type(scale)
    return step, predicted * scale**2, norm * scale


def truncated_step(
    gradient: FloatArray,
    hessian_product: LinearMap,
    radius: float,
    precondition: LinearMap | None = None,
    *,
    size: float = 1.0,
) -> tuple[FloatArray, float, float]:
    """Return a step p with ‖p‖_M ≤ radius, the predicted decrease of F, and ‖p‖_M.

    The conjugate gradients stop at a relative residual of min(0.1, √‖g‖), with which the outer
    iteration converges superlinearly; ``size`` is the number by which g was divided.
    """
    residual = -gradient
    preconditioned = _apply(precondition, residual)
    direction = preconditioned.copy()
    squared_norm = float(residual @ preconditioned)
    threshold = squared_norm * min(0.1, (size**2 * squared_norm) ** 0.25) ** 2
    p = np.zeros_like(gradient)
    # p·Mp, p·Md and d·Md by recurrence, since products with M are not available, only with M⁻¹.
    pp, pd, dd = 0.0, 0.0, squared_norm
    # In exact arithmetic len(gradient) iterations suffice; rounding delays convergence.
    for _ in range(max(20, 2 * len(gradient))):
        Hd = hessian_product(direction)
        curvature = float(direction @ Hd)
        length = squared_norm / curvature if curvature > 0 else np.inf
        to_boundary = _length_to_boundary(pp, pd, dd, radius)
        at_boundary = length >= to_boundary
        if at_boundary:
            # Negative curvature in an infinite region: take a step of about unit length.
            length = to_boundary if np.isfinite(to_boundary) else 1.0 / np.sqrt(squared_norm)
        _add(length, direction, to=p)
        _add(-length, Hd, to=residual)
        pp += 2 * length * pd + length**2 * dd
        if at_boundary:
            break
        del Hd, preconditioned  # the memory of many weights
        preconditioned = _apply(precondition, residual)
        squared_norm, previous = float(residual @ preconditioned), squared_norm
        if squared_norm <= threshold:
            break
        beta = squared_norm / previous
        pd, dd = beta * (pd + length * dd), squared_norm + beta**2 * dd
        direction *= beta
        direction += preconditioned
    # with the residual r = −g − Hp, −g·p − ½ p·Hp needs no vector Hp
    return p, 0.5 * float(residual @ p - gradient @ p), float(np.sqrt(pp))


def _add(factor: float, v: FloatArray, *, to: FloatArray) -> None:
    """Add a multiple of v in place: many weights take longer to allocate than to add."""
    axpy = saxpy if to.dtype == np.float32 else daxpy
    axpy(v.astype(to.dtype, copy=False), to, a=factor)  # of another dtype it would add to a copy


def _apply(precondition: LinearMap | None, v: FloatArray) -> FloatArray:
    return v if precondition is None else precondition(v)


def _norm(v: FloatArray, precondition: LinearMap | None) -> float:
    """Return the norm of v in the metric of the preconditioner, M⁻¹."""
    return float(np.sqrt(v @ _apply(precondition, v)))


def _length_to_boundary(pp: float, pd: float, dd: float, radius: float) -> float:
    """Return t ≥ 0 with ‖p + t·d‖_M = radius."""
    if not np.isfinite(radius):
        return np.inf
    remaining = max(radius**2 - pp, 0.0)
    # The root of dd t² + 2 pd t = remaining in the form that does not cancel for pd > 0.
    return remaining / (pd + float(np.sqrt(pd**2 + dd * remaining))) if remaining > 0 else 0.0


def _reduction_ratio(
    value: float,
    new_value: float,
    predicted: float,
    gradient: FloatArray,
    new_gradient: FloatArray,
    precision: float,
) -> float:
    """Return the decrease of F over the predicted one.

    Where rounding hides the decrease, the step counts as fully successful if the gradient shrinks.
    """
    # rounding of the old value only: relative to a far larger new value every step is small
    rounding = _ROUNDING * precision * abs(value)
    if predicted <= rounding and new_value <= value + rounding:
        return 1.0 if np.linalg.norm(new_gradient) <= np.linalg.norm(gradient) else 0.0
    return (value - new_value) / predicted if np.isfinite(new_value) else -1.0


def _next_radius(radius: float, step_norm: float, ratio: float) -> float:
    if ratio < _SHRINK_BELOW:
        return 0.25 * step_norm
    # A step inside the region was not limited by it: only one at the boundary calls for more.
    if ratio > _GROW_ABOVE and step_norm > 0.9 * radius:
        return 2 * radius
    return radius
