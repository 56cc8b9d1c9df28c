"""Laws: the order of looking, and that nothing but the right bytes is ever read or kept."""

import gzip
import hashlib
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pooch
import pytest

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
    file = DataFile("set/part.npz", "0" * 64, source="somebody's photographs")
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
    def interrupt(self: object, url: str, path: str, manager: None) -> None:
        Path(path).write_bytes(b"half")
        assert files_under(nowhere) == [Path(path)]
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_data_file(file)
    assert files_under(nowhere) == []
    assert not (nowhere / PATH).exists()
