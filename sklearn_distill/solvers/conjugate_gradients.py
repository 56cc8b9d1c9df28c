"""Preconditioned conjugate gradients for linear systems given by products with their matrix."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sklearn_distill._typing import FloatArray


def conjugate_gradients(
    product: Callable[[FloatArray], FloatArray],
    b: FloatArray,
    *,
    start: FloatArray | None = None,
    precondition: Callable[[FloatArray], FloatArray] | None = None,
    rtol: float = 1e-6,
    max_iter: int = 1000,
) -> tuple[FloatArray, int]:
    r"""Solve H a = b by preconditioned conjugate gradients.

    H may be singular if b and the start lie in its range and the preconditioner maps the range
    into itself: then all iterates lie in it. The Hessian of K ≥ 3 scores is singular along the
    direction that is equal for all classes. Gradients sum to zero over the classes, and the result
    is the solution of :math:`(H + nn^T)a = b` with the null vector n.

    Parameters
    ----------
    product : callable
        v ↦ H v with H positive semidefinite.
    b : ndarray of shape (n_weights,)
        Right-hand side of the system.
    start : ndarray of shape (n_weights,) or None
        Initial solution; None for zero.
    precondition : callable or None
        v ↦ M⁻¹v with M positive definite and close to H; None for the identity.
    rtol : float
        Stop when :math:`\|b - Ha\|_{M^{-1}} \le \mathrm{rtol}\,\|b\|_{M^{-1}}`.
    max_iter : int
        Maximum number of products.

    Returns
    -------
    a : ndarray of shape (n_weights,)
        The solution; if H has negative curvature along a direction, the last iterate before it.
    n_products : int
        Number of products with H.

    References
    ----------
    Nocedal and Wright 2006, algorithm 5.3.

    Examples
    --------
    >>> import numpy as np
    >>> conjugate_gradients(lambda v: np.array([2.0, 5.0]) * v, np.array([4.0, 5.0]))
    (array([2., 1.]), 2)
    """
    M_inv = (lambda v: v) if precondition is None else precondition
    # Relative to b, not to the first residual: a good start then needs no step.
    threshold = rtol**2 * float(b @ M_inv(b))
    a, n_products = np.zeros_like(b), 0
    residual = b
    if start is not None and start.any():
        a, n_products = start, 1
        residual = b - product(a)
    preconditioned = M_inv(residual)
    direction, squared_norm = preconditioned, float(residual @ preconditioned)
    while squared_norm > threshold and n_products < max_iter:
        Hd = product(direction)
        n_products += 1
        curvature = float(direction @ Hd)
        if not curvature > 0:  # H is indefinite, or rounding dominates
            break
        a = a + squared_norm / curvature * direction
        residual = residual - squared_norm / curvature * Hd
        preconditioned = M_inv(residual)
        squared_norm, previous = float(residual @ preconditioned), squared_norm
        direction = preconditioned + squared_norm / previous * direction
    return a, n_products
