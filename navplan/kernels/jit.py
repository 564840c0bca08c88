"""The compile decorators of the project, with a cache that notices every edited kernel.

Numba's own cache does not see that a callee in another file has changed, so a module's cache folder carries a hash of its source
and of all kernel sources that it imports. Only our kernels use that folder: Numba's global setting is put back after each use.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config
from numba.core.types import int8, int16, int32, int64, unliteral

# Numba fills this module from the environment, so its names are not known to type checkers.
settings: Any = numba.core.config
# The typed signature of `njit` leaves out the wrapper options.
njit: Any = numba.njit

F = TypeVar("F", bound=Callable[..., object])


# How a kernel module imports another.
IMPORT = re.compile(rb"^from navplan\.kernels\.(\w+) import", re.MULTILINE)


@cache
def cache_folder(source: Path) -> Path:
    """Folder of the compiled kernels of the module `source`: ``NUMBA_CACHE_DIR`` or the user's cache folder, then a hash."""
    digest = hashlib.blake2b(digest_size=8)
    for path, text in sorted(sources(source).items()):
        digest.update(path.name.encode())
        digest.update(text)
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        base = Path(chosen)
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "navplan" / "kernels"
    return base / digest.hexdigest()


def is_cached(source: Path) -> bool:
    """True when any kernel of the module `source`, as it is now, has been compiled."""
    return any(cache_folder(source).rglob(f"{source.stem}.*"))


def sources(source: Path) -> dict[Path, bytes]:
    """What the kernels in `source` are compiled from: its text, this module's, and that of every kernel module it builds on."""
    found: dict[Path, bytes] = {}
    waiting = [source, Path(__file__)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = path.read_bytes()
            waiting += [Path(__file__).with_name(f"{name.decode()}.py") for name in IMPORT.findall(found[path])]
    return found


def kernel(function: F) -> F:
    """Compile `function` lazily, cached on disk, without the GIL; divisions by zero give inf and nan as in numpy.

    Kernels take preallocated arrays, return a status, never raise and never print. ``NUMBA_DISABLE_JIT=1`` runs them as Python.
    """
    return _compiled(function, from_python=True)


def inner(function: F) -> F:
    """A kernel that only kernels call: without what a call from Python needs, it compiles faster."""
    return _compiled(function, from_python=False)


def _compiled(function: F, *, from_python: bool) -> F:
    if settings.DISABLE_JIT:
        return function
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(cache_folder(Path(function.__code__.co_filename)))
    try:
        compiled = njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=not from_python)(
            function
        )
    finally:
        settings.CACHE_DIR = before
    specialise = compiled.get_call_template
    compiled.get_call_template = lambda args, kws: specialise([widened(arg) for arg in args], kws)
    return cast(F, compiled)


def widened(kind: Any) -> Any:
    """The type as which a kernel takes an argument from another kernel: integers are int64, whatever array they come from.

    Else a kernel would be compiled for each mixture of int32, int64 and literals that it is called with.
    """
    kind = unliteral(kind)
    return int64 if kind in (int8, int16, int32) else kind
