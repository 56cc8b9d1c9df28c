"""Torch tensors among the arguments of ``fit``, without importing torch."""

from __future__ import annotations

import sys
from typing import Any

from sklearn_distill._optional import tensor_to_numpy


def is_tensor(values: object) -> bool:
    """Return whether values are a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def to_numpy(values: Any) -> Any:
    """Return a tensor as a NumPy array, and anything else unchanged."""
    if not is_tensor(values):
        return values
    if values.is_floating_point() and values.itemsize < 4:  # NumPy has no bfloat16
        values = values.float()
    return tensor_to_numpy(values)
