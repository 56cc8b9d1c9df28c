"""The order of looking; nothing but the right bytes is read or kept, nor more than expected."""

import gzip
import hashlib
import os
import re
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import BinaryIO

import pooch
import pytest

from sklearn_distill.datasets import fashion_mnist, mnist
from sklearn_distill.datasets._files import VARIABLE, DataFile, read_data_file
from tests.datasets.conftest import Server

CONTENT = b"the right bytes" * 100
PATH = "set/part.gz"
Put = Callable[..., DataFile]

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def file(server: Server, tmp_path: Path) -> DataFile:
    server.content["/part.gz"] = gzip.compress(CONTENT)
    return DataFile(
        PATH,
        hashlib.sha256(CONTENT).hexdigest(),
        10_000,
        origin=f"{server.url}/part.gz",
        system=str(tmp_path / "system"),
    )


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


def test_places_are_tried_in_order(
    nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Put
) -> None:
    """A wrong file in every later place shows that the first one is read."""
    given, variable, system = (tmp_path / name for name in ("given", "variable", "system"))
    monkeypatch.setenv(VARIABLE, str(variable))
    file = replace(put(given, PATH, CONTENT), system=str(system))
    places = [given / PATH, variable / PATH, system / "part.gz", nowhere / PATH]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
    for i, place in enumerate(places):
        for other in places[:i]:
            other.unlink(missing_ok=True)
        place.write_bytes(gzip.compress(CONTENT))
        for other in places[i + 1 :]:
            other.write_bytes(b"wrong")
        data_home = given if i < 3 else None
        assert read_data_file(file, data_home=data_home, download_if_missing=False) == CONTENT


def test_any_compression_of_the_right_bytes_is_right(
    nowhere: Path, tmp_path: Path, put: Put
) -> None:
    file = put(tmp_path, PATH, CONTENT)
    (tmp_path / PATH).write_bytes(gzip.compress(CONTENT, compresslevel=1, mtime=7))
    assert read_data_file(file, data_home=tmp_path) == CONTENT


def test_file_without_gz_is_hashed_as_it_is(nowhere: Path, tmp_path: Path, put: Put) -> None:
    file = put(tmp_path, "set/part.npz", CONTENT)
    assert read_data_file(file, data_home=str(tmp_path)) == CONTENT


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(CONTENT)[:-9], "truncated or corrupt"),
        (gzip.compress(CONTENT)[:30] + b"\0" * 30, "truncated or corrupt"),
        (b"", "sha256"),
        (b"version https://git-lfs.github.com/spec/v1", "truncated or corrupt"),
        (gzip.compress(CONTENT + b"!"), "sha256"),
    ],
    ids=["truncated", "corrupt", "empty", "not gzip", "other content"],
)
def test_wrong_file_is_named_and_no_other_place_tried(
    file: DataFile,
    server: Server,
    nowhere: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    put: Put,
    packed: bytes,
    message: str,
) -> None:
    put(tmp_path / "variable", PATH, CONTENT)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable"))
    wrong = tmp_path / "given" / PATH
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(packed)
    with pytest.raises(OSError, match=message) as raised:
        read_data_file(file, data_home=tmp_path / "given")
    assert str(wrong) in str(raised.value)
    assert "expected" in str(raised.value)
    assert "Delete it" in str(raised.value)
    assert not isinstance(raised.value, FileNotFoundError)
    assert server.requests == []
    assert wrong.read_bytes() == packed


def test_hash_error_names_both_hashes(nowhere: Path, tmp_path: Path, put: Put) -> None:
    file = put(tmp_path, PATH, CONTENT)
    put(tmp_path, PATH, b"other")
    with pytest.raises(OSError, match=file.sha256) as raised:
        read_data_file(file, data_home=tmp_path)
    assert hashlib.sha256(b"other").hexdigest() in str(raised.value)


def test_missing_file_error_says_where_it_looked(
    file: DataFile, server: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "variable"))
    with pytest.raises(FileNotFoundError) as raised:
        read_data_file(file, download_if_missing=False)
    message = str(raised.value)
    for place in (tmp_path / "variable" / PATH, tmp_path / "system" / "part.gz", nowhere / PATH):
        assert str(place) in message
    assert "data_home: not set" in message
    assert "download_if_missing=True" in message
    assert f"{server.url}/part.gz" in message
    assert server.requests == []
    assert not nowhere.exists()


def test_missing_file_without_origin_is_an_error_even_if_download_is_allowed(nowhere: Path) -> None:
    file = DataFile("set/part.npz", "0" * 64, 9, source="somebody's photographs")
    with pytest.raises(FileNotFoundError, match="without a public address") as raised:
        read_data_file(file)
    message = str(raised.value)
    assert "somebody's photographs" in message
    assert "<data_home>/set/part.npz" in message
    assert f"set {VARIABLE} to a folder that holds set/part.npz" in message
    assert f"${VARIABLE}: not set" in message


