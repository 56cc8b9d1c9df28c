"""Read the idx files of MNIST and its relatives."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_distill.datasets._files import DataFile, Folder, read_data_file
from sklearn_distill.datasets._options import splits_of

_PREFIX = {"train": "train", "test": "t10k"}
_N_ROWS = {"train": 60_000, "test": 10_000}


def idx_files(
    folder: str, origin: str, sha256: Mapping[str, tuple[str, str]], system: str | None = None
) -> dict[str, tuple[DataFile, DataFile]]:
    """Return the file of 28×28 images and that of the labels of each split.

    Parameters
    ----------
    folder : str
        Folder in the data layout.
    origin : str
        Address that the file names are appended to.
    sha256 : mapping from split to (images, labels)
        Hashes of the uncompressed files.
    system : str or None, default=None
        Folder of the system package.
    """

    def file(name: str, digest: str, max_bytes: int) -> DataFile:
        return DataFile(f"{folder}/{name}", digest, max_bytes, f"{origin}{name}", system)

    return {
        split: (
            file(f"{_PREFIX[split]}-images-idx3-ubyte.gz", images, 16 + 28 * 28 * _N_ROWS[split]),
            file(f"{_PREFIX[split]}-labels-idx1-ubyte.gz", labels, 8 + _N_ROWS[split]),
        )
        for split, (images, labels) in sha256.items()
    }


def load_idx(
    files: Mapping[str, tuple[DataFile, DataFile]],
    subset: str,
    n_samples: int | None,
    *,
    data_home: Folder,
    download_if_missing: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images (n_samples, height, width) and labels (n_samples,) of a subset."""

    def load(part: int) -> NDArray[np.uint8]:
        raw = [
            read_data_file(
                files[split][part], data_home=data_home, download_if_missing=download_if_missing
            )
            for split in splits_of(subset)
        ]
        return np.concatenate([parse_idx(content) for content in raw])[:n_samples]

    return load(0), load(1)


def parse_idx(content: bytes) -> NDArray[np.uint8]:
    """Return the array in an idx file of bytes: 0, 0, 8, ndim, big-endian shape, values.

    Examples
    --------
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    array([7, 9], dtype=uint8)
    """
    ndim = content[3]
    shape: NDArray[np.integer[Any]] = np.frombuffer(content, ">i4", count=ndim, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)
