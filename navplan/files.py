"""Small file habits shared by all writers: write beside, then rename; hash what was read."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from navplan.errors import FileAccessError


def write_atomically(path: str | Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write` on a temporary binary file beside `path`, flush it to disk, then rename it into place.

    Raises:
        FileAccessError: the folder cannot be written; nothing half-written is left behind.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise FileAccessError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def write_text(path: str | Path, text: str) -> None:
    """`write_atomically` for UTF-8 text."""
    write_atomically(path, lambda stream: stream.write(text.encode("utf-8")))


def read_bytes(path: str | Path) -> bytes:
    """The file's contents.

    Raises:
        FileAccessError: one line that names the file.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileAccessError(f"{path}: cannot be read: {error.strerror or error}") from error


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of the file's contents."""
    return hashlib.sha256(read_bytes(path)).hexdigest()
