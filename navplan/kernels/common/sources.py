"""What a kernel is compiled from: its module and every kernel module that it imports, however they are imported, however deep.

A hash of all that names the folder of a module's compiled kernels, so that an edit anywhere below is never missed.

Tested through tests/kernels/common/test_jit.py.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from navplan.kernels.common.cache import base_folder
from navplan.kernels.common.native import machine

# An import statement, wherever it stands: what it names after `from` and takes from there, or names after `import`.
IMPORT = re.compile(
    rb"(?:^|[;:])[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n;]*)|import[ \t]+([^\n;]*))", re.MULTILINE
)
# The names in such a list: comments and what comes after `as` are not among them.
NAMES = re.compile(rb"#[^\n]*|\bas[ \t]+\w+|([\w.]+|\*)")
# What turns kernels into machine code, beside what they import.
COMPILER = Path(__file__).with_name("jit.py")


def cache_folder(source: Path) -> Path:
    """Folder of the compiled kernels of the module `source`: ``NUMBA_CACHE_DIR`` or the user's cache folder, then a hash."""
    return (base_folder() or Path()) / digest(source)


def is_cached(source: Path) -> bool:
    """True when any kernel of the module `source`, as it is now, has been compiled."""
    return any(cache_folder(source).glob(f"{source.stem}.*"))


def sources(source: Path) -> dict[Path, bytes]:
    """What the kernels in `source` are compiled from: its text, the compiler's, and that of every module that they build on.

    Followed are imports of navplan's kernels and, for kernels of other projects, of modules of the same package or folder.
    """
    found: dict[Path, bytes] = {}
    waiting = [source, COMPILER]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path], builds_on = _read(path)
            waiting += builds_on
    return found


@cache
def digest(source: Path) -> str:
    """Hash of the `sources`, of the machine, and of what its code is made for."""
    found = hashlib.blake2b(machine(), digest_size=8)
    for path, text in sorted(sources(source).items()):
        found.update(path.name.encode())
        found.update(text)
    found.update(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    return found.hexdigest()


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
