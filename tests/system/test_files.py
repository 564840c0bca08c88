"""Nothing half-written: a failing writer leaves the old file and no litter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import pytest

import navplan as nv
from navplan.system.files import check_writable, read_bytes, sha256, write_atomically, write_text


def test_write_and_hash(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "note.txt", "abc")
    assert read_bytes(tmp_path / "deep" / "note.txt") == b"abc"
    assert sha256(tmp_path / "deep" / "note.txt").startswith("ba7816bf")


def test_a_failing_writer_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "note.txt"
    write_text(target, "old")

    def fail(stream: IO[bytes]) -> None:
        stream.write(b"half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(nv.FileAccessError, match=r"gone\.txt: cannot be read"):
        read_bytes(tmp_path / "gone.txt")


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(nv.FileAccessError, match="cannot be read"):
        read_bytes("a\0b")


def test_a_link_is_followed_and_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_text(tmp_path / "link.txt", "through")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "through"

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "abc")
    assert os.read(reader, 10) == b"abc"
    os.close(reader)
    assert pipe.is_fifo()


def test_text_that_utf8_cannot_say(tmp_path: Path) -> None:
    with pytest.raises(nv.FileAccessError, match=r"note\.txt: cannot be written as UTF-8"):
        write_text(tmp_path / "note.txt", "\udcff")
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_be_written_are_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_writable(tmp_path / "new" / "deep" / "a.json")
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "new", folder=True)
    check_writable(tmp_path, folder=True)
    for path, folder in ((tmp_path, False), (tmp_path / "file", True), (tmp_path / "file" / "a.json", False)):
        with pytest.raises(nv.FileAccessError, match="cannot be written"):
            check_writable(path, folder=folder)
    with pytest.raises(nv.FileAccessError, match=r"cannot be written: .*too long"):
        check_writable(tmp_path / ("x" * 5000))
    with pytest.raises(nv.FileAccessError, match="is a folder, expected a file name"):
        write_text(tmp_path, "abc")
