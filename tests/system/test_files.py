"""Nothing half-written: a failing writer leaves the old file and no litter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

import navplan as nv
from navplan.errors import FileAccessError
from navplan.system.files import check_writable, locked, read_bytes, sha256, write_atomically, write_text


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


HOLDER = """import sys, time
from navplan.system.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_is_locked_by_one_process_until_that_ends_however_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        (folder / ".half.json.abc.tmp").write_text("left behind")
        with pytest.raises(FileAccessError, match=r"run: another process is at work in it"), locked(folder):
            pass
        process.kill()
    with locked(folder):
        assert [path.name for path in folder.iterdir()] == [".lock"]
        with pytest.raises(FileAccessError, match="at work"), locked(folder):
            pass
    assert list(folder.iterdir()) == []


def test_no_folder_can_be_locked_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError, match="is no folder"), locked(tmp_path / "file"):
        pass


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".a.json.1.tmp", ".a.json.2.tmp", ".b.json.1.tmp"))
    for path in (old, new, other):
        path.write_text("half")
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    write_text(tmp_path / "a.json", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.json.2.tmp", ".b.json.1.tmp", "a.json"]
