"""Compiled kernels on disk: in a folder of our own, checked when they are read, and done without where that does not work.

Numba keeps a pickle per signature, and a pickle runs what it likes when it is read. So a folder that another user could write is
not used at all; a file that is not what was written, byte for byte, is compiled again; a folder that cannot be written, or a disk
that is full, costs the time of compiling and nothing else. Each is said once, in a line on stderr.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import stat
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba.core.config
from numba.core import caching

_DIGEST = 32
# Temporary files older than this are those of processes that were killed.
_LEFT_BEHIND_S = 3600.0
_said: set[str] = set()

# Numba's classes are not typed.
_Locator: Any = caching.UserProvidedCacheLocator
_Implementation: Any = caching.CompileResultCacheImpl
_File: Any = caching.IndexDataCacheFile
_FunctionCache: Any = caching.FunctionCache
settings: Any = numba.core.config


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


class _CheckedFile(_File):  # type: ignore[misc]
    """Index and data of one kernel, each behind a digest of itself; data with the key that it belongs to.

    Two processes that write at once may each give the other's name to their data, hence the key.
    """

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (key, data))

    def load(self, key: Any) -> Any:
        found = super().load(key)
        return found[1] if found is not None and found[0] == key else None

    def _dump(self, obj: Any) -> bytes:
        payload: bytes = super()._dump(obj)
        return hashlib.blake2b(payload, digest_size=_DIGEST).digest() + payload

    def _load_index(self) -> dict[Any, str]:
        try:
            text = Path(self._index_path).read_bytes()
        except FileNotFoundError:
            return {}
        # the name of numba's version, a pickle by itself, comes first: it is compared as bytes, not read
        head = pickle.dumps(self._version, protocol=-1)
        if not text.startswith(head):
            raise Damaged
        stamp, overloads = pickle.loads(_checked(text[len(head) :]))
        return overloads if stamp == self._source_stamp else {}

    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as stream:
            return pickle.loads(_checked(stream.read()))

    def discard(self) -> None:
        """Remove the index, so that everything is written anew."""
        with contextlib.suppress(OSError):
            os.unlink(self._index_path)


def _checked(text: bytes) -> bytes:
    digest, payload = text[:_DIGEST], text[_DIGEST:]
    if hashlib.blake2b(payload, digest_size=_DIGEST).digest() != digest:
        raise Damaged
    return payload


class KernelCache(_FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, in `folder`; nothing that goes wrong with its files reaches the caller."""

    def __init__(self, function: Callable[..., object], base: Path, folder: Path) -> None:
        class Place(_Locator):  # type: ignore[misc]
            def __init__(self, py_func: Any, py_file: str) -> None:
                self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno
                self._cache_path = str(folder / self.get_suitable_cache_subpath(py_file))

            @classmethod
            def from_function(cls, py_func: Any, py_file: str) -> Any:
                return cls(py_func, py_file)

        class Implementation(_Implementation):  # type: ignore[misc]
            _locator_classes = (Place,)

        self._impl_class = Implementation
        self._base = base
        chosen, settings.CACHE_LOCATOR_CLASSES = settings.CACHE_LOCATOR_CLASSES, ""  # another place is none of ours
        try:
            super().__init__(function)
        finally:
            settings.CACHE_LOCATOR_CLASSES = chosen
        plain: Any = self._cache_file
        self._cache_file: Any = _CheckedFile(plain._cache_path, self._impl.filename_base, plain._source_stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function for a signature; None where there is none, or none that is whole."""
        if not usable(self._base):
            return None
        try:
            if os.path.isdir(self._cache_path) and foreign(Path(self._cache_path)):
                raise Damaged
            return super().load_overload(sig, target_context)
        except Exception as error:  # whatever a damaged file makes of the reader
            reason = "damaged" if isinstance(error, Damaged) else f"{type(error).__name__}: {error}"
            say_once(f"compiled kernels in {self._base} cannot be used and are compiled again ({' '.join(reason.split())})")
            self._cache_file.discard()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function, where that works."""
        if not usable(self._base):
            return
        try:
            os.makedirs(self._cache_path, mode=0o700, exist_ok=True)
            if foreign(Path(self._cache_path)):
                return
            _sweep(Path(self._cache_path))
            super().save_overload(sig, data)
        except OSError as error:
            say_once(f"compiled kernels are not kept: {self._base}: {error.strerror or error}")
        except Damaged:
            self._cache_file.discard()


@cache
def _sweep(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left."""
    now = time.time()
    for path in folder.glob("*.tmp.*"):
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > _LEFT_BEHIND_S:
                path.unlink()
