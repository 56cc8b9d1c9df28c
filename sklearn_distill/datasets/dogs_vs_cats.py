"""Fetch Dogs vs. Cats."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder
from sklearn_distill.datasets._images import Pixels, PixelType, check_image_options, image_bunch
from sklearn_distill.datasets._jpeg import load_jpeg_archive

FILE = DataFile(
    "dogs_vs_cats/dogs_vs_cats64_jpeg.npz",
    "034cd8d9e13b44ebc07c27aa5e108907519e5be02d52e277010c4723cd02ab84",
    35_939_140,
    source=(
        "the 200x200 images of github 4GeeksAcademy/Deep-Learning-CarlosFS at d771ae19, "
        "scaled to 64x64"
    ),
)

DESCR = """\
Dogs vs. Cats at 64x64
----------------------
12500 cats (label 0) and 12500 dogs (label 1), 64x64 RGB, in the order cat, dog, cat, dog, ...;
there is no official split.

Source: Elson et al. 2007, "Asirra", and Kaggle's competition Dogs vs. Cats; copied from github
4GeeksAcademy/Deep-Learning-CarlosFS at d771ae19 (200x200), scaled with LANCZOS to 64x64 and kept
as JPEG of quality 85.
Licence: none stated in the repository; Kaggle's competition rules and Asirra's terms.
"""


def fetch_dogs_vs_cats(
    *,
    data_home: Folder = None,
    n_samples: int | None = None,
    dtype: PixelType = "float32",
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Pixels, NDArray[np.int64]]:
    """Fetch Dogs vs. Cats: two classes, 64×64 RGB.

    The file is looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names. It is a converted file without a public address: if it is in
    neither, nothing can be downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    n_samples : int or None, default=None
        Read only the first ones (balanced if even).
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

        data : ndarray of shape (n_samples, 12288)
            Pixels of an image, row by row, RGB innermost. float32: 1.23 GB for
            all 25000; uint8: a quarter. Decoding takes about 0.2 ms an image.
        target : ndarray of shape (n_samples,)
            Labels, int64: 0 cat, 1 dog.
        images : ndarray of shape (n_samples, 64, 64, 3)
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
    >>> from sklearn_distill.datasets import fetch_dogs_vs_cats
    >>> X, y = fetch_dogs_vs_cats(n_samples=2000, return_X_y=True)  # doctest: +SKIP
    """
    check_image_options(dtype, n_samples)
    images, target, names = load_jpeg_archive(
        FILE,
        ("data",),
        n_samples,
        data_home=data_home,
        download_if_missing=download_if_missing,
    )
    return image_bunch(
        images, target, dtype=dtype, return_X_y=return_X_y, target_names=names, DESCR=DESCR
    )
