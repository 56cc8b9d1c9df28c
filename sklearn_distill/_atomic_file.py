"""Write a file completely or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file that replaces the one at a path once it is complete.

    The bytes go to a file beside it with a random name, which no other process can have made
    (``O_EXCL``) and which is no link. An error, a full disk or an interrupt leaves what was at the
    path before, and no other file. A link at the path is replaced; its target is unchanged.

    Parameters
    ----------
    path : str or path-like
        Path of the file.

    Yields
    ------
    file
        A binary file, open for reading and writing.

    Raises
    ------
    OSError
        If the file cannot be written, or the path is that of a folder or a device.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_file(f"{folder}/numbers") as file:
    ...         _ = file.write(b"1 2 3")
    ...     Path(folder, "numbers").read_text()
    '1 2 3'
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a file: name a file, which is replaced if it exists")
    # short, so that every name that the file system accepts for the file itself is possible
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    file = temporary.open("x+b")  # before the try: a file that another process made stays
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power failure may leave the name without the bytes
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
