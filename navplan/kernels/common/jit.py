"""The compile decorators of the project, with a cache that notices every edited kernel.

Numba's own cache does not see that a callee in another file has changed, so a module's cache folder carries a hash of its source
and of all kernel sources that it imports, however they are imported and however deep they lie. Never used is the folder beside
the sources, which Numba falls back to.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config
from numba.core import event as numba_event
from numba.core.types import int8, int16, int32, int64, unliteral

from navplan.kernels.common.cache import KernelCache, base_folder, usable

# Numba fills this module from the environment, so its names are not known to type checkers.
settings: Any = numba.core.config
event: Any = numba_event
# The typed signature of `njit` leaves out the wrapper options.
njit: Any = numba.njit

F = TypeVar("F", bound=Callable[..., object])


# An import statement, wherever it stands: what it names after `from` and takes from there, or names after `import`.
IMPORT = re.compile(
    rb"(?:^|[;:])[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n;]*)|import[ \t]+([^\n;]*))", re.MULTILINE
)
# The names in such a list: comments and what comes after `as` are not among them.
NAMES = re.compile(rb"#[^\n]*|\bas[ \t]+\w+|([\w.]+|\*)")


def cache_folder(source: Path) -> Path:
    """Folder of the compiled kernels of the module `source`: ``NUMBA_CACHE_DIR`` or the user's cache folder, then a hash."""
    return (base_folder() or Path()) / _digest(source)


def is_cached(source: Path) -> bool:
    """True when any kernel of the module `source`, as it is now, has been compiled."""
    return any(cache_folder(source).rglob(f"{source.stem}.*"))


def keeps_kernels() -> bool:
    """True where what one process compiles another can load."""
    base = base_folder()
    return not settings.DISABLE_JIT and base is not None and usable(base) and os.access(base, os.W_OK | os.X_OK)


def sources(source: Path) -> dict[Path, bytes]:
    """What the kernels in `source` are compiled from: its text, this module's, and that of every module that it builds on.

    Followed are imports of navplan's kernels and, for kernels of other projects, of modules of the same package or folder.
    """
    found: dict[Path, bytes] = {}
    waiting = [source, Path(__file__)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path], builds_on = _read(path)
            waiting += builds_on
    return found


@cache
def _digest(source: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path, text in sorted(sources(source).items()):
        digest.update(path.name.encode())
        digest.update(text)
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    return digest.hexdigest()


@cache
def _read(path: Path) -> tuple[bytes, list[Path]]:
    """The text of a module, and the files of those that it imports."""
    text = path.read_bytes()
    return text, [file for name in imported(text, _dotted(path)) for file in _files(name, _root(path.parent))]


def imported(text: bytes, module: str) -> list[str]:
    """Dotted names that the source `text` of `module` imports; for ``from a import b`` both ``a`` and ``a.b``.

    Example:
        >>> imported(b"from a.b import c as d, e", "x.y")
        ['a.b', 'a.b.c', 'a.b.e']
        >>> imported(b"from ..b import c", "x.y.z")
        ['x.b', 'x.b.c']
    """
    found: list[str] = []
    for origin, taken, whole in IMPORT.findall(text.replace(b"\\\n", b" ")):
        if whole:
            found += [name.decode() for name in NAMES.findall(whole) if name]
            continue
        name = origin.decode()
        ups = len(name) - len(name.lstrip("."))
        if ups:
            name = ".".join([*module.split(".")[:-ups], *filter(None, [name[ups:]])])
        found += [name, *(f"{name}.{item.decode()}" for item in NAMES.findall(taken) if item)]
    return found


@cache
def _root(folder: Path) -> Path:
    """Folder in which the outermost package that `folder` belongs to lies; `folder` itself where it is no package."""
    return _root(folder.parent) if (folder / "__init__.py").is_file() else folder


def _dotted(path: Path) -> str:
    """The module's name, as imports write it."""
    return ".".join(path.relative_to(_root(path.parent)).with_suffix("").parts)


@cache
def _files(name: str, root: Path) -> tuple[Path, ...]:
    """Files that importing `name` runs, its packages' and its own: of navplan the kernels, of all else what lies in `root`."""
    package = name.rpartition(".")[0]
    above = _files(package, root) if package else ()
    if name == "navplan" or (package and not above and package != "navplan"):
        return ()
    if package == "navplan" and name != "navplan.kernels":
        return ()
    home = _root(Path(__file__).parent) if name.startswith("navplan.") else root
    place = os.path.join(home, *name.split("."))
    return above + tuple(Path(file) for file in (f"{place}{os.sep}__init__.py", f"{place}.py") if os.path.isfile(file))


@contextmanager
def compiling(tell: Callable[[int, str], object]) -> Iterator[None]:
    """Call `tell` with how many kernels were compiled in the body before, and the name of one, when it begins to be compiled."""

    class Ear(event.Listener):  # type: ignore[misc]
        count = 0

        def on_start(self, event: Any) -> None:
            dispatcher = event.data["dispatcher"]
            if isinstance(dispatcher._cache, KernelCache):  # else one of numba's own
                tell(Ear.count, dispatcher.__name__)
                Ear.count += 1

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Ear()):
        yield


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
    compiled = njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=not from_python)(function)
    base = base_folder()
    source = Path(function.__code__.co_filename)
    if base is not None and source.is_file() and usable(base):
        compiled._cache = KernelCache(function, base, cache_folder(source))
    specialise = compiled.get_call_template
    compiled.get_call_template = lambda args, kws: specialise([widened(arg) for arg in args], kws)
    return cast(F, compiled)


def widened(kind: Any) -> Any:
    """The type as which a kernel takes an argument from another kernel: integers are int64, whatever array they come from.

    Else a kernel would be compiled for each mixture of int32, int64 and literals that it is called with.
    """
    kind = unliteral(kind)
    return int64 if kind in (int8, int16, int32) else kind
