"""Solve a linear system by products with its matrix."""

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

    A singular H is allowed if b and the start lie in its range and the preconditioner maps that
    into itself: then so do all iterates. The Hessian of K ≥ 3 scores is singular along the change
    that is equal for all classes; gradients sum to zero over them, and what comes back is the
    solution of :math:`(H + nn^T)a = b` with the null vector n.

    Parameters
    ----------
    product : callable
        v ↦ H v with H positive semidefinite.
    b : ndarray of shape (n_weights,)
        The right side.
    start : ndarray of shape (n_weights,) or None
        Where to begin; None is zero.
    precondition : callable or None
        v ↦ M⁻¹v with M positive definite and near H; None is the identity.
    rtol : float
        Stop when :math:`\|b - Ha\|_{M^{-1}} \le \mathrm{rtol}\,\|b\|_{M^{-1}}`.
    max_iter : int
        Largest number of products.

    Returns
    -------
    a : ndarray of shape (n_weights,)
        The solution; where H bends down along a direction, the best point before it.
    n_products : int
        Products with H.

    References
    ----------
    Nocedal and Wright 2006, algorithm 5.3.

    Examples
    --------
    >>> import numpy as np
    >>> conjugate_gradients(lambda v: np.array([2.0, 5.0]) * v, np.array([4.0, 5.0]))
    (array([2., 1.]), 2)
    """
    M = (lambda v: v) if precondition is None else precondition
    goal = rtol**2 * float(b @ M(b))
    a, n_products = np.zeros_like(b), 0
    residual = b
    if start is not None and start.any():
        a, n_products = start, 1
        residual = b - product(a)
    towards = M(residual)
    direction, squared = towards, float(residual @ towards)
    while squared > goal and n_products < max_iter:
        Hd = product(direction)
        n_products += 1
        curvature = float(direction @ Hd)
        if not curvature > 0:
            break
        a = a + squared / curvature * direction
        residual = residual - squared / curvature * Hd
        towards = M(residual)
        squared, before = float(residual @ towards), squared
        direction = towards + squared / before * direction
    return a, n_products
