"""Compiled kernels on disk: in a folder of our own, checked when they are read, and done without where that does not work.

Machine code does what it likes. So a folder that another user could write is not used at all; a file that is not what was written
is compiled again; a folder that cannot be written, or a disk that is full, costs the time of compiling and nothing else. Each is
said once, in a line on stderr.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

_DIGEST = 32
_SUFFIX = ".kernel"
# Temporary files older than this are those of processes that were killed.
_LEFT_BEHIND_S = 3600.0
_said: set[str] = set()


def base_folder() -> Path | None:
    """``NUMBA_CACHE_DIR``, or navplan's part of the user's cache folder; None for a user without a home."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(os.path.abspath(chosen))
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(os.path.abspath(caches)) / "navplan" / "kernels"


def usable(base: Path | None) -> bool:
    """True where compiled kernels can be kept and read in folder `base`, which is made if need be; else one line says why not."""
    why = "there is no home folder" if base is None else _refusal(base)
    if why:
        say_once(f"compiled kernels are not kept: {why}")
    return not why


@cache
def _refusal(base: Path) -> str:
    """Why `base` is not used; empty if it is."""
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (base, *base.parents):
            why = foreign(folder, inside=folder != base)
            if why:
                return why
    except OSError as error:
        return f"{base}: {error.strerror or error}"
    return ""


def foreign(path: Path, *, inside: bool = False) -> str:
    """Why others could put files where `path` is, with what to do about it; empty where they cannot, or the system does not say.

    Args:
        inside: what matters is only who can replace something in it: a folder like /tmp, where all write but nobody removes
            another's things, will do then.
    """
    if not hasattr(os, "getuid"):
        return ""
    found = path.stat()
    if found.st_uid not in (os.getuid(), 0):
        return f"{path} belongs to another user, who could change them; expected a folder of your own (NUMBA_CACHE_DIR)"
    if not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or (inside and found.st_mode & stat.S_ISVTX):
        return ""
    return f"{path} can be written by others, who could change them; expected otherwise: chmod go-w {path}"


def say_once(line: str) -> None:
    """A line on stderr, once in a process."""
    if line not in _said:
        _said.add(line)
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or nobody reads it
            sys.stderr.write(f"navplan: {line}\n")
            sys.stderr.flush()


class Damaged(Exception):
    """A file of the cache is not what was written."""


class Files:
    """Compiled code of one kernel, a file for each combination of types; nothing that goes wrong with them reaches the caller.

    A file holds a digest of what follows; a line of JSON: the name of the code's door and the symbols that it needs; the code.

    Args:
        base: folder of all.
        folder: of this kernel's module as it is now, below `base`.
        name: what files of this kernel begin with.
    """

    def __init__(self, base: Path, folder: Path, name: str) -> None:
        self._base, self.folder, self._name = base, folder, name

    def load(self) -> Iterator[tuple[bytes, str, list[str]]]:
        """Code, door and needs of each file that is whole; one that is not is removed, with a line."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob(f"{self._name}.*{_SUFFIX}")):
            try:
                if foreign(self.folder):
                    raise Damaged
                text = path.read_bytes()
                if hashlib.blake2b(text[_DIGEST:], digest_size=_DIGEST).digest() != text[:_DIGEST]:
                    raise Damaged
                head, _, code = text[_DIGEST:].partition(b"\n")
                says = json.loads(head)
                found = code, says["door"], says["needs"]
            except (OSError, Damaged, ValueError, KeyError) as error:
                reason = "damaged" if isinstance(error, Damaged) else f"{type(error).__name__}: {error}"
                say_once(f"compiled kernels in {self._base} cannot be used and are compiled again ({' '.join(reason.split())})")
                with contextlib.suppress(OSError):
                    path.unlink()
            else:
                yield found

    def save(self, key: str, code: bytes, door: str, needs: Sequence[str]) -> None:
        """Keep compiled code, where that works; the same `key` is the same file."""
        payload = json.dumps({"door": door, "needs": list(needs)}).encode() + b"\n" + code
        path = self.folder / f"{self._name}.{key}{_SUFFIX}"
        part = path.with_name(f"{path.name}.tmp.{os.getpid()}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if foreign(self.folder):
                return
            _sweep(self.folder)
            with open(part, "wb") as stream:
                stream.write(hashlib.blake2b(payload, digest_size=_DIGEST).digest() + payload)
            os.replace(part, path)
        except OSError as error:
            say_once(f"compiled kernels are not kept: {self._base}: {error.strerror or error}")
            with contextlib.suppress(OSError):
                part.unlink()


@cache
def _sweep(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left."""
    now = time.time()
    for path in folder.glob("*.tmp.*"):
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > _LEFT_BEHIND_S:
                path.unlink()


def keeps_kernels() -> bool:
    """True where what one process compiles another can load."""
    base = base_folder()
    return base is not None and usable(base) and os.access(base, os.W_OK | os.X_OK)
