r"""Minimisers of many soft-target objectives at once, by damped Newton steps in plain NumPy.

.. math:: F(W) = \sum_t \sum_i ω_{ti}\,\mathrm{logsumexp}(W x_i / T_t)
    - \sum_{ik} A_{ik} (W x_i)_k + \frac{1}{2C} \|W\|^2,

without a penalty of the last column of X, the intercept. Two classes have one logit. Nothing of it
comes from the package, which it checks.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax


@dataclass
class Objectives:
    """Objectives on the same rows: a batch of B."""

    X: np.ndarray  # (n, p), a column of ones last
    A: np.ndarray  # (B, n, K)
    terms: list[tuple[np.ndarray, np.ndarray]]  # weights ω of shape (B, n), temperatures (B,)
    C: np.ndarray  # (B,)

    @property
    def n_scores(self):
        K = self.A.shape[-1]
        return 1 if K == 2 else K

    def take(self, chosen):
        terms = [(weight[chosen], T[chosen]) for weight, T in self.terms]
        return Objectives(self.X, self.A[chosen], terms, self.C[chosen])

    def scores(self, W, X=None):
        """Return one score for each class; the first of two is 0."""
        Z = np.einsum("bsp,np->bns", W, self.X if X is None else X)
        return np.concatenate([np.zeros_like(Z), Z], axis=-1) if self.n_scores == 1 else Z

    def value(self, W):
        Z = self.scores(W)
        value = (W[..., :-1] ** 2).sum((1, 2)) / (2 * self.C) - (self.A * Z).sum((1, 2))
        for weight, T in self.terms:
            value += (weight * logsumexp(Z / T[:, None, None], axis=-1)).sum(axis=1)
        return value

    def gradient_and_hessian(self, W):
        Z, S, (n, p) = self.scores(W), self.n_scores, self.X.shape
        R, curvature = -self.A, np.zeros((len(W), n, S, S))
        for weight, T in self.terms:
            P = softmax(Z / T[:, None, None], axis=-1)
            by_temperature = weight / T[:, None]
            R = R + by_temperature[..., None] * P
            Q = P[..., -S:]
            of_row = Q[..., None] * np.eye(S) - Q[..., :, None] * Q[..., None, :]
            curvature += (by_temperature / T[:, None])[..., None, None] * of_row
        penalty = np.append(np.ones(p - 1), 0.0) / self.C[:, None]
        g = np.einsum("bns,np->bsp", R[..., -S:], self.X) + W * penalty[:, None, :]
        H = np.einsum("np,bnsk,nq->bspkq", self.X, curvature, self.X, optimize=True)
        H = H.reshape(len(W), S * p, S * p)
        H[:, np.arange(S * p), np.arange(S * p)] += np.tile(penalty, S)
        if S > 1:  # a constant added to all intercepts changes nothing
            constant = np.tile(np.append(np.zeros(p - 1), 1.0), S)
            H += np.outer(constant, constant)
        return g.reshape(len(W), -1), H


def solve(H, V):
    """Return H⁻¹V of symmetric H, scaled to diagonals of 1; a weight without curvature gets 0."""
    diagonal = np.einsum("bii->bi", H)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))[..., None]
    unit_diagonal = scale * H * scale[..., 0][:, None, :]
    return scale * np.linalg.solve(unit_diagonal + 1e-13 * np.eye(H.shape[-1]), scale * V)


def minimise(objectives, max_iter=300):
    """Return the minimisers, of shape (B, n_scores, p)."""
    B, p = len(objectives.C), objectives.X.shape[1]
    W = np.zeros((B, objectives.n_scores, p))
    live = np.arange(B)
    for _ in range(max_iter):
        some = objectives.take(live)
        g, H = some.gradient_and_hessian(W[live])
        step = -solve(H, g[..., None])[..., 0]
        decrement = -(g * step).sum(axis=1)
        W[live], moved = damped(some, W[live], step.reshape(len(live), -1, p), decrement)
        live = live[(decrement > 1e-13) & moved]
        if not len(live):
            break
    return W


def damped(objectives, W, step, decrement):
    """Return W after steps halved until they descend, and which of them did."""
    before, length, W = objectives.value(W), np.ones(len(W)), W.copy()
    moved, left = np.zeros(len(W), dtype=bool), np.arange(len(W))
    for _ in range(40):
        trial = W[left] + length[left, None, None] * step[left]
        bound = before[left] - 1e-4 * length[left] * decrement[left]
        good = objectives.take(left).value(trial) <= bound + 1e-13 * np.abs(before[left])
        W[left[good]] = trial[good]
        moved[left[good]] = True
        left = left[~good]
        if not len(left):
            break
        length[left] /= 2
    return W, moved
