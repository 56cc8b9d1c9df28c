"""Fetch Fashion-MNIST."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import Folder
from sklearn_distill.datasets._idx import idx_files, load_idx
from sklearn_distill.datasets._images import Pixels, PixelType, check_image_options, image_bunch
from sklearn_distill.datasets._options import Subset

FILES = idx_files(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {
        "train": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        "test": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    },
    system="/usr/share/datasets/fashion-mnist",
)

TARGET_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

DESCR = """\
Fashion-MNIST
-------------
60000 training and 10000 test images, 28x28 grey, of ten kinds of clothing, 7000 of each.

Source: Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking
machine learning algorithms", arXiv 1708.07747; files of the original release, as Debian's
package dataset-fashion-mnist installs them too.
Licence: MIT (Debian names it Expat).
"""


def fetch_fashion_mnist(
    *,
    data_home: Folder = None,
    subset: Subset = "train",
    n_samples: int | None = None,
    dtype: PixelType = "float32",
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Pixels, NDArray[np.int64]]:
    """Fetch Fashion-MNIST: ten kinds of clothing, 28×28 grey.

    The files are looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names, then where Debian's package dataset-fashion-mnist installs them,
    and last downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first and to download to. By default "sklearn_distill" in
        scikit-learn's data folder, looked into last.
    subset : {"train", "test", "all"}, default="train"
        60000 training rows, 10000 test rows, or both in this order.
    n_samples : int or None, default=None
        Read only the first ones of the subset.
    dtype : {"float32", "uint8"}, default="float32"
        Pixels in [0, 1] as float32, or 0..255 as uint8.
    download_if_missing : bool, default=True
        Whether to download a file that is in none of these places.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or (data, target)
        With the entries

        data : ndarray of shape (n_samples, 784)
            Pixels of an image, row by row. float32: 188 MB for "train",
            31 MB for "test"; uint8: a quarter.
        target : ndarray of shape (n_samples,)
            Class labels from 0 to 9, int64.
        images : ndarray of shape (n_samples, 28, 28)
            The same memory as `data`.
        target_names : list of str
            What label k means.
        DESCR : str
            Source, licence and warnings.

    Raises
    ------
    FileNotFoundError
        If a file is in none of these places and `download_if_missing` is False.
    OSError
        If a file found is not the right one, or the download fails.

    Examples
    --------
    >>> from sklearn_distill.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(subset="test", return_X_y=True)  # doctest: +SKIP
    """
    check_image_options(dtype, n_samples)
    images, target = load_idx(
        FILES, subset, n_samples, data_home=data_home, download_if_missing=download_if_missing
    )
    return image_bunch(
        images,
        target,
        dtype=dtype,
        return_X_y=return_X_y,
        target_names=list(TARGET_NAMES),
        DESCR=DESCR,
    )
