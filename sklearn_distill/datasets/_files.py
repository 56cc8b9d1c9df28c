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
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pooch

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
    origin : str or None, default=None
        Public address of the file; None if there is none.
    system : str or None, default=None
        Folder in which a system package installs the file.
    source : str, default=""
        What a file without `origin` was made from.
    """

    path: str
    sha256: str
    origin: str | None = None
    system: str | None = None
    source: str = ""


def read_data_file(
    file: DataFile, *, data_home: Folder = None, download_if_missing: bool = True
) -> bytes:
    """Return the verified, uncompressed content of a data file.

    The first of these that holds the file is read: `data_home`, the folder named by the variable
    SKLEARN_DISTILL_DATA, the system package's folder and, where `data_home` is None,
    "sklearn_distill" in scikit-learn's data folder. If none does, the file is downloaded into
    `data_home` (or that last folder) under a temporary name, verified, and renamed.

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
        return _unpack(found.read_bytes(), file, where=str(found), remedy=remedy)
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
    """Download to a temporary folder beside the target, verify, rename."""
    # beside it, so that the rename is atomic and an interrupted download leaves no partial file
    remedy = f"Nothing was kept. Try again, or put the file at {target} yourself."
    fetch = pooch.HTTPDownloader(progressbar=True, chunk_size=2**16, timeout=60)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
        part = Path(folder) / target.name
        try:
            fetch(origin, str(part), None)
        except OSError as error:
            raise OSError(f"Downloading {origin} failed: {error}. {remedy}") from error
        content = _unpack(part.read_bytes(), file, where=origin, remedy=remedy)
        os.replace(part, target)
    return content


def _unpack(packed: bytes, file: DataFile, *, where: str, remedy: str) -> bytes:
    """Return the uncompressed bytes if they are those of the file."""
    content = _gunzip(packed, where, remedy) if file.path.endswith(".gz") else packed
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != file.sha256:
        raise OSError(
            f"{where} is not the expected {file.path}: the sha256 of its content is {sha256} "
            f"({len(content)} bytes), expected {file.sha256}. {remedy}"
        )
    return content


def _gunzip(packed: bytes, where: str, remedy: str) -> bytes:
    try:
        return gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as error:
        raise OSError(
            f"{where} is truncated or corrupt: expected a complete gzip file, found "
            f"{len(packed)} bytes that do not unpack ({error}). {remedy}"
        ) from error


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
