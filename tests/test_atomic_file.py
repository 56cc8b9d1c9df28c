"""A file is written completely or not at all, and through no link."""

import errno
import os
import stat

import pytest

from sklearn_distill._atomic_file import atomic_file


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("old", [None, b"before"], ids=str)
def test_a_failure_leaves_what_was_there(tmp_path, old, error):
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)

    def fail(file):
        file.write(b"half of it")
        raise error

    with pytest.raises(type(error)), atomic_file(path) as file:
        fail(file)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([] if old is None else [old])


def test_a_file_is_replaced_and_another_reader_never_sees_a_part(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with atomic_file(path) as file:
        file.write(b"after")
        file.flush()
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_links_are_not_followed_and_the_mode_is_that_of_any_new_file(tmp_path, monkeypatch):
    victim, path, plain = tmp_path / "victim", tmp_path / "file", tmp_path / "plain"
    victim.write_bytes(b"precious")
    plain.touch()
    path.symlink_to(victim)
    with atomic_file(path) as file:
        file.write(b"new")
    assert (victim.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"precious", b"new", 0)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    # the temporary name, which cannot be guessed, is taken by a link
    monkeypatch.setattr("secrets.token_hex", lambda n: "known")
    (tmp_path / ".known.part").symlink_to(victim)
    with pytest.raises(FileExistsError), atomic_file(path) as file:
        file.write(b"never")
    assert (victim.read_bytes(), path.read_bytes()) == (b"precious", b"new")


def test_a_folder_or_a_device_is_refused(tmp_path):
    for path in (tmp_path, os.devnull):
        with pytest.raises(OSError, match="is not a file"), atomic_file(path):
            pass


def test_the_longest_name_of_a_file_is_possible(tmp_path):
    path = tmp_path / ("n" * 250)
    with atomic_file(path) as file:
        file.write(b"1")
    assert path.read_bytes() == b"1"
