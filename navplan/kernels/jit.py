"""The one compile decorator of the project, with a cache that notices every edited kernel.

Numba's own cache does not see that a callee in another file has changed, so the cache folder carries a hash of all kernel
sources. Only our kernels use that folder: Numba's global setting is put back after each decoration.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config

# Numba fills this module from the environment, so its names are not known to type checkers.
settings: Any = numba.core.config

F = TypeVar("F", bound=Callable[..., object])


@cache
def cache_folder() -> Path:
    """Folder of the compiled kernels: ``NUMBA_CACHE_DIR`` or the user's cache folder, then a hash of the kernel sources."""
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        base = Path(chosen)
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "navplan" / "kernels"
    return base / digest.hexdigest()


def kernel(function: F) -> F:
    """Compile `function` lazily, cached on disk, without the GIL; divisions by zero give inf and nan as in numpy.

    Kernels take preallocated arrays, return a status, never raise and never print. ``NUMBA_DISABLE_JIT=1`` runs them as Python.
    """
    if settings.DISABLE_JIT:
        return function
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(cache_folder())
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        settings.CACHE_DIR = before
    return cast(F, compiled)
