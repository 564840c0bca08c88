"""Small file habits shared by all writers: write beside, then rename; hash what was read."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from navplan.errors import FileAccessError
from navplan.system.bounds import MAX_BYTES, MAX_STREAM
from navplan.system.paths import as_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOCK = ".lock"
"""The file in a folder by which `locked` keeps others out of it."""
_LEFT_BEHIND_S = 3600.0


def write_atomically(path: str | Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write` on a temporary binary file beside `path`, flush it to disk, then rename it into place.

    A link is followed; a device or a pipe (``/dev/stdout``) is written as it is, for a rename would replace it.

    Raises:
        FileAccessError: the folder cannot be written; nothing half-written is left behind.
    """
    target = as_path(path)
    temporary: str | None = None
    if "\0" in str(target):
        raise FileAccessError(f"{str(target)!r}: cannot be written: no file can have this name")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder, expected a file name")
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                write(stream)
            return
        if target.is_symlink():
            target = target.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
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


@contextlib.contextmanager
def locked(folder: str | Path, *inner: str) -> Iterator[None]:
    """Make `folder` if need be, and keep other processes out of this block for it; what killed ones left there is removed.

    So is what they left in the folders in it that `inner` names. The lock is the system's on a file in the folder, which ends
    with the process however that ends. Where the system or the disk has no such locks, nothing is locked.

    Raises:
        FileAccessError: another process holds it, or the folder cannot be written.
    """
    place = Path(folder)
    made = not place.exists()
    try:
        place.mkdir(parents=True, exist_ok=True)
        descriptor = _lock(place / LOCK)
    except FileExistsError as error:
        raise FileAccessError(f"{folder}: exists already and is no folder") from error
    except OSError as error:
        raise FileAccessError(f"{folder}: cannot be written: {error.strerror or error}") from error
    if descriptor is None:
        raise FileAccessError(f"{folder}: another process is at work in it, expected a folder of its own")
    try:
        for swept in (place, *(place / name for name in inner)):
            for path in swept.iterdir() if swept.is_dir() else ():
                if is_temporary(path) and path.name != LOCK:
                    with contextlib.suppress(OSError):
                        path.unlink()
        yield
    finally:
        with contextlib.suppress(OSError):  # the folder itself may be gone
            (place / LOCK).unlink()
            if made:
                place.rmdir()  # as it was, where nothing came of it
        os.close(descriptor)


def _lock(path: Path) -> int | None:
    """Descriptor of the file, locked until it is closed; None where another process has it."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except (ImportError, OSError):  # a system or a disk without locks
            return descriptor
        with contextlib.suppress(OSError):
            if os.path.sameopenfile(descriptor, found := os.open(path, os.O_RDWR)):
                os.close(found)
                return descriptor
            os.close(found)
        os.close(descriptor)  # whoever held it has removed it meanwhile


def is_temporary(path: Path) -> bool:
    """True for what a process that was killed may have left: a file that it was writing, or its lock."""
    return path.name == LOCK or (path.name.startswith(".") and path.name.endswith(".tmp"))


def _sweep(target: Path) -> None:
    """Remove what killed processes left beside `target` while they wrote it: an hour is longer than any file takes."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFT_BEHIND_S:
                path.unlink()


def write_bytes(path: str | Path, data: bytes) -> None:
    """`write_atomically` for bytes that are there already; raises as there."""
    write_atomically(path, lambda stream: stream.write(data))


def write_arrays(path: str | Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """`write_atomically` for an `.npz` archive that is not compressed, so that its arrays can be mapped into memory."""
    import numpy as np

    write_atomically(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))


def write_text(path: str | Path, text: str) -> None:
    """`write_atomically` for UTF-8 text.

    Raises:
        FileAccessError: as there; or the text holds what UTF-8 cannot say, such as the name of a file that is not UTF-8.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise FileAccessError(f"{path}: cannot be written as UTF-8: {error.object[error.start : error.end]!r}") from error
    write_bytes(path, data)


def check_writable(path: str | Path, *, folder: bool = False) -> None:
    """Refuse a place where no file (or, with `folder`, no folder of files) can be written, before long work is done for it.

    Raises:
        FileAccessError: it is of the other kind, or a folder above it cannot be written.
    """
    target = as_path(path)
    try:
        reason = _obstacle(target, folder)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise FileAccessError(f"{target}: cannot be written: {reason}")


def _obstacle(target: Path, folder: bool) -> str | None:
    if folder and str(target) == "-":
        return "standard output holds no folder of files, expected the name of one"
    if not folder and target.is_dir():
        return "is a folder, expected a file name"
    if not folder and target.exists() and not target.is_file():  # a device or a pipe
        return None if os.access(target, os.W_OK) else "no permission to write"
    place = target if folder else target.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return f"{place} is no folder"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"no permission to write in {place}"
    return None


def read_bytes(path: str | Path) -> bytes:
    """The file's contents.

    Raises:
        FileAccessError: one line that names the file; it has more bytes than `navplan.system.bounds` allows.
    """
    file = as_path(path)
    try:
        return _contents(file)
    except OSError as error:
        raise FileAccessError(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a name that no file can have
        raise FileAccessError(f"{str(file)!r}: cannot be read: {error}") from error


def _contents(path: Path) -> bytes:
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        most = MAX_BYTES if stat.S_ISREG(status.st_mode) else MAX_STREAM
        data = b"" if status.st_size > most else stream.read(most + 1)
    if status.st_size > most or len(data) > most:
        raise OSError(errno.EFBIG, f"has more than {most} bytes")
    return data


def sha256(path: str | Path) -> str:
    """Hex SHA-256 of the file's contents."""
    return hashlib.sha256(read_bytes(path)).hexdigest()
