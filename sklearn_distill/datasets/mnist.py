"""Fetch MNIST."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import Folder
from sklearn_distill.datasets._idx import idx_files, load_idx
from sklearn_distill.datasets._images import Pixels, PixelType, check_image_options, image_bunch
from sklearn_distill.datasets._options import Subset

FILES = idx_files(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        "test": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    },
)

DESCR = """\
MNIST
-----
60000 training and 10000 test images, 28x28 grey, of handwritten digits.

Source: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86(11); files of the original release.
Licence: none in the files; CC BY-SA 3.0 is commonly stated.
"""


def fetch_mnist(
    *,
    data_home: Folder = None,
    subset: Subset = "train",
    n_samples: int | None = None,
    dtype: PixelType = "float32",
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Pixels, NDArray[np.int64]]:
    """Fetch MNIST: handwritten digits, 28×28 grey.

    The files are looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names, and last
    downloaded.

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
            Labels, int64: the digit.
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
    >>> from sklearn_distill.datasets import fetch_mnist
    >>> X, y = fetch_mnist(subset="test", return_X_y=True)  # doctest: +SKIP
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
        target_names=[str(digit) for digit in range(10)],
        DESCR=DESCR,
    )
