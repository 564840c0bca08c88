"""Nothing half-written: a failing writer leaves the old file and no litter."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest

import navplan as nv
from navplan.files import read_bytes, sha256, write_atomically, write_text


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
