"""Probabilities and log-losses that stay accurate where a class has probability close to 1."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sklearn_distill._typing import FloatArray

Float64Array = npt.NDArray[np.float64]


class Split(NamedTuple):
    """The most probable class t of each row, separated from the other classes.

    The odds x = (1 − p_t)/p_t = e^a of the other classes and their shares π of 1 − p_t are accurate
    where p_t rounds to 1. Computed from p, they would have no correct digit there.
    """

    one_hot: Float64Array  # e_t
    shares: Float64Array  # π = softmax over the other classes, 0 at t
    log_odds: Float64Array  # a = lse_{j≠t} u_j − u_t
    mass: Float64Array  # σ = 1 − p_t
    ratio: Float64Array  # x / log(1 + x) ≥ 1, 1 at x = 0
    losses: Float64Array  # ℓ_k, with 1 instead of ℓ_t

    @property
    def proba(self) -> Float64Array:
        """Compute p = σπ + (1 − σ)e_t."""
        return self.mass * self.shares + (1 - self.mass) * self.one_hot

    @property
    def inverse_losses(self) -> Float64Array:
        """Compute 1/ℓ_k (at most 1/log 2), with 0 instead of the unbounded 1/ℓ_t."""
        return (1 - self.one_hot) / self.losses


def split(scores: FloatArray) -> Split:
    """Separate the most probable class of each row; the first of several equal ones."""
    u: Float64Array = scores.astype(np.float64)
    top = (u.argmax(axis=0), np.arange(u.shape[1]))
    one_hot = np.zeros_like(u)
    one_hot[top] = 1
    others = u.copy()
    others[top] = -np.inf
    second = others.max(axis=0)
    # −inf at t makes its share 0 without a mask; ``second`` is finite, since n_classes ≥ 2.
    shares = np.exp(others - second)
    total = shares.sum(axis=0)
    log_odds = second - u[top] + np.log(total)
    odds = np.exp(log_odds)
    top_loss = np.log1p(odds)
    # Where the odds underflow to 0, x / log(1 + x) has the limit 1.
    ratio = np.divide(odds, top_loss, out=np.ones_like(odds), where=odds > 0)
    # ℓ_k = u_t − u_k + ℓ_t is a sum of nonnegative numbers, so nothing cancels.
    losses = (u[top] - u) + top_loss
    losses[top] = 1
    return Split(one_hot, shares / total, log_odds, odds / (1 + odds), ratio, losses)
