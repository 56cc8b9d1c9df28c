"""Package uint8 images as the Bunch that every image fetcher returns."""

from numbers import Integral
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_scalar

from sklearn_distill.datasets._options import check_choice

PixelType: TypeAlias = Literal["float32", "uint8"]
Pixels: TypeAlias = NDArray[np.float32] | NDArray[np.uint8]


def check_image_options(dtype: str, n_samples: int | None) -> None:
    """Check the options of an image fetcher, before any file is read."""
    check_choice("dtype", dtype, ("float32", "uint8"))
    if n_samples is not None:
        check_scalar(n_samples, "n_samples", Integral, min_val=1)


def image_bunch(
    images: NDArray[np.uint8],
    target: NDArray[np.integer[Any]],
    *,
    dtype: str,
    return_X_y: bool,
    **extra: object,
) -> Bunch | tuple[Pixels, NDArray[np.int64]]:
    """Return images as flat rows, with labels, as scikit-learn's image loaders do.

    Parameters
    ----------
    images : ndarray of shape (n_samples, ...)
        Pixels from 0 to 255.
    target : ndarray of shape (n_samples,)
        Class labels.
    dtype : {"float32", "uint8"}
        "float32" divides by 255.
    return_X_y : bool
        Whether to return only data and target.
    **extra : object
        Further entries of the Bunch.

    Returns
    -------
    Bunch or (data, target)
        `images` of the Bunch shares the memory of `data`.
    """
    pixels: Pixels = images
    if dtype == "float32":
        pixels = np.divide(images, np.float32(255), dtype=np.float32)
    data, y = pixels.reshape(len(pixels), -1), target.astype(np.int64)
    if return_X_y:
        return data, y
    return Bunch(data=data, target=y, images=pixels, **extra)
