"""Fetch Imagenette."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_distill.datasets._files import DataFile, Folder
from sklearn_distill.datasets._images import Pixels, PixelType, check_image_options, image_bunch
from sklearn_distill.datasets._jpeg import load_jpeg_archive
from sklearn_distill.datasets._options import Subset, splits_of

FILE = DataFile(
    "imagenette/imagenette64_jpeg.npz",
    "e4946edbb81c6f2fa14da5e1d48631c89ee14dbdc72e13021997dcfc16a2181c",
    24_957_753,
    source="the 224x224 images of github thunderInfy/imagenette at b850f030, scaled to 64x64",
)

DESCR = """\
Imagenette at 64x64
-------------------
9469 training and 3925 test (the release's "val") images, 64x64 RGB, of ten easily distinguished
classes of ImageNet. The rows are shuffled.

Source: fastai's Imagenette 2; copied from github thunderInfy/imagenette at b850f030 (224x224),
scaled with LANCZOS to 64x64 and kept as JPEG of quality 90.
Licence: none stated in the repository; fastai/imagenette is Apache-2.0, the images are under
ImageNet's terms.
"""


def fetch_imagenette(
    *,
    data_home: Folder = None,
    subset: Subset = "train",
    n_samples: int | None = None,
    dtype: PixelType = "float32",
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Pixels, NDArray[np.int64]]:
    """Fetch Imagenette: ten easily distinguished classes of ImageNet, 64×64 RGB.

    The file is looked for in `data_home`, then in the folder that the variable
    SKLEARN_DISTILL_DATA names. It is a converted file without a public address: if it is in
    neither, nothing can be downloaded.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder to look into first. By default "sklearn_distill" in scikit-learn's data folder,
        looked into last.
    subset : {"train", "test", "all"}, default="train"
        9469 training rows, 3925 test rows, or both in this order.
    n_samples : int or None, default=None
        Read only the first ones of the subset (the rows are shuffled).
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
            Pixels of an image, row by row, RGB innermost. float32: 465 MB for
            "train", 193 MB for "test"; uint8: a quarter. Decoding takes about 0.2 ms an image.
        target : ndarray of shape (n_samples,)
            Labels, int64: 0 tench .. 9 parachute.
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
    >>> from sklearn_distill.datasets import fetch_imagenette
    >>> X, y = fetch_imagenette(subset="test", return_X_y=True)  # doctest: +SKIP
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