def test_download_is_kept_and_not_repeated(
    file: DataFile, server: Server, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_data_file(file) == CONTENT
    assert files_under(nowhere) == [nowhere / PATH]
    assert "100%" in capsys.readouterr().err
    assert read_data_file(file) == CONTENT
    assert server.requests == ["/part.gz"]


def test_download_goes_to_data_home(
    file: DataFile, nowhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_data_file(file, data_home=tmp_path / "given")
    assert (tmp_path / "given" / PATH).is_file()
    assert not nowhere.exists()


@pytest.mark.parametrize("fault", ["cut short", "wrong content", "not gzip", "absent", "refused"])
def test_failed_download_leaves_nothing(
    file: DataFile,
    server: Server,
    nowhere: Path,
    fault: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if fault == "cut short":
        server.cut = 5
    elif fault == "refused":
        with socket.create_server(("127.0.0.1", 0)) as closed_now:
            port = closed_now.getsockname()[1]
        file = replace(file, origin=f"http://127.0.0.1:{port}/part.gz")
    else:
        server.content = {
            "wrong content": {"/part.gz": gzip.compress(b"wrong")},
            "not gzip": {"/part.gz": b"<html>moved</html>"},
            "absent": {},
        }[fault]
    with pytest.raises(OSError, match="Nothing was kept") as raised:
        read_data_file(file)
    assert str(file.origin) in str(raised.value)
    assert str(nowhere / PATH) in str(raised.value)
    assert files_under(nowhere) == []


def test_interrupted_download_leaves_nothing(
    file: DataFile, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, url: str, part: BinaryIO, manager: None) -> None:
        part.write(b"half")
        assert len(files_under(nowhere)) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_data_file(file)
    assert files_under(nowhere) == []
    assert not (nowhere / PATH).exists()


def bomb(megabytes: int) -> bytes:
    """Return a gzip file a thousandth of what it unpacks to."""
    return gzip.compress(bytes(2**20)) * megabytes


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Return a function that gives the most bytes that Python held since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_no_more_is_unpacked_than_expected(
    nowhere: Path, tmp_path: Path, put: Put, peak: Callable[[], int]
) -> None:
    file = put(tmp_path, PATH, CONTENT)
    (tmp_path / PATH).write_bytes(bomb(60))
    tracemalloc.reset_peak()  # making it takes memory, too
    with pytest.raises(OSError, match=r"more than the 100000 bytes of the content.*Delete it"):
        read_data_file(file, data_home=tmp_path)
    assert peak() < 2**20


@pytest.mark.parametrize("path", [PATH, "set/part.npz"])
def test_a_file_that_is_too_long_is_not_read(
    nowhere: Path, tmp_path: Path, put: Put, path: str, peak: Callable[[], int]
) -> None:
    file = put(tmp_path, path, CONTENT)
    with (tmp_path / path).open("wb") as opened:
        opened.truncate(2**33)  # sparse: it takes no space
    with pytest.raises(OSError, match=r"more than the 100000 bytes of the content"):
        read_data_file(file, data_home=tmp_path)
    assert peak() < 2**20


@pytest.mark.parametrize("announced", [True, False])
def test_no_more_is_downloaded_than_expected(
    file: DataFile, server: Server, nowhere: Path, announced: bool, peak: Callable[[], int]
) -> None:
    server.content["/part.gz"] = bytes(2**23)
    server.announces_length = announced
    message = "announces 8388608 bytes, more than the" if announced else "sends more than"
    before = peak()
    with pytest.raises(OSError, match=rf"Downloading .* failed: the server {message}.*Nothing was"):
        read_data_file(file)
    assert peak() - before < 2**22
    assert files_under(nowhere) == []


@pytest.mark.parametrize("compresslevel", [0, 9])
def test_what_gzip_adds_is_expected(
    nowhere: Path, tmp_path: Path, put: Put, compresslevel: int
) -> None:
    content = Random(0).randbytes(10**6)
    file = replace(put(tmp_path, PATH, content), max_bytes=len(content))
    (tmp_path / PATH).write_bytes(gzip.compress(content, compresslevel))
    assert read_data_file(file, data_home=tmp_path) == content
    with pytest.raises(OSError, match="more than the 999999 bytes"):
        read_data_file(replace(file, max_bytes=len(content) - 1), data_home=tmp_path)


@pytest.mark.parametrize("files", [mnist.FILES, fashion_mnist.FILES], ids=["mnist", "fashion"])
def test_what_comes_over_plain_http_is_known(files: dict[str, tuple[DataFile, DataFile]]) -> None:
    for file in [part for split in files.values() for part in split]:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert 10_000 < file.max_bytes < 50_000_000


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_a_download_follows_no_link(
    file: DataFile, nowhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = tmp_path / "victim"
    (nowhere / PATH).parent.mkdir(parents=True)
    (nowhere / PATH).symlink_to(victim)  # to nothing, so that there is no file to read
    assert read_data_file(file) == CONTENT
    assert not victim.exists()
    assert not (nowhere / PATH).is_symlink()
