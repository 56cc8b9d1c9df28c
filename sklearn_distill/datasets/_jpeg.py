"""Read image sets that are kept as JPEG files, one after another, in an npz file."""

import io
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file


def load_jpeg_archive(
    file: DataFile,
    splits: tuple[str, ...],
    n_samples: int | None,
    *,
    data_home: Folder,
    download_if_missing: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[str]]:
    """Return images, labels and the names of the classes.

    For each split s the archive holds `s_jpeg` (uint8, the files one after another),
    `s_offsets` (int64, where each starts and the last ends) and `s_y` (uint8).

    Parameters
    ----------
    file : DataFile
        The description of the archive.
    splits : tuple of str
        Splits to read, in this order.
    n_samples : int or None
        Number of images to read from the beginning of each split; None reads all.
    data_home, download_if_missing
        As in `read_data_file`.

    Returns
    -------
    images : ndarray of shape (n_samples, height, width, 3)
        Pixels from 0 to 255.
    target : ndarray of shape (n_samples,)
        Class labels.
    target_names : list of str
        Name of each class.
    """
    pillow = _import_pillow()
    raw = read_data_file(file, data_home=data_home, download_if_missing=download_if_missing)
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        jpegs = [jpeg for split in splits for jpeg in _split_files(archive, split)[:n_samples]]
        target = np.concatenate([archive[f"{split}_y"] for split in splits])
        names = archive["target_names"].tolist()
    images = _decode(jpegs[:n_samples], pillow)
    return images, target[:n_samples], names


def _split_files(archive: Any, split: str) -> list[bytes]:
    files, offsets = archive[f"{split}_jpeg"].tobytes(), archive[f"{split}_offsets"].tolist()
    return [files[i:j] for i, j in pairwise(offsets)]


def _decode(jpegs: list[bytes], pillow: ModuleType) -> NDArray[np.uint8]:
    width, height = pillow.open(io.BytesIO(jpegs[0])).size
    images = np.empty((len(jpegs), height, width, 3), dtype=np.uint8)
    for i, jpeg in enumerate(jpegs):
        images[i] = pillow.open(io.BytesIO(jpeg)).convert("RGB")
    return images


def _import_pillow() -> ModuleType:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "This data set is kept as JPEG files, which need pillow to read: "
            'pip install "sklearn-distill[images]"'
        ) from error
    return Image
