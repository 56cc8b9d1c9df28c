"""What a linear student answers about torch tensors: computed where they lie."""

from __future__ import annotations

import sys
from typing import Any

from numpy.typing import NDArray

from sklearn_distill.students._tensors import beside, to_numpy


def scores(X: Any, coef: Any, intercept: Any) -> Any:
    """Return X Wᵀ + b of shape (n_rows, n_scores), in X's precision; W may be a single row."""
    return X @ coef.reshape(-1, X.shape[1]).to(X.dtype).T + intercept.to(X.dtype)


def labels(scores: Any, classes: NDArray[Any]) -> Any:
    """Return the most probable classes: numbers beside the scores, other labels in NumPy."""
    codes = (scores > 0).long() if scores.ndim == 1 else scores.argmax(1)
    if classes.dtype.kind in "biuf":
        return beside(codes, classes)[codes]
    return classes[to_numpy(codes)]


def proba(scores: Any) -> Any:
    """Return the probabilities of scores or, if they have one dimension, of log-odds."""
    torch = sys.modules["torch"]
    if scores.ndim == 1:
        return torch.stack([torch.sigmoid(-scores), torch.sigmoid(scores)], dim=1)
    return torch.softmax(scores, dim=1)


def log_proba(scores: Any) -> Any:
    """Return the logarithms of the probabilities, without rounding them first."""
    torch = sys.modules["torch"]
    if scores.ndim == 1:
        logsigmoid = torch.nn.functional.logsigmoid
        return torch.stack([logsigmoid(-scores), logsigmoid(scores)], dim=1)
    return torch.log_softmax(scores, dim=1)
