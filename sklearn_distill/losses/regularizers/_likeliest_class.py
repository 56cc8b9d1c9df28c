"""Probabilities and log-losses that keep their digits where one class has probability 1."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sklearn_distill._typing import FloatArray

Float64Array = npt.NDArray[np.float64]


class Split(NamedTuple):
    """A row as its likeliest class t against the others.

    The others' odds x = (1 − p_t)/p_t = e^a and their shares π of 1 − p_t keep their digits
    where p_t rounds to 1; p itself would lose them.
    """

    one_hot: Float64Array  # e_t
    shares: Float64Array  # π = softmax over the others, 0 at t
    log_odds: Float64Array  # a = lse_{j≠t} u_j − u_t
    mass: Float64Array  # σ = 1 − p_t
    ratio: Float64Array  # x / log(1 + x) ≥ 1, 1 at x = 0
    losses: Float64Array  # ℓ_k, with 1 in the place of ℓ_t

    @property
    def proba(self) -> Float64Array:
        """Compute p = σπ + (1 − σ)e_t."""
        return self.mass * self.shares + (1 - self.mass) * self.one_hot

    @property
    def inverse_losses(self) -> Float64Array:
        """Compute 1/ℓ_k (at most 1/log 2), with 0 in the place of the unbounded 1/ℓ_t."""
        return (1 - self.one_hot) / self.losses


def split(scores: FloatArray) -> Split:
    """Set the likeliest class of every row (the first of equals) apart."""
    u: Float64Array = scores.astype(np.float64)
    top = (u.argmax(axis=0), np.arange(u.shape[1]))
    one_hot = np.zeros_like(u)
    one_hot[top] = 1
    others = u.copy()
    others[top] = -np.inf
    second = others.max(axis=0)
    shares = np.exp(others - second)
    total = shares.sum(axis=0)
    log_odds = second - u[top] + np.log(total)
    odds = np.exp(log_odds)
    top_loss = np.log1p(odds)
    # Where the odds underflow to 0, x / log(1 + x) has the limit 1.
    ratio = np.divide(odds, top_loss, out=np.ones_like(odds), where=odds > 0)
    losses = (u[top] - u) + top_loss
    losses[top] = 1
    return Split(one_hot, shares / total, log_odds, odds / (1 + odds), ratio, losses)
