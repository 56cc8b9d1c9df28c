"""Integrals of ``exp(u·s)`` over the probability simplex, by a contour through the saddle point.

The mass ``M(u) = ∫ exp(u·s) ds_1…ds_{K−1}`` is the divided difference ``exp[u_1, …, u_K]``.
Cauchy's formula makes it an integral along a line around the scores; with the gaps
g_k = max u − u_k ≥ 0::

    e^{−max u} exp[u]    = (1/2πi) ∫ e^z / Π_k (z + g_k) dz
    exp[u, u_k]          : the same with a factor 1/(z + g_k)
    exp[u, u_k, u_l]     : the same with a factor 1/((z + g_k)(z + g_l))

so mass, mean and covariance products need K terms a node and no matrix exponential. The line
crosses the real axis at the saddle x, Σ_k 1/(x + g_k) = 1, with the curvature of the steepest
descent, and continues as a hyperbola between diagonal asymptotes::

    z(t) = x + A (1 − cosh t + i sinh t),   A = 3 Σ₂ / 2 Σ₃,   Σ_n = Σ_k (x + g_k)^{−n}

There the integrand is nearly positive, so nothing cancels. Its peak has the width 2/3ρ in t,
ρ = Σ₂^{3/2}/Σ₃ ≥ 1, and every pole lies more than 7 steps of length min(0.10, 0.15/ρ) off the line,
at any scores. So the trapezoidal rule with a fixed number of nodes is accurate
almost to rounding for every row, for ties as well as for large spreads.

References
----------
Weideman and Trefethen, "Parabolic and hyperbolic contours for computing the Bromwich integral",
Mathematics of Computation 76, 2007, pp. 1341-1356.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

# Worst relative error of mass and mean found, over ties, clusters, spreads up to 1e4 and searches
# around the hardest case (one top score, the others K below): 1e-14 for K ≤ 20, 1e-13 for K ≤ 50,
# 1e-11 for K ≤ 200, 1e-9 for K = 1000.
N_NODES = 40
STEP = 0.10
STEP_TIMES_RHO = 0.15
# Newton's method on a concave function is monotone from its left. A remaining error only moves the
# contour, not the value of the integral.
N_SADDLE_STEPS = 8


class Contour(NamedTuple):
    """The hyperbola of each row."""

    saddle: Float64Array  # x, of shape (n_rows,)
    weights: Float64Array  # w_k = 1/(x + g_k), of shape (n_classes, n_rows); they sum to 1
    size: Float64Array  # A
    step: Float64Array  # distance of the nodes in t

    def nodes(self) -> Iterator[tuple[ComplexArray, ComplexArray]]:
        """Yield, node by node, the integrand over its value at x, and (x + g)/(z + g)."""
        for j in range(N_NODES + 1):
            sinh, cosh = np.sinh(j * self.step), np.cosh(j * self.step)
            move = self.size * (1 - cosh + 1j * sinh)
            ratio = 1 / (1 + move * self.weights)
            # By symmetry the upper half of the contour suffices, with 1/π instead of 1/2π; the node
            # on the real axis counts half.
            scale = self.size * self.step * (0.5 if j == 0 else 1.0) / np.pi
            yield scale * np.exp(move) * ratio.prod(axis=0) * (1j * cosh - sinh), ratio


def contour(gap: Float64Array) -> Contour:
    """Compute the contour through the saddle point of each row."""
    x = np.ones(gap.shape[1])
    for _ in range(N_SADDLE_STEPS):  # on the concave 1/Σ₁ − 1
        weights = 1 / (x + gap)
        first = weights.sum(axis=0)
        x += (first - 1) * first / (weights**2).sum(axis=0)
    weights = 1 / (x + gap)
    second, third = (weights**2).sum(axis=0), (weights**3).sum(axis=0)
    step = np.minimum(STEP, STEP_TIMES_RHO * third / second**1.5)
    return Contour(x, weights, 1.5 * second / third, step)


def log_mass_and_mean(gap: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Compute ``log M(−g)`` and the mean of s under the density ``exp(−g·s) / M(−g)``.

    Parameters
    ----------
    gap : ndarray of shape (n_classes, n_rows)
        Distances g ≥ 0 of the scores from their maximum.

    Returns
    -------
    log_mass : ndarray of shape (n_rows,)
        Logarithm of the mass.
    mean : ndarray of shape (n_classes, n_rows)
        ``exp[u, u_k] / exp[u]``; the classes sum to 1.
    """
    line = contour(gap)
    total, mean = np.zeros(gap.shape[1]), np.zeros_like(gap)
    for node, ratio in line.nodes():
        total += node.imag
        mean += (node * ratio).imag
    log_mass = line.saddle - np.log(line.saddle + gap).sum(axis=0) + np.log(total)
    return log_mass, mean * line.weights / total


def covariance_product(gap: Float64Array, v: Float64Array) -> Float64Array:
    """Compute ``Cov(s) v`` under the density ``exp(−g·s) / M(−g)``.

    ``Cov(s)_kl = (1 + δ_kl) exp[u, u_k, u_l] / exp[u] − m_k m_l``. Where one class has nearly
    all the mass its row and column cancel, unless v is 0 there: shift v accordingly.

    Parameters
    ----------
    gap : ndarray of shape (n_classes, n_rows)
        Distances g ≥ 0 of the scores from their maximum.
    v : ndarray of shape (n_classes, n_rows)
        Directions v, one per row.

    Returns
    -------
    ndarray of shape (n_classes, n_rows)
        Products; they sum to 0 over the classes.
    """
    line = contour(gap)
    weighted = line.weights * v
    total, mean, moment = np.zeros(gap.shape[1]), np.zeros_like(gap), np.zeros_like(gap)
    for node, ratio in line.nodes():
        along = ratio * weighted
        tilted = node * ratio
        total += node.imag
        mean += tilted.imag
        moment += (tilted * (along + along.sum(axis=0))).imag
    mean *= line.weights / total
    product: Float64Array = line.weights * moment / total - mean * (mean * v).sum(axis=0)
    return product


def covariance(gap: Float64Array) -> Float64Array:
    """Compute ``Cov(s)`` under the density ``exp(−g·s) / M(−g)``.

    Where one class has nearly all the mass its diagonal entry cancels: compute it from the others.

    Parameters
    ----------
    gap : ndarray of shape (n_classes, n_rows)
        Distances g ≥ 0 of the scores from their maximum.

    Returns
    -------
    ndarray of shape (n_classes, n_classes, n_rows)
        Covariance matrices.
    """
    line = contour(gap)
    total, mean = np.zeros(gap.shape[1]), np.zeros_like(gap)
    moment = np.zeros((len(gap), *gap.shape))
    for node, ratio in line.nodes():
        tilted = node * ratio
        total += node.imag
        mean += tilted.imag
        # The matrix is symmetric: the lower triangle suffices.
        for k in range(len(gap)):
            moment[k, : k + 1] += (tilted[k] * ratio[: k + 1]).imag
    for k in range(len(gap)):
        moment[k, k] *= 2
        moment[:k, k] = moment[k, :k]
    mean *= line.weights / total
    w = line.weights
    return w[:, np.newaxis] * w * (moment / total) - mean[:, np.newaxis] * mean
