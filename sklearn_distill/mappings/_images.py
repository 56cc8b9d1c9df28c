"""Rows as images: flat rows are images whose shape has to be known."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray


def shape_of_images(X: NDArray[Any], image_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return (height, width) or (height, width, channels) of the images in X.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features) or (n_samples, height, width[, channels])
        Flat rows, or images.
    image_shape : sequence of 2 or 3 int or None
        What the user says; None leaves it to X, whose flat rows are then grey squares.

    Returns
    -------
    tuple of int
        The shape.

    Raises
    ------
    ValueError
        If X has other images, or flat rows that are none.

    Examples
    --------
    >>> shape_of_images(np.zeros((5, 784)), None)
    (28, 28)
    """
    if X.ndim > 4:
        raise ValueError(f"X has shape {X.shape}: give flat rows, or images (n, h, w[, c])")
    if image_shape is None:
        return X.shape[1:] if X.ndim > 2 else _square(X.shape[1])
    shape = tuple(int(size) for size in image_shape)
    if len(shape) not in {2, 3} or min(shape) < 1:
        raise ValueError(f"image_shape={image_shape!r}: give (height, width[, channels])")
    if X.shape[1:] not in {shape, (int(np.prod(shape)),)}:
        raise ValueError(
            f"X has rows of shape {X.shape[1:]}, where image_shape={shape} asks for {shape}, or "
            f"for flat rows of {int(np.prod(shape))} features"
        )
    return shape


def _square(n_features: int) -> tuple[int, int]:
    side = isqrt(n_features)
    if side**2 != n_features:
        raise ValueError(
            f"X has {n_features} features, which are no square image: say "
            "image_shape=(height, width[, channels])"
        )
    return side, side
