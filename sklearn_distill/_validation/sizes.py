"""Sizes of layers."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Return the widths of hidden layers.

    Parameters
    ----------
    sizes : int or array-like of int
        The constructor's ``hidden_layer_sizes``.

    Returns
    -------
    list of int
        One width for each layer.

    Raises
    ------
    ValueError
        If one is no whole number of at least 1.

    Examples
    --------
    >>> check_hidden_layer_sizes((64, 32)), check_hidden_layer_sizes(8)
    ([64, 32], [8])
    """
    widths = np.atleast_1d(np.asarray(sizes, dtype=object))
    if not all(isinstance(width, Integral) and int(width) >= 1 for width in widths):
        raise ValueError(
            f"hidden_layer_sizes={sizes!r}: give whole numbers of at least 1, one for each hidden "
            "layer"
        )
    return [int(width) for width in widths]
