"""Find, download and verify the files that the fetchers read.

A file is known by the sha256 of its uncompressed bytes, so any recompression of the same content
is accepted, and nothing else is.
"""

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from sklearn_distill._atomic_file import atomic_file
from sklearn_distill.datasets._download import download

VARIABLE = "SKLEARN_DISTILL_DATA"

Folder: TypeAlias = str | os.PathLike[str] | None


@dataclass(frozen=True)
class DataFile:
    """Describe one file of the data layout.

    Parameters
    ----------
    path : str
        Where the file lies under a data folder, with forward slashes.
    sha256 : str
        Hexadecimal sha256 of the content: of the uncompressed bytes if `path` ends in ".gz",
        else of the file.
    max_bytes : int
        The content has at most so many bytes; no more are read, downloaded or uncompressed.
    origin : str or None, default=None
        Public address of the file; None if there is none. It may be one of plain http, since the
        content is verified.
    system : str or None, default=None
        Folder in which a system package installs the file.
    source : str, default=""
        What a file without `origin` was made from.
    """

    path: str
    sha256: str
    max_bytes: int
    origin: str | None = None
    system: str | None = None
    source: str = ""

    @property
    def max_packed_bytes(self) -> int:
        """The size of the file at most: gzip adds some bytes to what it cannot compress."""
        return self.max_bytes + self.max_bytes // 1000 + 1024


def read_data_file(
    file: DataFile, *, data_home: Folder = None, download_if_missing: bool = True
) -> bytes:
    """Return the verified, uncompressed content of a data file.

    The first of these that holds the file is read: `data_home`, the folder named by the variable
    SKLEARN_DISTILL_DATA, the system package's folder and, where `data_home` is None,
    "sklearn_distill" in scikit-learn's data folder. If none does, the file is downloaded into
    `data_home` (or that last folder) under a temporary name, verified, and renamed. Nothing is read
    or uncompressed beyond ``file.max_bytes``.

    Parameters
    ----------
    file : DataFile
        The description of the file.
    data_home : str, path-like or None, default=None
        Folder to look into first and to download to.
    download_if_missing : bool, default=True
        Whether to download a file that is in none of the folders.

    Returns
    -------
    bytes
        The content, whose sha256 is ``file.sha256``.

    Raises
    ------
    FileNotFoundError
        If the file is in none of the places and cannot, or may not, be downloaded.
    OSError
        If the file found is not the right one (no other place is then tried), or the download
        failed.
    """
    places = _places(file, data_home)
    found = next((path for path in places.values() if path is not None and path.is_file()), None)
    if found is not None:
        remedy = f"Delete it, or put the right file there. {_source(file)}"
        with found.open("rb") as opened:
            return _unpack(opened, file, where=str(found), remedy=remedy)
    if file.origin is None or not download_if_missing:
        raise FileNotFoundError(_not_found(file, places))
    return _download(file, file.origin, _download_folder(data_home) / file.path)


def _places(file: DataFile, data_home: Folder) -> dict[str, Path | None]:
    """Return the paths that are searched, in this order; None for a folder that is not set."""
    variable = os.environ.get(VARIABLE)
    places: dict[str, Path | None] = {
        "data_home": Path(data_home).expanduser() / file.path if data_home is not None else None,
        f"${VARIABLE}": Path(variable).expanduser() / file.path if variable else None,
    }
    if file.system is not None:
        places["system package"] = Path(file.system) / Path(file.path).name
    if data_home is None:
        places["download folder"] = _download_folder(None) / file.path
    return places


def _download_folder(data_home: Folder) -> Path:
    """Return `data_home`, or the default folder."""
    if data_home is not None:
        return Path(data_home).expanduser()
    # not sklearn.datasets.get_data_home(), which creates the folder even if it is only searched
    home = os.environ.get("SCIKIT_LEARN_DATA", "~/scikit_learn_data")
    return Path(home).expanduser() / "sklearn_distill"


def _download(file: DataFile, origin: str, target: Path) -> bytes:
    """Download to a temporary file beside the target, verify, rename."""
    remedy = f"Nothing was kept. Try again, or put the file at {target} yourself."
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as part:
        try:
            download(origin, part, file.max_packed_bytes)
        except OSError as error:
            raise OSError(f"Downloading {origin} failed: {error}. {remedy}") from error
        part.seek(0)
        return _unpack(part, file, where=origin, remedy=remedy)


def _unpack(packed: BinaryIO, file: DataFile, *, where: str, remedy: str) -> bytes:
    """Return the uncompressed bytes if they are those of the file."""
    n_packed = os.fstat(packed.fileno()).st_size
    if n_packed > file.max_packed_bytes:  # before reading it
        raise OSError(_too_long(where, file, remedy))
    limit = file.max_bytes + 1
    is_gzip = file.path.endswith(".gz")
    content = _gunzip(packed, limit, where, remedy) if is_gzip else packed.read(limit)
    if len(content) == limit:
        raise OSError(_too_long(where, file, remedy))
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise OSError(
            f"{where} is not the expected {file.path}: the sha256 of its content is {sha256} "
            f"({len(content)} bytes), expected {file.sha256}. {remedy}"
        )
    return content


def _gunzip(packed: BinaryIO, limit: int, where: str, remedy: str) -> bytes:
    """Return the uncompressed bytes up to a limit, which bounds the memory, too."""
    try:
        with gzip.GzipFile(fileobj=packed, mode="rb") as unpacked:
            return unpacked.read(limit)
    except (EOFError, OSError, zlib.error) as error:
        raise OSError(
            f"{where} is truncated or corrupt: expected a complete gzip file, found "
            f"{os.fstat(packed.fileno()).st_size} bytes that do not unpack ({error}). {remedy}"
        ) from error


def _too_long(where: str, file: DataFile, remedy: str) -> str:
    return (
        f"{where} is not the expected {file.path}: it has more than the {file.max_bytes} bytes of "
        f"the content whose sha256 is {file.sha256}. {remedy}"
    )


def _source(file: DataFile) -> str:
    if file.origin is not None:
        return f"It comes from {file.origin}."
    return f"It is a converted file without a public address, made from {file.source}."


def _not_found(file: DataFile, places: dict[str, Path | None]) -> str:
    looked = [f"  {name}: {'not set' if path is None else path}" for name, path in places.items()]
    advice = "" if file.origin is None else "Pass download_if_missing=True to download it, or put "
    return "\n".join(
        [
            f"{file.path} was not found. Looked at",
            *looked,
            _source(file),
            f"{advice or 'Put '}it at <data_home>/{file.path}, or set {VARIABLE} to a folder "
            f"that holds {file.path}.",
        ]
    )
